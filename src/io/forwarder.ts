/**
 * The loopback listener. A connection begins with a ticket of the shim, with SOCKS 4, 4a or 5, or
 * with an HTTP request; the first octet tells. What is behind the faces is the Connector's.
 */

import { type AddressInfo, createServer, type Server as Listener, type Socket } from "node:net";
import type { Access, ServerEvent, ServerMachine } from "../socks/machine.ts";
import { createServerMachine } from "../socks/server.ts";
import type { Connector } from "./connector.ts";
import type { Departures } from "./departures.ts";
import type { DialResult } from "./dial.ts";
import { type Asker, type DecisionLog, UNKNOWN_ASKER } from "./log.ts";
import { findSocketOwner } from "./processes.ts";
import {
  type Connection,
  type Peers,
  type Reservation,
  TICKET_LENGTH,
  TICKET_MARK,
  type Tickets,
} from "./tickets.ts";
import { Unheard } from "./unheard.ts";

export interface ForwarderOptions {
  connector: Connector;
  log: DecisionLog;
  /** Who may use the SOCKS and HTTP faces. */
  access: Access;
  /** Where programs under the shim are served too. */
  shim: { tickets: Tickets; peers: Peers; departures: Departures } | undefined;
  /** Of more connections without a whole handshake the oldest are closed: any user may open some. */
  maxUnheard: number;
}

type Dialled = DialResult & { ok: true };

/** Whoever connects has this long to say what it wants. */
const HANDSHAKE_TIMEOUT_MS = 30_000;
const BACKLOG = 4096;
const NOTHING = new Uint8Array();

export class Forwarder {
  readonly #options: ForwarderOptions;
  readonly #listeners: Listener[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #unheard: Unheard;

  constructor(options: ForwarderOptions) {
    this.#options = options;
    this.#unheard = new Unheard(options.maxUnheard);
  }

  /** Listen; port 0 takes a free one. Rejects with node's error (EADDRINUSE, EADDRNOTAVAIL ...). */
  listen(host: string, port: number): Promise<AddressInfo> {
    const listener = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#welcome(socket);
    });
    return new Promise((resolve, reject) => {
      listener.once("error", reject);
      listener.listen({ host, port, backlog: BACKLOG }, () => {
        this.#listeners.push(listener);
        resolve(listener.address() as AddressInfo);
      });
    });
  }

  /** Stop listening and reset what is still open. */
  close(): void {
    for (const listener of this.#listeners.splice(0)) listener.close();
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Carries a program's socket that did not come by a listener. */
  async carry(
    socket: Socket,
    connection: Connection,
    reservation: Reservation,
    dialled: Dialled,
  ): Promise<void> {
    this.#hold(socket, connection);
    this.#options.shim?.peers.remember(connection, reservation.endpoint);
    await this.#carryReserved(socket, reservation, dialled, NOTHING);
  }

  async #carryReserved(
    program: Socket,
    reservation: Reservation,
    { socket: destination, rest }: Dialled,
    fromProgram: Uint8Array,
  ): Promise<void> {
    await this.#options.connector.carry(await reservation.attempt, {
      program,
      destination,
      fromProgram,
      fromDestination: rest,
      filter: undefined,
      hasLeft: this.#options.shim?.departures.watch(program),
    });
  }

  #hold(socket: Socket, connection: Connection): void {
    this.#sockets.add(socket);
    socket.on("close", () => {
      this.#sockets.delete(socket);
      this.#options.shim?.peers.forget(connection);
    });
    socket.on("error", () => {});
  }

  #welcome(socket: Socket): void {
    const connection = {
      local: { address: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 },
      remote: { address: socket.localAddress ?? "", port: socket.localPort ?? 0 },
    };
    this.#hold(socket, connection);
    const timer = setTimeout(() => socket.destroy(), HANDSHAKE_TIMEOUT_MS);
    const reader = new HandshakeReader(socket);
    reader.read((first) => {
      const isTicket = first[0] === TICKET_MARK && this.#options.shim !== undefined;
      if (!isTicket) this.#options.shim?.peers.remember(connection, null);
      return isTicket ? this.#admit(reader, connection) : this.#face(reader);
    });
    reader.onDone = () => {
      clearTimeout(timer);
      this.#unheard.delete(socket);
    };
    this.#unheard.add(socket);
  }

  /** A program under the shim: its ticket, then bytes that are none of our business. */
  #admit(reader: HandshakeReader, connection: Connection): (chunk: Uint8Array) => void {
    const { tickets, peers } = this.#options.shim!;
    let seen: Uint8Array = new Uint8Array();
    return (chunk) => {
      seen = Buffer.concat([seen, chunk]);
      if (seen.length < TICKET_LENGTH) return;
      reader.stop();
      const { socket } = reader;
      const reservation = tickets.redeem(seen.subarray(0, TICKET_LENGTH));
      if (reservation === undefined) return void socket.resetAndDestroy();
      peers.remember(connection, reservation.endpoint);
      reservation.dialled.then(async (result) => {
        if (!result.ok) return void socket.resetAndDestroy();
        await this.#carryReserved(socket, reservation, result, seen.subarray(TICKET_LENGTH));
      });
    };
  }

  /** A program that speaks SOCKS or HTTP of its own accord. */
  #face(reader: HandshakeReader): (chunk: Uint8Array) => void {
    const machine = createServerMachine(this.#options.access);
    const { socket } = reader;
    return (chunk) => {
      for (const event of machine.receive(chunk)) {
        switch (event.kind) {
          case "send":
            socket.write(event.bytes);
            break;
          case "request":
            reader.stop();
            return void this.#serve(socket, machine, event).catch((fault) => {
              socket.resetAndDestroy();
              throw fault;
            });
          case "failed":
            reader.stop();
            this.#options.log.step(`forwarder: ${event.failure.code} ${event.failure.detail}`);
            return closeAfter(socket, event.bytes);
        }
      }
    };
  }

  async #serve(
    socket: Socket,
    machine: ServerMachine,
    request: ServerEvent & { kind: "request" },
  ): Promise<void> {
    const { connector } = this.#options;
    const attempt = await connector.decide(request.destination, await this.#askerOf(socket));
    const abort = new AbortController();
    const giveUp = () => abort.abort();
    socket.once("close", giveUp);
    const result = await connector.dial(attempt, abort.signal);
    socket.off("close", giveUp);
    if (!result.ok) return closeAfter(socket, machine.refuse(result.failure));
    const accepted = machine.accept();
    if (accepted.length > 0) socket.write(accepted);
    await connector.carry(attempt, {
      program: socket,
      destination: result.socket,
      fromProgram: request.rest,
      fromDestination: result.rest,
      filter: request.filter,
      hasLeft: this.#options.shim?.departures.watch(socket),
    });
  }

  #askerOf(socket: Socket): Promise<Asker> {
    const { remotePort, localPort } = socket;
    const isLocal = socket.remoteAddress === socket.localAddress;
    const isWanted = this.#options.log.wants(1) && isLocal;
    if (!isWanted || remotePort === undefined || localPort === undefined) {
      return Promise.resolve(UNKNOWN_ASKER);
    }
    return findSocketOwner(remotePort, localPort);
  }
}

/** Reads a socket until its handshake is done; then the socket is paused and someone else's. */
class HandshakeReader {
  readonly socket: Socket;
  onDone: () => void = () => {};
  #onData: ((chunk: Uint8Array) => void) | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("close", () => this.onDone());
  }

  /** `choose` sees the first chunk and says who reads it and the rest. */
  read(choose: (first: Uint8Array) => (chunk: Uint8Array) => void): void {
    let take: ((chunk: Uint8Array) => void) | undefined;
    this.#onData = (chunk) => {
      take ??= choose(chunk);
      take(chunk);
    };
    this.socket.on("data", this.#onData);
    this.socket.on("end", this.#onEnd);
  }

  stop(): void {
    if (this.#onData !== undefined) this.socket.off("data", this.#onData);
    this.socket.off("end", this.#onEnd);
    this.socket.pause();
    this.onDone();
  }

  /** Half a handshake is none. */
  readonly #onEnd = () => void this.socket.destroy();
}

/** Last words to a program, then the end of the connection. */
function closeAfter(socket: Socket, bytes: Uint8Array): void {
  socket.end(bytes);
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), 5000);
  socket.on("close", () => clearTimeout(timer));
  socket.on("end", () => socket.destroy());
}

/**
 * Opens a connection to a destination: to a SOCKS or HTTP server and through its handshake, or
 * directly. One deadline covers all of it. Every failure is a value with the server's own words.
 */

import { connect, type Socket } from "node:net";
import type { Server } from "../config/model.ts";
import { type Destination, formatIpAddress } from "../net/address.ts";
import { createClient } from "../socks/client.ts";
import { systemLookup } from "./resolver.ts";
import { trueConnectErrno } from "./runtime.ts";
import type { ClientMachine, Failure, FailureCode } from "../socks/machine.ts";

export type DialResult =
  | {
    ok: true;
    /** Paused, half-open allowed; its errors are kept from the process until a relay takes it. */
    socket: Socket;
    /** What the destination sent behind the server's reply. */
    rest: Uint8Array;
  }
  | { ok: false; failure: Failure };

export interface DialOptions {
  timeoutMs: number;
  /** Aborting it gives the attempt up; the result is then of no interest. */
  signal: AbortSignal;
}

type Finish = (result: DialResult) => void;

/** Connect to `destination` through `server`. Never throws, never goes direct. */
export function dialThrough(
  server: Server,
  destination: Destination,
  options: DialOptions,
): Promise<DialResult> {
  const { type, credentials } = server;
  const machine = createClient({ type, credentials, destination });
  if ("failure" in machine) return Promise.resolve({ ok: false, failure: machine.failure });
  return dialWith(machine, server, options);
}

/** The same with any machine of a client's. */
export function dialWith(
  machine: ClientMachine,
  server: { hostname: string; port: number },
  options: DialOptions,
): Promise<DialResult> {
  const opening = new Opening(server.hostname, server.port, options.signal);
  return opening.settle(options.timeoutMs, "SERVER_TIMEOUT", (finish) => {
    opening.on("error", async (error) => {
      const code = await opening.trueErrno(error);
      finish(failed(SERVER_FAILURES[code] ?? "SERVER_UNREACHABLE", code || error.message));
    });
    opening.on("end", () => finish(failed("SERVER_CLOSED", "")));
    opening.on("data", (chunk) => advance(opening.socket, machine, chunk, finish));
    opening.on("connect", () => opening.socket.write(machine.start()));
  });
}

/** Connect to `destination` without a server; a name is resolved by this machine. */
export function dialDirect(destination: Destination, options: DialOptions): Promise<DialResult> {
  const hostname = destination.kind === "name"
    ? destination.name
    : formatIpAddress(destination.address);
  const opening = new Opening(hostname, destination.port, options.signal);
  return opening.settle(options.timeoutMs, "TTL_EXPIRED", (finish) => {
    opening.on("error", async (error) => {
      const errno = await opening.trueErrno(error);
      const code = DIRECT_FAILURES[errno];
      // The code says it all, but for an error that has no code of its own.
      finish(
        code === undefined ? failed("GENERAL_FAILURE", errno || error.message) : failed(code, ""),
      );
    });
    opening.on("connect", () => finish({ ok: true, socket: opening.socket, rest: NOTHING }));
  });
}

const NOTHING = new Uint8Array();

interface SocketEvents {
  error: (error: Error) => void;
  end: () => void;
  data: (chunk: Uint8Array) => void;
  connect: () => void;
}

/** A socket that is being opened, and the listeners that must be gone when it is handed on. */
class Opening {
  readonly socket: Socket;
  readonly #host: string;
  readonly #port: number;
  readonly #signal: AbortSignal;
  readonly #undo: (() => void)[] = [];

  constructor(host: string, port: number, signal: AbortSignal) {
    this.#host = host;
    this.#port = port;
    this.socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
    this.#signal = signal;
    // An error between the handshake and the relay is found by the relay (`destroyed`).
    this.socket.on("error", () => {});
  }

  on<E extends keyof SocketEvents>(event: E, listener: SocketEvents[E]): void {
    this.socket.on(event, listener);
    this.#undo.push(() => this.socket.off(event, listener));
  }

  /** Why connect(2) failed, as the kernel says it; "" for an error that has no code. */
  async trueErrno(error: Error): Promise<string> {
    const find = async () => (await systemLookup(this.#host))?.[0];
    return await trueConnectErrno(errorCode(error), find, this.#port);
  }

  settle(
    timeoutMs: number,
    timeoutCode: FailureCode,
    start: (finish: Finish) => void,
  ): Promise<DialResult> {
    return new Promise((resolve) => {
      const finish: Finish = (result) => {
        this.#undo.splice(0).forEach((undo) => undo());
        if (result.ok) this.socket.pause();
        else this.socket.destroy();
        resolve(result);
      };
      const words = `no answer within ${timeoutMs / 1000} s`;
      const timer = setTimeout(() => finish(failed(timeoutCode, words)), timeoutMs);
      const onAbort = () => finish(failed("GENERAL_FAILURE", "given up by the program"));
      this.#signal.addEventListener("abort", onAbort);
      this.#undo.push(
        () => clearTimeout(timer),
        () => this.#signal.removeEventListener("abort", onAbort),
      );
      if (this.#signal.aborted) onAbort();
      else start(finish);
    });
  }
}

function advance(socket: Socket, machine: ClientMachine, chunk: Uint8Array, finish: Finish): void {
  for (const event of machine.receive(chunk)) {
    switch (event.kind) {
      case "send":
        socket.write(event.bytes);
        break;
      case "established":
        return finish({ ok: true, socket, rest: event.rest });
      case "failed":
        return finish({ ok: false, failure: event.failure });
    }
  }
}

function failed(code: FailureCode, detail: string): DialResult {
  return { ok: false, failure: { code, detail } };
}

/** Of TCP to the server itself. */
const SERVER_FAILURES: Record<string, FailureCode> = {
  ECONNREFUSED: "SERVER_REFUSED",
  ETIMEDOUT: "SERVER_TIMEOUT",
  ECONNRESET: "SERVER_CLOSED",
  EPIPE: "SERVER_CLOSED",
};

const DIRECT_FAILURES: Record<string, FailureCode> = {
  ECONNREFUSED: "CONNECTION_REFUSED",
  ETIMEDOUT: "TTL_EXPIRED",
  ENETUNREACH: "NETWORK_UNREACHABLE",
  EHOSTUNREACH: "HOST_UNREACHABLE",
  ENOTFOUND: "NAME_NOT_FOUND",
  EAI_AGAIN: "NAME_NOT_FOUND",
  EACCES: "NOT_ALLOWED",
  EPERM: "NOT_ALLOWED",
};

/** node:net reports the attempts for a name with several addresses as one AggregateError; the first tells. */
function errorCode(error: Error): string {
  const first = error instanceof AggregateError ? error.errors[0] : error;
  return (first as { code?: string }).code ?? (error as { code?: string }).code ?? "";
}

/**
 * A brain with canned answers and a forwarder that only takes tickets: what the shim is tested
 * against. It shares no code with src: it reads and writes the messages of control.h by itself.
 */

import { Buffer } from "node:buffer";
import { chmodSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { ByteReader } from "../helpers/byte_reader.ts";

/** A request, taken apart as far as its header goes. */
export interface Asked {
  op: number;
  pid: number;
  token: string;
  body: Buffer;
}

/** The octets of an answer, "hang" (never) or "close" (none). */
export type Reply = Buffer | "hang" | "close";

/** What a brain says to each question. */
export type Answerer = (asked: Asked, brain: FakeBrain) => Reply | Promise<Reply>;

export const TOKEN = "00112233445566778899aabbccddeeff";
export const TICKET = Buffer.from("seventeen octets!", "latin1");

export class FakeBrain implements AsyncDisposable {
  /** All requests so far, in the order of their arrival. */
  readonly asked: Asked[] = [];
  /** The first 17 octets of each connection to the forwarder. */
  readonly tickets: string[] = [];
  /** What came on control connections behind the answer PENDING. */
  readonly started: Buffer[] = [];
  /** How many control connections the shim closed before an answer. */
  abandoned = 0;
  /** The forwarder's ports; `port6` is 0 where this machine has no ::1. */
  port4 = 0;
  port6 = 0;
  readonly #filePath: string;
  readonly #answer: Answerer;
  readonly #listeners: Server[] = [];
  readonly #sockets = new Set<Socket>();

  constructor(filePath: string, answer: Answerer) {
    this.#filePath = filePath;
    this.#answer = answer;
  }

  async start(): Promise<void> {
    await this.#listen((socket) => this.#converse(socket), { path: this.#filePath, backlog: 512 });
    chmodSync(this.#filePath, 0o666);
    const takeTicket = (socket: Socket) => this.#forward(socket);
    this.port4 = await this.#listen(takeTicket, { host: "127.0.0.1", port: 0, backlog: 512 });
    await this.#listen(takeTicket, { host: "127.0.0.2", port: this.port4, backlog: 512 });
    if (!hasInet6()) return;
    this.port6 = await this.#listen(takeTicket, { host: "::1", port: 0, backlog: 512 });
  }

  /** TSOCKS_CONTROL for a program. */
  get control(): string {
    return `${TOKEN}:${this.port4}:${this.port6}:${this.#filePath}`;
  }

  /** FORWARD to the forwarder on 127.0.0.1. */
  forward4(): Buffer {
    return answer(2, Buffer.concat([endpoint4("127.0.0.1", this.port4), TICKET]));
  }

  /** FORWARD to the forwarder on ::1. */
  forward6(): Buffer {
    return answer(2, Buffer.concat([endpoint6("00".repeat(15) + "01", this.port6), TICKET]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(this.#listeners.map((one) => new Promise((done) => one.close(done))));
  }

  #listen(
    serve: (socket: Socket) => void,
    where: { path: string; backlog: number } | { host: string; port: number; backlog: number },
  ): Promise<number> {
    const listener = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => this.#sockets.delete(socket));
      serve(socket);
    });
    this.#listeners.push(listener);
    return new Promise((resolve, reject) => {
      listener.once("error", reject);
      listener.listen(where, () => {
        const address = listener.address();
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
  }

  async #converse(socket: Socket): Promise<void> {
    try {
      const reader = new ByteReader(socket);
      const header = await reader.take(26);
      if (header.toString("latin1", 0, 2) !== "TS" || header[2] !== 1) {
        throw new Error("no request");
      }
      const asked = {
        op: header.readUInt8(3),
        pid: header.readUInt32BE(4),
        token: header.toString("hex", 8, 24),
        body: Buffer.from(await reader.take(header.readUInt16BE(24))),
      };
      this.asked.push(asked);
      const reply = await this.#answer(asked, this);
      if (reply === "close") socket.destroy();
      else if (reply === "hang") socket.once("close", () => this.abandoned++);
      else if (reply[0] === PENDING) await this.#awaitStart(socket, reader, reply);
      else socket.end(reply);
    } catch {
      socket.destroy();
    }
  }

  async #awaitStart(socket: Socket, reader: ByteReader, reply: Buffer): Promise<void> {
    socket.write(reply);
    const head = await reader.take(9);
    const rest = await reader.take(head[8] === 4 ? 6 : 18);
    this.started.push(Buffer.concat([head, rest]));
  }

  async #forward(socket: Socket): Promise<void> {
    try {
      const reader = new ByteReader(socket);
      this.tickets.push((await reader.take(TICKET.length)).toString("latin1"));
      socket.end("relayed\n");
    } catch {
      socket.destroy(); // closed without a ticket, which the test sees by its absence
    }
  }
}

export async function startFakeBrain(filePath: string, answer: Answerer): Promise<FakeBrain> {
  const brain = new FakeBrain(filePath, answer);
  await brain.start();
  return brain;
}

const PENDING = 8;

/** PENDING: connect to this port of 127.0.0.1. */
export function pending4(port: number): Buffer {
  return answer(PENDING, endpoint4("127.0.0.1", port));
}

/** STATUS RESERVED ERROR BLEN BODY. */
export function answer(status: number, body: Buffer = Buffer.alloc(0), error = 0): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt8(status, 0);
  header.writeUInt32BE(error, 2);
  header.writeUInt16BE(body.length, 6);
  return Buffer.concat([header, body]);
}

export const DIRECT = answer(1);
export const LIBC = answer(4);

export function fail(error: number): Buffer {
  return answer(3, Buffer.alloc(0), error);
}

export function addressText(text: string): Buffer {
  return answer(5, Buffer.from(text, "latin1"));
}

/** FAMILY PORT ADDRESS of dotted decimal text. */
export function endpoint4(text: string, port: number): Buffer {
  return Buffer.from([4, port >> 8, port & 0xff, ...text.split(".").map(Number)]);
}

/** FAMILY PORT ADDRESS of 32 hexadecimal digits. */
export function endpoint6(hex: string, port: number): Buffer {
  return Buffer.concat([Buffer.from([6, port >> 8, port & 0xff]), Buffer.from(hex, "hex")]);
}

export function hasInet6(): boolean {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.some(({ address }) => address === "::1");
}

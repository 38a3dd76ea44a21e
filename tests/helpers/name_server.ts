/**
 * A name server on a loopback address of its own, port 53, by UDP and TCP, written from RFC 1035 and
 * sharing no code with src. It records what it was asked and by which way, and misbehaves on request.
 */

import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
import { createServer, type Socket } from "node:net";
import { ByteReader } from "./byte_reader.ts";

export interface NameServer extends AsyncDisposable {
  address: string;
  /** `udp NAME TYPE` and `tcp NAME TYPE`, in order. */
  asked: string[];
  /** Where its TCP side also listens, for servers that are told of a made-up address. */
  tcpPort: number;
}

export interface NameServerOptions {
  /** `NAME TYPE` → RDATA; a name without records of a type has none, an unknown name does not exist. */
  records?: Record<string, Buffer>;
  /** What becomes of an answer before it is sent by TCP; undefined: it is not. */
  spoil?: (answer: Buffer) => Buffer | undefined;
}

let count = 0;

export async function startNameServer(options: NameServerOptions = {}): Promise<NameServer> {
  const address = `127.${process.pid % 200 + 10}.${Math.floor(process.pid / 200) % 256}.${
    60 + ++count
  }`;
  const asked: string[] = [];
  const udp = createSocket("udp4");
  udp.on("message", (query, { port, address }) => {
    asked.push(`udp ${nameOf(query)} ${typeOf(query)}`);
    udp.send(answerTo(query, options), port, address);
  });
  const sockets = new Set<Socket>();
  const serve = (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    converse(socket, asked, options).catch(() => socket.destroy());
  };
  const here = createServer(serve);
  const elsewhere = createServer(serve);
  await new Promise<void>((resolve, reject) =>
    udp.once("error", reject).bind(53, address, resolve)
  );
  await new Promise<void>((resolve, reject) =>
    here.once("error", reject).listen(53, address, resolve)
  );
  await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
  return {
    address,
    asked,
    tcpPort: (elsewhere.address() as { port: number }).port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      udp.close();
      await Promise.all([here, elsewhere].map((one) => new Promise((done) => one.close(done))));
    },
  };
}

async function converse(
  socket: Socket,
  asked: string[],
  options: NameServerOptions,
): Promise<void> {
  const reader = new ByteReader(socket);
  for (;;) {
    const query = Buffer.from(await reader.take((await reader.take(2)).readUInt16BE(0)));
    asked.push(`tcp ${nameOf(query)} ${typeOf(query)}`);
    const answer = (options.spoil ?? ((whole) => whole))(answerTo(query, options));
    if (answer === undefined) continue;
    const length = Buffer.alloc(2);
    length.writeUInt16BE(answer.length);
    socket.write(Buffer.concat([length, answer]));
  }
}

function nameOf(query: Buffer): string {
  const labels: string[] = [];
  for (let at = 12; query[at] !== 0; at += 1 + query[at]!) {
    labels.push(query.toString("latin1", at + 1, at + 1 + query[at]!));
  }
  return labels.join(".");
}

function questionEnd(query: Buffer): number {
  return query.indexOf(0, 12) + 5;
}

const TYPES: Record<number, string> = {
  1: "A",
  12: "PTR",
  15: "MX",
  16: "TXT",
  28: "AAAA",
  33: "SRV",
};

function typeOf(query: Buffer): string {
  const type = query.readUInt16BE(questionEnd(query) - 4);
  return TYPES[type] ?? `${type}`;
}

/** One record, its name a pointer to the question's. */
function answerTo(query: Buffer, { records = {} }: NameServerOptions): Buffer {
  const name = nameOf(query).toLowerCase();
  const data = records[`${name} ${typeOf(query)}`];
  const isKnown = Object.keys(records).some((key) => key.startsWith(`${name} `));
  const head = Buffer.from(query.subarray(0, questionEnd(query)));
  head.writeUInt16BE(0x8180 | (isKnown ? 0 : 3), 2);
  head.writeUInt16BE(data === undefined ? 0 : 1, 6);
  head.writeUInt32BE(0, 8);
  if (data === undefined) return head;
  const record = Buffer.from([0xc0, 12, 0, 0, 0, 1, 0, 0, 0, 60, 0, 0]);
  query.copy(record, 2, questionEnd(query) - 4, questionEnd(query) - 2);
  record.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, record, data]);
}

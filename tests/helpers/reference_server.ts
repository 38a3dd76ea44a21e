/**
 * A SOCKS4, 4a, 5 and HTTP CONNECT server for tests, written from RFC 1928, RFC 1929, RFC 9110 §9.3.6 and
 * the SOCKS4 notes, sharing no code with src (else both could be wrong together). It knows made-up
 * names, records what it was asked, and misbehaves on request.
 */

import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import { ByteReader } from "./byte_reader.ts";
import { type LocalServer, startServer } from "./local_servers.ts";

export interface ReferenceOptions {
  /** `NAME:PORT`, `NAME` or an address, as it is asked for → the port on 127.0.0.1 that answers for it. */
  routes?: Record<string, number>;
  /** Where it listens; 127.0.0.1 if left out. */
  hostname?: string;
  /** Asked of SOCKS5 and HTTP; SOCKS4 must send the user. */
  user?: string;
  password?: string;
  /** RFC 1928 REP for each request in place of a connection; SOCKS4 says 91 and HTTP 502 then. */
  rep?: number;
  /** The reply is held until this settles. */
  replyAfter?: Promise<unknown>;
  /** Each reply is held for so long. */
  replyDelayMs?: number;
  /** Sent in one packet with the reply, before anything of the destination's. */
  banner?: string;
  /** A reset in place of the reply. */
  resets?: boolean;
}

export interface RecordedRequest {
  protocol: "socks4" | "socks4a" | "socks5" | "http";
  host: string;
  port: number;
  user?: string;
}

export interface ReferenceServer extends LocalServer {
  /** Those that came through authentication, in order. */
  requests: RecordedRequest[];
  /** `SCHEME://127.0.0.1:PORT`, with the credentials if it has some. */
  url(scheme?: string): string;
}

/** A request as read from the wire and the octets of each answer to it. */
interface Asked extends RecordedRequest {
  granted: Buffer;
  refused(rep: number): Buffer;
}

const HOST_UNREACHABLE = 4;
const CONNECTION_REFUSED = 5;

export async function startReferenceServer(
  options: ReferenceOptions = {},
): Promise<ReferenceServer> {
  const requests: RecordedRequest[] = [];
  const server = await startServer((socket) => {
    serve(socket, options, requests).catch(() => socket.destroy());
  }, options.hostname);
  const login = options.user === undefined
    ? ""
    : [options.user, options.password].filter((word) => word !== undefined)
      .map(encodeURIComponent).join(":") + "@";
  const url = (scheme = "socks5") =>
    `${scheme}://${login}${options.hostname ?? "127.0.0.1"}:${server.port}`;
  return Object.assign(server, { requests, url });
}

async function serve(
  socket: Socket,
  options: ReferenceOptions,
  requests: RecordedRequest[],
): Promise<void> {
  const reader = new ByteReader(socket);
  const asked = await readRequest(reader, socket, options);
  const { protocol, host, port, user } = asked;
  requests.push({ protocol, host, port, ...(user === undefined ? {} : { user }) });
  await options.replyAfter;
  if (options.replyDelayMs !== undefined) await setTimeout(options.replyDelayMs);
  if (options.resets) return void socket.resetAndDestroy();
  if (options.rep !== undefined) return void socket.end(asked.refused(options.rep));
  const localPort = options.routes?.[`${host}:${port}`] ?? options.routes?.[host];
  if (localPort === undefined) return void socket.end(asked.refused(HOST_UNREACHABLE));
  await relay(socket, reader, localPort, asked, options.banner ?? "");
}

/** Connects, answers, and passes octets, ends and resets on, both ways. */
async function relay(
  socket: Socket,
  reader: ByteReader,
  localPort: number,
  asked: Asked,
  banner: string,
): Promise<void> {
  const far = connect({ port: localPort, host: "127.0.0.1", allowHalfOpen: true });
  try {
    await new Promise<void>((resolve, reject) => {
      far.once("connect", resolve);
      far.once("error", reject);
    });
  } catch {
    return void socket.end(asked.refused(CONNECTION_REFUSED));
  }
  socket.write(Buffer.concat([asked.granted, Buffer.from(banner)]));
  far.write(reader.release());
  for (const [from, to] of [[socket, far], [far, socket]] as const) {
    from.on("error", () => to.resetAndDestroy());
    from.on("close", () => to.destroySoon());
    from.pipe(to);
  }
}

async function readRequest(
  reader: ByteReader,
  socket: Socket,
  options: ReferenceOptions,
): Promise<Asked> {
  switch (await reader.peek()) {
    case 4:
      return await readSocks4(reader, socket, options);
    case 5:
      return await readSocks5(reader, socket, options);
    default:
      return await readConnect(reader, socket, options);
  }
}

/** VN CD DSTPORT(2) DSTIP(4) USERID NUL, and for 4a (DSTIP 0.0.0.x) NAME NUL. */
async function readSocks4(
  reader: ByteReader,
  socket: Socket,
  options: ReferenceOptions,
): Promise<Asked> {
  const head = await reader.take(8);
  const user = await reader.takeUntil("\0");
  const isNamed = head.readUInt32BE(4) !== 0 && head.readUInt32BE(4) < 256;
  const host = isNamed ? await reader.takeUntil("\0") : [...head.subarray(4)].join(".");
  const reply = (code: number) => Buffer.from([0, code, 0, 0, 0, 0, 0, 0]);
  if (head.readUInt8(1) !== 1 || (options.user !== undefined && options.user !== user)) {
    socket.end(reply(93));
    throw new Error("SOCKS4: refused");
  }
  const protocol = isNamed ? "socks4a" : "socks4";
  return {
    protocol,
    host,
    port: head.readUInt16BE(2),
    user,
    granted: reply(90),
    refused: () => reply(91),
  };
}

/** RFC 1928 §3 and §4, RFC 1929. */
async function readSocks5(
  reader: ByteReader,
  socket: Socket,
  options: ReferenceOptions,
): Promise<Asked> {
  const greeting = await reader.take(2);
  const methods = await reader.take(greeting.readUInt8(1));
  const method = options.user === undefined ? 0 : 2;
  if (!methods.includes(method)) {
    socket.end(Buffer.from([5, 0xff]));
    throw new Error("SOCKS5: no acceptable methods");
  }
  socket.write(Buffer.from([5, method]));
  if (method === 2) await checkPassword(reader, socket, options);
  const head = await reader.take(4);
  const host = await readHost(reader, head.readUInt8(3));
  const port = (await reader.take(2)).readUInt16BE(0);
  const reply = (rep: number) => Buffer.from([5, rep, 0, 1, 0, 0, 0, 0, 0, 0]);
  const user = options.user === undefined ? {} : { user: options.user };
  return { protocol: "socks5", host, port, ...user, granted: reply(0), refused: reply };
}

async function checkPassword(
  reader: ByteReader,
  socket: Socket,
  options: ReferenceOptions,
): Promise<void> {
  await reader.takeByte();
  const user = (await reader.take(await reader.takeByte())).toString();
  const password = (await reader.take(await reader.takeByte())).toString();
  const isRight = user === options.user && password === options.password;
  if (isRight) return void socket.write(Buffer.from([1, 0]));
  socket.end(Buffer.from([1, 1]));
  throw new Error("SOCKS5: wrong password");
}

async function readHost(reader: ByteReader, atyp: number): Promise<string> {
  if (atyp === 1) return [...await reader.take(4)].join(".");
  if (atyp === 3) return (await reader.take(await reader.takeByte())).toString("latin1");
  const bytes = await reader.take(16);
  const groups = Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(at * 2).toString(16));
  return groups.join(":");
}

/** `CONNECT HOST:PORT HTTP/1.1` and its header fields. */
async function readConnect(
  reader: ByteReader,
  socket: Socket,
  options: ReferenceOptions,
): Promise<Asked> {
  const head = await reader.takeUntil("\r\n\r\n");
  const [, host = "", port = ""] = head.match(/^CONNECT \[?([^\]\s]+?)\]?:(\d+) HTTP\/1\.[01]/) ??
    [];
  const login = Buffer.from(`${options.user}:${options.password}`).toString("base64");
  const isRight = options.user === undefined ||
    head.toLowerCase().includes("proxy-authorization: basic") && head.includes(login);
  if (host === "" || !isRight) {
    socket.end(
      `HTTP/1.1 ${isRight ? "400 Bad Request" : "407 Proxy Authentication Required"}\r\n\r\n`,
    );
    throw new Error("HTTP: refused");
  }
  const granted = Buffer.from("HTTP/1.1 200 Connection established\r\n\r\n");
  const refused = () => Buffer.from("HTTP/1.1 502 Bad Gateway\r\n\r\n");
  return { protocol: "http", host, port: Number(port), granted, refused };
}

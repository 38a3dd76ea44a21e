/**
 * Destinations and broken servers, each on a port of its own choice: a web server, an echo server, one
 * that never answers, one that answers garbage, a port that refuses. `await using` closes them with all their connections.
 */

import {
  createServer as createWebServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

export interface LocalServer extends AsyncDisposable {
  port: number;
  /** How many connections it has had. */
  connections(): number;
}

/** Any TCP server: `serve` gets each connection, half-open allowed, errors swallowed. */
export async function startServer(
  serve: (socket: Socket) => void,
  hostname = "127.0.0.1",
): Promise<LocalServer> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    serve(socket);
  });
  return await own(server, hostname);
}

/** Answers everything with itself, and the end with the end. */
export function startEchoServer(hostname?: string): Promise<LocalServer> {
  return startServer((socket) => socket.pipe(socket), hostname);
}

/** Sends `banner` to whoever connects, then ends. */
export function startBannerServer(banner: string, hostname?: string): Promise<LocalServer> {
  return startServer((socket) => socket.end(banner), hostname);
}

/** Accepts and never says a word. */
export function startSilentServer(): Promise<LocalServer> {
  return startServer((socket) => socket.resume());
}

/** Answers the first octets with others that are no SOCKS and no HTTP, and stays. */
export function startGarbageServer(): Promise<LocalServer> {
  return startServer((socket) => {
    socket.once("data", () => socket.write("\xffgarbage\x00\x01\x02\r\n\r\n", "latin1"));
  });
}

/** A port where nothing listens: taken from the system and given back. */
export async function findRefusedPort(): Promise<number> {
  await using server = await startServer(() => {});
  return server.port;
}

export interface WebRequest {
  method: string;
  url: string;
  host: string;
}

export interface WebServer extends LocalServer {
  requests: WebRequest[];
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A web server; by default every page is `page of HOST\n`. */
export async function startWebServer(
  options: { hostname?: string; answer?: Answer } = {},
): Promise<WebServer> {
  const requests: WebRequest[] = [];
  const server = createWebServer((request, response) => {
    const { method = "", url = "" } = request;
    const host = request.headers.host ?? "";
    requests.push({ method, url, host });
    if (options.answer !== undefined) options.answer(request, response);
    else response.end(`page of ${host}\n`);
  });
  return Object.assign(await own(server, options.hostname ?? "127.0.0.1"), { requests });
}

async function own(server: Server, hostname: string): Promise<LocalServer> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on("connection", (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, hostname, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/**
 * The control socket: takes one question a connection from a shim, checks its token, has it
 * answered, writes the answer. What the answers are is answers.ts's; their bytes are shim/control.ts's.
 */

import { timingSafeEqual } from "node:crypto";
import { chmodSync } from "node:fs";
import { createServer, type Server as Listener, type Socket } from "node:net";
import {
  type ControlAnswer,
  type ControlRequest,
  CTL_MAX_STARTED_LEN,
  decodeRequest,
  decodeWaitingSocket,
  encodeAnswer,
  type WaitingSocket,
} from "../shim/control.ts";
import { maxConnections } from "./limits.ts";
import type { DecisionLog } from "./log.ts";
import { Unheard } from "./unheard.ts";

/** Aborted when the program gives the question up (a signal, its death, its own deadline). */
export type Answerer = (request: ControlRequest, signal: AbortSignal) => Promise<ControlAnswer>;

export interface ControlOptions {
  /** 16 octets, known to the children of this run alone. */
  token: Uint8Array;
  answer: Answerer;
  log: DecisionLog;
  limits?: Limits;
}

/** The shim sends its request as it connects. Of more than `maxUnheard` without a whole one the oldest are closed. */
interface Limits {
  requestTimeoutMs: number;
  maxUnheard: number;
}

const BACKLOG = 4096;
const REQUEST_TIMEOUT_MS = 30_000;
/** The shim answers PENDING with two system calls and a message. */
const START_TIMEOUT_MS = 10_000;

/** Listen on the Unix socket `filePath`, connectable by every user: the token is what admits. */
export function listenControl(filePath: string, options: ControlOptions): Promise<Listener> {
  const { requestTimeoutMs, maxUnheard } = options.limits ??
    { requestTimeoutMs: REQUEST_TIMEOUT_MS, maxUnheard: Math.min(BACKLOG, maxConnections()) };
  const unheard = new Unheard(maxUnheard);
  const listener = createServer({ allowHalfOpen: true }, (socket) => {
    awaitRequest(socket, unheard, requestTimeoutMs);
    converse(socket, options, () => unheard.delete(socket));
  });
  return new Promise((resolve, reject) => {
    listener.once("error", reject);
    listener.listen({ path: filePath, backlog: BACKLOG }, () => {
      chmodSync(filePath, 0o666);
      resolve(listener);
    });
  });
}

function awaitRequest(socket: Socket, unheard: Unheard, timeoutMs: number): void {
  const timer = setTimeout(() => unheard.has(socket) && socket.destroy(), timeoutMs);
  socket.on("close", () => {
    clearTimeout(timer);
    unheard.delete(socket);
  });
  unheard.add(socket);
}

function converse(
  socket: Socket,
  { token, answer, log }: ControlOptions,
  onRequest: () => void,
): void {
  const abort = new AbortController();
  let seen: Uint8Array = new Uint8Array();
  socket.on("error", () => {});
  socket.on("close", () => abort.abort());
  // The shim never half-closes: an end is a program that gave up.
  socket.on("end", () => socket.destroy());
  const onData = (chunk: Uint8Array) => {
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    const decoded = decodeRequest(seen);
    if (decoded.kind === "incomplete") return;
    socket.off("data", onData);
    onRequest();
    if (decoded.kind === "bad" || !timingSafeEqual(decoded.request.token, token)) {
      log.step(`control: ${decoded.kind === "bad" ? decoded.reason : "wrong token"}`);
      return void socket.destroy();
    }
    // Keeps reading, so that the end is seen; a second request is not answered.
    socket.resume();
    answer(decoded.request, abort.signal).then((words) => {
      if (socket.destroyed) return;
      // Not when the other end closes: another process may have been forked with it.
      const close = () => void socket.destroy();
      if (words.status !== "pending") return void socket.end(encodeAnswer(words), close);
      socket.write(encodeAnswer(words));
      awaitStart(socket, words.onStarted);
    }).catch((fault) => {
      // No answer makes the shim fail closed; a waiting program would be worse.
      socket.destroy();
      throw fault;
    });
  };
  socket.on("data", onData);
}

/** Reads which socket waits; until then the end of this connection gives the attempt up. */
function awaitStart(socket: Socket, onStarted: (waiting: WaitingSocket) => void): void {
  let seen: Uint8Array = new Uint8Array();
  const timer = setTimeout(() => socket.destroy(), START_TIMEOUT_MS);
  socket.on("close", () => clearTimeout(timer));
  socket.on("data", (chunk) => {
    seen = Buffer.concat([seen, chunk]);
    const waiting = decodeWaitingSocket(seen);
    if (waiting !== undefined) onStarted(waiting);
    if (waiting !== undefined || seen.length > CTL_MAX_STARTED_LEN) socket.destroy();
  });
}

/**
 * Carries bytes between two sockets until both directions have ended: with back-pressure, with a
 * half-close carried through as a half-close and a reset as a reset. Knows nothing of SOCKS.
 */

import type { Socket } from "node:net";
import type { RequestFilter } from "../socks/machine.ts";

export interface RelayEnds {
  /** The program's socket. */
  program: Socket;
  /** The socket to the destination, through a server or not. */
  destination: Socket;
  /** Octets that the program sent behind its handshake, for the destination. */
  fromProgram: Uint8Array;
  /** Octets that came behind the server's reply, for the program. */
  fromDestination: Uint8Array;
  filter: RequestFilter | undefined;
  /** Whether the program has closed its socket, and not only ended its side; left out where that is not known. */
  hasLeft?: (() => boolean) | undefined;
}

export interface RelayResult {
  /** Octets from the program to the destination, and back. */
  sent: number;
  received: number;
  /** `ok`, or who broke the connection. */
  outcome: "ok" | "reset-by-program" | "reset-by-destination";
}

const LEAVING_INTERVAL_MS = 1000;
const CR = 0x0d;
const LF = 0x0a;

/** Relay until both sockets are closed. Both must be paused and made with `allowHalfOpen`. */
export async function relay(ends: RelayEnds): Promise<RelayResult> {
  const { program, destination, filter } = ends;
  const result: RelayResult = { sent: 0, received: 0, outcome: "ok" };
  const closed = Promise.all([
    carryBreak(program, destination, () => mark(result, "reset-by-program")),
    carryBreak(destination, program, () => mark(result, "reset-by-destination")),
  ]);
  const send = (chunk: Uint8Array) => {
    result.sent += chunk.length;
    return destination.write(chunk);
  };
  const receive = (chunk: Uint8Array) => {
    result.received += chunk.length;
    return program.write(chunk);
  };
  if (ends.fromProgram.length > 0) send(ends.fromProgram);
  if (ends.fromDestination.length > 0) receive(ends.fromDestination);
  pump(program, destination, filter === undefined ? send : passOne(filter, send, program));
  pump(destination, program, receive);
  if (ends.hasLeft !== undefined) leaveWithProgram(program, destination, ends.hasLeft);
  await closed;
  return result;
}

/**
 * Closes the way to a destination that goes on, or keeps silent, when nobody is there to read: as the
 * kernel does for a closed socket, after all that was sent. Else it would be open as long as the destination likes.
 */
function leaveWithProgram(program: Socket, destination: Socket, hasLeft: () => boolean): void {
  const look = () => {
    if (!destination.writableFinished || !hasLeft()) return;
    program.destroy();
    destination.destroy();
  };
  const beginToLook = () => {
    const timer = setInterval(look, LEAVING_INTERVAL_MS).unref();
    for (const socket of [program, destination]) socket.on("close", () => clearInterval(timer));
  };
  if (program.readableEnded) beginToLook();
  else program.on("end", beginToLook);
}

/**
 * Another request behind the first one: the program must open a new connection for it. The CRLF
 * that old clients send behind a body is none (RFC 9112 §2.2).
 */
function passOne(
  filter: RequestFilter,
  send: (chunk: Uint8Array) => boolean,
  program: Socket,
): (chunk: Uint8Array) => boolean {
  return (chunk) => {
    const { pass, isOver } = filter.take(chunk);
    if (isOver && chunk.subarray(pass.length).some((octet) => octet !== CR && octet !== LF)) {
      program.destroy();
    }
    return pass.length === 0 || send(pass);
  };
}

/** `write` puts a chunk into `to` and says whether `to` has room for more. */
function pump(from: Socket, to: Socket, write: (chunk: Uint8Array) => boolean): void {
  from.on("data", (chunk: Uint8Array) => {
    if (to.writable && !write(chunk)) from.pause();
  });
  to.on("drain", () => from.resume());
  // Bun can report the end of a paused socket, before the relay took it.
  if (from.readableEnded) to.end();
  else from.on("end", () => to.end());
  from.resume();
}

function mark(result: RelayResult, outcome: RelayResult["outcome"]): void {
  if (result.outcome === "ok") result.outcome = outcome;
}

/** When `from` breaks, break `to` the same way: a reset, so that no program takes it for the end. */
function carryBreak(from: Socket, to: Socket, onBreak: () => void): Promise<void> {
  return new Promise((resolve) => {
    const onClose = () => {
      const isOrderly = from.readableEnded && from.writableFinished;
      if (!isOrderly && !to.destroyed) {
        onBreak();
        to.resetAndDestroy();
      }
      resolve();
    };
    if (from.destroyed) return onClose();
    from.on("error", () => {});
    from.on("close", onClose);
  });
}

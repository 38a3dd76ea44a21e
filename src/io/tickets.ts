/**
 * The one-time tickets that tie a program's socket to the connection that was made for it, and the
 * memory of which relayed socket goes where (for getpeername). Holds no sockets of programs.
 */

import { randomBytes } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { formatEndpoint } from "../net/address.ts";
import type { Attempt } from "./connector.ts";
import type { DialResult } from "./dial.ts";

/** The first octet of a ticket: no SOCKS version, no letter of an HTTP method. */
export const TICKET_MARK = 0x01;
export const TICKET_LENGTH = 17;

/** What a program's socket is tied to when it presents its ticket. */
export interface Reservation {
  attempt: Promise<Attempt>;
  dialled: Promise<DialResult>;
  /** Gives the dialling up. */
  abandon: () => void;
  /** The destination as the program wrote it: 4 or 16 octets, and the port. */
  endpoint: { bytes: Uint8Array; port: number };
}

/** A program presents its ticket at once, or is gone. */
const TICKET_LIFETIME_MS = 10_000;
/** Accept, read, and some to spare. */
const MAX_PEER_TURNS = 8;

export class Tickets {
  readonly #waiting = new Map<string, { reservation: Reservation; timer: NodeJS.Timeout }>();

  /** A fresh ticket: 17 octets, valid once. */
  issue(reservation: Reservation): Uint8Array {
    const ticket = Uint8Array.from([TICKET_MARK, ...randomBytes(TICKET_LENGTH - 1)]);
    const key = keyOf(ticket);
    const timer = setTimeout(() => void this.#expire(key), TICKET_LIFETIME_MS);
    timer.unref();
    this.#waiting.set(key, { reservation, timer });
    return ticket;
  }

  /** The reservation of a ticket, which is void from then on. */
  redeem(ticket: Uint8Array): Reservation | undefined {
    const key = keyOf(ticket);
    const found = this.#waiting.get(key);
    if (found === undefined) return undefined;
    clearTimeout(found.timer);
    this.#waiting.delete(key);
    return found.reservation;
  }

  async #expire(key: string): Promise<void> {
    const found = this.#waiting.get(key);
    if (found === undefined) return;
    this.#waiting.delete(key);
    found.reservation.abandon();
    const result = await found.reservation.dialled;
    if (result.ok) result.socket.resetAndDestroy();
  }
}

function keyOf(ticket: Uint8Array): string {
  return Buffer.from(ticket).toString("hex");
}

/** A connection as the program's socket has it. */
export interface Connection {
  local: { address: string; port: number };
  remote: { address: string; port: number };
}

/** A program's connection to us → where it goes; null: it is no relayed one. */
export class Peers {
  readonly #known = new Map<string, Reservation["endpoint"] | null>();

  remember(connection: Connection, endpoint: Reservation["endpoint"] | null): void {
    this.#known.set(nameOf(connection), endpoint);
  }

  /** The connection is closed: its port may soon be another's. */
  forget(connection: Connection): void {
    this.#known.delete(nameOf(connection));
  }

  /**
   * The question can overtake the ticket that it is about, but that was sent before it: some turns of
   * the event loop are enough. A program that uses the proxy variables may ask before it has sent
   * anything, and must not be kept waiting.
   */
  async find(connection: Connection): Promise<Reservation["endpoint"] | null> {
    const name = nameOf(connection);
    for (let turn = 0; turn < MAX_PEER_TURNS && !this.#known.has(name); turn++) {
      await setImmediate();
    }
    return this.#known.get(name) ?? null;
  }
}

/** Several connections may have one port, which the program has bound (SO_REUSEPORT). */
function nameOf({ local, remote }: Connection): string {
  return `${formatEndpoint(local.address, local.port)} ${
    formatEndpoint(remote.address, remote.port)
  }`;
}

/**
 * The shape that every protocol machine here shares (sans-IO: none of them waits, dials or times
 * out) and the named ways in which a peer can fail.
 */

import type { Destination, IpAddress } from "../net/address.ts";

/** What a client machine wants done next. `rest` belongs to the application and must reach it. */
export type ClientEvent =
  | { kind: "send"; bytes: Uint8Array }
  | { kind: "established"; bound: BoundAddress | undefined; rest: Uint8Array }
  | { kind: "failed"; failure: Failure };

/** BND.ADDR and BND.PORT of the server's reply, where the protocol has them. */
export type BoundAddress =
  | { kind: "address"; address: IpAddress; port: number }
  | { kind: "name"; name: string; port: number };

/** Our side of a handshake with a SOCKS or HTTP server. */
export interface ClientMachine {
  /** The first bytes to send. Called once. */
  start(): Uint8Array;
  /** Feed what arrived, in pieces of any size. After `established` or `failed` it must not be called again. */
  receive(chunk: Uint8Array): ClientEvent[];
}

/** What a server machine wants done next. */
export type ServerEvent =
  | { kind: "send"; bytes: Uint8Array }
  /** Answer with `accept` or `refuse` when the verdict is known. `rest` is for the destination. */
  | {
    kind: "request";
    destination: Destination;
    rest: Uint8Array;
    /** Present where only one request may pass (HTTP absolute-form): all later bytes go through it. */
    filter: RequestFilter | undefined;
  }
  /** Send `bytes` if any, then close. */
  | { kind: "failed"; bytes: Uint8Array; failure: Failure };

/** Lets the rest of one HTTP request pass; what comes behind it is another request, maybe for another server. */
export interface RequestFilter {
  take(chunk: Uint8Array): { pass: Uint8Array; isOver: boolean };
}

/** Who may use a server machine. */
export interface Access {
  /** No credentials needed: method X'00' is taken, any SOCKS4 USERID is. */
  isOpen: boolean;
  /** `password` is undefined for a SOCKS4 USERID, which is all that SOCKS4 has. */
  check(user: string, password: string | undefined): boolean;
}

/** The server's side of a handshake. */
export interface ServerMachine {
  receive(chunk: Uint8Array): ServerEvent[];
  /** The bytes that tell the program that the destination is connected. */
  accept(): Uint8Array;
  /** The bytes that tell it why not. */
  refuse(failure: Failure): Uint8Array;
}

/** Why a handshake failed, in one closed list; `reply.ts` maps each to errno, REP and words. */
export type FailureCode =
  | "GENERAL_FAILURE"
  | "NOT_ALLOWED"
  | "NETWORK_UNREACHABLE"
  | "HOST_UNREACHABLE"
  | "CONNECTION_REFUSED"
  | "TTL_EXPIRED"
  | "COMMAND_NOT_SUPPORTED"
  | "ADDRESS_TYPE_NOT_SUPPORTED"
  /** The server takes none of the methods offered (RFC 1928 METHOD X'FF'), or HTTP 407. */
  | "NO_ACCEPTABLE_METHODS"
  | "AUTHENTICATION_FAILED"
  /** Bytes that are not the protocol's. */
  | "PROTOCOL_ERROR"
  /** The server closed before its reply was whole. */
  | "SERVER_CLOSED"
  /** TCP to the server itself failed or stayed silent. */
  | "SERVER_REFUSED"
  | "SERVER_UNREACHABLE"
  | "SERVER_TIMEOUT"
  | "NAME_NOT_FOUND"
  | "NAME_TOO_LONG"
  /** Our own limit of open files. */
  | "OUT_OF_DESCRIPTORS"
  /** Our own policy said no. */
  | "REFUSED_BY_POLICY";

export interface Failure {
  code: FailureCode;
  /** The server's own words, safe to print (control characters escaped, at most 200 characters). */
  detail: string;
}

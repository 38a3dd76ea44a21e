/**
 * The one table of what each failure is called: errno in the program, REP (RFC 1928 §6), CD (the
 * SOCKS4 notes), HTTP status (RFC 9110 §15), words. Look-ups in both directions; nothing else in
 * the project maps one of these numbers to another.
 */

import { makeFailure } from "./failure.ts";
import type { Failure, FailureCode } from "./machine.ts";

/** How one failure appears in each protocol. */
export interface Reply {
  /** Name and Linux number (the same on x86_64 and aarch64). */
  errnoName: string;
  errno: number;
  /** RFC 1928 §6, X'01'–X'08'. */
  rep: number;
  /** SOCKS4: 91 rejected or failed, 93 the user ids differ. */
  cd: number;
  /** What the program is told; never 407, which would ask it for the server's password. */
  httpStatus: number;
  /** RFC 1928's own words where it has some; no full stop. */
  words: string;
}

type Row = [errnoName: keyof typeof ERRNO, rep: number, cd: number, status: number, words: string];

const ERRNO = {
  EACCES: 13,
  ENFILE: 23,
  EPROTO: 71,
  EOPNOTSUPP: 95,
  EAFNOSUPPORT: 97,
  ENETUNREACH: 101,
  ECONNABORTED: 103,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
  EHOSTUNREACH: 113,
} as const;

const ROWS: Record<FailureCode, Row> = {
  GENERAL_FAILURE: ["ECONNABORTED", 1, 91, 502, "General SOCKS server failure"],
  NOT_ALLOWED: ["EACCES", 2, 91, 403, "Connection not allowed by ruleset"],
  NETWORK_UNREACHABLE: ["ENETUNREACH", 3, 91, 502, "Network unreachable"],
  HOST_UNREACHABLE: ["EHOSTUNREACH", 4, 91, 502, "Host unreachable"],
  CONNECTION_REFUSED: ["ECONNREFUSED", 5, 91, 502, "Connection refused"],
  TTL_EXPIRED: ["ETIMEDOUT", 6, 91, 504, "TTL expired"],
  COMMAND_NOT_SUPPORTED: ["EOPNOTSUPP", 7, 91, 501, "Command not supported"],
  ADDRESS_TYPE_NOT_SUPPORTED: ["EAFNOSUPPORT", 8, 91, 502, "Address type not supported"],
  NO_ACCEPTABLE_METHODS: ["EACCES", 2, 91, 502, "No acceptable methods"],
  AUTHENTICATION_FAILED: ["EACCES", 2, 93, 502, "Authentication failed"],
  PROTOCOL_ERROR: ["EPROTO", 1, 91, 502, "Protocol error"],
  SERVER_CLOSED: ["ECONNABORTED", 1, 91, 502, "Server closed the connection"],
  SERVER_REFUSED: ["ECONNREFUSED", 5, 91, 502, "Server refused the connection"],
  SERVER_UNREACHABLE: ["EHOSTUNREACH", 4, 91, 502, "Server unreachable"],
  SERVER_TIMEOUT: ["ETIMEDOUT", 6, 91, 504, "Server did not answer in time"],
  NAME_NOT_FOUND: ["EHOSTUNREACH", 4, 91, 502, "Name not found"],
  NAME_TOO_LONG: ["EHOSTUNREACH", 4, 91, 502, "Name too long"],
  OUT_OF_DESCRIPTORS: ["ENFILE", 1, 91, 503, "Too many open connections"],
  REFUSED_BY_POLICY: ["EACCES", 2, 91, 403, "Refused by policy"],
};

/** The whole row of `code`. */
export function replyOf(code: FailureCode): Reply {
  const [errnoName, rep, cd, httpStatus, words] = ROWS[code];
  return { errnoName, errno: ERRNO[errnoName], rep, cd, httpStatus, words };
}

/** `ECONNREFUSED` */
export function errnoNameOf(code: FailureCode): string {
  return replyOf(code).errnoName;
}

/** The number of errnoNameOf() on Linux. */
export function errnoOf(code: FailureCode): number {
  return replyOf(code).errno;
}

/** `Connection refused` */
export function wordsOf(code: FailureCode): string {
  return replyOf(code).words;
}

/** What a SOCKS5 server's REP means; an unassigned one is a general failure with its number told. */
export function failureFromRep(rep: number): Failure {
  const code = REP_CODES[rep];
  return code === undefined
    ? makeFailure("GENERAL_FAILURE", `the server replied with unassigned REP ${rep}`)
    : makeFailure(code, "");
}

/** RFC 1928 §6 in its order; X'00' is success. */
const REP_CODES: Record<number, FailureCode> = {
  1: "GENERAL_FAILURE",
  2: "NOT_ALLOWED",
  3: "NETWORK_UNREACHABLE",
  4: "HOST_UNREACHABLE",
  5: "CONNECTION_REFUSED",
  6: "TTL_EXPIRED",
  7: "COMMAND_NOT_SUPPORTED",
  8: "ADDRESS_TYPE_NOT_SUPPORTED",
};

/** What a SOCKS4 server's CD means. 91 is all that SOCKS4 can say of a destination. */
export function failureFromCd(cd: number): Failure {
  switch (cd) {
    case 91:
      return makeFailure("CONNECTION_REFUSED", "request rejected or failed (CD 91)");
    case 92:
      return makeFailure("AUTHENTICATION_FAILED", "the server cannot reach identd here (CD 92)");
    case 93:
      return makeFailure("AUTHENTICATION_FAILED", "identd reports another user (CD 93)");
    default:
      return makeFailure("GENERAL_FAILURE", `the server replied with unassigned CD ${cd}`);
  }
}

/**
 * What an HTTP server's final status means, if it is not a 2xx.
 * `words`: its status line, kept as the detail; `sentCredentials` tells the two meanings of 407 apart.
 */
export function failureFromStatus(
  status: number,
  words: string,
  sentCredentials: boolean,
): Failure {
  if (status === 407) {
    const code = sentCredentials ? "AUTHENTICATION_FAILED" : "NO_ACCEPTABLE_METHODS";
    return makeFailure(code, words);
  }
  return makeFailure(STATUS_CODES[status] ?? "GENERAL_FAILURE", words);
}

const STATUS_CODES: Record<number, FailureCode> = {
  403: "NOT_ALLOWED",
  502: "HOST_UNREACHABLE",
  503: "HOST_UNREACHABLE",
  504: "TTL_EXPIRED",
};

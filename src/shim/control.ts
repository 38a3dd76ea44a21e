/**
 * The brain's half of the control protocol between shim and brain: requests decoded, answers
 * encoded. Owns no socket and decides nothing. The specification is the comment in control.h;
 * a test compares the constants.
 */

import { addressFromBytes } from "../net/address.ts";
import type { IpAddress } from "../net/address.ts";
import { decodeAnyText, encodeText } from "../net/octet_text.ts";

export const CTL_MAGIC_0 = 0x54;
export const CTL_MAGIC_1 = 0x53;
export const CTL_VERSION = 1;

export const CTL_OP_CONNECT = 1;
export const CTL_OP_RESOLVE = 2;
export const CTL_OP_PEER = 3;
export const CTL_OP_REVERSE = 4;
export const CTL_OP_EXECUTE = 6;
export const CTL_OP_VERDICT = 7;
export const CTL_OP_QUERY = 9;
export const CTL_OP_SOURCE = 10;
export const CTL_OP_SOCKET = 16;
export const CTL_OP_RELOAD = 17;

export const CTL_FLAG_NONBLOCKING = 1;
export const CTL_FLAG_INET6 = 2;
export const CTL_FLAG_DATAGRAM = 4;
export const CTL_FLAG_INODE = 8;
export const CTL_FLAG_MULTIPATH = 16;

export const CTL_REASON_STATIC = 1;
export const CTL_REASON_SET_ID = 2;
export const CTL_REASON_OTHER_ARCHITECTURE = 3;
export const CTL_REASON_CAPABILITIES = 4;
export const CTL_REASON_HIDDEN = 5;
export const CTL_REASON_GO = 6;
export const CTL_REASON_UNSEEN = 7;

export const CTL_STATUS_DIRECT = 1;
export const CTL_STATUS_FORWARD = 2;
export const CTL_STATUS_FAIL = 3;
export const CTL_STATUS_LIBC = 4;
export const CTL_STATUS_ADDRESS = 5;
export const CTL_STATUS_PEER = 6;
export const CTL_STATUS_NAME = 7;
export const CTL_STATUS_PENDING = 8;
export const CTL_STATUS_MESSAGE = 9;
export const CTL_STATUS_REDIRECT = 10;

export const CTL_TOKEN_LEN = 16;
export const CTL_TICKET_LEN = 17;
export const CTL_COOKIE_LEN = 8;
export const CTL_MAX_STARTED_LEN = 27;
export const CTL_REQUEST_HEADER_LEN = 26;
export const CTL_ANSWER_HEADER_LEN = 8;
export const CTL_MAX_NAME_LEN = 1024;
export const CTL_MAX_HOST_NAME_LEN = 255;
export const CTL_MAX_ANSWER_BODY_LEN = 256;
export const CTL_MAX_PATH_LEN = 255;
/** 127.0.0.1 and those that follow it, on one port. */
export const CTL_BRAIN_ADDRESSES = 4;

/** The low octet of each port that PENDING sends to. */
export const CTL_PENDING_PORT_MARK = 0x53;

const MAX_ANSWER_MESSAGE_LEN = 65535; // RFC 1035 §4.2.2
const MAX_REQUEST_BODY_LEN = 1 + CTL_MAX_NAME_LEN; // FAMILY, NAME

/** An endpoint to be sent: 4 or 16 octets in network order, port 0–65535. */
export interface RawEndpoint {
  bytes: Uint8Array;
  port: number;
}

/** An endpoint as a program gave it: `address` normalises v4-mapped to version 4, `bytes` does not. */
export interface ControlEndpoint extends RawEndpoint {
  address: IpAddress;
}

/** A socket whose connect waits for the brain. `cookie` is its SO_COOKIE, 0 where it has none. */
export interface WaitingSocket {
  cookie: bigint;
  local: ControlEndpoint;
}

/** What a shim asks. `token` is its credential and is not yet checked. */
export type ControlRequest =
  | {
    op: "connect";
    pid: number;
    token: Uint8Array;
    isNonBlocking: boolean;
    isInet6: boolean;
    /** Not TCP: datagrams are meant. */
    isDatagram: boolean;
    /** Multipath TCP, which cannot wait as TCP does. */
    isMultipath: boolean;
    /** Of the socket, where datagrams to a name server are meant. */
    inode?: bigint;
    endpoint: ControlEndpoint;
  }
  /** `name` as net/octet_text.ts reads any octets; hostile text all the same. */
  | { op: "resolve"; pid: number; token: Uint8Array; family: 0 | 4 | 6; name: string }
  /** The addresses of the program's relayed connection, as the program has them. */
  | {
    op: "peer";
    pid: number;
    token: Uint8Array;
    local: ControlEndpoint;
    remote: ControlEndpoint;
  }
  /** `endpoint` has port 0. */
  | { op: "reverse"; pid: number; token: Uint8Array; endpoint: ControlEndpoint }
  /** `message` is a query of DNS, hostile octets all the same. */
  | { op: "query"; pid: number; token: Uint8Array; message: Uint8Array }
  /** `endpoint` is one of io/dns_faces.ts, or looks like one. */
  | { op: "source"; pid: number; token: Uint8Array; endpoint: ControlEndpoint }
  /** The arguments of socket(2), the type without its flags. */
  | {
    op: "socket";
    pid: number;
    token: Uint8Array;
    domain: number;
    type: number;
    protocol: number;
  }
  /** Read the configuration again; not from a shim. */
  | { op: "reload"; pid: number; token: Uint8Array }
  /** Why was the connect of this socket reset? */
  | { op: "verdict"; pid: number; token: Uint8Array; socket: WaitingSocket }
  /** A program that the shim will not be in is about to be executed; `path` is hostile text. */
  | { op: "uncovered"; pid: number; token: Uint8Array; reason: UncoveredReason; path: string };

/** Why the shim will not be in a program. */
export type UncoveredReason =
  | "static"
  | "set-id"
  | "other architecture"
  | "capabilities"
  | "hidden"
  | "go"
  | "unseen";

const UNCOVERED_REASONS: Record<number, UncoveredReason> = {
  [CTL_REASON_STATIC]: "static",
  [CTL_REASON_SET_ID]: "set-id",
  [CTL_REASON_OTHER_ARCHITECTURE]: "other architecture",
  [CTL_REASON_CAPABILITIES]: "capabilities",
  [CTL_REASON_HIDDEN]: "hidden",
  [CTL_REASON_GO]: "go",
  [CTL_REASON_UNSEEN]: "unseen",
};

export type DecodedRequest =
  | { kind: "incomplete" }
  | { kind: "bad"; reason: string }
  | { kind: "request"; request: ControlRequest };

/**
 * What the brain answers; `error` is an errno to a connect, a verdict, a socket and an uncovered program, an EAI_ code
 * (negative, as in netdb.h) to a resolve, a reverse and a query, 0 to a peer and a source.
 */
export type ControlAnswer =
  | { status: "direct" }
  | { status: "forward"; endpoint: RawEndpoint; ticket: Uint8Array }
  /** `onStarted` is told of the socket that now waits; not called where the program gave up. */
  | { status: "pending"; endpoint: RawEndpoint; onStarted: (socket: WaitingSocket) => void }
  | { status: "fail"; error: number }
  | { status: "libc" }
  | { status: "address"; text: string }
  | { status: "peer"; endpoint: RawEndpoint }
  | { status: "name"; name: string }
  | { status: "message"; message: Uint8Array }
  | { status: "redirect"; endpoint: RawEndpoint };

/**
 * Decodes all that has arrived on one control connection so far.
 * `bytes`: MAGIC..BODY, 26 octets and at most 1025; octets behind the request are bad.
 */
export function decodeRequest(bytes: Uint8Array): DecodedRequest {
  const expected = [CTL_MAGIC_0, CTL_MAGIC_1, CTL_VERSION];
  if (bytes.subarray(0, 3).some((octet, at) => octet !== expected[at])) {
    return bad("not a request of this version");
  }
  if (bytes.length < CTL_REQUEST_HEADER_LEN) return { kind: "incomplete" };
  const view = viewOf(bytes);
  const bodyLength = view.getUint16(24);
  if (bodyLength > MAX_REQUEST_BODY_LEN) return bad(`body of ${bodyLength} octets`);
  const length = CTL_REQUEST_HEADER_LEN + bodyLength;
  if (bytes.length < length) return { kind: "incomplete" };
  if (bytes.length > length) return bad("octets behind the request");
  const header = { pid: view.getUint32(4), token: bytes.slice(8, 8 + CTL_TOKEN_LEN) };
  return decodeBody(view.getUint8(3), header, bytes.subarray(CTL_REQUEST_HEADER_LEN));
}

function decodeBody(
  op: number,
  header: { pid: number; token: Uint8Array },
  body: Uint8Array,
): DecodedRequest {
  switch (op) {
    case CTL_OP_CONNECT:
      return decodeConnect(header, body);
    case CTL_OP_RESOLVE:
      return decodeResolve(header, body);
    case CTL_OP_PEER: {
      const local = decodeEndpoint(body.subarray(0, body.length / 2));
      const remote = decodeEndpoint(body.subarray(body.length / 2));
      if (!local || !remote) return bad("malformed endpoints");
      return { kind: "request", request: { op: "peer", ...header, local, remote } };
    }
    case CTL_OP_REVERSE: {
      const endpoint = decodeEndpoint(body);
      if (!endpoint) return bad("malformed endpoint");
      if (endpoint.port !== 0) return bad("a port in a reverse look-up");
      return { kind: "request", request: { op: "reverse", ...header, endpoint } };
    }
    case CTL_OP_QUERY: {
      if (body.length === 0) return bad("no message");
      return { kind: "request", request: { op: "query", ...header, message: body.slice() } };
    }
    case CTL_OP_SOURCE: {
      const endpoint = decodeEndpoint(body);
      if (!endpoint) return bad("malformed endpoint");
      return { kind: "request", request: { op: "source", ...header, endpoint } };
    }
    case CTL_OP_SOCKET: {
      if (body.length !== 6) return bad("malformed socket");
      const view = viewOf(body);
      const [domain, type, protocol] = [view.getUint16(0), view.getUint16(2), view.getUint16(4)];
      return { kind: "request", request: { op: "socket", ...header, domain, type, protocol } };
    }
    case CTL_OP_VERDICT: {
      const socket = decodeWaitingSocket(body);
      if (!socket) return bad("malformed socket");
      return { kind: "request", request: { op: "verdict", ...header, socket } };
    }
    case CTL_OP_RELOAD:
      if (body.length !== 0) return bad("a body in a reload");
      return { kind: "request", request: { op: "reload", ...header } };
    case CTL_OP_EXECUTE:
      return decodeExecute(header, body);
    default:
      return bad(`unknown op ${op}`);
  }
}

const KNOWN_FLAGS = CTL_FLAG_NONBLOCKING | CTL_FLAG_INET6 | CTL_FLAG_DATAGRAM | CTL_FLAG_INODE |
  CTL_FLAG_MULTIPATH;

/** `body`: FLAGS ENDPOINT and, where a flag says so, INODE: 8, 16, 20 or 28 octets. */
function decodeConnect(
  header: { pid: number; token: Uint8Array },
  body: Uint8Array,
): DecodedRequest {
  const flags = body[0] ?? 0;
  const hasInode = (flags & CTL_FLAG_INODE) !== 0;
  if ((flags & ~KNOWN_FLAGS) !== 0 || hasInode && (flags & CTL_FLAG_DATAGRAM) === 0) {
    return bad(`unknown flags ${flags}`);
  }
  const end = hasInode ? Math.max(1, body.length - 8) : body.length;
  const endpoint = decodeEndpoint(body.subarray(1, end));
  if (!endpoint) return bad("malformed endpoint");
  const inode = hasInode ? { inode: viewOf(body).getBigUint64(end) } : {};
  const isNonBlocking = (flags & CTL_FLAG_NONBLOCKING) !== 0;
  const isInet6 = (flags & CTL_FLAG_INET6) !== 0;
  const isDatagram = (flags & CTL_FLAG_DATAGRAM) !== 0;
  const isMultipath = (flags & CTL_FLAG_MULTIPATH) !== 0;
  const kinds = { isNonBlocking, isInet6, isDatagram, isMultipath, ...inode };
  return { kind: "request", request: { op: "connect", ...header, ...kinds, endpoint } };
}

/** `body`: FAMILY NAME, 2–1025 octets. */
function decodeResolve(
  header: { pid: number; token: Uint8Array },
  body: Uint8Array,
): DecodedRequest {
  const family = body[0];
  if (family !== 0 && family !== 4 && family !== 6) return bad(`unknown family ${family}`);
  const name = body.subarray(1);
  if (name.length === 0) return bad("no name");
  if (name.includes(0)) return bad("a zero octet in the name");
  return {
    kind: "request",
    request: { op: "resolve", ...header, family, name: decodeAnyText(name) },
  };
}

/** `body`: REASON PATH, 1–256 octets. */
function decodeExecute(
  header: { pid: number; token: Uint8Array },
  body: Uint8Array,
): DecodedRequest {
  const reason = UNCOVERED_REASONS[body[0] ?? 0];
  if (reason === undefined) return bad(`unknown reason ${body[0]}`);
  const path = body.subarray(1);
  if (path.length > CTL_MAX_PATH_LEN) return bad(`path of ${path.length} octets`);
  if (path.includes(0)) return bad("a zero octet in the path");
  return {
    kind: "request",
    request: { op: "uncovered", ...header, reason, path: decodeAnyText(path) },
  };
}

/** `body`: FAMILY PORT ADDRESS, exactly 7 or 19 octets; else undefined. */
function decodeEndpoint(body: Uint8Array): ControlEndpoint | undefined {
  const addressLength = body[0] === 4 ? 4 : body[0] === 6 ? 16 : undefined;
  if (addressLength === undefined || body.length !== 3 + addressLength) return undefined;
  const bytes = body.slice(3);
  return { address: addressFromBytes(bytes), bytes, port: viewOf(body).getUint16(1) };
}

/**
 * COOKIE ENDPOINT, exactly 15 or 27 octets; else undefined. The body of VERDICT, and STARTED, which
 * comes behind the answer PENDING: there undefined also means that more is to come.
 */
export function decodeWaitingSocket(bytes: Uint8Array): WaitingSocket | undefined {
  if (bytes.length < CTL_COOKIE_LEN) return undefined;
  const local = decodeEndpoint(bytes.subarray(CTL_COOKIE_LEN));
  return local && { cookie: viewOf(bytes).getBigUint64(0), local };
}

/**
 * Encodes STATUS..BODY, 8–264 octets, a message at most 65543.
 * @throws {RangeError} for an address, name, ticket, text, port or error that the message cannot carry
 */
export function encodeAnswer(answer: ControlAnswer): Uint8Array {
  switch (answer.status) {
    case "direct":
      return encode(CTL_STATUS_DIRECT);
    case "libc":
      return encode(CTL_STATUS_LIBC);
    case "fail":
      return encode(CTL_STATUS_FAIL, { error: inRange("error", Math.abs(answer.error), 0, 4095) });
    case "forward": {
      inRange("ticket length", answer.ticket.length, CTL_TICKET_LEN, CTL_TICKET_LEN);
      return encode(CTL_STATUS_FORWARD, {
        body: [...encodeEndpoint(answer.endpoint), ...answer.ticket],
      });
    }
    case "address": {
      const body = new TextEncoder().encode(answer.text);
      inRange("text length", body.length, 1, CTL_MAX_ANSWER_BODY_LEN);
      return encode(CTL_STATUS_ADDRESS, { body });
    }
    case "pending":
      return encode(CTL_STATUS_PENDING, { body: encodeEndpoint(answer.endpoint) });
    case "peer":
      return encode(CTL_STATUS_PEER, { body: encodeEndpoint(answer.endpoint) });
    case "name": {
      const body = encodeText(answer.name);
      inRange("name length", body.length, 1, CTL_MAX_HOST_NAME_LEN);
      return encode(CTL_STATUS_NAME, { body });
    }
    case "message":
      inRange("message length", answer.message.length, 1, MAX_ANSWER_MESSAGE_LEN);
      return encode(CTL_STATUS_MESSAGE, { body: answer.message });
    case "redirect":
      return encode(CTL_STATUS_REDIRECT, { body: encodeEndpoint(answer.endpoint) });
  }
}

/** A PEER request of the brain's own, about a connection that there is not. */
export function encodePeerRequest(token: Uint8Array): Uint8Array {
  const nowhere = encodeEndpoint({ bytes: new Uint8Array(4), port: 0 });
  return encodeRequest(CTL_OP_PEER, token, [...nowhere, ...nowhere]);
}

/** A RELOAD request, as `tsocks reload` sends it. */
export function encodeReloadRequest(token: Uint8Array): Uint8Array {
  return encodeRequest(CTL_OP_RELOAD, token, []);
}

function encodeRequest(op: number, token: Uint8Array, body: number[]): Uint8Array {
  const start = [CTL_MAGIC_0, CTL_MAGIC_1, CTL_VERSION, op, 0, 0, 0, 0];
  return Uint8Array.from([...start, ...token, 0, body.length, ...body]);
}

function encode(
  status: number,
  { error = 0, body = [] }: { error?: number; body?: ArrayLike<number> } = {},
): Uint8Array {
  const bytes = new Uint8Array(CTL_ANSWER_HEADER_LEN + body.length);
  const view = viewOf(bytes);
  view.setUint8(0, status);
  view.setUint32(2, error);
  view.setUint16(6, body.length);
  bytes.set(body, CTL_ANSWER_HEADER_LEN);
  return bytes;
}

/** FAMILY PORT ADDRESS: 1 + 2 + 4 or 1 + 2 + 16 octets. */
function encodeEndpoint({ bytes, port }: RawEndpoint): number[] {
  if (bytes.length !== 4 && bytes.length !== 16) {
    throw new RangeError(`Address of ${bytes.length} octets: 4 or 16 needed`);
  }
  inRange("port", port, 0, 65535);
  return [bytes.length === 4 ? 4 : 6, port >> 8, port & 0xff, ...bytes];
}

function inRange(what: string, value: number, first: number, last: number): number {
  if (Number.isInteger(value) && value >= first && value <= last) return value;
  throw new RangeError(`Control ${what} ${value}: ${first} to ${last} needed`);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function bad(reason: string): DecodedRequest {
  return { kind: "bad", reason };
}

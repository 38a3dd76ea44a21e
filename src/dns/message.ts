/**
 * DNS messages as far as a name server for programs needs them: a query read strictly, an answer
 * built, a server's answer checked. Pure; who answers what is io/name_server.ts's.
 * Source: RFC 1035 §4, RFC 6891 (EDNS), RFC 3597 §4 (names in rdata are not ours to read).
 */

import { addressFromBytes, type IpAddress } from "../net/address.ts";
import {
  decodeName,
  encodeName,
  HEADER_LEN,
  octetsOf,
  readRecord,
  type ResourceRecord,
  skipName,
  viewOf,
} from "./wire.ts";

export const RCODE_NOERROR = 0;
export const RCODE_FORMERR = 1;
export const RCODE_SERVFAIL = 2;
export const RCODE_NXDOMAIN = 3;
export const RCODE_NOTIMP = 4;
export const RCODE_REFUSED = 5;
export const RCODE_BADVERS = 16;

export const TYPE_A = 1;
export const TYPE_PTR = 12;
export const TYPE_AAAA = 28;
export const TYPE_IXFR = 251;
export const TYPE_AXFR = 252;
export const TYPE_ANY = 255;
const TYPE_OPT = 41;
const CLASS_IN = 1;

/** Those that stand in logs; others are TYPE65534 (RFC 3597 §5). */
const TYPE_NAMES: Record<number, string> = {
  ...{ 1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 13: "HINFO", 15: "MX", 16: "TXT" },
  ...{ 28: "AAAA", 33: "SRV", 35: "NAPTR", 39: "DNAME", 43: "DS", 44: "SSHFP", 46: "RRSIG" },
  ...{
    48: "DNSKEY",
    52: "TLSA",
    64: "SVCB",
    65: "HTTPS",
    251: "IXFR",
    252: "AXFR",
    255: "ANY",
    257: "CAA",
  },
};

const MIN_UDP_LEN = 512; // RFC 1035 §2.3.4
/** What we say to take, and send at most: it fits any path whole (RFC 9715, DNS flag day 2020). */
const MAX_UDP_LEN = 1232;
/** Short, since a reserved address is another name's when it was unused for ten minutes. */
const TTL_S = 60;

export interface Query {
  id: number;
  /** Flags as they came: RD and CD go into the answer. */
  flags: number;
  question: Question;
  /** Undefined without EDNS. */
  edns: { udpLength: number; isDnssecOk: boolean } | undefined;
}

export interface Question {
  /** QNAME QTYPE QCLASS as they came, in their mixed case (0x20), to be echoed. */
  bytes: Uint8Array;
  /** With dots and without the root's, "" for the root; undefined where a label is no text. */
  name: string | undefined;
  type: number;
}

export type ReadQuery =
  /** No query at all: whoever answers it may be answering an answer. */
  | { kind: "ignored" }
  | { kind: "bad"; response: Uint8Array }
  | { kind: "query"; query: Query };

/** The type's name, as dig writes it. */
export function formatType(type: number): string {
  return TYPE_NAMES[type] ?? `TYPE${type}`;
}

/**
 *   +----+-------+---------+---------+---------+---------+----------+------------+
 *   | ID | FLAGS | QDCOUNT | ANCOUNT | NSCOUNT | ARCOUNT | QUESTION | RECORDS    |
 *   +----+-------+---------+---------+---------+---------+----------+------------+
 *   | 2  |   2   |    2    |    2    |    2    |    2    | variable | variable   |
 *   +----+-------+---------+---------+---------+---------+----------+------------+
 *   FLAGS: QR(1) OPCODE(4) AA(1) TC(1) RD(1) RA(1) Z(1) AD(1) CD(1) RCODE(4)
 *
 * `bytes`: a whole message. What is bad comes with the answer that says so.
 */
export function readQuery(bytes: Uint8Array): ReadQuery {
  const view = viewOf(bytes);
  if (bytes.length < HEADER_LEN || (view.getUint16(2) & FLAG_QR) !== 0) return { kind: "ignored" };
  const header = { id: view.getUint16(0), flags: view.getUint16(2) };
  const bad = (rcode: number): ReadQuery => ({
    kind: "bad",
    response: build({ ...header, question: undefined, edns: undefined }, { rcode }),
  });
  if ((header.flags >> 11 & 15) !== 0) return bad(RCODE_NOTIMP);
  const question = view.getUint16(4) === 1 ? readQuestion(bytes) : undefined;
  if (question === undefined) return bad(RCODE_FORMERR);
  const opt = findOpt(bytes, HEADER_LEN + question.bytes.length);
  if (opt === "malformed") return bad(RCODE_FORMERR);
  const edns = opt && { udpLength: opt.class, isDnssecOk: (opt.ttl & 0x8000) !== 0 };
  const query = { ...header, question, edns };
  const refused = (rcode: number): ReadQuery => ({
    kind: "bad",
    response: build(query, { rcode }),
  });
  if (opt !== undefined && (opt.ttl >> 16 & 255) !== 0) return refused(RCODE_BADVERS);
  if (viewOf(question.bytes).getUint16(question.bytes.length - 2) !== CLASS_IN) {
    return refused(RCODE_REFUSED);
  }
  return { kind: "query", query };
}

const FLAG_QR = 0x8000;
const FLAG_TC = 0x0200;
const FLAG_RD = 0x0100;
const FLAG_RA = 0x0080;
const FLAG_CD = 0x0010;

/** An answer with records of the question's own name; none with RCODE_NOERROR is NODATA. */
export function buildResponse(
  query: Query,
  { rcode = RCODE_NOERROR, records = [] }: {
    rcode?: number;
    records?: { type: number; data: Uint8Array }[];
  },
): Uint8Array {
  return build(query, { rcode, records });
}

/** An answer as a datagram may carry it: cut to its question where it is too long (TC, RFC 2181 §9). */
export function fitDatagram(query: Query, response: Uint8Array): Uint8Array {
  const announced = Math.max(MIN_UDP_LEN, query.edns?.udpLength ?? 0);
  if (response.length <= Math.min(announced, MAX_UDP_LEN)) return response;
  return build(query, { rcode: rcodeOf(response), isTruncated: true });
}

/** A query of our own: recursion desired, one question, no EDNS. Undefined for what is no name. */
export function buildQuery(id: number, name: string, type: number): Uint8Array | undefined {
  const labels = encodeName(name);
  if (labels === undefined) return undefined;
  const bytes = new Uint8Array(HEADER_LEN + labels.length + 4);
  const view = viewOf(bytes);
  [id, FLAG_RD, 1].forEach((word, at) => view.setUint16(2 * at, word));
  bytes.set(labels, HEADER_LEN);
  [type, CLASS_IN].forEach((word, at) => view.setUint16(bytes.length - 4 + 2 * at, word));
  return bytes;
}

/**
 * Whether `response` answers this query: the same ID and, but for the case of letters, question. A
 * refusal of a server that did not read so far has none (RFC 6891 §7: FORMERR to EDNS).
 */
export function isResponseTo(query: Query, response: Uint8Array): boolean {
  const { bytes } = query.question;
  const view = viewOf(response);
  if (response.length === HEADER_LEN && rcodeOf(response) !== RCODE_NOERROR) {
    return view.getUint16(0) === query.id && (view.getUint16(2) & FLAG_QR) !== 0 &&
      response.subarray(4).every((octet) => octet === 0);
  }
  if (response.length < HEADER_LEN + bytes.length) return false;
  const asked = response.subarray(HEADER_LEN, HEADER_LEN + bytes.length);
  return view.getUint16(0) === query.id && (view.getUint16(2) & FLAG_QR) !== 0 &&
    view.getUint16(4) === 1 && bytes.every((octet, at) => lower(octet) === lower(asked[at]!));
}

/** What a server's answer gives: RCODE, and the addresses of its answer section, aliases passed over. */
export function readAddresses(
  response: Uint8Array,
): { rcode: number; addresses: IpAddress[] } | undefined {
  if (response.length < HEADER_LEN) return undefined;
  const addresses: IpAddress[] = [];
  const view = viewOf(response);
  let at: number | undefined = HEADER_LEN;
  for (let count = view.getUint16(4); count > 0; count--) {
    at = skipName(response, at);
    if (at === undefined) return undefined;
    at += 4; // QTYPE, QCLASS
  }
  for (let count = view.getUint16(6); count > 0; count--) {
    const record = readRecord(response, at);
    if (record === undefined) return undefined;
    const { type, data } = record;
    const length = type === TYPE_A ? 4 : type === TYPE_AAAA ? 16 : -1;
    if (record.class === CLASS_IN && data.length === length) addresses.push(addressFromBytes(data));
    at = record.end;
  }
  return { rcode: rcodeOf(response), addresses };
}

function readQuestion(bytes: Uint8Array): Question | undefined {
  // Nothing stands before it that it could point to.
  const end = skipName(bytes, HEADER_LEN, { mayPoint: false });
  if (end === undefined || end + 4 > bytes.length) return undefined;
  const octets = bytes.subarray(HEADER_LEN, end);
  return {
    bytes: bytes.slice(HEADER_LEN, end + 4),
    name: decodeName(octets),
    type: viewOf(bytes).getUint16(end),
  };
}

/** The OPT record behind the question, if any; nothing may stand behind the records. RFC 6891 §6.1 */
function findOpt(bytes: Uint8Array, at: number): ResourceRecord | undefined | "malformed" {
  const view = viewOf(bytes);
  let opt: ResourceRecord | undefined;
  for (let count = [6, 8, 10].reduce((sum, from) => sum + view.getUint16(from), 0); count > 0;) {
    const record = readRecord(bytes, at);
    if (record === undefined) return "malformed";
    if (record.type === TYPE_OPT && opt !== undefined) return "malformed";
    if (record.type === TYPE_OPT) opt = record;
    at = record.end;
    count--;
  }
  return at === bytes.length ? opt : "malformed";
}

function build(
  query: Omit<Query, "question"> & { question: Question | undefined },
  { rcode, records = [], isTruncated = false }: {
    rcode: number;
    records?: { type: number; data: Uint8Array }[];
    isTruncated?: boolean;
  },
): Uint8Array {
  const { id, flags, question, edns } = query;
  const kept = flags & (0x7800 | FLAG_RD | FLAG_CD);
  const words = [
    id,
    FLAG_QR | kept | FLAG_RA | (isTruncated ? FLAG_TC : 0) | rcode & 15,
    ...[question === undefined ? 0 : 1, records.length, 0, edns === undefined ? 0 : 1],
  ];
  return Uint8Array.from([
    ...words.flatMap(octetsOf),
    ...(question?.bytes ?? []),
    ...records.flatMap(encodeRecord),
    ...(edns === undefined ? [] : encodeOpt(edns.isDnssecOk, rcode)),
  ]);
}

/** Its name is a pointer to the question's. */
function encodeRecord({ type, data }: { type: number; data: Uint8Array }): number[] {
  const head = [0xc000 | HEADER_LEN, type, CLASS_IN, 0, TTL_S, data.length];
  return [...head.flatMap(octetsOf), ...data];
}

/** The root's name, then TTL as EXTENDED-RCODE(1) VERSION(1) DO(1 bit) Z. */
function encodeOpt(isDnssecOk: boolean, rcode: number): number[] {
  const flags = isDnssecOk ? 0x8000 : 0;
  return [0, ...[TYPE_OPT, MAX_UDP_LEN, rcode >> 4 << 8, flags, 0].flatMap(octetsOf)];
}

function rcodeOf(response: Uint8Array): number {
  return response[3]! & 15;
}

function lower(octet: number): number {
  return octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet;
}

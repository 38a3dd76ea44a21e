/**
 * Where the body of an HTTP request ends (RFC 9112 §6), and the filters that let exactly that much
 * pass. Two readings of one length are how requests are smuggled past a proxy: whatever is doubtful
 * is refused.
 */

import { ChunkedFilter } from "./http_chunked.ts";
import { fieldMembers, fieldValues, type HttpField } from "./http_head.ts";
import type { RequestFilter } from "./machine.ts";

export type BodyFraming =
  /** `contentLength` is undefined where the request does not speak of a body: it has none. */
  | { kind: "length"; contentLength: number | undefined }
  | { kind: "chunked" };

/** A request whose body has no certain end. */
export interface FramingRefusal {
  status: 400 | 501;
  text: string;
}

/** How the body of a request of `version` is framed. */
export function readFraming(
  fields: HttpField[],
  version: string,
): BodyFraming | { refusal: FramingRefusal } {
  const hasLength = fieldValues(fields, "content-length").length > 0;
  const hasCoding = fieldValues(fields, "transfer-encoding").length > 0;
  if (hasLength && hasCoding) {
    return refuse(400, "Content-Length and Transfer-Encoding in one request");
  }
  if (hasCoding) return readCoding(fieldMembers(fields, "transfer-encoding"), version);
  if (hasLength) return readLength(fieldMembers(fields, "content-length"));
  return { kind: "length", contentLength: undefined };
}

function readCoding(
  codings: string[],
  version: string,
): BodyFraming | { refusal: FramingRefusal } {
  if (version === "HTTP/1.0") return refuse(400, "Transfer-Encoding in HTTP/1.0");
  if (codings.length === 1 && codings[0] === "chunked") return { kind: "chunked" };
  return refuse(501, "a Transfer-Encoding other than chunked");
}

/** The same length said twice is one length (RFC 9112 §6.3). */
function readLength(lengths: string[]): BodyFraming | { refusal: FramingRefusal } {
  const [length = ""] = lengths;
  if (lengths.some((other) => other !== length)) {
    return refuse(400, "differing values of Content-Length");
  }
  if (!/^\d{1,15}$/.test(length)) return refuse(400, "malformed Content-Length");
  return { kind: "length", contentLength: Number(length) };
}

function refuse(status: 400 | 501, text: string): { refusal: FramingRefusal } {
  return { refusal: { status, text } };
}

/** The field line that says `framing`, if it needs one. */
export function encodeFraming(framing: BodyFraming): string[] {
  if (framing.kind === "chunked") return ["Transfer-Encoding: chunked"];
  if (framing.contentLength === undefined) return [];
  return [`Content-Length: ${framing.contentLength}`];
}

/** Lets the body pass that `framing` describes, and nothing behind it. */
export function createBodyFilter(framing: BodyFraming): RequestFilter {
  return framing.kind === "chunked"
    ? new ChunkedFilter()
    : new LengthFilter(framing.contentLength ?? 0);
}

class LengthFilter implements RequestFilter {
  #left: number;

  constructor(length: number) {
    this.#left = length;
  }

  take(chunk: Uint8Array): { pass: Uint8Array; isOver: boolean } {
    const pass = chunk.slice(0, this.#left);
    this.#left -= pass.length;
    return { pass, isOver: this.#left === 0 };
  }
}

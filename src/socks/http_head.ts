/**
 * The head of an HTTP/1 message (RFC 9112 §2): collected up to its empty line, and cut strictly into
 * start line and fields. What the fields mean is for others.
 */

import { decodeLatin1, OctetBuffer } from "./octets.ts";

export const MAX_HEAD_OCTETS = 64 * 1024;

/** One field line; the value without blanks around it, one character per octet. */
export interface HttpField {
  name: string;
  value: string;
}

export interface HttpHead {
  startLine: string;
  fields: HttpField[];
}

/** Collects pieces until a head is whole. */
export class HeadReader {
  readonly #input = new OctetBuffer();
  #scanned = 0;

  /** The octets not yet read as a head. */
  view(): Uint8Array {
    return this.#input.view();
  }

  /**
   * The next head (Latin-1), once it is whole: without its empty line, if that was CR LF CR LF.
   * `too long` from the first octet over 64 KiB on.
   */
  read(chunk: Uint8Array): { head: string } | "incomplete" | "too long" {
    this.#input.append(chunk);
    const end = this.#findEnd();
    if (end === undefined) return this.#input.length > MAX_HEAD_OCTETS ? "too long" : "incomplete";
    if (end > MAX_HEAD_OCTETS) return "too long";
    this.#scanned = 0;
    const head = decodeLatin1(this.#input.take(end));
    return { head: head.endsWith("\r\n\r\n") ? head.slice(0, -4) : head };
  }

  /** What stands behind the last head. */
  takeRest(): Uint8Array {
    return this.#input.takeAll();
  }

  /** Behind the empty line. Bare LFs end a head too; parseHead() then rejects it, a client may not. */
  #findEnd(): number | undefined {
    const octets = this.#input.view();
    for (let at = octets.indexOf(LF, this.#scanned); at >= 0; at = octets.indexOf(LF, at + 1)) {
      const before = octets[at - 1] === CR ? at - 2 : at - 1;
      if (octets[before] === LF) return at + 1;
    }
    this.#scanned = octets.length;
  }
}

const CR = 0x0d;
const LF = 0x0a;
/** RFC 9110 §5.1 token and §5.5 value; folded lines and blanks before the colon do not match. */
const FIELD_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t\x20-\x7e\x80-\xff]*)$/;

/** Undefined where any line is malformed. Lines end in CR LF: a bare one of either is an attack. */
export function parseHead(head: string): HttpHead | undefined {
  const [startLine = "", ...lines] = head.split("\r\n");
  // deno-lint-ignore no-control-regex
  if (/[\0-\x1f\x7f]/.test(startLine)) return undefined;
  const fields: HttpField[] = [];
  for (const line of lines) {
    const [, name, value] = FIELD_LINE.exec(line) ?? [];
    if (name === undefined || value === undefined) return undefined;
    fields.push({ name, value: trimBlanks(value) });
  }
  return { startLine, fields };
}

/** The values of all fields called `name` (lower case), in order. */
export function fieldValues(fields: HttpField[], name: string): string[] {
  return fields.filter((field) => field.name.toLowerCase() === name).map(({ value }) => value);
}

/** The members of a comma-separated field (RFC 9110 §5.6.1) in lower case, over all its lines. */
export function fieldMembers(fields: HttpField[], name: string): string[] {
  return fieldValues(fields, name)
    .flatMap((value) => value.split(","))
    .map((member) => trimBlanks(member).toLowerCase())
    .filter((member) => member !== "");
}

/** A loop, since /[ \t]+$/ takes quadratic time on a hostile value. */
function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text[start])) start++;
  while (end > start && isBlank(text[end - 1])) end--;
  return text.slice(start, end);
}

function isBlank(char: string | undefined): boolean {
  return char === " " || char === "\t";
}

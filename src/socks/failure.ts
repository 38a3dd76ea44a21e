/**
 * Makes the failures of the machines. A detail is written into logs and terminals and its text
 * comes from hostile peers: it is escaped and cut here, in one place. Which code means what is
 * reply.ts's.
 */

import { decodeLossy } from "./octets.ts";
import type { Failure, FailureCode } from "./machine.ts";

const MAX_DETAIL_CHARS = 200;
/** Of an answer that is not the protocol's, this much is shown. */
const MAX_SEEN_CHARS = 60;

/** A failure whose detail is safe to print: escaped, at most 200 characters. */
export function makeFailure(code: FailureCode, detail: string): Failure {
  return { code, detail: cut(escapeControls(detail), MAX_DETAIL_CHARS) };
}

/** Control, format and line-separating characters as `\x1b` or `\u{202e}`; all else unchanged. */
export function escapeControls(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (char) => {
    const point = char.codePointAt(0) ?? 0;
    const hex = point.toString(16).padStart(2, "0");
    return point <= 0xff ? `\\x${hex}` : `\\u{${hex}}`;
  });
}

/**
 * What a server that speaks something else said first, and the likely reason.
 * Only the first line, or two octets, is shown: an echoing server would have sent our own
 * credentials back, and those are never in either.
 * `expected`: `a SOCKS server`; `octets`: at least one.
 */
export function describeStranger(octets: Uint8Array, expected: string): string {
  const hint = hintOf(octets);
  const because = hint === undefined ? "" : `; ${hint}`;
  return `answered ${seen(octets)}: not ${expected}${because}`;
}

function hintOf(octets: Uint8Array): string | undefined {
  const text = decodeLossy(octets.subarray(0, 5));
  if (text === "HTTP/") return "server_type = http?";
  if (text.startsWith("SSH-")) return "an SSH server; server_port?";
  switch (octets[0]) {
    case 0x00:
      return "server_type = 4?";
    case 0x05:
      return "server_type = 5?";
    case 0x15: // TLS alert record, RFC 8446 §5.1
      return "a TLS server; server_port?";
  }
}

function seen(octets: Uint8Array): string {
  if (!isPrintable(octets[0])) return hexOf(octets.subarray(0, 2));
  const [line = ""] = decodeLossy(octets.subarray(0, 4 * MAX_SEEN_CHARS)).split(/[\r\n]/);
  return `"${cut(line, MAX_SEEN_CHARS)}"`;
}

function isPrintable(octet: number | undefined): boolean {
  return octet !== undefined && octet >= 0x20 && octet < 0x7f;
}

/** `X'05FF'`, as RFC 1928 writes octets. */
export function hexOf(octets: Uint8Array): string {
  const digits = Array.from(octets, (octet) => octet.toString(16).padStart(2, "0"));
  return `X'${digits.join("").toUpperCase()}'`;
}

function cut(text: string, maxChars: number): string {
  return text.length <= maxChars ? text : `${text.slice(0, maxChars - 1)}…`;
}

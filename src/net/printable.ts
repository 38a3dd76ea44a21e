/**
 * Hostile text made safe to print. Names come from programs and values from files: neither may move
 * a terminal's cursor, fake a log line or split a column.
 */

import { encodeText } from "./octet_text.ts";

/**
 * The first `maxBytes` UTF-8 octets of `text`; each octet that is not a visible ASCII character, and
 * the backslash, as `\xNN`. At most `4 * maxBytes` characters.
 */
export function escapeText(text: string, maxBytes: number): string {
  // Each UTF-16 unit gives at least one octet, so a huge text need not be encoded whole.
  const bytes = encodeText(text.slice(0, maxBytes)).subarray(0, maxBytes);
  return Array.from(bytes, escapeOctet).join("");
}

function escapeOctet(octet: number): string {
  const isVisible = octet > 0x20 && octet < 0x7f && octet !== 0x5c;
  return isVisible ? String.fromCharCode(octet) : `\\x${octet.toString(16).padStart(2, "0")}`;
}

/**
 * What our HTTP face answers by itself: the tunnel's 200, and refusals with a line of text for
 * people. RFC 9110 §15, RFC 9112 §4.
 */

import { concatOctets, encodeText } from "./octets.ts";

const REASONS: Record<number, string> = {
  400: "Bad Request",
  403: "Forbidden",
  407: "Proxy Authentication Required",
  501: "Not Implemented",
  502: "Bad Gateway",
  504: "Gateway Timeout",
};

/** The whole answer to a CONNECT whose destination is connected (RFC 9110 §9.3.6). */
export function encodeConnected(): Uint8Array {
  return encodeText("HTTP/1.1 200 Connection established\r\n\r\n");
}

/** An answer of `status` with `text` (one line, safe to print) as its body; the connection ends. */
export function encodeRefusal(status: number, text: string): Uint8Array {
  const body = encodeText(`tsocks: ${text}\n`);
  const lines = [
    `HTTP/1.1 ${status} ${REASONS[status] ?? ""}`,
    "Content-Type: text/plain; charset=utf-8",
    `Content-Length: ${body.length}`,
    "Connection: close",
  ];
  // RFC 9110 §11.7.1: a 407 must say how to authenticate.
  if (status === 407) lines.push('Proxy-Authenticate: Basic realm="tsocks", charset="UTF-8"');
  return concatOctets(encodeText(`${lines.join("\r\n")}\r\n\r\n`), body);
}

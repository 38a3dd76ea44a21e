import assert from "node:assert/strict";
import { test } from "node:test";
import {
  describeStranger,
  escapeControls,
  hexOf,
  makeFailure,
} from "../../../src/socks/failure.ts";
import { ascii, hex } from "./feeding.ts";

/** Text → what may be printed. */
const ESCAPED: [string, string][] = [
  ["Connection refused", "Connection refused"],
  ["\x1b[31mred\x07", "\\x1b[31mred\\x07"],
  ["two\r\nlines", "two\\x0d\\x0alines"],
  ["\x7f\x9b", "\\x7f\\x9b"],
  ["right\u202eleft", "right\\u{202e}left"],
  ["zwsp\u200b line\u2028", "zwsp\\u{200b} line\\u{2028}"],
  ["grün", "grün"],
];

for (const [text, escaped] of ESCAPED) {
  test(`escapeControls() makes ${escaped}`, () => {
    assert.equal(escapeControls(text), escaped);
  });
}

test("makeFailure() cuts a detail to 200 characters after escaping", () => {
  for (const text of ["x".repeat(201), "\0".repeat(100_000)]) {
    const { detail } = makeFailure("PROTOCOL_ERROR", text);
    assert.equal(detail.length, 200);
    assert.match(detail, /^[\x20-\x7e]{199}…$/);
  }
});

const STRANGERS: [string, Uint8Array, string][] = [
  [
    "an HTTP server",
    ascii("HTTP/1.1 400 Bad Request\r\nServer: x\r\n"),
    'answered "HTTP/1.1 400 Bad Request": not a SOCKS server; server_type = http?',
  ],
  [
    "an SSH server",
    ascii("SSH-2.0-OpenSSH_9.2\r\n"),
    'answered "SSH-2.0-OpenSSH_9.2": not a SOCKS server; an SSH server; server_port?',
  ],
  ["a SOCKS4 server", hex("00 5b 00"), "answered X'005B': not a SOCKS server; server_type = 4?"],
  [
    "a TLS server",
    hex("15 03 01 00 02"),
    "answered X'1503': not a SOCKS server; a TLS server; server_port?",
  ],
  ["an unknown server", hex("ff"), "answered X'FF': not a SOCKS server"],
  ["one letter", ascii("H"), 'answered "H": not a SOCKS server'],
];

for (const [who, octets, words] of STRANGERS) {
  test(`describeStranger() recognises ${who}`, () => {
    assert.equal(describeStranger(octets, "a SOCKS server"), words);
  });
}

test("describeStranger() shows at most 60 characters of one line", () => {
  const words = describeStranger(ascii("a".repeat(1000)), "a SOCKS server");
  assert.equal(words, `answered "${"a".repeat(59)}…": not a SOCKS server`);
});

test("hexOf() writes octets as RFC 1928 does", () => {
  assert.equal(hexOf(hex("05 ff")), "X'05FF'");
});

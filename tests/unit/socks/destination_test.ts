import assert from "node:assert/strict";
import { test } from "node:test";
import type { FailureCode } from "../../../src/socks/machine.ts";
import {
  checkName,
  destinationFromOctets,
  destinationFromText,
  parseAuthority,
} from "../../../src/socks/destination.ts";
import { addressOf, hex, nameOf } from "./feeding.ts";

test("destinationFromText() makes an address of numeric text", () => {
  assert.deepEqual(destinationFromText("10.1.4.253", 80), addressOf("10.1.4.253", 80));
  assert.deepEqual(destinationFromText("::1", 80), addressOf("::1", 80));
  assert.deepEqual(destinationFromText("::ffff:10.0.0.1", 80), addressOf("10.0.0.1", 80));
});

test("destinationFromText() keeps a name as it is", () => {
  assert.deepEqual(destinationFromText("Hello.Example", 80), nameOf("Hello.Example", 80));
});

const NAMES: [string, FailureCode | undefined][] = [
  ["hello.example", undefined],
  ["_srv._tcp.example", undefined],
  ["grün.example", undefined],
  ["x".repeat(255), undefined],
  ["x".repeat(256), "NAME_TOO_LONG"],
  ["ü".repeat(128), "NAME_TOO_LONG"],
  ["", "NAME_NOT_FOUND"],
  ["a\0b", "NAME_NOT_FOUND"],
  ["a\r\nHost: b", "NAME_NOT_FOUND"],
  ["a b", "NAME_NOT_FOUND"],
  ["a/b", "NAME_NOT_FOUND"],
  ["user@host", "NAME_NOT_FOUND"],
  ["a:80", "NAME_NOT_FOUND"],
  ["fe80::1%eth0", "NAME_NOT_FOUND"],
];

for (const [name, code] of NAMES) {
  const label = JSON.stringify(name.length > 20 ? `${name.slice(0, 3)}... (${name.length})` : name);
  test(`checkName(${label}) gives ${code ?? "nothing"}`, () => {
    assert.equal(checkName(name)?.code, code);
  });
}

test("destinationFromOctets() fails when the name is not UTF-8", () => {
  const result = destinationFromOctets(hex("ff fe"), 80);
  assert("failure" in result);
  assert.equal(result.failure.code, "NAME_NOT_FOUND");
});

const AUTHORITIES: [string, number | undefined, { host: string; port: number } | undefined][] = [
  ["host.example:443", undefined, { host: "host.example", port: 443 }],
  ["[::1]:443", undefined, { host: "::1", port: 443 }],
  ["host.example", 80, { host: "host.example", port: 80 }],
  ["[::1]", 80, { host: "::1", port: 80 }],
  ["host.example:65535", undefined, { host: "host.example", port: 65535 }],
  ["host.example", undefined, undefined],
  ["host.example:", 80, undefined],
  ["host.example:65536", undefined, undefined],
  ["host.example:080808", undefined, undefined],
  ["host.example:+80", undefined, undefined],
  ["::1:443", undefined, undefined],
  ["[::1", 80, undefined],
  ["[]:80", undefined, undefined],
  ["[host.example]:80", undefined, undefined],
  [":80", undefined, undefined],
  ["", 80, undefined],
];

for (const [text, defaultPort, expected] of AUTHORITIES) {
  test(`parseAuthority("${text}") gives ${expected ? expected.host : "nothing"}`, () => {
    assert.deepEqual(parseAuthority(text, defaultPort), expected);
  });
}

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  isHostname,
  matchesPattern,
  normalizeName,
  parsePattern,
} from "../../../src/net/hostname.ts";

test("normalizeName() lowers ASCII letters and takes one trailing dot off", () => {
  assert.equal(normalizeName("Host.EXAMPLE."), "host.example");
  assert.equal(normalizeName("host.example.."), "host.example.");
  assert.equal(normalizeName("BÜCHER"), "bÜcher");
  assert.equal(normalizeName("."), "");
});

/** Name, pattern, does it match. */
const MATCHES: [string, string, boolean][] = [
  ["host.example", "host.example", true],
  ["HOST.Example.", "host.example", true],
  ["a.host.example", "host.example", false],
  ["host.example.org", "host.example", false],
  ["a.example", "*.example", true],
  ["b.a.EXAMPLE.", "*.example", true],
  ["example", "*.example", false],
  [".example", "*.example", false],
  ["myexample", "*.example", false],
  ["anything.at.all", "*", true],
  ["", "*", true],
];

for (const [name, pattern, isMatch] of MATCHES) {
  test(`matchesPattern() ${isMatch ? "has" : "has not"} '${name}' in ${pattern}`, () => {
    assert.equal(matchesPattern(name, pattern), isMatch);
  });
}

const HOSTNAMES = [
  ..."localhost|host.example|HOST.example.|a|my_host.lan|_srv.example|xn--bcher-kva.example".split(
    "|",
  ),
  ..."3com.example|1.2.3.4.in-addr.arpa|a-b.c-d|0xyz".split("|"),
  "a".repeat(63),
];

const NOT_HOSTNAMES = [
  ..."|.|a..b|.a|-a.example|a-.example|a b|a:1|a/b|bücher.example|*.example|a@b|[::1]|::1".split(
    "|",
  ),
  ..."1.2.3.4|127.1|1.2.3.256|host.1|0x7f|1".split("|"),
  "a".repeat(64),
  "a.".repeat(127) + "a",
];

for (const name of HOSTNAMES) {
  test(`isHostname() takes ${name}`, () => assert.ok(isHostname(name)));
}

for (const name of NOT_HOSTNAMES) {
  test(`isHostname() refuses ${JSON.stringify(name)}`, () => assert.ok(!isHostname(name)));
}

/** Text → pattern. */
const PATTERNS: [string, string][] = [
  ["*", "*"],
  ["*.Example.", "*.example"],
  ["Host.example", "host.example"],
  ["*.a.b.c", "*.a.b.c"],
];

for (const [text, pattern] of PATTERNS) {
  test(`parsePattern() reads ${text} as ${pattern}`, () => {
    assert.deepEqual(parsePattern(text), { ok: true, pattern });
  });
}

for (const text of ["", "*.", "**", "*example", "a.*", "*.*.example", "*.10.0.0.1", "a b", ".."]) {
  test(`parsePattern() refuses ${JSON.stringify(text)}`, () => {
    assert.equal(parsePattern(text).ok, false);
  });
}

test("parsePattern() says how to write a leading dot", () => {
  const result = parsePattern(".example");
  assert.ok(!result.ok);
  assert.match(result.fix, /^write \*\.example/);
});

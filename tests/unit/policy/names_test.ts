import assert from "node:assert/strict";
import test from "node:test";
import { formatIpAddress } from "../../../src/net/address.ts";
import { parseTsocksConf } from "../../../src/config/tsocks_conf.ts";
import {
  hostsAddresses,
  isAskedFor,
  isInHosts,
  leavesNamesToLibc,
  nameTreatment,
  numericAddresses,
  parseHosts,
} from "../../../src/policy/names.ts";

const V5 = "server = 10.0.0.1\nserver_type = 5\nlocal_name = *.lan\n";
const V4 = "server = 10.0.0.1\n";
const MIXED = V4 +
  "path {\nserver = 10.0.0.2\nserver_type = 4a\nreaches_name = *.corp.example\n}\n";
const HOSTS = parseHosts(
  "127.0.1.1 Box box.example both.lan # me\n# 1.2.3.4 no.example\n\n::1 six\n",
);

const ROWS: [string, string, string][] = [
  [V5, "hello.example", "server"],
  [V5, "HELLO.example.", "server"],
  [V5, "single", "server"],
  [V5, "xn--bcher-kva.example", "server"],
  [V5, "bücher.example", "server"],
  [V5, "under_score.example", "server"],
  [V5, "localhost", "localhost"],
  [V5, "a.localhost.", "localhost"],
  [V5, "box.example", "hosts"],
  [V5, "BOX", "hosts"],
  [V5, "six", "hosts"],
  [V5, "no.example", "server"],
  [V5, "nas.lan", "local"],
  // A rule of the user's counts before the file: libc's answer alone would not make it direct.
  [V5, "both.lan", "local"],
  [V5, "192.0.2.1", "numeric"],
  [V5, "127.1", "numeric"],
  [V5, "0x7f000001", "numeric"],
  [V5, "2001:db8::1", "numeric"],
  [V5, "fe80::1%eth0", "numeric"],
  // Only what inet_aton(3) takes is numeric: libc would send the rest to a DNS server.
  [V5, "1.2.3.4.5", "server"],
  [V5, "256.1.1.1", "server"],
  [V5, "1.2.3.4%eth0", "invalid"],
  [V5, "::1::", "invalid"],
  [V5, "", "invalid"],
  [V5, "a b", "invalid"],
  [V5, "a\r\nb", "invalid"],
  [V5, "a".repeat(255), "server"],
  [V5, "a".repeat(256), "invalid"],
  [V5, "ü".repeat(128), "invalid"],
  [V4, "hello.example", "libc"],
  [MIXED, "hello.example", "libc"],
  [MIXED, "a.corp.example", "server"],
  ["fallback = yes\n", "hello.example", "libc"],
  [V5 + "dns = local\n", "hello.example", "libc"],
  [V5 + "dns = tcp\n", "hello.example", "tcp"],
  [V4 + "dns = tcp\n", "hello.example", "tcp"],
  [V5 + "dns = tcp\n", "nas.lan", "local"],
  [V5 + "dns = tcp\n", "box.example", "hosts"],
  // Nothing could carry it: it is refused at connect, and not shown to a resolver before.
  ["", "hello.example", "server"],
];

for (const [conf, name, expected] of ROWS) {
  const label = name.length > 40 ? `${name.slice(0, 3)}... (${name.length})` : JSON.stringify(name);
  test(`nameTreatment() of ${label} is ${expected} with ${JSON.stringify(conf)}`, () => {
    assert.equal(nameTreatment(parseTsocksConf(conf, "t.conf").config, HOSTS, name), expected);
  });
}

test("isInHosts() is false for a family that the file lacks: libc would ask a name server", () => {
  assert.equal(isInHosts(HOSTS, "box.example", 0), true);
  assert.equal(isInHosts(HOSTS, "box.example", 4), true);
  assert.equal(isInHosts(HOSTS, "box.example", 6), false);
  assert.equal(isInHosts(HOSTS, "six", 6), true);
  assert.equal(isInHosts(HOSTS, "six", 4), false);
  assert.equal(isInHosts(HOSTS, "none.example", 0), false);
});

for (
  const [text, expected] of [
    ["192.0.2.1", "192.0.2.1"],
    ["0x7f.1", "127.0.0.1"],
    ["017700000001", "127.0.0.1"],
    ["2001:DB8::1", "2001:db8::1"],
    ["fe80::1%eth0", "libc"],
  ] as const
) {
  test(`numericAddresses() of ${text} is ${expected}`, () => {
    const addresses = numericAddresses(text);
    const words = addresses === "libc" ? addresses : addresses.map(formatIpAddress).join();
    assert.equal(words, expected);
  });
}

test("isInHosts() knows the file's addresses, in their one form", () => {
  assert.equal(isInHosts(parseHosts("2001:DB8:0::1 a\n"), "2001:db8::1", 6), true);
  assert.equal(isInHosts(HOSTS, "127.0.1.1", 4), true);
  assert.equal(isInHosts(HOSTS, "1.2.3.4", 4), false);
});

/** Measured with glibc 2.36 and musl 1.2.3 and a name server: which of them asks it about what the file seems to have. */
const HOSTS_ROWS: [
  what: string,
  text: string,
  name: string,
  isLibcs: boolean,
  addresses: string[],
][] = [
  ["as written", "192.0.2.7 Nas.lan\n", "Nas.lan", true, ["192.0.2.7"]],
  ["with a dot: both ask", "192.0.2.7 nas.lan\n", "nas.lan.", false, ["192.0.2.7"]],
  ["without the file's dot: both ask", "192.0.2.7 nas.lan.\n", "nas.lan", false, ["192.0.2.7"]],
  ["in capitals: musl asks", "192.0.2.7 nas.lan\n", "NAS.lan", false, ["192.0.2.7"]],
  ["in an indented line: musl asks", " 192.0.2.7 nas.lan\n", "nas.lan", false, ["192.0.2.7"]],
  ["in a line without end: musl asks", "192.0.2.7 nas.lan", "nas.lan", false, ["192.0.2.7"]],
  [
    "in a long line: musl asks",
    `192.0.2.7 ${"x ".repeat(251)}nas.lan\n`,
    "nas.lan",
    false,
    ["192.0.2.7"],
  ],
  ["of a short address: glibc asks", "127.1 nas.lan\n", "nas.lan", false, []],
  ["of a zone: glibc asks", "fe80::1%lo nas.lan\n", "nas.lan", false, []],
  ["of no address: both ask", "192.0.2.300 nas.lan\n", "nas.lan", false, []],
  ["behind what is no blank in C", "192.0.2.7 a\u00a0nas.lan\n", "nas.lan", false, []],
  ["behind a CR", "192.0.2.7 nas.lan\r\n", "nas.lan", true, ["192.0.2.7"]],
  ["behind a comment", "192.0.2.7 a # \u2028 nas.lan\n", "nas.lan", false, []],
];
for (const [what, text, name, isLibcs, addresses] of HOSTS_ROWS) {
  test(`parseHosts() leaves to libc only what every libc finds: a name ${what}`, () => {
    const hosts = parseHosts(text);
    assert.equal(isInHosts(hosts, name, 0), isLibcs);
    assert.deepEqual(hostsAddresses(hosts, name).map(formatIpAddress), addresses);
  });
}

test("parseHosts() knows an address only with a name, as libc does", () => {
  assert.equal(isInHosts(parseHosts("192.0.2.7\n"), "192.0.2.7", 4), false);
});

const LEFT: [conf: string, isLeft: boolean][] = [
  [V4, true],
  ["fallback = yes\n", true],
  [V5, false],
  [MIXED, false],
  ["", false],
  [V5 + "dns = local\n", true],
  [V4 + "dns = tcp\n", false],
  ["fallback = yes\npath {\nreaches_name = *.corp.example\n}\n", false],
];
for (const [conf, isLeft] of LEFT) {
  test(`leavesNamesToLibc() is ${isLeft} when the file is ${JSON.stringify(conf)}`, () => {
    assert.equal(leavesNamesToLibc(parseTsocksConf(conf, "test.conf").config), isLeft);
  });
}

/** Measured with glibc 2.36 and a name server that has every name; musl asks for some of these. */
const ASKED_FOR = ["ok.example", "ok.example.", "a_b", "_", "a-", "a-.b", "a.-b", ".", "1.2.3.a"];
const NOT_ASKED_FOR = [
  ...["-x", "-", "a..b", ".a", "..", "a.b..", "1.2.3.4.5", "256.1.1.1"],
  ...Array.from("+=~('$!,;&<*@%:/\\ \t\x7f", (char) => `a${char}b`),
];

test("isAskedFor() is what libc asks a name server for, and octets above ASCII", () => {
  for (const name of [...ASKED_FOR, "b\u00fccher.example", "\udcfc.example", "n".repeat(255)]) {
    assert.equal(isAskedFor(name), true, name);
  }
  for (const name of NOT_ASKED_FOR) assert.equal(isAskedFor(name), false, name);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { assembleConfig } from "../../../src/config/assemble.ts";
import { parseTsocksConf } from "../../../src/config/tsocks_conf.ts";
import { showConfig } from "../../../src/report/config.ts";

function show(text: string): string[] {
  const { config } = assembleConfig({
    file: parseTsocksConf(text, "c"),
    servers: [],
    env: {},
    localUser: "eve",
  });
  return showConfig(config).split("\n").map((line) => line.trim().replace(/ {3,}/g, " | "));
}

test("showConfig() has the rules in the order that decides, and no password", () => {
  const text = `local = 10.0.0.0/8
server = 10.0.0.1
server_type = 5
default_user = alice
default_pass = geheim
path {
server = 192.0.2.1
reaches = 1.0.0.0/8
}
path {
server = 192.0.2.2
reaches_name = *.example
}`;
  assert.deepEqual(show(text), [
    "DESTINATION | GOES | BY",
    "127.0.0.0/255.0.0.0 | direct | local (built in)",
    "::1/128 | direct | local (built in)",
    "10.0.0.0/8 | direct | local (c:1)",
    "*.example | socks4://192.0.2.2:1080 | reaches_name (c:12)",
    "1.0.0.0/8 | socks4://192.0.2.1:1080 | reaches (c:8)",
    "all else | socks5://10.0.0.1:1080 | default server (c:2)",
    "datagrams to all else | refused | udp = refuse, the default",
    "look-ups of names | to the server, where it takes names | dns = remote, the default",
    "",
    "SERVER | USER | PASSWORD | NAMES | BY",
    "socks4://192.0.2.2:1080 | eve | none in SOCKS4 | resolved here | c:11",
    "socks4://192.0.2.1:1080 | eve | none in SOCKS4 | resolved here | c:7",
    "socks5://10.0.0.1:1080 | alice | ******** | resolved there | c:2",
    "",
    "note: socks4://192.0.2.2:1080 is in no local network: tsocks 1.8 refused such a server, this one uses it",
    "note: socks4://192.0.2.1:1080 is in no local network: tsocks 1.8 refused such a server, this one uses it",
  ]);
});

/** A file, and rows that it makes. */
const ROWS: [string, string][] = [
  ["", "all else | refused | no default server"],
  ["fallback = yes", "all else | direct | fallback = yes (c:1)"],
  ["udp = direct", "datagrams to all else | direct | udp = direct (c:1)"],
  ["dns = local", "look-ups of names | this machine's resolver | dns = local (c:1)"],
  ["dns_server = ::1", "records of other kinds | [::1]:53 | dns_server (c:1)"],
  [
    "path {\nreaches = 1.0.0.0/8\n}",
    "1.0.0.0/8 | refused: its path has no server | reaches (c:2)",
  ],
];

for (const [text, row] of ROWS) {
  test(`showConfig() of ${JSON.stringify(text)} has '${row}'`, () => {
    assert.ok(show(text).includes(row), show(text).join("\n"));
  });
}

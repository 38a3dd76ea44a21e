import assert from "node:assert/strict";
import test from "node:test";
import { parseTsocksConf } from "../../../src/config/tsocks_conf.ts";
import { type Destination, parseIpAddress } from "../../../src/net/address.ts";
import {
  decide,
  decideDatagram,
  formatDecisionServer,
  formatReason,
} from "../../../src/policy/decide.ts";

const CONF = `
local = 10.0.0.0/255.0.0.0
local = 192.168.7.0/24
local = 2001:db8:1::/48
local_name = *.lan
server = 127.0.0.1
server_port = 1080
server_type = 5
path {
  server = 10.1.1.1
  reaches = 150.0.0.0/255.255.0.0
  reaches_name = *.corp.example
}
path {
  server = 10.1.1.2
  reaches = 150.0.1.0:80-90/255.255.255.0
  reaches = 2001:db8:2::/48
}
path {
  server = 10.1.1.3
  reaches = 150.0.1.0:85/255.255.255.0
}
path {
  reaches = 151.0.0.0/255.255.0.0
}
`;

function destination(text: string): Destination {
  const [, hostname = "", port = ""] = /^\[?(.*?)\]?:(\d+)$/.exec(text) ?? [];
  const address = parseIpAddress(hostname);
  return address === undefined
    ? { kind: "name", name: hostname, port: Number(port) }
    : { kind: "address", address, port: Number(port) };
}

function verdict(conf: string, text: string): string {
  const { config, diagnostics } = parseTsocksConf(conf, "t.conf");
  assert.deepEqual(diagnostics.filter((d) => d.severity === "error"), []);
  const decision = decide(config, destination(text));
  return `${decision.action} ${formatDecisionServer(decision)} ${formatReason(decision.reason)}`;
}

const ROWS: [string, string][] = [
  ["127.0.0.1:80", "direct - loopback"],
  ["127.200.0.1:80", "direct - loopback"],
  ["[::1]:80", "direct - loopback"],
  ["[::ffff:127.0.0.1]:80", "direct - loopback"],
  ["0.0.0.0:80", "direct - loopback"],
  ["localhost:80", "direct - loopback"],
  ["a.localhost:80", "direct - loopback"],
  ["10.200.3.4:22", "direct - local 10.0.0.0/255.0.0.0 (t.conf:2)"],
  ["[::ffff:10.200.3.4]:22", "direct - local 10.0.0.0/255.0.0.0 (t.conf:2)"],
  ["11.0.0.1:22", "forward socks5://127.0.0.1:1080 default server (t.conf:6)"],
  ["192.168.7.255:1", "direct - local 192.168.7.0/24 (t.conf:3)"],
  ["192.168.8.0:1", "forward socks5://127.0.0.1:1080 default server (t.conf:6)"],
  ["[2001:db8:1::9]:443", "direct - local 2001:db8:1::/48 (t.conf:4)"],
  ["[2001:db8:2::9]:443", "forward socks4://10.1.1.2:1080 reaches 2001:db8:2::/48 (t.conf:17)"],
  ["[2001:db8:3::9]:443", "forward socks5://127.0.0.1:1080 default server (t.conf:6)"],
  ["nas.lan:445", "direct - local_name *.lan (t.conf:5)"],
  ["NAS.LAN.:445", "direct - local_name *.lan (t.conf:5)"],
  ["lan:445", "forward socks5://127.0.0.1:1080 default server (t.conf:6)"],
  ["a.b.corp.example:80", "forward socks4://10.1.1.1:1080 reaches_name *.corp.example (t.conf:12)"],
  ["corp.example:80", "forward socks5://127.0.0.1:1080 default server (t.conf:6)"],
  ["150.0.9.9:1", "forward socks4://10.1.1.1:1080 reaches 150.0.0.0/255.255.0.0 (t.conf:11)"],
  // The last path of the file that matches wins, however narrow an earlier one is.
  [
    "150.0.1.1:80",
    "forward socks4://10.1.1.2:1080 reaches 150.0.1.0:80-90/255.255.255.0 (t.conf:16)",
  ],
  ["150.0.1.1:85", "forward socks4://10.1.1.3:1080 reaches 150.0.1.0:85/255.255.255.0 (t.conf:21)"],
  ["150.0.1.1:91", "forward socks4://10.1.1.1:1080 reaches 150.0.0.0/255.255.0.0 (t.conf:11)"],
  ["151.0.0.1:80", "refuse - reaches 151.0.0.0/255.255.0.0: its path has no server (t.conf:24)"],
];

for (const [asked, expected] of ROWS) {
  test(`decide() says "${expected}" for ${asked}`, () => {
    assert.equal(verdict(CONF, asked), expected);
  });
}

test("decide() refuses when no path reaches and there is no default server", () => {
  const conf = "path {\nserver = 10.1.1.1\nreaches = 150.0.0.0/255.255.0.0\n}\n";
  assert.match(verdict(conf, "8.8.8.8:53"), /^refuse - no path reaches it/);
});

test("decide() goes direct by fallback only where no default server is configured", () => {
  assert.equal(verdict("fallback = yes\n", "8.8.8.8:53"), "direct - fallback = yes (t.conf:1)");
  const both = "fallback = yes\nserver = 10.0.0.1\n";
  assert.match(verdict(both, "8.8.8.8:53"), /^forward socks4:\/\/10.0.0.1:1080/);
});

/** Lines of configuration, destination, decision. */
const DATAGRAMS: [string, string, string][] = [
  ["", "8.8.8.8:53", "refuse udp = refuse, the default"],
  ["udp = refuse\n", "8.8.8.8:53", "refuse udp = refuse (t.conf:1)"],
  ["udp = direct\n", "8.8.8.8:53", "direct udp = direct (t.conf:1)"],
  ["udp = direct\n", "[2001:db8::1]:53", "direct udp = direct (t.conf:1)"],
  ["", "127.0.0.1:53", "direct loopback"],
  ["local = 10.0.0.0:53/8\n", "10.1.2.3:53", "direct local 10.0.0.0:53/8 (t.conf:1)"],
  ["local = 10.0.0.0:53/8\n", "10.1.2.3:54", "refuse udp = refuse, the default"],
  ["fallback = yes\n", "8.8.8.8:53", "refuse udp = refuse, the default"],
  ["path {\nserver = h\nreaches = ::/0\n}\n", "[::2]:53", "refuse udp = refuse, the default"],
];

for (const [conf, to, expected] of DATAGRAMS) {
  test(`decideDatagram() with ${JSON.stringify(conf)} of ${to}: ${expected}`, () => {
    const { config } = parseTsocksConf(conf, "t.conf");
    const { action, reason } = decideDatagram(config, destination(to));
    assert.equal(`${action} ${formatReason(reason)}`, expected);
  });
}

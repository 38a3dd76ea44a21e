import assert from "node:assert/strict";
import { test } from "node:test";
import { type Config, formatServer, type Server } from "../../../src/config/model.ts";
import { parseTsocksConf } from "../../../src/config/tsocks_conf.ts";
import { formatIpAddress } from "../../../src/net/address.ts";
import { formatSubnet } from "../../../src/net/subnet.ts";

const FILE = "/etc/tsocks.conf";

/** A configuration in short words, so that rows stay readable. */
function summarize(config: Config): string[] {
  const ports = ({ first, last }: { first: number; last: number }) =>
    first === 0 && last === 65535 ? "" : ` ports ${first}-${last}`;
  const server = (word: string, it: Server | undefined) => {
    if (it === undefined) return [];
    const login = it.credentials.user === "" ? "" : ` user ${it.credentials.user}`;
    return [`${word} ${formatServer(it)}${login}`];
  };
  return [
    // The two built in are tested by themselves.
    ...config.locals.slice(2).map((it) => `local ${formatSubnet(it.subnet)}${ports(it.ports)}`),
    ...config.localNames.map((it) => `local_name ${it.pattern}${ports(it.ports)}`),
    ...config.paths.flatMap((path) => [
      ...server("path via", path.server),
      ...(path.server === undefined ? ["path"] : []),
      ...path.reaches.map((it) => `- ${formatSubnet(it.subnet)}${ports(it.ports)}`),
      ...path.reachesNames.map((it) => `- ${it.pattern}${ports(it.ports)}`),
    ]),
    ...server("default", config.defaultServer),
    ...(config.fallback.isOn ? ["fallback"] : []),
    ...(config.udp.isDirect ? ["udp direct"] : []),
    ...(config.dns.mode === "remote" ? [] : [`dns ${config.dns.mode}`]),
    ...(config.dnsServer === undefined ? [] : [dnsServer(config.dnsServer)]),
  ];
}

function dnsServer({ address, port }: NonNullable<Config["dnsServer"]>): string {
  return `dns_server ${formatIpAddress(address)} ${port}`;
}

/** What it shows, file, summary. No diagnostics. */
const ACCEPTED: [string, string, string[]][] = [
  ["an empty file", "", []],
  ["comments and blank lines", "# a\n\n \t\n  # b\n#c", []],
  ["the defaults of port and type", "server = 10.1.4.253\n", ["default socks4://10.1.4.253:1080"]],
  ["no newline at the end", "local = 10.0.0.0/255.0.0.0", ["local 10.0.0.0/8"]],
  ["CRLF", "path {\r\nserver = h\r\nreaches = 10.0.0.0/8\r\n}\r\n", [
    "path via socks4://h:1080",
    "- 10.0.0.0/8",
  ]],
  ["a byte order mark", "\ufeffserver = h\n", ["default socks4://h:1080"]],
  ["no blanks around =", "server=10.1.4.253\nserver_type= 5\nserver_port =81\n", [
    "default socks5://10.1.4.253:81",
  ]],
  ["tabs and indentation", "\tserver\t=\t10.1.4.253\t\n", ["default socks4://10.1.4.253:1080"]],
  ["a comment behind a value", "server = h # the one\nserver_type = 5 #x\n", [
    "default socks5://h:1080",
  ]],
  ["server_type 4a", "server = h\nserver_type = 4a\n", ["default socks4a://h:1080"]],
  ["server_type http", "server = h\nserver_type = http\nserver_port = 3128\n", [
    "default http://h:3128",
  ]],
  ["order within a context does not matter", "server_port = 81\nserver_type = 5\nserver = h\n", [
    "default socks5://h:81",
  ]],
  ["an IPv6 server", "server = ::1\n", ["default socks4://[::1]:1080"]],
  ["an IPv6 server in brackets", "server = [2001:DB8::1]\n", [
    "default socks4://[2001:db8::1]:1080",
  ]],
  ["a server by name", "server = my_socks.Example.\n", ["default socks4://my_socks.Example.:1080"]],
  ["local with dotted mask", "local = 192.168.0.0/255.255.255.0\n", ["local 192.168.0.0/24"]],
  ["local with a prefix", "local = 10.0.0.0/8\n", ["local 10.0.0.0/8"]],
  ["local host", "local = 10.1.2.3\n", ["local 10.1.2.3/32"]],
  ["local IPv6", "local = 2001:db8::/32\nlocal = [fe80::]/10\n", [
    "local 2001:db8::/32",
    "local fe80::/10",
  ]],
  ["local with a port", "local = 10.0.0.0:22/8\n", ["local 10.0.0.0/8 ports 22-22"]],
  ["local everything", "local = 0.0.0.0/0.0.0.0\n", ["local 0.0.0.0/0"]],
  ["local_name", "local_name = *.LAN.\nlocal_name = printer\n", [
    "local_name *.lan",
    "local_name printer",
  ]],
  [
    "reaches of all forms",
    [
      "path {",
      "server = h",
      "reaches = 150.0.0.0/255.255.0.0",
      "reaches = 150.1.0.0:80/255.255.0.0",
      "reaches = 150.0.0.0:80-1024/255.0.0.0",
      "reaches = 10.0.0.0:0-65535/8",
      "reaches = 10.1.2.3:443",
      "reaches = [2001:db8::]:80/32",
      "reaches = [2001:db8::]/32",
      "reaches = 2001:db8::/32",
      "reaches = [2001:db8::1]:80-90",
      "}",
    ].join("\n"),
    [
      "path via socks4://h:1080",
      "- 150.0.0.0/16",
      "- 150.1.0.0/16 ports 80-80",
      "- 150.0.0.0/8 ports 80-1024",
      "- 10.0.0.0/8",
      "- 10.1.2.3/32 ports 443-443",
      "- 2001:db8::/32 ports 80-80",
      "- 2001:db8::/32",
      "- 2001:db8::/32",
      "- 2001:db8::1/128 ports 80-90",
    ],
  ],
  ["reaches_name", "path {\nserver = h\nreaches_name = *.corp.example:80-90\nreaches_name = *\n}", [
    "path via socks4://h:1080",
    "- *.corp.example ports 80-90",
    "- *",
  ]],
  [
    "paths in the order of the file",
    [
      ...["path {", "server = a", "reaches = 10.0.0.0/8", "}"],
      ...["path{", "reaches = 10.0.0.0/8", "server = b", "}"],
    ].join("\n"),
    [
      ...["path via socks4://a:1080", "- 10.0.0.0/8"],
      ...["path via socks4://b:1080", "- 10.0.0.0/8"],
    ],
  ],
  [
    "nothing inherited by a path",
    [
      ...["server = a", "server_type = 5", "server_port = 81", "default_user = u"],
      ...["path { # comment", "server = b", "reaches = 10.0.0.0/8", "} # end"],
    ].join("\n"),
    [
      ...["path via socks4://b:1080", "- 10.0.0.0/8"],
      "default socks5://a:81 user u",
    ],
  ],
  ["users with odd characters", "server = h\nserver_type = 5\ndefault_user = a=#b'\"\\c\n", [
    "default socks5://h:1080 user a=#b'\"\\c",
  ]],
  ["fallback = yes", "fallback = yes\n", ["fallback"]],
  ["fallback = no", "fallback = no\n", []],
  ["udp = direct", "udp = direct\n", ["udp direct"]],
  ["udp = refuse", "udp = refuse\n", []],
  ["dns = remote", "dns = remote\n", []],
  ["dns = local", "dns = local\n", ["dns local"]],
  ["dns = tcp in a path", "path {\nreaches = ::/0\nserver = h\ndns = tcp\ndns_server = ::53\n}\n", [
    ...["path via socks4://h:1080", "- ::/0"],
    ...["dns tcp", "dns_server ::53 53"],
  ]],
  ["a DNS server's port", "dns_server = 192.0.2.53:5353\n", ["dns_server 192.0.2.53 5353"]],
  ["IPv6 with a port", "dns_server = [2001:db8::1]:5353\n", ["dns_server 2001:db8::1 5353"]],
  ["fallback in a path is the file's", "path {\nserver = h\nreaches = ::/0\nfallback = yes\n}\n", [
    ...["path via socks4://h:1080", "- ::/0"],
    "fallback",
  ]],
];

for (const [what, text, expected] of ACCEPTED) {
  test(`parseTsocksConf() reads ${what}`, () => {
    const { config, diagnostics } = parseTsocksConf(text, FILE);
    assert.deepEqual(diagnostics, []);
    assert.deepEqual(summarize(config), expected);
  });
}

test("parseTsocksConf() has loopback local in every file", () => {
  const { config } = parseTsocksConf("", FILE);
  assert.deepEqual(config.locals.map((rule) => rule.text), ["127.0.0.0/255.0.0.0", "::1/128"]);
  assert.deepEqual(config.locals.map((rule) => formatSubnet(rule.subnet)), [
    "127.0.0.0/8",
    "::1/128",
  ]);
  assert.deepEqual(config.locals[0]!.place, { kind: "option", name: "built in" });
});

test("parseTsocksConf() keeps text and place of rules, servers, paths and fallback", () => {
  const text = "path {\n  server = h\n\treaches = 10.0.0.0:80/8\n}\nserver=d\n fallback=yes\n";
  const { config } = parseTsocksConf(text, FILE);
  const at = (line: number, column: number) => ({ kind: "file", filePath: FILE, line, column });
  assert.deepEqual(config.paths[0]!.place, at(1, 1));
  assert.deepEqual(config.paths[0]!.server!.place, at(2, 12));
  assert.deepEqual(config.paths[0]!.reaches[0]!.place, at(3, 12));
  assert.equal(config.paths[0]!.reaches[0]!.text, "10.0.0.0:80/8");
  assert.deepEqual(config.defaultServer!.place, at(5, 8));
  assert.deepEqual(config.fallback.place, at(6, 11));
});

/** Value of default_pass as written, password read. */
const PASSWORDS: [string, string][] = [
  ["hello", "hello"],
  ["p#q", "p#q"],
  ["=", "="],
  ["==x", "==x"],
  ["a=b # comment", "a=b"],
  ["{}", "{}"],
  ["'q'", "'q'"],
  ["pässword", "pässword"],
];

for (const [written, password] of PASSWORDS) {
  test(`parseTsocksConf() reads the password ${written}`, () => {
    const text = `server = h\nserver_type = 5\ndefault_user = u\ndefault_pass = ${written}\n`;
    const { config, diagnostics } = parseTsocksConf(text, FILE);
    assert.deepEqual(diagnostics, []);
    assert.equal(config.defaultServer!.credentials.revealPassword(), password);
  });
}

test("parseTsocksConf() leaves user empty and password absent where neither is written", () => {
  const { credentials } = parseTsocksConf("server = h\n", FILE).config.defaultServer!;
  assert.equal(credentials.user, "");
  assert.equal(credentials.hasPassword, false);
});

test("parseTsocksConf() reads a long line and a long value whole", () => {
  const user = "u".repeat(20_000);
  const text = `server = h\ndefault_user = ${user} ${"#".repeat(20_000)}\n`;
  const { config, diagnostics } = parseTsocksConf(text, FILE);
  assert.deepEqual(diagnostics, []);
  assert.equal(config.defaultServer!.credentials.user, user);
});

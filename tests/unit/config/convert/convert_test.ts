/** What conversion makes of small files; that nothing changes its meaning is round_trip_test.ts's. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { convert, guessSource, type SourceForm } from "../../../../src/config/convert/convert.ts";

type Row = [string, SourceForm, "conf" | "jsonc", string, string];

/** What it shows, from, to, the file, its text. */
const ROWS: Row[] = [
  [
    "comments above, behind and at the end",
    "tsocks",
    "jsonc",
    "# a\n\n\nserver = h # b\n# c\n",
    '{\n  // a\n\n  "server": "h" // b\n  // c\n}\n',
  ],
  [
    "one list of what stands apart, in its order",
    "tsocks",
    "jsonc",
    "local = 10.0.0.0/8\nserver = h\nlocal = 192.0.2.1\n",
    '{\n  "local": ["10.0.0.0/8", "192.0.2.1"],\n  "server": "h"\n}\n',
  ],
  [
    "a list of lines where there are comments",
    "tsocks",
    "jsonc",
    "local = 10.0.0.0/8 # a\n\n# b\nlocal = 192.0.2.1\n",
    '{\n  "local": [\n    "10.0.0.0/8", // a\n    // b\n    "192.0.2.1"\n  ]\n}\n',
  ],
  [
    "paths",
    "tsocks",
    "jsonc",
    "path {\nserver = h\nreaches = 10.0.0.0/8\n}\n",
    '{\n  "path": [\n    {\n      "server": "h",\n      "reaches": ["10.0.0.0/8"]\n    }\n  ]\n}\n',
  ],
  [
    "block comments and $schema",
    "jsonc",
    "conf",
    '/* a\n * b\n */\n{ "$schema": "x", /* c */\n  // d\n  "server_type": 5, "server": "h", // e\n}',
    "# a\n# b\n# $schema: x\n# d\nserver_type = 5\nserver = h  # e\n",
  ],
  [
    "two comments behind one thing",
    "jsonc",
    "conf",
    '{"server": "h", /* a */ // b\n}',
    "server = h  # a\n# b\n",
  ],
  ["an empty file", "tsocks", "jsonc", "", "{\n}\n"],
  ["an empty object", "jsonc", "conf", "{}", "\n"],
  [
    "a server of proxychains, with names resolved by it",
    "proxychains",
    "conf",
    "strict_chain\nproxy_dns\nlocalnet 127.0.0.0/255.0.0.0\n[ProxyList]\nsocks5 192.0.2.1 1081 bob #pw\n",
    "dns = remote\nlocal = 127.0.0.0/255.0.0.0\nserver = 192.0.2.1\nserver_port = 1081\n" +
    "server_type = 5\ndefault_user = bob\n# default_pass is left out: its value cannot be written here\n",
  ],
  [
    "SOCKS 4 of proxychains without proxy_dns",
    "proxychains",
    "conf",
    "#proxy_dns\nlocalnet 127.0.0.0/8 # x\n[ProxyList]\nsocks4 192.0.2.1 1080\n",
    "# Without proxy_dns, names were looked up here.\ndns = local\n#proxy_dns\nlocal = 127.0.0.0/8\n" +
    "# # x\nserver = 192.0.2.1\nserver_port = 1080\nserver_type = 4\n",
  ],
  [
    "torsocks with nothing in it",
    "torsocks",
    "conf",
    "#AllowInbound 1\n",
    "#AllowInbound 1\nserver_type = 5\nserver = 127.0.0.1\nserver_port = 9050\n",
  ],
  [
    "torsocks with a login",
    "torsocks",
    "jsonc",
    "TorAddress ::1\nTorPort 9150\nSOCKS5Username u\nSOCKS5Password p\n",
    '{\n  "server": "::1",\n  "server_port": 9150,\n  "default_user": "u",\n' +
    '  "default_pass": "p",\n  "server_type": 5\n}\n',
  ],
];

for (const [what, from, to, source, expected] of ROWS) {
  test(`convert() writes ${what}`, () => {
    assert.equal(convert(source, "f", { from, to }).text, expected);
  });
}

const LIST = "proxy_dns\nlocalnet 127.0.0.0/8\n[ProxyList]\nsocks5 192.0.2.1 1080\n";

/** From, the file, what is told of it: `error` is a loss. */
const TOLD: [SourceForm, string, string[]][] = [
  ["proxychains", LIST, []],
  ["proxychains", LIST.replace(/localnet.*\n/, ""), [
    "warning 1:1 Loopback is always reached directly here, and was not",
  ]],
  ["proxychains", `dynamic_chain\n${LIST}socks5 192.0.2.2 1080\n`, [
    "error 6:1 Several servers with dynamic_chain: tsocks uses the first",
  ]],
  ["proxychains", `random_chain\nchain_len = 2\n${LIST}  http 192.0.2.2 80\n`, [
    "error 2:1 Chains of several servers do not exist",
    "error 7:3 Several servers with random_chain: tsocks uses the first",
  ]],
  ["proxychains", `${LIST}socks5 192.0.2.2 1080\n`, [
    "error 5:1 Chain of several servers: tsocks goes through one",
  ]],
  ["proxychains", LIST.replace("socks5", "raw"), ["error 4:1 Server of type raw"]],
  ["proxychains", LIST.replace("socks5", "toString"), ["error 4:1 Unknown type of server"]],
  ["proxychains", LIST.replace(" 1080", " 70000"), ["error 4:1 Invalid server port: '70000'"]],
  ["proxychains", LIST.replace("127.0.0.0/8", "127.0.0.1/8"), [
    "error 2:1 Network address has bits outside its mask: '127.0.0.1/8'",
  ]],
  ["proxychains", `dnat 192.0.2.1 192.0.2.2\n${LIST}`, [
    "error 1:1 dnat: destinations are not rewritten",
  ]],
  ["proxychains", `quiet_mode\nremote_dns_subnet 224\ntcp_read_time_out 15000\n${LIST}`, [
    "warning 1:1 quiet_mode: tsocks is always quiet",
    "warning 2:1 remote_dns_subnet: names always get addresses of 198.18.0.0/15",
    "warning 3:1 tcp_read_time_out: a file has no time limits",
  ]],
  ["proxychains", `remote_dns_subnet 10\ntcp_connect_time_out 5000\nproxi_dns\n${LIST}`, [
    "error 1:1 remote_dns_subnet: names always get addresses of 198.18.0.0/15",
    "error 2:1 tcp_connect_time_out: a file has no time limits",
    "error 3:1 Unknown directive",
  ]],
  ["proxychains", `proxy_dns_daemon 127.0.0.1:1053\n${LIST.replace("proxy_dns\n", "")}`, [
    "warning 1:1 proxy_dns_daemon is read as proxy_dns",
  ]],
  ["torsocks", "TorPort 9050\n", []],
  ["torsocks", "AllowInbound 1\nAllowOutboundLocalhost 2\nIsolatePID 0\nEnableIPv6 1\n", [
    "warning 1:1 AllowInbound: programs always accept connections",
    "warning 2:1 AllowOutboundLocalhost: loopback is always reached directly, by TCP and UDP",
    "warning 3:1 IsolatePID: all programs use the same user name",
    "warning 4:1 EnableIPv6: IPv6 is always carried",
  ]],
  [
    "torsocks",
    "AllowInbound 0\nAllowOutboundLocalhost 1\nIsolatePID 1\nEnableIPv6 0\nTorprot 1\n",
    [
      "error 1:1 AllowInbound: programs always accept connections",
      "error 2:1 AllowOutboundLocalhost: loopback is always reached directly, by TCP and UDP",
      "error 3:1 IsolatePID: all programs use the same user name",
      "error 4:1 EnableIPv6: IPv6 is always carried",
      "error 5:1 Unknown directive",
    ],
  ],
  ["tsocks", "sever = h\n", ["error 1:1 Unknown directive: did you mean 'server'"]],
  ["jsonc", '{"sever": "h"}', ["error 1:2 Unknown key: did you mean 'server'"]],
];

for (const [from, source, expected] of TOLD) {
  test(`convert() tells of ${from} ${JSON.stringify(source)}`, () => {
    const { diagnostics } = convert(source, "f", { from, to: "jsonc" });
    const told = diagnostics.map(({ severity, message, place }) => {
      assert.ok(place.kind === "file" && place.filePath === "f");
      return `${severity} ${place.line}:${place.column} ${message}`;
    });
    assert.deepEqual(told, expected);
  });
}

test("guessSource() goes by the name, then by the words", () => {
  const rows: [string, string, SourceForm][] = [
    ["/etc/proxychains4.conf", "", "proxychains"],
    ["/etc/tor/torsocks.conf", "", "torsocks"],
    ["/etc/tsocks.conf", "server = h", "tsocks"],
    ["/proxychains/tsocks.conf", "server = h", "tsocks"],
    ["a.jsonc", "", "jsonc"],
    ["x", '// c\n{"server": "h"}', "jsonc"],
    ["x", "strict_chain\n [ProxyList]\n", "proxychains"],
    ["x", "# c\nTorPort 9050\n", "torsocks"],
    ["x", "server = h\n", "tsocks"],
  ];
  for (const [filePath, text, form] of rows) assert.equal(guessSource(filePath, text), form);
});

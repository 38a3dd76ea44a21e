import assert from "node:assert/strict";
import { test } from "node:test";
import { formatDiagnostic } from "../../../src/config/diagnostic.ts";
import { formatServer } from "../../../src/config/model.ts";
import { parseTsocksConf } from "../../../src/config/tsocks_conf.ts";

/** `error 1:10 MESSAGE`, one line each. */
function complaints(text: string): string[] {
  return parseTsocksConf(text, "f").diagnostics.map(({ severity, message, fix, place }) => {
    assert.ok(place.kind === "file" && place.filePath === "f");
    assert.ok(fix.length > 0 && !/[\n.]$/.test(fix) && !message.includes("\n"));
    return `${severity} ${place.line}:${place.column} ${message}`;
  });
}

/** One bad line, the errors it gives. */
const LINES: [string, string][] = [
  ["sever = h", "1:1 Unknown directive: did you mean 'server'"],
  ["Server = h", "1:1 Unknown directive: did you mean 'server'"],
  ["default-pass = x", "1:1 Unknown directive: did you mean 'default_pass'"],
  ["localnet = 10.0.0.0/8", "1:1 Unknown directive"],
  ["reach = 10.0.0.0/8", "1:1 Unknown directive: did you mean 'reaches'"],
  ["= x", "1:1 Line is not a directive"],
  ["server", "1:1 Line is not a directive"],
  ["server h", "1:1 Line is not a directive"],
  ["  server h = x", "1:3 Line is not a directive"],
  ["server =", "1:1 Directive without a value"],
  ["server = # h", "1:1 Directive without a value"],
  ["server = a b", "1:1 More than one word behind '='"],
  ["server = a\0b", "1:1 Line holds a NUL character"],
  ["server = 10.1.4.253:1080", "1:10 Port in server: '10.1.4.253:1080'"],
  ["server = [::1]:1080", "1:10 Port in server: '[::1]:1080'"],
  ["server = socks.example:1080", "1:10 Port in server: 'socks.example:1080'"],
  ["server = socks5://h", "1:10 URL in server: 'socks5://h'"],
  ["server = 10.1.4.256", "1:10 Invalid server: '10.1.4.256'"],
  ["server = a..b", "1:10 Invalid server: 'a..b'"],
  ["server = [10.0.0.1]", "1:10 Invalid server: '[10.0.0.1]'"],
  ["server = fe80::1%eth0", "1:10 Invalid server: 'fe80::1%eth0'"],
  ["server = b\u00fccher", "1:10 Invalid server: 'b\\xc3\\xbccher'"],
  ["server_port = 0", "1:15 Invalid server port: '0'"],
  ["server_port = 65536", "1:15 Invalid server port: '65536'"],
  ["server_port = 70000", "1:15 Invalid server port: '70000'"],
  ["server_port = -5", "1:15 Invalid server port: '-5'"],
  ["server_port = socks", "1:15 Invalid server port: 'socks'"],
  ["server_port = 0x438", "1:15 Invalid server port: '0x438'"],
  ["udp = yes", "1:7 Invalid udp: 'yes'"],
  ["udp = Direct", "1:7 Invalid udp: 'Direct'"],
  ["dns = udp", "1:7 Invalid dns: 'udp'"],
  ["dns_server = ns.example", "1:14 Invalid dns_server: 'ns.example'"],
  ["dns_server = 192.0.2.53:0", "1:14 Invalid dns_server: '192.0.2.53:0'"],
  ["dns_server = [192.0.2.53]:53", "1:14 Invalid dns_server: '[192.0.2.53]:53'"],
  ["dns_server = [2001:db8::1]", "1:14 Invalid dns_server: '[2001:db8::1]'"],
  ["dns-server = 192.0.2.53", "1:1 Unknown directive: did you mean 'dns_server'"],
  ["server_type = 6", "1:15 Invalid server type: '6'"],
  ["server_type = socks5", "1:15 Invalid server type: 'socks5'"],
  ["server_type = 0x5", "1:15 Invalid server type: '0x5'"],
  ["server_type = 55", "1:15 Invalid server type: '55'"],
  ["local = 10.0.0.1/8", "1:9 Network address has bits outside its mask: '10.0.0.1/8'"],
  ["local = 10.0.0.0/255.0.255.0", "1:9 Mask with a hole: '10.0.0.0/255.0.255.0'"],
  ["local = 10.0.0.0/33", "1:9 Invalid network mask: '10.0.0.0/33'"],
  ["local = 10.0.0.256/32", "1:9 Invalid IP address in network: '10.0.0.256/32'"],
  ["local = 010.0.0.0/8", "1:9 Invalid IP address in network: '010.0.0.0/8'"],
  ["local = printer.lan", "1:9 Invalid IP address in network: 'printer.lan'"],
  ["local = 10.0.0.0:x/8", "1:9 Invalid port: '10.0.0.0:x/8'"],
  ["local = [10.0.0.0]:80/8", "1:9 Invalid network: '[10.0.0.0]:80/8'"],
  ["local = 10.0.0.0/8:80", "1:9 Invalid network mask: '10.0.0.0/8:80'"],
  ["local_name = 10.0.0.0/8", "1:14 Invalid name pattern: '10.0.0.0/8'"],
  ["local_name = .lan", "1:14 Invalid name pattern: '.lan'"],
  ["local_name = a.*", "1:14 Invalid name pattern: 'a.*'"],
  ["local_name = a:", "1:14 Invalid port: 'a:'"],
  ["}", "1:1 '}' without a path"],
  ["} x", "1:1 Malformed end of a path"],
  ["} = 1", "1:1 Malformed end of a path"],
  ["path", "1:1 Malformed path"],
  ["path { x", "1:1 Malformed path"],
  ["path = {", "1:1 Malformed path"],
];

for (const [line, expected] of LINES) {
  test(`parseTsocksConf() refuses ${JSON.stringify(line)}`, () => {
    assert.deepEqual(complaints(`${line}\n`), [`error ${expected}`]);
  });
}

/** A line in a path with a server and another reaches; its error. */
const LINES_IN_PATH: [string, string][] = [
  ["local = 10.0.0.0/8", "4:1 'local' inside a path"],
  ["local_name = *.lan", "4:1 'local_name' inside a path"],
  ["reaches = 10.0.0.0:90-80/8", "4:11 Port range ends before it starts: '10.0.0.0:90-80/8'"],
  ["reaches = 10.0.0.0:65536/8", "4:11 Port too large: '10.0.0.0:65536/8'"],
  ["reaches = 10.0.0.0:80-65536/8", "4:11 Port too large: '10.0.0.0:80-65536/8'"],
  ["reaches = 10.0.0.0:/8", "4:11 Invalid port: '10.0.0.0:/8'"],
  ["reaches = 10.0.0.0:80x/8", "4:11 Invalid port: '10.0.0.0:80x/8'"],
  ["reaches = 10.0.0.0:1-2-3/8", "4:11 Invalid port: '10.0.0.0:1-2-3/8'"],
  ["reaches = *.corp.example", "4:11 Invalid IP address in network: '*.corp.example'"],
  ["reaches = ]/8", "4:11 Invalid network: ']/8'"],
  ["reaches_name = 10.1.2.3", "4:16 Invalid name pattern: '10.1.2.3'"],
  ["reaches_name = a:80-79", "4:16 Port range ends before it starts: 'a:80-79'"],
];

for (const [line, expected] of LINES_IN_PATH) {
  test(`parseTsocksConf() refuses ${line} in a path`, () => {
    const text = `path {\nserver = h\nreaches = 1.2.3.4\n${line}\n}\n`;
    assert.deepEqual(complaints(text), [`error ${expected}`]);
  });
}

/** What it shows, file, complaints, default server. */
const FILES: [string, string, string[], string | undefined][] = [
  [
    "a second server",
    "server = a\nserver = b\n",
    ["warning 2:1 Second 'server' is ignored: the first is on line 1"],
    "socks4://a:1080",
  ],
  [
    "a second server_port and server_type",
    "server = a\nserver_port = 1\nserver_port = 2\nserver_type = 5\nserver_type = 4\n",
    [
      "warning 3:1 Second 'server_port' is ignored: the first is on line 2",
      "warning 5:1 Second 'server_type' is ignored: the first is on line 4",
    ],
    "socks5://a:1",
  ],
  [
    "second credentials",
    "default_user = u\ndefault_user = v\ndefault_pass = w\ndefault_pass = x\n",
    [
      "warning 2:1 Second 'default_user' is ignored: the first is on line 1",
      "warning 4:1 Second 'default_pass' is ignored: the first is on line 3",
    ],
    undefined,
  ],
  [
    "a second fallback in a path",
    "fallback = no\npath {\nserver = h\nreaches = ::/0\nfallback = yes\n}\n",
    ["warning 5:1 Second 'fallback' is ignored: the first is on line 1"],
    undefined,
  ],
  [
    "fallback = maybe",
    "fallback = maybe\n",
    ["warning 1:12 Fallback is neither yes nor no: it means no: 'maybe'"],
    undefined,
  ],
  [
    "fallback = YES",
    "fallback = YES\n",
    ["warning 1:12 Fallback is neither yes nor no: it means no: 'YES'"],
    undefined,
  ],
  [
    "reaches outside a path",
    "server = h\nreaches = 10.0.0.0/8\nreaches_name = *\n",
    [
      "warning 2:1 'reaches' outside a path is ignored",
      "warning 3:1 'reaches_name' outside a path is ignored",
    ],
    "socks4://h:1080",
  ],
  [
    "a path without server",
    "path {\nreaches = 10.0.0.0/8\n}\n",
    ["warning 1:1 Path without a server: what it reaches is refused"],
    undefined,
  ],
  [
    "a path that reaches nothing",
    "path {\nserver = h\n}\n",
    ["warning 1:1 Path reaches nothing: it is never used"],
    undefined,
  ],
  [
    "an empty path",
    "path {\n}\n",
    [
      "warning 1:1 Path without a server: what it reaches is refused",
      "warning 1:1 Path reaches nothing: it is never used",
    ],
    undefined,
  ],
  [
    "no warning beside an error for the same line",
    "path {\nserver = a..b\nreaches = x/8\n}\n",
    [
      "error 2:10 Invalid server: 'a..b'",
      "error 3:11 Invalid IP address in network: 'x/8'",
    ],
    undefined,
  ],
  [
    "a password without a user",
    "server = h\nserver_type = 5\ndefault_pass = x\n",
    ["warning 3:1 Password without a user: the local user's name is sent"],
    "socks5://h:1080",
  ],
  [
    "a password for SOCKS4",
    "server = h\ndefault_user = u\ndefault_pass = x\n",
    ["warning 3:1 SOCKS4 has no password: default_pass is not sent"],
    "socks4://h:1080",
  ],
  [
    "a path in a path",
    "path {\nserver = a\nreaches = ::/0\npath {\nserver = b\nreaches = ::/0\n}\n",
    ["error 4:1 Path inside a path"],
    undefined,
  ],
  [
    "a path that is not closed",
    "path {\nserver = a\nreaches = ::/0\n",
    ["error 1:1 Path is not closed"],
    undefined,
  ],
  [
    "a server that 1.8 read with inet_addr",
    "server = 127.1\n",
    ["warning 1:10 Server is read as 127.0.0.1: '127.1'"],
    "socks4://127.0.0.1:1080",
  ],
  [
    "numbers with something behind them, as 1.8 read them",
    "server = h\nserver_port = 1081#c\nserver_type = 5#c\n",
    [
      "warning 2:15 Value is read as 1081: '1081#c'",
      "warning 3:15 Value is read as 5: '5#c'",
    ],
    "socks5://h:1081",
  ],
  [
    "leading zeros in a port, which 1.8 read as decimal",
    "server = h\nserver_port = 01081\n",
    ["warning 2:15 Value is read as 1081: '01081'"],
    "socks4://h:1081",
  ],
  [
    "all errors of a file, in order",
    "sever = h\n}\nserver = a..b\nlocal = x/8\n",
    [
      "error 1:1 Unknown directive: did you mean 'server'",
      "error 2:1 '}' without a path",
      "error 3:10 Invalid server: 'a..b'",
      "error 4:9 Invalid IP address in network: 'x/8'",
    ],
    undefined,
  ],
];

for (const [what, text, expected, server] of FILES) {
  test(`parseTsocksConf() complains about ${what}`, () => {
    assert.deepEqual(complaints(text), expected);
    const { defaultServer } = parseTsocksConf(text, "f").config;
    assert.equal(defaultServer && formatServer(defaultServer), server);
  });
}

/** A line and how it says to mend it. */
const FIXES: [string, string][] = [
  ["server = 10.1.4.253:81", "write server = 10.1.4.253 and server_port = 81"],
  ["server = 010.1.1.1", "write server = 8.1.1.1"],
  ["local = 10.0.0.1/8", "write 10.0.0.0/8 for the network, or 10.0.0.1 for the one host"],
  ["local = printer.lan", "write it in local_name"],
  ["local_name = 10.0.0.0/8", "write it in local"],
  ["local_name = .lan", "write *.lan for the names below it"],
  ["local = 10.0.0.0:90-80/8", "write 80-90"],
  ["sever = h", "write server"],
  ["server_type = 6", "write 4, 4a, 5 or http"],
];

for (const [line, fix] of FIXES) {
  test(`parseTsocksConf() says how to mend ${line}`, () => {
    assert.deepEqual(parseTsocksConf(line, "f").diagnostics.map((it) => it.fix), [fix]);
  });
}

test("formatDiagnostic() shows what, where and how to mend it", () => {
  const [error] = parseTsocksConf("\n server_type = 6\n", "/etc/tsocks.conf").diagnostics;
  assert.equal(
    formatDiagnostic(error!),
    "tsocks: Invalid server type: '6'\n  at /etc/tsocks.conf:2:16\n  fix: write 4, 4a, 5 or http",
  );
});

test("formatDiagnostic() says that a warning is one, and names an option", () => {
  const place = { kind: "option", name: "--server" } as const;
  const text = formatDiagnostic({ severity: "warning", message: "Odd", fix: "even it", place });
  assert.equal(text, "tsocks: warning: Odd\n  at --server\n  fix: even it");
});

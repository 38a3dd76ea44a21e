/** tsocks.jsonc: what it means is told by the tsocks.conf that means the same. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { formatDiagnostic } from "../../../src/config/diagnostic.ts";
import { formOf } from "../../../src/config/form.ts";
import { parseTsocksConf } from "../../../src/config/tsocks_conf.ts";
import { parseTsocksJsonc } from "../../../src/config/tsocks_jsonc.ts";
import { meaningOf } from "./meaning.ts";

/** `error 1:10 MESSAGE`, one line each. */
function complaints(text: string): string[] {
  return parseTsocksJsonc(text, "f").diagnostics.map(({ severity, message, fix, place }) => {
    assert.ok(place.kind === "file" && place.filePath === "f");
    assert.ok(fix.length > 0 && !/[\n.]$/.test(fix) && !message.includes("\n"));
    return `${severity} ${place.line}:${place.column} ${message}`;
  });
}

/** What it shows, tsocks.jsonc, tsocks.conf. */
const SAME: [string, string, string][] = [
  ["nothing", "{}", ""],
  ["a byte order mark and CRLF", '\ufeff{\r\n"server": "h"\r\n}\r\n', "server = h"],
  ["comments and trailing commas", '// a\n{"server": /* b */ "h",}// c', "server = h"],
  ["lists", '{"local": ["10.0.0.0/8", "192.0.2.1",]}', "local = 10.0.0.0/8\nlocal = 192.0.2.1"],
  ["names", '{"local_name": ["*.lan", "nas:22"]}', "local_name = *.lan\nlocal_name = nas:22"],
  ["the type as number", '{"server": "h", "server_type": 5}', "server = h\nserver_type = 5"],
  ["the type as text", '{"server": "h", "server_type": "4a"}', "server = h\nserver_type = 4a"],
  ["SOCKS 4 on 1080 where nothing else is said", '{"server": "h"}', "server = h"],
  ["fallback", '{"fallback": true}', "fallback = yes"],
  ["fallback off", '{"fallback": false}', "fallback = no"],
  ["the words of the file", '{"udp": "direct", "dns": "local"}', "udp = direct\ndns = local"],
  ["the DNS server", '{"dns_server": "[::1]:5353"}', "dns_server = [::1]:5353"],
  [
    "paths in their order",
    '{"path": [{"server": "a", "reaches": ["10.0.0.0/8"]}, {"reaches_name": ["*"], "server": "b"}]}',
    "path {\nserver = a\nreaches = 10.0.0.0/8\n}\npath {\nserver = b\nreaches_name = *\n}",
  ],
  [
    "$schema, and a login",
    '{"$schema": "x", "server": "h", "server_type": 5, "default_user": "u", "default_pass": "p#="}',
    "server = h\nserver_type = 5\ndefault_user = u\ndefault_pass = p#=",
  ],
];

for (const [what, jsonc, conf] of SAME) {
  test(`parseTsocksJsonc() reads ${what}`, () => {
    const read = parseTsocksJsonc(jsonc, "f");
    assert.deepEqual(read.diagnostics, []);
    assert.deepEqual(meaningOf(read.config), meaningOf(parseTsocksConf(conf, "f").config));
  });
}

test("parseTsocksJsonc() reads a password that tsocks.conf cannot hold", () => {
  const { config } = parseTsocksJsonc('{"server": "h", "default_pass": "# a \\" b"}', "f");
  assert.equal(config.defaultServer!.credentials.revealPassword(), '# a " b');
});

/** A file, all that is wrong with it. */
const WRONG: [string, string[]][] = [
  ["", ["error 1:1 A value is missing"]],
  ["[]", ["error 1:1 File is not a JSON object"]],
  ['{"sever": "h"}', ["error 1:2 Unknown key: did you mean 'server'"]],
  ['{"Server": "h"}', ["error 1:2 Unknown key: did you mean 'server'"]],
  ['{"paths": []}', ["error 1:2 Unknown key: did you mean 'path'"]],
  ['{"hunter2": "h"}', ["error 1:2 Unknown key"]],
  ['{"__proto__": "h"}', ["error 1:2 Unknown key"]],
  ['{\n "server": "a",\n "server": "b"}', ["error 3:2 Second 'server': the first is on line 2"]],
  ['{"server": 5}', ["error 1:12 'server' holds a number that is not allowed here"]],
  ['{"server": null}', ["error 1:12 'server' holds null"]],
  ['{"server": ["h"]}', ["error 1:12 'server' holds a list"]],
  ['{"server": ""}', ["error 1:12 'server' is empty"]],
  ['{"server": "127.1"}', ["error 1:12 Server is read as 127.0.0.1: '127.1'"]],
  ['{"server": "h:1080"}', ["error 1:12 Port in server: 'h:1080'"]],
  ['{"server_port": "1080"}', ["error 1:17 'server_port' holds a string"]],
  ['{"server_port": 70000}', ["error 1:17 Invalid server port: '70000'"]],
  ['{"server_port": 1.5}', ["error 1:17 'server_port' holds a number that is not allowed here"]],
  ['{"server_type": 6}', ["error 1:17 Invalid server type: '6'"]],
  ['{"server_type": "05"}', ["error 1:17 Value is read as 5: '05'"]],
  ['{"fallback": "yes"}', ["error 1:14 'fallback' holds a string"]],
  ['{"udp": true}', ["error 1:9 'udp' holds true or false"]],
  ['{"udp": "yes"}', ["error 1:9 Invalid udp: 'yes'"]],
  ['{"local": "10.0.0.0/8"}', ["error 1:11 'local' holds a string"]],
  ['{"local": [10]}', ["error 1:12 'local' holds a number that is not allowed here"]],
  [
    '{"local": [\n  "10.0.0.0/8",\n  "10.0.0.1/8"]}',
    ["error 3:3 Network address has bits outside its mask: '10.0.0.1/8'"],
  ],
  ['{"reaches": []}', ["error 1:2 'reaches' outside a path"]],
  ['{"path": {}}', ["error 1:10 'path' holds an object"]],
  ['{"path": ["h"]}', ["error 1:11 'path' holds a string"]],
  [
    '{"path": [{"server": "h", "reaches": ["*"], "udp": "direct"}]}',
    ["error 1:39 Invalid IP address in network: '*'", "error 1:45 'udp' inside a path"],
  ],
  ['{"path": [{"server": "h"}]}', [
    "warning 1:11 Path reaches nothing: it is never used",
  ]],
  ['{"default_user": "a\\nb"}', [
    "error 1:18 'default_user' holds a control character or half a character",
  ]],
  ['{"default_user": "\\ud800"}', [
    "error 1:18 'default_user' holds a control character or half a character",
  ]],
  ['{"server": "h" "dns": "tcp"}', ["error 1:16 A comma is missing"]],
  ['{"server": "h"', ["error 1:15 An object is not closed"]],
  ['{"server": h}', ["error 1:12 Not a word of JSON", "error 1:13 A value is missing"]],
  ['{"server": "h"} {}', ["error 1:17 Text behind the end of the object"]],
  ["{ /* }", ["error 1:3 A comment is not closed", "error 1:7 An object is not closed"]],
  ["[".repeat(200_000), ["error 1:1 File is not a JSON object"]],
];

for (const [text, expected] of WRONG) {
  test(`parseTsocksJsonc() complains about ${JSON.stringify(text).slice(0, 60)}`, () => {
    assert.deepEqual(complaints(text), expected);
  });
}

test("remedies are written as tsocks.jsonc has it", () => {
  const text = '{"server": "h:1080", "server_type": 4, "default_pass": "p", "path": [{}]}';
  const fixes = parseTsocksJsonc(text, "f").diagnostics.map(({ fix }) => fix);
  assert.deepEqual(fixes, [
    'write "server": "h" and "server_port": 1080',
    'write "default_user": "NAME"',
    'write "server": "HOST" in it',
    'write "reaches": ["IP/MASK"] or "reaches_name": ["NAME"] in it',
  ]);
});

const SECRET = "S3cr3tHunter2";

/** Files in which a hurried hand puts a password where it does not belong. */
for (
  const text of [
    '{"default_pas": "SECRET"}',
    '{"SECRET": 1}',
    '{"default_pass": ["SECRET"]}',
    '{"default_pass": SECRET}',
    '{"default_pass": "SECRET}',
    '{"default_pass": "SECRET\n"}',
    '{"default_pass": "SECRET", "default_pass": "SECRET"}',
    '{"server": "socks5://bob:SECRET@h"}',
    '{"path": ["SECRET"]}',
    'SECRET{"default_pass": "x"}',
  ]
) {
  test(`parseTsocksJsonc() complains about ${JSON.stringify(text)} without the password`, () => {
    const { diagnostics } = parseTsocksJsonc(text.replaceAll("SECRET", SECRET), "f");
    assert.ok(diagnostics.length > 0);
    assert.ok(!diagnostics.map(formatDiagnostic).join("\n").includes(SECRET));
  });
}

test("formOf() goes by the name, and by the beginning where the name says nothing", () => {
  const rows: [string, string, string][] = [
    ["a.jsonc", "server = h", "jsonc"],
    ["a.JSON", "", "jsonc"],
    ["a.conf", "{}", "conf"],
    ["/dev/fd/63", "\n  { }", "jsonc"],
    ["/dev/fd/63", "// c\n{}", "jsonc"],
    ["/dev/fd/63", "# c\nserver = h", "conf"],
    ["x", "", "conf"],
  ];
  for (const [filePath, text, form] of rows) assert.equal(formOf(filePath, text), form, filePath);
});

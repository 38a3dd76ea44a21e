/** schema/tsocks.schema.json against the parser: the same keys, and the same verdict on each file. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { parse } from "jsonc-parser";
import { FILE_KEYS, PATH_KEYS } from "../../../src/config/jsonc_directives.ts";
import { parseTsocksJsonc } from "../../../src/config/tsocks_jsonc.ts";

const SCHEMA = JSON.parse(
  readFileSync(new URL("../../../schema/tsocks.schema.json", import.meta.url), "utf8"),
);
const validate = new Ajv2020({ strict: true, allErrors: true }).compile(SCHEMA);

const isAcceptedByParser = (text: string) =>
  parseTsocksJsonc(text, "f").diagnostics.every(({ severity }) => severity === "warning");

const GOOD = [
  "{}",
  '{"$schema": "../tsocks.schema.json", "local": ["10.0.0.0/8", "10.0.0.0/255.0.0.0"],}',
  '{"local": ["10.1.2.3", "10.0.0.0:80-90/8", "2001:db8::/32", "[2001:db8::]:80/32", "::1"]}',
  '{"local_name": ["*", "*.lan", "nas", "nas.lan:22", "*.lan:80-90", "_srv.example"]}',
  '{"server": "10.1.4.253", "server_port": 1, "server_type": 4}',
  '{"server": "socks.example", "server_port": 65535, "server_type": "4a"}',
  '{"server": "[::1]", "server_type": "5", "default_user": "ü x", "default_pass": "# \\"\\\\ p"}',
  '{"server": "2001:db8::1", "server_type": "http" /* c */}',
  '{"path": []}',
  '{"path": [{"server": "h", "server_port": 1081, "server_type": 5, "reaches": ["10.0.0.0/8"]}]}',
  '{"path": [{"default_user": "u", "default_pass": "p", "reaches_name": ["*.example"]}, {}]}',
  '{"fallback": true, "udp": "direct", "dns": "tcp", "dns_server": "192.0.2.53"}',
  '{"fallback": false, "udp": "refuse", "dns": "local", "dns_server": "[2001:db8::53]:5353"}',
  '{"dns": "remote", "dns_server": "2001:db8::53"}',
];

const BAD = [
  "[]",
  '"server"',
  '{"sever": "h"}',
  '{"server": ""}',
  '{"server": 5}',
  '{"server": null}',
  '{"server": "h:1080"}',
  '{"server": "socks5://h"}',
  '{"server": "a b"}',
  '{"server_port": 0}',
  '{"server_port": 65536}',
  '{"server_port": 80.5}',
  '{"server_port": "1080"}',
  '{"server_type": 6}',
  '{"server_type": "socks5"}',
  '{"server_type": true}',
  '{"default_user": ""}',
  '{"default_pass": 1}',
  '{"default_pass": "a\\u0000b"}',
  '{"local": "10.0.0.0/8"}',
  '{"local": ["*.lan"]}',
  '{"local": ["10.0.0.0/8:80-x"]}',
  '{"local": [""]}',
  '{"local_name": ["10.0.0.0/8"]}',
  '{"local_name": [".lan"]}',
  '{"local_name": ["a b"]}',
  '{"reaches": ["10.0.0.0/8"]}',
  '{"path": {}}',
  '{"path": ["h"]}',
  '{"path": [{"udp": "direct"}]}',
  '{"path": [{"local": []}]}',
  '{"path": [{"path": []}]}',
  '{"path": [{"$schema": "x"}]}',
  '{"path": [{"reaches_name": "*"}]}',
  '{"fallback": "yes"}',
  '{"udp": "yes"}',
  '{"dns": "udp"}',
  '{"dns_server": "ns.example"}',
  '{"dns_server": "[192.0.2.53]:53"}',
  '{"$schema": 1}',
];

for (const [texts, isGood] of [[GOOD, true], [BAD, false]] as const) {
  for (const text of texts) {
    test(`schema and parser both ${isGood ? "accept" : "refuse"} ${text}`, () => {
      const isValid = validate(parse(text, [], { allowTrailingComma: true }));
      assert.equal(isValid, isGood, JSON.stringify(validate.errors));
      assert.equal(isAcceptedByParser(text), isGood);
    });
  }
}

test("the schema has the parser's keys, each with a description", () => {
  const { properties } = SCHEMA;
  const ofPath = properties.path.items.properties;
  assert.deepEqual(Object.keys(properties), FILE_KEYS);
  assert.deepEqual(Object.keys(ofPath), PATH_KEYS);
  for (const [key, entry] of [...Object.entries(properties), ...Object.entries(ofPath)]) {
    const { $ref, description } = entry as { $ref?: string; description?: string };
    const resolved = description ?? SCHEMA.$defs[$ref?.split("/").at(-1) ?? ""]?.description;
    assert.ok(resolved?.endsWith("."), key);
  }
});

test("the schema's defaults are what the parser takes where nothing is said", () => {
  const { properties, $defs } = SCHEMA;
  const { config } = parseTsocksJsonc('{"server": "h"}', "f");
  assert.equal($defs.server_port.default, config.defaultServer!.port);
  assert.equal(`${$defs.server_type.default}`, config.defaultServer!.type);
  assert.equal(properties.fallback.default, config.fallback.isOn);
  assert.equal(properties.udp.default === "direct", config.udp.isDirect);
  assert.equal(properties.dns.default, config.dns.mode);
});

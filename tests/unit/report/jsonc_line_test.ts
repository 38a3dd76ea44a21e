import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTsocksJsonc } from "../../../src/config/tsocks_jsonc.ts";
import { showDiagnostic } from "../../../src/report/diagnostic.ts";
import { jsoncLine } from "../../../src/report/jsonc_line.ts";

const shownOf = (text: string, line: number) =>
  jsoncLine(text, line).map(({ shown }) => shown).join("").trimEnd();

/** A line, and what is shown of it. */
const LINES: [string, string][] = [
  ['{"server": "1.2.3.4", "server_port": 1080}', '{"server": "1.2.3.4", "server_port": 1080}'],
  ['  "local": ["10.0.0.1/8", "10.0.0.2"], // geheim', '  "local": ["10.0.0.1/8", "10.0.0.2"],'],
  ['"default_pass": "geheim",', '"default_pass": ********,'],
  ['"default_pass" /* geheim */ : "geheim"', '"default_pass"  : ********'],
  ['"default_pass": geheim, "fallback": true', '"default_pass": ********, "fallback": true'],
  ['"default_pas": "geheim"', '"default_pas": ********'],
  ['"password": "geheim"', "********: ********"],
  ['"default_pass": ["geheim", "geheim"]', '"default_pass": [********, ********]'],
  ['"default_pass": {"server": "h"}', '"default_pass": {"server": "h"}'],
  ['"default_pass", "geheim"', "********, ********"],
  ['"local": ["h", "default_pass", "geheim"', '"local": ["h", ********, ********'],
  ['"local": ["h", "default_pass" "geheim"', '"local": ["h", ******** ********'],
  ['"local": ["h" "geheim"', '"local": ["h" ********'],
  ['"server": "h" "geheim"', '"server": "h" ********'],
  ['"server": "socks5://bob:geheim@h"', '"server": ********'],
  ['"server": "h geheim"', '"server": ********'],
  ['"geheim"', "********"],
  ["geheim", "********"],
  ["server: 'geheim'", "server: ********"],
  ['"server": "h, "default_pass": "geheim"', "********"],
  ['"default_pass": "geheim', "********"],
  ["// geheim", ""],
  ["/* geheim", ""],
];

for (const [line, shown] of LINES) {
  test(`jsoncLine() shows '${shown}' of '${line}'`, () => {
    assert.equal(shownOf(line, 1), shown);
    assert.equal(shownOf(`\n\r\n${line}\r\n"geheim"`, 3), shown);
  });
}

test("jsoncLine() knows from the lines before what a value is of", () => {
  assert.equal(shownOf('{"default_pass":\n "geheim"', 2), " ********");
  assert.equal(shownOf('{"server":\n "h"', 2), ' "h"');
  assert.equal(shownOf('{"local": [\n "h",\n "i"]', 3), ' "i"]');
  assert.equal(shownOf("/*\n geheim\n*/ {", 2), "");
  assert.equal(shownOf("/*\n geheim\n*/ {", 3), " {");
  assert.equal(shownOf("{", 2), "");
});

test("showDiagnostic() of a tsocks.jsonc has its caret below the word, behind masks too", () => {
  const text = '\ufeff\n{"server": "h", "default_pass": "x", "server_port": 0}\n';
  const [error] = parseTsocksJsonc(text, "a.jsonc").diagnostics
    .filter(({ severity, message }) => severity === "error" && /port/.test(message))
    .map((one) => showDiagnostic(one, text).split("\n"));
  assert.equal(error?.[2], '  2 | {"server": "h", "default_pass": ********, "server_port": 0}');
  assert.equal(error?.[3]?.indexOf("^"), error?.[2]?.indexOf("0}"));
});

test("showDiagnostic() never shows the password of a tsocks.jsonc that lacks any one sign", () => {
  const text = '{\n"server": "h", "local": ["10.0.0.0/8"],\n"default_pass": "ge,hei:m",\n' +
    '"path": [{"server": "i", "default_pass": "ge,hei:m", "reaches": ["1.2.3.4"]}]\n}\n';
  for (let at = 0; at < text.length; at++) {
    if (!/["{}\[\],:\n]/.test(text[at]!)) continue;
    for (const put of ["", '"', ":", ",", "["]) {
      const mangled = text.slice(0, at) + put + text.slice(at + 1);
      if (!/ge,hei:m.*ge,hei:m/s.test(mangled)) continue;
      for (const line of [1, 2, 3, 4, 5]) {
        assert.doesNotMatch(shownOf(mangled, line), /hei/, JSON.stringify([mangled, line]));
      }
    }
  }
});

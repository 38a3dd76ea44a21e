import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTsocksConf } from "../../../src/config/tsocks_conf.ts";
import { maskLine, showDiagnostic } from "../../../src/report/diagnostic.ts";

/** A line, and what is shown of it. */
const LINES: [string, string][] = [
  ["server = 1.2.3.4", "server = 1.2.3.4"],
  ["server_port=70000\r", "server_port=70000"],
  ["  local = 10.0.0.1/8 # geheim", "  local = 10.0.0.1/8"],
  ["path {", "path {"],
  ["path{", "path{"],
  ["}", "}"],
  ["# geheim", ""],
  ["default_pass = geheim", "default_pass = ********"],
  ["default_pass geheim", "default_pass ********"],
  ["default_pas = geheim", "default_pas = ********"],
  ["geheim", "********"],
  ["geheim = 1.2.3.4", "********"],
  ["server = bob:geheim@host", "server = ********"],
  ["server = 1.2.3.4 default_pass = geheim", "server = ********"],
  ["server 1.2.3.4 geheim", "server ********"],
  ["} geheim", "} ********"],
  ["path { geheim", "path ********"],
];

for (const [line, shown] of LINES) {
  test(`maskLine() shows '${shown}' of '${line.trim()}'`, () => {
    assert.equal(maskLine(line), shown);
  });
}

function showAll(text: string): string[] {
  const { diagnostics } = parseTsocksConf(text, "a.conf");
  return diagnostics.map((one) => showDiagnostic(one, text));
}

test("showDiagnostic() has a caret below the column, behind tabs and ten lines too", () => {
  const text = "\ufeff" + "\n".repeat(9) + "\tserver_port = 0\n";
  assert.deepEqual(showAll(text), [
    [
      "tsocks: Invalid server port: '0'",
      "  at a.conf:10:16",
      "  10 |  server_port = 0",
      "                      ^",
      "  fix: write a port between 1 and 65535",
    ].join("\n"),
  ]);
});

test("showDiagnostic() shows no control character and no password of any line", () => {
  const text = "server = \x1b[2J\ndefault_pas = geheim\nxgeheim\nserver = a:geheim@b\n";
  const shown = showAll(text).join("\n");
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(shown, /\x1b|geheim/);
});

test("showDiagnostic() of an option is the message alone", () => {
  const place = { kind: "option", name: "--server" } as const;
  const one = { severity: "error", message: "Wrong", fix: "mend it", place } as const;
  assert.equal(showDiagnostic(one, "x"), "tsocks: Wrong\n  at --server\n  fix: mend it");
});

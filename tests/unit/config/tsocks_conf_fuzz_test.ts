/** Mangled files, the same ones in each run: no throw, no password in a complaint. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { formatDiagnostic } from "../../../src/config/diagnostic.ts";
import { parseTsocksConf } from "../../../src/config/tsocks_conf.ts";
import { createRandom } from "../../helpers/random.ts";

const SECRET = "S3cr3tHunter2";
const ROUNDS = 20_000;

const WHOLE = [
  ...["local = 10.0.0.0/255.0.0.0", "path {", "reaches = 150.0.0.0:80-90/255.255.0.0"],
  ...["server = 10.1.7.25", "server_type = 5", "default_user = delius"],
  ...[`default_pass = ${SECRET}`, "}", "server = 192.168.0.1", "fallback = no", ""],
].join("\n");

const SNIPPETS = [
  "\n",
  "\r",
  " ",
  "\t",
  "=",
  "#",
  "{",
  "}",
  "path {",
  ":",
  "/",
  "\0",
  "é",
  "[",
  "]",
];

/** The secret stays whole: half a secret could not be told from other text. */
function mangle(text: string, random: (below: number) => number): string {
  const at = random(text.length);
  const secretAt = text.indexOf(SECRET);
  if (at > secretAt - 1 && at < secretAt + SECRET.length) return text;
  const snippet = SNIPPETS[random(SNIPPETS.length)]!;
  const rows = [
    () => text.slice(0, at) + snippet + text.slice(at),
    () => at === secretAt - 1 ? text : text.slice(0, at) + text.slice(at + 1),
    () => text.slice(0, at) + snippet + text.slice(at + 1),
  ];
  return rows[random(rows.length)]!();
}

test(`parseTsocksConf() neither throws nor tells the password in ${ROUNDS} mangled files`, () => {
  const random = createRandom(20261123);
  for (let round = 0; round < ROUNDS; round++) {
    let text = WHOLE;
    for (let count = random(6); count >= 0; count--) text = mangle(text, random);
    const { config, diagnostics } = parseTsocksConf(text, "f");
    const told = diagnostics.map(formatDiagnostic).join("\n");
    assert.ok(!told.includes(SECRET), `${told}\n--- in\n${text}`);
    assert.ok(config.locals.length >= 2);
  }
});

/** Lines that a hurried hand writes around a password. */
const LINES = [
  "default_pass SECRET",
  "default_pass: SECRET",
  "default_pass:SECRET",
  "default_pass = x SECRET",
  "default_passSECRET",
  "default_pass=SECRET extra",
  "default_pas = SECRET",
  "defaultpassword = SECRET",
  "SECRET = default_pass",
  "SECRET",
  "path { default_pass = SECRET }",
  "} default_pass = SECRET",
  "server = socks5://bob:SECRET@h",
  "server = bob:SECRET@h:1080",
  "server_type = 5default_pass=SECRET",
  "default_pass\0 = SECRET",
  "default_pass = SECRET\0",
];

for (const line of LINES) {
  test(`parseTsocksConf() complains about ${JSON.stringify(line)} without the password`, () => {
    const { diagnostics } = parseTsocksConf(line.replace("SECRET", SECRET), "f");
    assert.ok(diagnostics.length > 0);
    assert.ok(!diagnostics.map(formatDiagnostic).join("\n").includes(SECRET));
  });
}

test("parseTsocksConf() gives a Config that prints without the password", () => {
  const { config } = parseTsocksConf(WHOLE, "f");
  assert.equal(config.paths[0]!.server!.credentials.revealPassword(), SECRET);
  const prints = [JSON.stringify(config), inspect(config, { depth: 9 }), `${config.paths[0]}`];
  for (const print of prints) assert.ok(!print.includes(SECRET));
});

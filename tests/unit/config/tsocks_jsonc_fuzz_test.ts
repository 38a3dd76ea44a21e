/** Mangled files, the same ones in each run: no throw, no password in a complaint, and conversion neither. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { convert } from "../../../src/config/convert/convert.ts";
import { formatDiagnostic } from "../../../src/config/diagnostic.ts";
import { parseTsocksConf } from "../../../src/config/tsocks_conf.ts";
import { parseTsocksJsonc } from "../../../src/config/tsocks_jsonc.ts";
import { createRandom } from "../../helpers/random.ts";
import { meaningOf } from "./meaning.ts";

const SECRET = "S3cr3tHunter2";
const ROUNDS = 10_000;

const WHOLE = `// a
{
  "local": ["10.0.0.0/8", /* b */ "192.0.2.1:80"],
  "server": "10.1.4.253", "server_port": 1080, // c
  "server_type": 5, "default_user": "delius", "default_pass": "${SECRET}",
  "path": [{ "server": "h", "reaches_name": ["*.example"], }, {}],
  "fallback": false, "dns": "tcp", "dns_server": "::1",
}
`;

const SNIPPETS = [
  ...["\n", "\r", " ", '"', ":", ",", "{", "}", "[", "]", "/", "/*", "*/", "\\", "\\u00", "\0"],
  ...["null", "true", "1e9", "-1", "é", '"path": [', '"local"', "\u2028"],
];

/** The secret stays whole: half a secret could not be told from other text. */
function mangle(text: string, random: (below: number) => number): string {
  const at = random(text.length);
  const secretAt = text.indexOf(SECRET);
  if (at >= secretAt && at < secretAt + SECRET.length) return text;
  const isKept = random(2) === 0 || at === secretAt - 1;
  return text.slice(0, at) + SNIPPETS[random(SNIPPETS.length)]! + text.slice(isKept ? at : at + 1);
}

test(`parseTsocksJsonc() neither throws nor tells the password in ${ROUNDS} mangled files`, () => {
  const random = createRandom(20261124);
  let good = 0;
  for (let round = 0; round < ROUNDS; round++) {
    let text = WHOLE;
    for (let count = random(4); count >= 0; count--) text = mangle(text, random);
    const { config, diagnostics } = parseTsocksJsonc(text, "f");
    const told = diagnostics.map(formatDiagnostic).join("\n");
    assert.ok(!told.includes(SECRET), `${told}\n--- in\n${text}`);
    const converted = convert(text, "f", { from: "jsonc", to: "conf" });
    if (converted.text === undefined) continue;
    good++;
    if (converted.diagnostics.some(({ severity }) => severity === "error")) continue;
    const read = parseTsocksConf(converted.text, "f");
    assert.deepEqual(
      meaningOf(read.config),
      meaningOf(config),
      `${text}\n--- is\n${converted.text}`,
    );
  }
  assert.ok(good > ROUNDS / 50, `only ${good} were still good`);
});

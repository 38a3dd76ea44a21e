/** Random configurations, the same ones in each run, from form to form: they mean the same, and no comment is lost. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { convert } from "../../../../src/config/convert/convert.ts";
import { parseTsocksConf } from "../../../../src/config/tsocks_conf.ts";
import { parseTsocksJsonc } from "../../../../src/config/tsocks_jsonc.ts";
import { createRandom } from "../../../helpers/random.ts";
import { meaningOf } from "../meaning.ts";

const ROUNDS = 3000;
const NETWORKS = [
  "10.0.0.0/8",
  "10.0.0.0:80-90/255.0.0.0",
  "192.0.2.7",
  "2001:db8::/32",
  "[::]:1/0",
];
const NAMES = ["*", "*.lan", "nas.lan:22", "*.corp.example:80-90", "Www.Example."];
const WORDS: Record<string, string[]> = {
  server: ["10.1.4.253", "socks.example", "2001:db8::1", "[::1]", "127.1"],
  server_port: ["1", "1080", "065535"],
  server_type: ["4", "4a", "5", "http"],
  default_user: ["alice", "ü", "a#b"],
  default_pass: ["secret", '"q"', "=x", "a\\b", "//", "/*", "\u2028"],
  fallback: ["yes", "no", "maybe"],
  udp: ["refuse", "direct"],
  dns: ["remote", "local", "tcp"],
  dns_server: ["192.0.2.53", "[2001:db8::53]:5353"],
};
const OF_SERVER = ["server", "server_port", "server_type", "default_user", "default_pass"];
const OF_FILE = ["fallback", "udp", "dns", "dns_server"];

type Random = (below: number) => number;

const pick = <T>(random: Random, all: T[]): T => all[random(all.length)]!;

/** A tsocks.conf without errors, with everything that one can have, and the comments in it. */
function randomConf(random: Random): { text: string; comments: string[] } {
  const comments: string[] = [];
  const lines: string[] = [];
  const comment = () => {
    const text = `${pick(random, ["c", " ü */ c", "# /* c", " "])}${comments.length}`;
    comments.push(text.trim());
    return `#${text}`;
  };
  const push = (line: string) => {
    if (random(8) === 0) lines.push("");
    if (random(4) === 0) lines.push(`  ${comment()}`);
    lines.push(line + (random(4) === 0 ? ` ${comment()}` : ""));
  };
  const assign = (name: string, values: string[]) => push(`${name} = ${pick(random, values)}`);
  const settings = (names: string[]) => {
    for (const name of names) if (random(2) === 0) assign(name, WORDS[name]!);
    if (random(8) === 0) assign(pick(random, names), WORDS[names.at(0)!]!.slice(0, 1));
  };
  const parts = Array.from({ length: random(8) }, () =>
    pick(random, [
      () => assign("local", NETWORKS),
      () => assign("local_name", NAMES),
      () => assign("reaches", NETWORKS),
      () => {
        push("path {");
        settings(OF_SERVER);
        for (let count = random(3); count > 0; count--) assign("reaches", NETWORKS);
        for (let count = random(3); count > 0; count--) assign("reaches_name", NAMES);
        if (random(8) === 0) assign("fallback", WORDS["fallback"]!);
        push("}");
      },
    ]));
  const at = random(parts.length + 1);
  parts.slice(0, at).forEach((part) => part());
  settings(OF_SERVER);
  settings(OF_FILE);
  parts.slice(at).forEach((part) => part());
  if (random(3) === 0) lines.push(comment());
  return { text: lines.join("\n"), comments };
}

const isWrong = ({ severity }: { severity: string }) => severity === "error";

test(`${ROUNDS} random tsocks.conf mean the same as tsocks.jsonc, and back again`, () => {
  const random = createRandom(20261123);
  let valid = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const { text, comments } = randomConf(random);
    const original = parseTsocksConf(text, "f");
    if (original.diagnostics.some(isWrong)) continue;
    valid++;
    const there = convert(text, "f", { from: "tsocks", to: "jsonc" });
    const jsonc = there.text!;
    const read = parseTsocksJsonc(jsonc, "f");
    const both = `${text}\n--- is\n${jsonc}`;
    assert.ok(!there.diagnostics.some(isWrong) && !read.diagnostics.some(isWrong), both);
    assert.deepEqual(meaningOf(read.config), meaningOf(original.config), both);
    const back = convert(jsonc, "f", { from: "jsonc", to: "conf" });
    assert.deepEqual(
      meaningOf(parseTsocksConf(back.text!, "f").config),
      meaningOf(original.config),
      both,
    );
    for (const written of [jsonc, back.text!]) {
      for (const comment of comments) assert.ok(written.includes(comment), `${comment} in ${both}`);
    }
    // From here on nothing is left to be tidied.
    assert.equal(convert(back.text!, "f", { from: "tsocks", to: "jsonc" }).text, jsonc);
  }
  assert.ok(valid > ROUNDS / 2, `only ${valid} were valid`);
});

const ODD = [
  "# x",
  "#",
  "a b",
  "a\tb",
  "a #b",
  "=",
  "ü",
  "\u00a0",
  "{",
  "}",
  "path {",
  "\\",
  '"',
  "a#b",
];

test("a password that tsocks.conf cannot hold is told, and any other is kept", () => {
  for (const password of ODD) {
    const text = JSON.stringify({ server: "h", server_type: 5, default_pass: password });
    // A tab cannot be in a tsocks.jsonc either.
    if (password.includes("\t")) continue;
    const { text: conf, diagnostics } = convert(text, "f", { from: "jsonc", to: "conf" });
    const read = parseTsocksConf(conf!, "f").config.defaultServer!.credentials.revealPassword();
    const isTold = diagnostics.some(isWrong);
    assert.equal(isTold, /^#| /.test(password), password);
    assert.equal(read, isTold ? undefined : password);
  }
});

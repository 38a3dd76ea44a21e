import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCommandLine } from "../../../src/cli/command_line.ts";
import { helpText } from "../../../src/cli/help.ts";
import { VERBS } from "../../../src/cli/verbs.ts";

test("helpText() without a verb has a line for each", () => {
  for (const { name, summary } of VERBS) {
    const line = helpText(undefined).split("\n").find((text) =>
      text.startsWith(`  tsocks ${name} `)
    );
    assert.ok(line?.endsWith(summary), name);
  }
});

for (const { name, options, examples } of VERBS) {
  test(`helpText() of ${name} names each option, in lines that fit, with examples`, () => {
    const text = helpText(name);
    for (const option of options) {
      assert.match(text, new RegExp(`  --${option.name}\\b|, --${option.name}\\b`));
    }
    for (const [line] of examples) assert.ok(text.includes(line));
    assert.ok(text.split("\n").every((line) => line.length <= 100), text);
  });

  test(`parseCommandLine() gives the help on ${name} for --help and -h`, () => {
    for (const flag of ["--help", "-h"]) {
      assert.deepEqual(parseCommandLine([name, flag]), { verb: "help", topic: name });
    }
  });

  test(`parseCommandLine() reads the examples of ${name}`, () => {
    for (const [line] of examples) {
      const argv = line.replace(/ \|.*/, "").split(" ").slice(1);
      assert.equal(parseCommandLine(argv).verb, name);
    }
  });
}

test("helpText() names the other form of the configuration where --conf is", () => {
  for (const { name, options } of VERBS) {
    if (options.some((option) => option.name === "conf")) assert.match(helpText(name), /\.jsonc/);
  }
});

/** argv → what is read of it. */
const READ: [string[], Record<string, unknown>][] = [
  [["validateconf", "-f", "a", "-t", "h"], { conf: "a", to: { hostname: "h", port: 0 } }],
  [["validateconf", "-t", "::1"], { to: { hostname: "::1", port: 0 } }],
  [["validateconf", "-t", "[::1]:80"], { to: { hostname: "::1", port: 80 } }],
  [["route", "a:1", "[::1]:2", "--json"], {
    destinations: [{ hostname: "a", port: 1 }, { hostname: "::1", port: 2 }],
    isJson: true,
  }],
  [["inspectsocks", "h"], { hostname: "h", port: 1080, timeoutMs: 5000, to: undefined }],
  [["inspectsocks", "[::1]", "80", "--timeout", "0.5"], {
    hostname: "::1",
    port: 80,
    timeoutMs: 500,
  }],
  [["convert", "f"], { filePath: "f", from: undefined, to: undefined, isLossy: false }],
  [["convert", "f", "--to", "jsonc", "--from=torsocks", "--lossy"], {
    from: "torsocks",
    to: "jsonc",
    isLossy: true,
  }],
  [["init"], { filePath: undefined, servers: [], isYes: false, isForced: false }],
  [["init", "-y", "--server", "http://a", "--force", "f"], {
    filePath: "f",
    servers: [{ url: "http://a", reaches: [] }],
    isYes: true,
    isForced: true,
  }],
  [["reload"], { pid: undefined }],
  [["reload", "12"], { pid: 12 }],
  [["doctor", "--server", "http://a"], { servers: [{ url: "http://a", reaches: [] }] }],
];

for (const [argv, expected] of READ) {
  test(`parseCommandLine() reads ${argv.join(" ")}`, () => {
    const read = parseCommandLine(argv) as unknown as Record<string, unknown>;
    for (const [name, value] of Object.entries(expected)) assert.deepEqual(read[name], value);
  });
}

const WRONG: [string[], RegExp][] = [
  [["route"], /No destination/],
  [["route", "example.com"], /Not an address and port/],
  [["validateconf", "extra"], /More arguments/],
  [["inspectsocks"], /No server/],
  [["inspectsocks", "h", "0"], /Invalid port/],
  [["inspectsocks", "h", "1", "2"], /More arguments/],
  [["inspectsocks", "h", "--timeout", "0"], /Invalid timeout/],
  [["convert"], /One file/],
  [["convert", "a", "b"], /One file/],
  [["convert", "--to", "yaml", "a"], /Unknown value "yaml"/],
  [["init", "--yes"], /--yes needs --server/],
  [["init", "--server", "http://a", "--server", "http://b"], /One --server at most/],
  [["init", "a", "b"], /One file at most/],
  [["reload", "0"], /Not a process number/],
  [["reload", "1", "2"], /Not a process number/],
  [["reload", "x"], /Not a process number/],
  [["doctor", "--jsn"], /did you mean "--json"/],
];

for (const [argv, pattern] of WRONG) {
  test(`parseCommandLine() refuses ${argv.join(" ")}`, () => {
    assert.throws(() => parseCommandLine(argv), pattern);
  });
}

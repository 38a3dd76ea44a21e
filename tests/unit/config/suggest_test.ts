import assert from "node:assert/strict";
import { test } from "node:test";
import { suggestWord } from "../../../src/config/suggest.ts";

const WORDS = ["server", "server_port", "local", "reaches", "default_pass"];

/** Typed, suggested. */
const ROWS: [string, string | undefined][] = [
  ["sever", "server"],
  ["SERVER", "server"],
  ["server-port", "server_port"],
  ["serverport", "server_port"],
  ["locl", "local"],
  ["lokal", "local"],
  ["reach", "reaches"],
  ["l", undefined],
  ["tordns_enable", undefined],
  ["", undefined],
  ["server".repeat(1000), undefined],
];

for (const [typed, suggested] of ROWS) {
  test(`suggestWord() gives ${suggested} for '${typed.slice(0, 20)}'`, () => {
    assert.equal(suggestWord(typed, WORDS), suggested);
  });
}

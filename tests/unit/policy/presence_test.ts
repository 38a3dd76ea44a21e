import assert from "node:assert/strict";
import test from "node:test";
import { findShim, gainsCapabilities, type Presence } from "../../../src/policy/presence.ts";

const SHIM = "/tmp/tsocks-x/libtsocks.so";
const line = (path: string, permissions = "r-xp") =>
  `7f0000000000-7f0000001000 ${permissions} 00001000 fd:01 1234                   ${path}`;

const ROWS: { name: string; mapped: string[]; presence: Presence }[] = [
  { name: "nothing", mapped: [""], presence: "loading" },
  {
    name: "a program and ld.so",
    mapped: [line("/bin/p"), line("/lib/ld.so")],
    presence: "loading",
  },
  {
    name: "ld.so in several pieces, and data",
    mapped: [line("/lib/ld.so", "r--p"), line("/lib/ld.so"), line("/etc/cache", "r--p")],
    presence: "loading",
  },
  { name: "the shim", mapped: [line("/lib/ld.so"), line(SHIM, "r--p")], presence: "there" },
  {
    name: "a shim of several",
    mapped: [line("/lib/ld.so"), line(`${SHIM}.i686`)],
    presence: "there",
  },
  { name: "the shim behind a mount", mapped: [line(`/elsewhere${SHIM}`)], presence: "there" },
  { name: "the shim, removed", mapped: [line(`${SHIM} (deleted)`)], presence: "there" },
  {
    name: "a library without the shim",
    mapped: [line("/lib/ld.so"), line("/lib/libc.so.6")],
    presence: "missing",
  },
  {
    name: "another file of such a name",
    mapped: [line("/lib/ld.so"), line(`${SHIM}.old`)],
    presence: "missing",
  },
  {
    name: "what is no file",
    mapped: [line("[vdso]"), line("/lib/ld.so"), line(""), line("[stack]")],
    presence: "loading",
  },
];

for (const { name, mapped, presence } of ROWS) {
  test(`findShim() says ${presence} for ${name}`, () => {
    assert.equal(findShim(mapped.join("\n"), "/bin/p", SHIM), presence);
  });
}

test("gainsCapabilities() compares the permitted sets", () => {
  const status = (set: string) => `Name:\tp\nCapInh:\tffffffffffffffff\nCapPrm:\t${set}\n`;
  assert.equal(gainsCapabilities(status("0000000000002000"), status("0000000000000000")), true);
  assert.equal(gainsCapabilities(status("0000000000002000"), status("000001ffffffffff")), false);
  assert.equal(gainsCapabilities(status("0000000000000000"), status("0000000000000000")), false);
  assert.equal(gainsCapabilities("", ""), false);
});

/** What can be checked of the other ways to build: the packing of deno compile, and the binary for aarch64. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { needs } from "../helpers/needs.ts";
import { start } from "../helpers/processes.ts";
import { makeTempDir } from "../helpers/temp_dir.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

test("deno compile packs the whole program and nothing of node_modules", async () => {
  await using dir = await makeTempDir();
  // Any executable will do for the base: what is listed is what would be packed behind it.
  await using compile = start(Deno.execPath(), [
    "compile",
    "--allow-all",
    "--no-check",
    "--node-modules-dir=none",
    `--output=${dir.file("tsocks")}`,
    `${ROOT}src/main.ts`,
  ], { env: { DENORT_BIN: "/bin/true", NO_COLOR: "1", HOME: dir.path }, timeoutMs: 60_000 });
  const { status, stdout, stderr } = await compile.finished;
  assert.equal(status, 0, stderr);
  const listing = stdout + stderr;
  for (
    const part of ["main.ts", "run.ts", "serve.ts", "embedded.ts", "verbs"]
  ) {
    assert.ok(listing.includes(part), `${part} in ${listing}`);
  }
  assert.ok(!listing.includes("node_modules"), listing);
});

test(
  "the binary for aarch64 runs, and carries the shim for aarch64",
  needs("qemu-aarch64"),
  async () => {
    await using dir = await makeTempDir();
    await using built = start(Deno.execPath(), [
      "run",
      "-A",
      `${ROOT}scripts/compile.ts`,
      "--target=aarch64",
    ], { cwd: ROOT, env: { HOME: dir.path }, timeoutMs: 120_000 });
    const compiled = await built.finished;
    assert.equal(compiled.status, 0, compiled.stderr);
    await using tsocks = start("qemu-aarch64", [
      ...["-L", "/usr/aarch64-linux-gnu", `${ROOT}dist/tsocks-aarch64`, "--version"],
    ], { timeoutMs: 60_000 });
    const { status, stdout, stderr } = await tsocks.finished;
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^tsocks \d/);
    const shim = readFileSync(`${ROOT}dist/libtsocks-aarch64.so`).toString("base64");
    assert.ok(readFileSync(`${ROOT}dist/tsocks-aarch64`).includes(shim), "the embedded shim");
  },
);

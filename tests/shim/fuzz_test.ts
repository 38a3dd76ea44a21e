/** The shim's parsers against a million mangled answers and variables, with the compiler's sanitizers. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { needs, programPath } from "../helpers/needs.ts";
import { run } from "../helpers/processes.ts";
import { makeTempDir } from "../helpers/temp_dir.ts";

const SOURCE = fileURLToPath(new URL("../fixtures/fuzz_shim.c", import.meta.url));
const FLAGS = "-std=gnu11 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover".split(" ");
const COUNT = 1_000_000;
/** A rare taken answer would mean that the mangling finds nothing but the first check. */
const MIN_TAKEN = COUNT / 10;

test("a million mangled answers hurt no parser of the shim", needs("gcc"), async () => {
  await using dir = await makeTempDir();
  const program = dir.file("fuzz_shim");
  execFileSync(programPath("gcc"), [...FLAGS, "-o", program, SOURCE]);
  const env = { ASAN_OPTIONS: "detect_leaks=0" }; // which needs ptrace; nothing is allocated
  const { status, stdout, stderr } = await run(program, [`${COUNT}`, "1"], { env });
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
  const [, inputs, taken] = stdout.match(/^(\d+) inputs, (\d+) taken$/m) ?? [];
  assert.equal(Number(inputs), COUNT);
  assert.ok(Number(taken) > MIN_TAKEN, stdout);
});

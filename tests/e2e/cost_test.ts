/** What tsocks costs where it carries nothing, with bounds that a loaded machine keeps and a mistake does not. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { needs, outsideAddress, programPath } from "../helpers/needs.ts";
import { run } from "../helpers/processes.ts";
import { makeTempDir } from "../helpers/temp_dir.ts";
import { runTsocks } from "../helpers/tsocks.ts";

const SOURCE = fileURLToPath(new URL("../../scripts/bench/connect_here.c", import.meta.url));
/** The figures are 80 and 1 on an idle machine; src/README.md says what was measured. */
const MAX_DIRECT_US = 800;
const MAX_LOOPBACK_US = 10;

const forCost = needs("gcc", "an address beside loopback");

test("a connect that goes direct, and one to loopback, are hardly slower", forCost, async () => {
  await using dir = await makeTempDir();
  const program = dir.file("connect_here");
  execFileSync(programPath("gcc"), ["-O2", "-std=gnu11", "-o", program, SOURCE]);
  const conf = `server = 127.0.0.1\nserver_port = 1\nlocal = ${outsideAddress()}/255.255.255.255\n`;
  await writeFile(dir.file("conf"), conf);
  const added = async (address: string) => {
    const command = [program, "-", "0", address];
    const plain = await run(program, command.slice(1));
    const below = await runTsocks(["run", "--conf", dir.file("conf"), "--", ...command]);
    assert.deepEqual([plain.status, below.status, below.stderr], [0, 0, ""]);
    return Number(below.stdout) - Number(plain.stdout);
  };
  const direct = await added(outsideAddress());
  assert.ok(direct < MAX_DIRECT_US, `direct: ${direct} us more`);
  assert.ok(direct > 0, "no question was asked");
  // The least of three: a difference this small drowns in whatever else the machine does.
  const loopback = [await added("127.0.0.1"), await added("127.0.0.1"), await added("127.0.0.1")];
  assert.ok(Math.min(...loopback) < MAX_LOOPBACK_US, `loopback: ${loopback} us more`);
});

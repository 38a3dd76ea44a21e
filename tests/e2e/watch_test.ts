/** A command that ought to have the shim and runs without it is found out, and with --strict ended. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmod, copyFile } from "node:fs/promises";
import test from "node:test";
import { needs, programPath } from "../helpers/needs.ts";
import { makeTempDir, type TempDir } from "../helpers/temp_dir.ts";
import { runTsocks, startTsocks, TSOCKS } from "../helpers/tsocks.ts";
import { start } from "../helpers/processes.ts";
import { waitFor } from "../helpers/wait.ts";

/** A server that is never asked. */
const UNUSED = ["--server", "socks5://127.0.0.1:1080"];
const SOURCES = new URL("../fixtures/programs/", import.meta.url).pathname;

/** A dynamically linked program whose ld.so loads nothing. */
function compileUnloaded(dir: TempDir): string {
  const gcc = programPath("gcc");
  const [loader, program] = [dir.file("loader"), dir.file("unloaded")];
  execFileSync(gcc, ["-nostdlib", "-static", "-o", loader, `${SOURCES}load_nothing.c`]);
  const link = `-Wl,--dynamic-linker=${loader}`;
  execFileSync(gcc, [link, "-o", program, `${SOURCES}print_word.c`]);
  return program;
}

test(
  "a command that ld.so does not put the shim into is said in the log",
  needs("gcc"),
  async () => {
    await using dir = await makeTempDir();
    await using home = await makeTempDir();
    await using tsocks = startTsocks(["run", ...UNUSED, "--", compileUnloaded(dir)], home);
    await waitFor("the line", () => tsocks.stderr.includes("\n"));
    assert.match(
      tsocks.stderr,
      /^\S+ \d+ unloaded \S+\/unloaded UNCOVERED - runs without the shim, which ld.so did not load; only the proxy variables carry it\n$/,
    );
    tsocks.kill("SIGTERM");
    assert.equal((await tsocks.finished).status, 128 + 15);
  },
);

test("--strict ends it", needs("gcc"), async () => {
  await using dir = await makeTempDir();
  const command = ["run", ...UNUSED, "--strict", "--", compileUnloaded(dir)];
  const { status, stdout, stderr } = await runTsocks(command);
  assert.deepEqual([status, stdout], [125, ""]);
  assert.match(
    stderr,
    /UNCOVERED - runs without the shim.*--strict\ntsocks: Not covered: the program runs without .*\n {2}at .*\n {2}fix: .*\n$/,
  );
});

test(
  "a command with file capabilities is found out too",
  needs("root", "setpriv", "python3"),
  async () => {
    await using dir = await makeTempDir();
    await using home = await makeTempDir();
    await chmod(dir.path, 0o755);
    await copyFile("/bin/sleep", dir.file("sleep"));
    // struct vfs_cap_data of linux/capability.h: revision 2, effective; CAP_NET_RAW
    const value = "0100000200200000000000000000000000000000";
    const script = `import os; os.setxattr("${dir.file("sleep")}", "security.capability", ` +
      `bytes.fromhex("${value}"))`;
    execFileSync(programPath("python3"), ["-c", script]);
    const become = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];
    const args = [...become, TSOCKS, "run", ...UNUSED, "--strict", "--", dir.file("sleep"), "60"];
    await using tsocks = start(programPath("setpriv"), args, { env: { HOME: home.path } });
    const { status, stderr } = await tsocks.finished;
    assert.equal(status, 125);
    assert.match(stderr, /sleep UNCOVERED - has file capabilities; --strict\n/);
  },
);

test("commands that are covered, end at once or become others are no finding", async () => {
  for (const command of [["true"], ["sh", "-c", "exec sleep 0.1"], ["sleep", "0.1"]]) {
    const args = ["run", ...UNUSED, "--strict", "--", ...command];
    const { status, stdout, stderr } = await runTsocks(args);
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: "", stderr: "" });
  }
});

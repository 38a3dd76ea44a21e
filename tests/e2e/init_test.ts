/** tsocks init: asked on a terminal, or told; what it writes is what tsocks then reads. */

import assert from "node:assert/strict";
import { readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { parseTsocksConf } from "../../src/config/tsocks_conf.ts";
import { needs } from "../helpers/needs.ts";
import { run } from "../helpers/processes.ts";
import { python } from "../helpers/python.ts";
import { makeTempDir, type TempDir } from "../helpers/temp_dir.ts";
import { startTsocks, TSOCKS } from "../helpers/tsocks.ts";

async function init(home: TempDir, ...args: string[]) {
  await using running = startTsocks(["init", ...args], home);
  return await running.finished;
}

const modeOf = async (filePath: string) => ((await stat(filePath)).mode & 0o777).toString(8);

/** Runs argv[2:] on a terminal, answers each prompt (`: ` at the end) with a line of argv[1]; prints all that was shown. */
const ON_TERMINAL = `
import os, pty, re, sys
answers = sys.argv[1].split("\\n")
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
shown = b""
seen = 0
while True:
    try:
        octets = os.read(fd, 1000)
    except OSError:
        break
    if not octets: break
    shown = re.sub(rb"\\x1b\\[[0-9]*[A-Z]", b"", shown + octets)
    if shown[seen:].endswith(b"): ") and answers:
        seen = len(shown)
        os.write(fd, answers.pop(0).encode() + b"\\r")
_, status = os.waitpid(pid, 0)
sys.stdout.write(shown.decode())
print("status", os.waitstatus_to_exitcode(status), len(answers))
`;

async function onTerminal(home: TempDir, answers: string[], args: string[] = []) {
  const script = python(ON_TERMINAL, answers.join("\n"), TSOCKS, "init", ...args);
  const { stdout, stderr } = await run(script[0]!, script.slice(1), {
    env: { HOME: home.path, TMPDIR: home.path },
  });
  assert.equal(stderr, "");
  return stdout.replaceAll("\r", "");
}

test(
  "tsocks init asks, once more where an answer is wrong, and writes",
  needs("python3"),
  async () => {
    await using home = await makeTempDir();
    const shown = await onTerminal(home, [
      "127.0.0.1:1080",
      "socks5://10.1.4.253",
      "alice",
      "Hunter2",
      "10.0.0.1/8",
      "10.0.0.0/8, 192.168.0.0/16",
      "*.lan",
    ]);
    assert.match(shown, /^tsocks: Server URL without a known scheme$/m);
    assert.match(
      shown,
      /^tsocks: Network address has bits outside its mask\n {2}at 10\.0\.0\.1\/8$/m,
    );
    assert.match(shown, /\nWrote .*\/\.tsocks\.conf\nstatus 0 0\n$/);
    assert.ok(!shown.includes("Hunter2"), shown);
    const conf = home.file(".tsocks.conf");
    assert.equal(await modeOf(conf), "600");
    const { config, diagnostics } = parseTsocksConf(await readFile(conf, "utf8"), conf);
    assert.deepEqual(diagnostics, []);
    const { hostname, port, type, credentials } = config.defaultServer!;
    assert.deepEqual([hostname, port, type], ["10.1.4.253", 1080, "5"]);
    assert.deepEqual([credentials.user, credentials.revealPassword()], ["alice", "Hunter2"]);
    assert.deepEqual(config.locals.slice(2).map(({ text }) => text), [
      "10.0.0.0/8",
      "192.168.0.0/16",
    ]);
    assert.deepEqual(config.localNames.map(({ text }) => text), ["*.lan"]);
  },
);

test("^C and ^D while it asks leave nothing behind", needs("python3"), async () => {
  for (const key of ["\x03", "\x04"]) {
    await using home = await makeTempDir();
    const shown = await onTerminal(home, [key]);
    assert.match(shown, /tsocks: Nothing was written\n(.*\n)*status 125 0\n$/);
    assert.deepEqual(await readdir(home.path), []);
  }
});

test("tsocks init --server --yes asks nothing; a password makes the file private", async () => {
  await using home = await makeTempDir();
  const plain = await init(home, "--server", "socks4a://[::1]:1081", "--yes");
  assert.deepEqual([plain.status, plain.stderr], [0, ""]);
  assert.equal(plain.stdout, `Wrote ${home.file(".tsocks.conf")}\n`);
  assert.equal(await modeOf(home.file(".tsocks.conf")), "644");
  const secret = await init(
    home,
    "--server",
    "http://bob:a%20b@proxy.example",
    "-y",
    home.file("x.jsonc"),
  );
  assert.equal(secret.status, 0);
  assert.equal(await modeOf(home.file("x.jsonc")), "600");
  assert.match(await readFile(home.file("x.jsonc"), "utf8"), /^ {2}"default_pass": "a b",$/m);
  await using tsocks = startTsocks(["run", "--conf", home.file("x.jsonc"), "--", "true"], home);
  const { status, stderr } = await tsocks.finished;
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
});

test("tsocks init writes over nothing without --force, nor beside the other form", async () => {
  await using home = await makeTempDir();
  const conf = home.file(".tsocks.conf");
  const args = ["--server", "socks5://u:p@h", "--yes"];
  await writeFile(conf, "server = mine\n", { mode: 0o644 });
  for (const more of [[], [home.file(".tsocks.jsonc")], ["--force", home.file(".tsocks.jsonc")]]) {
    const { status, stderr } = await init(home, ...args, ...more);
    assert.equal(status, 125);
    assert.ok(
      stderr.startsWith(`tsocks: There is a configuration already\n  at ${conf}\n`),
      stderr,
    );
    assert.equal(await readFile(conf, "utf8"), "server = mine\n");
  }
  assert.equal((await init(home, ...args, "--force")).status, 0);
  assert.match(await readFile(conf, "utf8"), /^server = h$/m);
  assert.equal(await modeOf(conf), "600");
  await symlink(home.file("target"), home.file("link.conf"));
  assert.equal((await init(home, ...args, home.file("link.conf"))).status, 125);
  assert.deepEqual((await readdir(home.path)).sort(), [".tsocks.conf", "link.conf"]);
});

/** Arguments, what is said. */
const WRONG: [string[], RegExp][] = [
  [[], /^tsocks: There is no terminal to ask on$/m],
  [["--yes"], /^tsocks: --yes needs --server$/m],
  [["--server", "ftp://h", "--yes"], /^tsocks: Server URL without a known scheme$/m],
  [["--server", "socks5://u:Hunter%202@h", "--yes"], /^tsocks: tsocks\.conf has no quotes/m],
  [["--server", "socks5://h", "--yes", "/proc/none/x"], /^tsocks: Cannot write it: ENOENT$/m],
  [["a", "b"], /^tsocks: One file at most$/m],
  [["--frce"], /^tsocks: Unknown option/m],
];

for (const [args, said] of WRONG) {
  test(`tsocks init ${args.join(" ")} says what is wrong`, async () => {
    await using home = await makeTempDir();
    const { status, stdout, stderr } = await init(home, ...args);
    assert.deepEqual([status, stdout], [125, ""]);
    assert.match(stderr, said);
    assert.ok(!stderr.includes("Hunter"));
    assert.deepEqual(await readdir(home.path), []);
  });
}

/** Secrets: a password of a server is seen by that server, and by nobody else. */

import assert from "node:assert/strict";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { listChildren, readCommandLine } from "../helpers/leftovers.ts";
import { startWebServer } from "../helpers/local_servers.ts";
import { needs } from "../helpers/needs.ts";
import { connectCommand } from "../helpers/python.ts";
import { startReferenceServer } from "../helpers/reference_server.ts";
import { makeTempDir } from "../helpers/temp_dir.ts";
import { runTsocks, startTsocks } from "../helpers/tsocks.ts";
import { waitFor } from "../helpers/wait.ts";

const SECRET = "correct-horse-battery";

test(
  "no log, message or environment of the command shows the password",
  needs("python3"),
  async () => {
    await using web = await startWebServer();
    const routes = { "hello.example": web.port };
    for (const password of [SECRET, "another"]) {
      await using server = await startReferenceServer({ routes, user: "bob", password });
      await using dir = await makeTempDir();
      const url = `socks5://bob:${SECRET}@127.0.0.1:${server.port}`;
      const debug = ["--debug", "2", "--debug-file", dir.file("debug.log")];
      const connect = connectCommand("hello.example", 80);
      const command = ["sh", "-c", 'env; "$@"', "sh", ...connect];
      const { stdout, stderr } = await runTsocks([
        "run",
        "--server",
        url,
        ...debug,
        "--",
        ...command,
      ]);
      assert.match(stdout, password === SECRET ? /^connected$/m : /^EACCES$/m);
      const log = await readFile(dir.file("debug.log"), "utf8");
      for (const [where, text] of Object.entries({ stdout, stderr, log })) {
        assert.ok(!text.includes(SECRET), `the password is in ${where}`);
      }
    }
  },
);

test("TSOCKS_PASSWORD and the configuration's password stay out of the command's environment", async () => {
  await using dir = await makeTempDir();
  const lines = ["server = 127.0.0.1", "server_type = 5", "default_user = bob"];
  const conf = [...lines, `default_pass = ${SECRET}`, ""].join("\n");
  await writeFile(dir.file("tsocks.conf"), conf, { mode: 0o600 });
  const env = { TSOCKS_PASSWORD: `${SECRET}-2` };
  const args = ["run", "--conf", dir.file("tsocks.conf"), "--", "env"];
  const { status, stdout } = await runTsocks(args, { env });
  assert.equal(status, 0);
  assert.ok(!stdout.includes(SECRET));
});

test("a password in --server is soon gone from what ps shows", async () => {
  await using home = await makeTempDir();
  const url = `socks5://bob:${SECRET}@127.0.0.1:1080`;
  const args = ["run", "--server", url, "--", "sh", "-c", "echo ready; read -r line"];
  await using tsocks = startTsocks(args, home, { input: "open" });
  await tsocks.waitForOutput(/ready/);
  const isHidden = () => !readCommandLine(tsocks.pid).includes(SECRET);
  await waitFor("the password to be hidden", isHidden, 2_000);
  for (const child of listChildren(tsocks.pid)) {
    assert.ok(!readCommandLine(child).includes(SECRET));
  }
});

test("the command cannot read a password in the environment of tsocks", async () => {
  const script = "tr '\\0' '\\n' </proc/$PPID/environ; env";
  const { status, stdout } = await runTsocks(
    ["run", "--server", "socks5://bob@127.0.0.1:1080", "--", "sh", "-c", script],
    { env: { TSOCKS_PASSWORD: SECRET, HARMLESS: "to be seen" } },
  );
  assert.equal(status, 0);
  assert.ok(stdout.includes("HARMLESS=to be seen"));
  assert.ok(!stdout.includes(SECRET), stdout);
});

test("an error in a server URL does not repeat its password", async () => {
  for (
    const url of [`socks9://bob:${SECRET}@127.0.0.1:1`, `socks5://bob:${SECRET}@127.0.0.1:999999`]
  ) {
    const { status, stderr } = await runTsocks(["run", "--server", url, "--", "true"]);
    assert.equal(status, 125);
    assert.ok(!stderr.includes(SECRET), stderr);
  }
});

test("the files of a run can be read by its command, and changed by nobody", async () => {
  await using home = await makeTempDir();
  const args = [
    "run",
    "--server",
    "socks5://127.0.0.1:1080",
    "--",
    "sh",
    "-c",
    "echo up; read -r l",
  ];
  await using tsocks = startTsocks(args, home, { input: "open" });
  await tsocks.waitForOutput(/up/);
  const [name = ""] = await readdir(home.path);
  const modeOf = async (path: string) => ((await stat(home.file(path))).mode & 0o777).toString(8);
  assert.match(name, /^tsocks-.{6}/);
  assert.equal(await modeOf(name), "711");
  const shims = (await readdir(home.file(name))).filter((file) => file.startsWith("libtsocks"));
  assert.ok(shims.length > 0);
  for (const shim of shims) assert.equal(await modeOf(`${name}/${shim}`), "644");
  assert.equal(await modeOf(`${name}/control`), "666");
});

/** The launcher: the command runs as if it had been started without tsocks, and nothing is left behind. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { chmod, readdir, readFile, writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { test } from "node:test";
import { listGroup } from "../helpers/leftovers.ts";
import { startServer, startWebServer } from "../helpers/local_servers.ts";
import { needs } from "../helpers/needs.ts";
import { startReferenceServer } from "../helpers/reference_server.ts";
import { makeTempDir } from "../helpers/temp_dir.ts";
import { runTsocks, startTsocks } from "../helpers/tsocks.ts";
import { canConnect, waitFor } from "../helpers/wait.ts";

/** A server that is never asked. */
const UNUSED = ["--server", "socks5://127.0.0.1:1080"];

function shell(script: string): string[] {
  return ["run", ...UNUSED, "--", "sh", "-c", script];
}

test("the exit status is the command's own", async () => {
  for (const status of [0, 1, 7, 125, 255]) {
    assert.equal((await runTsocks(shell(`exit ${status}`))).status, status);
  }
});

test("a command that a signal ends is 128 and the signal's number", async () => {
  for (const [signal, status] of [["TERM", 143], ["KILL", 137], ["SEGV", 139]] as const) {
    assert.equal((await runTsocks(shell(`kill -${signal} $$`))).status, status);
  }
});

test("the old short form runs the command, `sh -c` too", async () => {
  await using dir = await makeTempDir();
  await writeFile(dir.file("tsocks.conf"), "server = 127.0.0.1\n");
  const env = { TSOCKS_CONF_FILE: dir.file("tsocks.conf") };
  const done = await runTsocks(["sh", "-c", "echo $0 $1", "a", "b"], { env });
  assert.deepEqual([done.status, done.stdout, done.stderr], [0, "a b\n", ""]);
});

test("TERM to tsocks ends the command, with 143", async () => {
  await using home = await makeTempDir();
  await using tsocks = startTsocks(shell("echo ready; exec sleep 60"), home);
  await tsocks.waitForOutput(/ready/);
  tsocks.kill("SIGTERM");
  assert.equal((await tsocks.finished).status, 143);
  assert.deepEqual(await readdir(home.path), []);
});

test("a signal in the command's first moment is not lost, and leaves nothing behind", async () => {
  await using home = await makeTempDir();
  const early = Array.from({ length: 10 }, async () => {
    await using tsocks = startTsocks(shell("kill -TERM $PPID; exec sleep 60"), home);
    return (await tsocks.finished).status;
  });
  assert.deepEqual(await Promise.all(early), Array(10).fill(143));
  assert.deepEqual(await readdir(home.path), []);
});

test("the command may handle signals and end as it likes", async () => {
  for (const signal of ["TERM", "INT", "HUP", "USR1", "USR2"] as const) {
    await using home = await makeTempDir();
    const script = `trap 'echo caught; exit 9' ${signal}; echo ready; while :; do sleep 0.01; done`;
    await using tsocks = startTsocks(shell(script), home);
    await tsocks.waitForOutput(/ready/);
    tsocks.kill(`SIG${signal}`);
    const { status, stdout } = await tsocks.finished;
    assert.deepEqual({ signal, status, stdout }, { signal, status: 9, stdout: "ready\ncaught\n" });
  }
});

test("an LD_PRELOAD of the user's own stays, behind ours", async () => {
  const env = { LD_PRELOAD: "libm.so.6" };
  const { stdout, stderr } = await runTsocks(shell('echo "$LD_PRELOAD"'), { env });
  assert.match(stdout, /^\/\S+\/libtsocks\S+:libm\.so\.6\n$/);
  assert.equal(stderr, "");
});

test("the environment is the user's, but for ours", async () => {
  const { stdout } = await runTsocks(shell("env"), {
    env: { MINE: "a b=c", http_proxy: "http://x" },
  });
  const environment = new Map(
    stdout.trimEnd().split("\n").map((line) => {
      const at = line.indexOf("=");
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
  assert.equal(environment.get("MINE"), "a b=c");
  for (const name of ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"]) {
    assert.match(environment.get(name) ?? "", /^http:\/\/\S+@127\.0\.0\.1:\d+$/);
    assert.equal(environment.get(name.toLowerCase()), environment.get(name));
  }
  assert.match(environment.get("NO_PROXY") ?? "", /\blocalhost\b/);
});

test("--no-env leaves the proxy variables as they are", async () => {
  const args = ["run", ...UNUSED, "--no-env", "--", "sh", "-c", 'echo "$http_proxy,$ALL_PROXY"'];
  const { stdout } = await runTsocks(args, { env: { http_proxy: "http://mine" } });
  assert.equal(stdout, "http://mine,\n");
});

test("input and output pass through as they are, and errors apart", async () => {
  const input = randomBytes(1_000_000);
  const script = "cat; echo complaint >&2";
  const { status, stdoutBytes, stderr } = await runTsocks(shell(script), { input });
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "complaint\n" });
  assert.ok(Buffer.compare(stdoutBytes, input) === 0);
});

test("the command runs in the same directory and with the same umask", async () => {
  await using dir = await makeTempDir();
  const { stdout } = await runTsocks(shell("pwd; umask"), { cwd: dir.path });
  const umask = process.umask().toString(8).padStart(4, "0");
  assert.equal(stdout, `${dir.path}\n${umask}\n`);
});

test("the command inherits no descriptor of ours", async () => {
  const { stdout } = await runTsocks(shell("ls /proc/self/fd"));
  assert.equal(stdout, "0\n1\n2\n3\n"); // 3 is ls reading the directory
});

test("tsocks ends with nothing left: no file, no process, no listener", async () => {
  for (const script of ["exit 0", "exit 3", "kill -KILL $$"]) {
    await using home = await makeTempDir();
    await using tsocks = startTsocks(shell(`echo "$ALL_PROXY"; ${script}`), home);
    const { stdout } = await tsocks.finished;
    assert.deepEqual(await readdir(home.path), []);
    assert.deepEqual(listGroup(tsocks.pid), []);
    assert.equal(await canConnect(Number(stdout.match(/:(\d+)$/m)?.[1])), false);
  }
});

test("a command that cannot be run leaves nothing either", async () => {
  await using home = await makeTempDir();
  await using tsocks = startTsocks(["run", ...UNUSED, "--", "no-such-command-here"], home);
  assert.equal((await tsocks.finished).status, 127);
  assert.deepEqual(await readdir(home.path), []);
  assert.deepEqual(listGroup(tsocks.pid), []);
});

test(
  "a command that becomes another user is still covered",
  needs("root", "setpriv", "curl"),
  async () => {
    await using web = await startWebServer();
    await using server = await startReferenceServer({ routes: { "hello.example": web.port } });
    await using home = await makeTempDir();
    await chmod(home.path, 0o711);
    const become = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
    const command = [...become, "curl", "-sS", "http://hello.example/"];
    const args = ["run", "--server", server.url(), "--no-env", "--", ...command];
    await using tsocks = startTsocks(args, home);
    const { status, stdout, stderr } = await tsocks.finished;
    const page = { status: 0, stdout: "page of hello.example\n", stderr: "" };
    assert.deepEqual({ status, stdout, stderr }, page);
  },
);

test("a script without #! is given to sh, as env does", async () => {
  await using dir = await makeTempDir();
  await writeFile(dir.file("script"), 'echo "$1"; exit 3\n', { mode: 0o755 });
  const args = ["run", "--server", "socks5://127.0.0.1:1080", "--", dir.file("script"), "word"];
  const { status, stdout, stderr } = await runTsocks(args);
  assert.deepEqual({ status, stdout, stderr }, { status: 3, stdout: "word\n", stderr: "" });
});

test("--version and --help say so, with status 0", async () => {
  const version = await runTsocks(["--version"]);
  assert.deepEqual([version.status, version.stderr], [0, ""]);
  assert.match(version.stdout, /^tsocks \d+\.\d+\.\d+/);
  const help = await runTsocks(["--help"]);
  assert.deepEqual([help.status, help.stderr], [0, ""]);
  assert.match(help.stdout, /tsocks run/);
});

/** A command whose grandchild holds a connection open behind it, and writes what comes to a file. */
const LEAVING = (filePath: string) => `
(exec 3<>/dev/tcp/hello.example/80; echo up >&3; read -r line <&3; echo "$line" >${filePath}) >/dev/null 2>&1 &
echo left`;

for (const flags of [[], ["--linger"]]) {
  const title = flags.length === 0
    ? "connections of what a command leaves behind end with it"
    : "--linger lets what a command leaves behind finish";
  test(title, needs("bash"), async () => {
    const sockets: Socket[] = [];
    await using destination = await startServer((socket) => {
      socket.once("data", () => sockets.push(socket));
    });
    await using server = await startReferenceServer({
      routes: { "hello.example": destination.port },
    });
    await using home = await makeTempDir();
    await using dir = await makeTempDir();
    const wait = `while [ ! -e ${dir.file("go")} ]; do sleep 0.01; done`;
    const command = ["bash", "-c", `${LEAVING(dir.file("line"))}; ${wait}`];
    const args = ["run", "--server", server.url(), "--no-env", ...flags, "--", ...command];
    await using tsocks = startTsocks(args, home);
    const socket = await waitFor("the connection", () => sockets[0]);
    await writeFile(dir.file("go"), "");
    if (flags.length > 0) {
      await waitFor("the command's end", () => listGroup(tsocks.pid).length <= 2);
      assert.equal(tsocks.isOver, false);
      socket.end("late\n");
    }
    assert.equal((await tsocks.finished).status, 0);
    const line = await waitFor("the line", () => readFile(dir.file("line"), "utf8").catch(() => ""))
      .catch(() => "");
    assert.equal(line, flags.length > 0 ? "late\n" : "\n");
    assert.deepEqual(await readdir(home.path), []);
  });
}

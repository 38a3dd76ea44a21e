/**
 * What bad input gets: one clear error, the right errno in the program or the right exit status, never a
 * hang, never a direct connection. The destination is reachable directly, so that a leak would succeed.
 */

import assert from "node:assert/strict";
import { chmod, stat, writeFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { test } from "node:test";
import {
  findRefusedPort,
  startGarbageServer,
  startSilentServer,
  startWebServer,
} from "../helpers/local_servers.ts";
import { needs, outsideAddress } from "../helpers/needs.ts";
import { underOverlay } from "../helpers/overlay.ts";
import type { Finished } from "../helpers/processes.ts";
import { run } from "../helpers/processes.ts";
import { connectCommand } from "../helpers/python.ts";
import { startReferenceServer } from "../helpers/reference_server.ts";
import { makeTempDir } from "../helpers/temp_dir.ts";
import { runTsocks, TSOCKS } from "../helpers/tsocks.ts";

const forPython = needs("python3", "an address beside loopback");
const forCurl = needs("curl", "an address beside loopback");
const THREE_LINES = /^tsocks: .+\n {2}at .+\n {2}fix: .+\n/m;

/** What a blocking program is told about a destination that is there, behind `server`; stderr is asserted by `pattern`. */
async function assertErrno(server: string, errno: string, pattern: RegExp): Promise<void> {
  await using web = await startWebServer({ hostname: outsideAddress() });
  const command = connectCommand(outsideAddress(), web.port);
  const options = ["--server", server, "--connect-timeout", "1"];
  const { status, stdout, stderr } = await runTsocks(["run", ...options, ...command]);
  assert.deepEqual({ status, stdout }, { status: 0, stdout: `${errno}\n` });
  assert.match(stderr, THREE_LINES);
  assert.match(stderr, pattern);
  assert.equal(web.connections(), 0, "a direct connection");
}

/** Exit status 125, the three lines, and the child not started. */
async function assertNotStarted(
  options: string[],
  pattern: RegExp,
  env: Record<string, string> = {},
): Promise<void> {
  await using dir = await makeTempDir();
  const args = ["run", ...options, "--", "touch", dir.file("started")];
  const done = await runTsocks(args, { env });
  assert.equal(done.status, 125);
  assert.match(done.stderr, pattern);
  assert.match(done.stderr, THREE_LINES);
  await assert.rejects(stat(dir.file("started")), { code: "ENOENT" });
}

test("a server that refuses is ECONNREFUSED, and said to be the server", forPython, async () => {
  const server = `socks5://127.0.0.1:${await findRefusedPort()}`;
  await assertErrno(server, "ECONNREFUSED", /Cannot connect to the SOCKS server/);
});

test("a server that stays silent is ETIMEDOUT after the deadline", forPython, async () => {
  await using server = await startSilentServer();
  await assertErrno(`socks5://127.0.0.1:${server.port}`, "ETIMEDOUT", /did not answer in time/);
});

test("a server that answers garbage is EPROTO", forPython, async () => {
  await using server = await startGarbageServer();
  await assertErrno(`socks5://127.0.0.1:${server.port}`, "EPROTO", /not the protocol's/);
});

test("a wrong password is EACCES", forPython, async () => {
  await using server = await startReferenceServer({ user: "bob", password: "right" });
  const url = `socks5://bob:wrong@127.0.0.1:${server.port}`;
  await assertErrno(url, "EACCES", /user name or password/);
});

test("a missing password is EACCES", forPython, async () => {
  await using server = await startReferenceServer({ user: "bob", password: "right" });
  await assertErrno(`socks5://127.0.0.1:${server.port}`, "EACCES", /another authentication/);
});

test("a server that resets before its reply fails the connect", forPython, async () => {
  await using server = await startReferenceServer({ resets: true });
  const url = `socks5://127.0.0.1:${server.port}`;
  await assertErrno(url, "ECONNABORTED", /closed the connection before its reply/);
});

const REPLIES: [rep: number, errno: string][] = [
  [1, "ECONNABORTED"],
  [2, "EACCES"],
  [3, "ENETUNREACH"],
  [4, "EHOSTUNREACH"],
  [5, "ECONNREFUSED"],
  [6, "ETIMEDOUT"],
  [7, "ENOTSUP"], // Python's name for EOPNOTSUPP, the same number on Linux
  [8, "EAFNOSUPPORT"],
];

for (const [rep, errno] of REPLIES) {
  test(`SOCKS5 reply ${rep} is ${errno} in the program`, needs("python3"), async () => {
    await using server = await startReferenceServer({ rep });
    const args = ["run", "--server", server.url(), ...connectCommand("hello.example", 80)];
    const { status, stdout } = await runTsocks(args);
    assert.deepEqual({ status, stdout }, { status: 0, stdout: `${errno}\n` });
  });
}

test(
  "a destination that refuses is ECONNREFUSED in bash, and nobody blames the server",
  needs("bash"),
  async () => {
    const routes = { "hello.example": await findRefusedPort() };
    await using server = await startReferenceServer({ routes });
    const script = ": <>/dev/tcp/hello.example/80";
    const args = ["run", "--server", server.url(), "--", "bash", "-c", script];
    const { status, stderr } = await runTsocks(args);
    assert.equal(status, 1);
    assert.match(stderr, /Connection refused/);
    assert.doesNotMatch(stderr, /fix:/);
  },
);

test("a destination that no server reaches is EACCES", forPython, async () => {
  await using web = await startWebServer({ hostname: outsideAddress() });
  await using server = await startReferenceServer();
  const options = ["--server", server.url(), "--reaches", "10.99.0.0/16"];
  const command = connectCommand(outsideAddress(), web.port);
  const { status, stdout, stderr } = await runTsocks(["run", ...options, ...command]);
  assert.deepEqual({ status, stdout }, { status: 0, stdout: "EACCES\n" });
  assert.match(stderr, / REFUSE - /);
  assert.equal(web.connections() + server.connections(), 0);
});

test("a name over 255 bytes does not exist", needs("python3", "curl"), async () => {
  await using server = await startReferenceServer();
  const name = Array(5).fill("a".repeat(60)).join(".");
  const args = ["run", "--server", server.url()];
  const { stdout } = await runTsocks([...args, ...connectCommand(name, 80)]);
  assert.equal(stdout, "EAI_NONAME\n");
  const curl = await runTsocks([...args, "--no-env", "curl", "-sS", `http://${name}/`]);
  assert.equal(curl.status, 6);
  assert.deepEqual(server.requests, []);
});

interface Broken {
  what: string;
  start(): Promise<AsyncDisposable & { port: number }>;
}

const BROKEN: Broken[] = [
  { what: "stays silent", start: startSilentServer },
  { what: "answers garbage", start: startGarbageServer },
  { what: "resets", start: () => startReferenceServer({ resets: true }) },
  { what: "refuses the destination", start: () => startReferenceServer({ rep: 5 }) },
];

for (const { what, start } of BROKEN) {
  for (const flags of [[], ["--no-env"]]) {
    const title = `curl fails, and soon, when the server ${what}`;
    test([title, ...flags].join(" "), forCurl, async () => {
      await using web = await startWebServer({ hostname: outsideAddress() });
      await using server = await start();
      const url = `http://${outsideAddress()}:${web.port}/`;
      const options = ["--server", `socks5://127.0.0.1:${server.port}`, "--connect-timeout", "1"];
      // -f: with the proxy variables the failure is an HTTP status
      const args = ["run", ...options, ...flags, "--", "curl", "-sSf", url];
      const { status, stdout } = await runTsocks(args);
      assert.notEqual(status, 0);
      assert.equal(stdout, "");
      assert.equal(web.connections(), 0, "a direct connection");
    });
  }
}

test("no server configured does not start the command", async () => {
  await using dir = await makeTempDir();
  await writeFile(dir.file("empty.conf"), "# nothing\n");
  await assertNotStarted(["--conf", dir.file("empty.conf")], /server/);
});

test(
  "no configuration at all does not start the command",
  needs("root", "mount namespaces"),
  async () => {
    await using dir = await makeTempDir();
    const overlay = { "/etc": dir.path, "/usr/local/etc": dir.path };
    const [program = "", ...args] = underOverlay(overlay, [
      TSOCKS,
      "run",
      "touch",
      dir.file("started"),
    ]);
    const done = await run(program, args);
    assert.equal(done.status, 125);
    assert.match(done.stderr, THREE_LINES);
    await assert.rejects(stat(dir.file("started")), { code: "ENOENT" });
  },
);

test("a configuration file that is missing does not start the command", async () => {
  const missing = ["--conf", "/nonexistent/tsocks.conf"];
  await assertNotStarted(missing, /\/nonexistent\/tsocks\.conf/);
  await assertNotStarted([], /\/nonexistent\/x/, { TSOCKS_CONF_FILE: "/nonexistent/x" });
});

test("every error of a configuration is told with its line", async () => {
  await using dir = await makeTempDir();
  const conf = dir.file("bad.conf");
  await writeFile(conf, "server = 127.0.0.1\nserver_port = 70000\nserver_type = 6\n");
  await assertNotStarted(["--conf", conf], new RegExp(`${conf}:2[^]*${conf}:3`));
});

test("a server URL that is none does not start the command", async () => {
  for (const url of ["nonsense", "socks6://127.0.0.1:1", "socks5://", "socks5://127.0.0.1:99999"]) {
    await assertNotStarted(["--server", url], /server/i);
  }
});

test("a debug file that cannot be written does not start the command", async () => {
  const options = ["--server", "socks5://127.0.0.1:1080"];
  const env = { TSOCKS_DEBUG_FILE: "/nonexistent/debug.log" };
  await assertNotStarted(options, /\/nonexistent\/debug\.log/, env);
});

test("a password file that cannot be read does not start the command", async () => {
  const options = ["--server", "socks5://bob@127.0.0.1:1080", "--password-file", "/nonexistent/p"];
  await assertNotStarted(options, /\/nonexistent\/p/);
});

test("a command that does not exist is 127, one that may not run is 126", async () => {
  await using dir = await makeTempDir();
  await writeFile(dir.file("script"), "#!/bin/sh\n");
  await chmod(dir.file("script"), 0o644);
  const options = ["run", "--server", "socks5://127.0.0.1:1080", "--"];
  const missing = await runTsocks([...options, "no-such-command-here"]);
  assert.equal(missing.status, 127);
  assert.match(missing.stderr, THREE_LINES);
  const forbidden = await runTsocks([...options, dir.file("script")]);
  assert.equal(forbidden.status, 126);
  assert.match(forbidden.stderr, THREE_LINES);
});

test("an unknown option is 125", async () => {
  const done = await runTsocks(["run", "--no-such-option", "--", "true"]);
  assert.equal(done.status, 125);
  assert.match(done.stderr, THREE_LINES);
});

/** Runs tsocks where each of `directories` is on a file system without execute permission for mappings. */
async function runWithNoexec(directories: string[], command: string[]): Promise<Finished> {
  const mounts = directories.map((path) => `mount -t tmpfs -o noexec none ${path}`).join("; ");
  // The binary itself may be below one of them.
  const script = `set -e; mount --bind "$1" /mnt; ${mounts}; shift; exec /mnt/"$@"`;
  const env = { TMPDIR: "/tmp", XDG_RUNTIME_DIR: "/run" };
  const args = [
    "-m",
    "sh",
    "-c",
    script,
    "sh",
    dirname(TSOCKS),
    basename(TSOCKS),
    "run",
    "--server",
    ...command,
  ];
  return await run("unshare", args, { env });
}

test(
  "a TMPDIR without execute permission is passed over",
  needs("root", "mount namespaces", "curl"),
  async () => {
    await using web = await startWebServer();
    await using server = await startReferenceServer({ routes: { "hello.example": web.port } });
    const curl = ["--no-env", "--", "curl", "-sS", "http://hello.example/"];
    const done: Finished = await runWithNoexec(["/tmp"], [server.url(), ...curl]);
    assert.deepEqual([done.status, done.stdout], [0, "page of hello.example\n"]);
  },
);

test(
  "no directory with execute permission at all does not start the command",
  needs("root", "mount namespaces"),
  async () => {
    const all = ["/tmp", "/dev/shm", "/var/tmp", "/run"];
    const done = await runWithNoexec(all, ["socks5://127.0.0.1:1080", "--", "echo", "started"]);
    assert.deepEqual([done.status, done.stdout], [125, ""]);
    assert.match(done.stderr, /noexec/);
    assert.match(done.stderr, THREE_LINES);
  },
);

test(
  "variables that name files are ignored when the user is another than the real one",
  needs("root", "setpriv"),
  async () => {
    await using dir = await makeTempDir();
    await chmod(dir.path, 0o777);
    const env = { TSOCKS_CONF_FILE: "/nonexistent/x", TSOCKS_DEBUG_FILE: dir.file("debug.log") };
    const tsocks = [TSOCKS, "run", "--server", "socks5://127.0.0.1:1080", "--debug", "2", "true"];
    const done = await run("setpriv", ["--ruid", "65534", ...tsocks], { env });
    assert.doesNotMatch(done.stderr, /\/nonexistent/);
    await assert.rejects(stat(dir.file("debug.log")), { code: "ENOENT" });
  },
);

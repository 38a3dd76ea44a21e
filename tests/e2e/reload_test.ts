/** The configuration read again while programs run: by SIGHUP and `tsocks reload`; connections that there are go on. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { test } from "node:test";
import { startEchoServer } from "../helpers/local_servers.ts";
import { needs } from "../helpers/needs.ts";
import { run, type Running, start } from "../helpers/processes.ts";
import { python } from "../helpers/python.ts";
import { type ReferenceServer, startReferenceServer } from "../helpers/reference_server.ts";
import { makeTempDir } from "../helpers/temp_dir.ts";
import { runTsocks, startTsocks, TSOCKS } from "../helpers/tsocks.ts";
import { waitFor } from "../helpers/wait.ts";

/** Holds one connection; for each line read says on stdout what it and a new connection did. */
const PROGRAM = `
import errno, signal, socket, sys
signal.signal(signal.SIGHUP, lambda *_: print("hung up", flush=True))
held = socket.create_connection(("203.0.113.9", 80))
def say(s, word):
    s.sendall(word.encode())
    return s.recv(9).decode()
print("ready", flush=True)
while line := sys.stdin.readline():
    try:
        new = say(socket.create_connection(("203.0.113.9", 80)), "new")
    except OSError as e:
        new = errno.errorcode[e.errno]
    print(say(held, "held"), new, line.strip(), flush=True)
`;

function confOf(server: ReferenceServer): string {
  return `server = 127.0.0.1\nserver_port = ${server.port}\nserver_type = 5\n`;
}

/** What the program says to `word` on its standard input. */
async function ask(running: Running, word: string): Promise<string> {
  running.child.stdin.write(`${word}\n`);
  return (await running.waitForOutput(new RegExp(`^(.*) ${word}$`, "m")))[1]!;
}

/** Two servers, a program that runs under the first one's configuration, and its log. */
async function startProgram(extra = "") {
  const stack = new AsyncDisposableStack();
  const web = stack.use(await startEchoServer());
  const routes = { "203.0.113.9": web.port };
  const first = stack.use(await startReferenceServer({ routes }));
  const second = stack.use(await startReferenceServer({ routes }));
  const dir = stack.use(await makeTempDir());
  const conf = dir.file("tsocks.conf");
  await writeFile(conf, confOf(first) + extra);
  const args = ["run", "--conf", conf, "--debug", "1", "--", ...python(PROGRAM)];
  const running = stack.use(startTsocks(args, dir, { input: "open" }));
  await running.waitForOutput(/^ready$/m);
  return { first, second, conf, running, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** `tsocks reload PID`, from outside of the run. */
const reload = (running: Running) => runTsocks(["reload", `${running.pid}`]);

const logged = (running: Running, pattern: RegExp) =>
  waitFor(`${pattern} in ${running.stderr}`, () => pattern.test(running.stderr));

test(
  "tsocks reload has the next connection go by the new file, and lets the others live",
  needs("python3"),
  async () => {
    await using it = await startProgram();
    await writeFile(it.conf, confOf(it.second));
    assert.equal(await ask(it.running, "before"), "held new");
    assert.deepEqual([it.first.requests.length, it.second.requests.length], [2, 0]);
    const { status, stdout, stderr } = await reload(it.running);
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: "", stderr: "" });
    assert.equal(await ask(it.running, "after"), "held new");
    assert.deepEqual([it.first.requests.length, it.second.requests.length], [2, 1]);
    assert.match(it.running.stderr, /^\S+ - - - RELOAD - the configuration was read again$/m);
  },
);

test("an invalid new file is told, and the old configuration stays", needs("python3"), async () => {
  await using it = await startProgram();
  await writeFile(it.conf, `${confOf(it.second)}sever = h\ndefault_pas = Hunter2\n`);
  const { status, stderr } = await reload(it.running);
  assert.equal(status, 1);
  const complaint = [
    "tsocks: Unknown directive: did you mean 'server'",
    `  at ${it.conf}:4:1`,
    "  fix: write server",
    "tsocks: Unknown directive: did you mean 'default_pass'",
    `  at ${it.conf}:5:1`,
    "  fix: write default_pass\n",
  ].join("\n");
  assert.equal(stderr, complaint);
  assert.ok(it.running.stderr.includes(complaint));
  assert.match(it.running.stderr, /^\S+ - - - RELOAD - EINVAL the configuration stays as it was$/m);
  assert.equal(await ask(it.running, "after"), "held new");
  assert.deepEqual([it.first.requests.length, it.second.requests.length], [2, 0]);
});

test(
  "a file that names no server leaves the old configuration too",
  needs("python3"),
  async () => {
    await using it = await startProgram();
    await writeFile(it.conf, "");
    const { status, stderr } = await reload(it.running);
    assert.equal(status, 1);
    assert.match(stderr, /^tsocks: No SOCKS server is configured$/m);
    assert.equal(await ask(it.running, "after"), "held new");
  },
);

test("what the new file refuses is refused", needs("python3"), async () => {
  await using it = await startProgram();
  await writeFile(it.conf, `path {\nreaches = 203.0.113.0/24\n}\n${confOf(it.second)}`);
  assert.equal((await reload(it.running)).status, 0);
  assert.equal(await ask(it.running, "after"), "held EACCES");
});

test("SIGHUP is the command's, and has the file read again too", needs("python3"), async () => {
  await using it = await startProgram();
  await writeFile(it.conf, confOf(it.second));
  it.running.kill("SIGHUP");
  await it.running.waitForOutput(/^hung up$/m);
  await logged(it.running, /RELOAD - the configuration was read again/);
  assert.equal(await ask(it.running, "after"), "held new");
  assert.equal(it.second.requests.length, 1);
});

test(
  "datagrams that go direct unasked cannot be refused by a new file",
  needs("python3"),
  async () => {
    await using it = await startProgram("udp = direct\n");
    await writeFile(it.conf, confOf(it.second));
    const { status, stderr } = await reload(it.running);
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^tsocks: Datagrams go direct, and cannot be refused while the command runs$/m,
    );
    assert.equal(await ask(it.running, "after"), "held new");
    assert.equal(it.second.requests.length, 0);
  },
);

test("tsocks reload PID leaves other runs alone", needs("python3"), async () => {
  await using other = await startProgram();
  await using it = await startProgram();
  assert.equal((await reload(it.running)).status, 0);
  assert.match(it.running.stderr, /RELOAD/);
  assert.doesNotMatch(other.running.stderr, /RELOAD/);
});

test("tsocks reload says where there is nothing to reload", async () => {
  const { status, stderr } = await runTsocks(["reload", `${process.pid}`]);
  assert.equal(status, 125);
  assert.match(stderr, /^tsocks: No running tsocks of yours was found\n {2}at process \d+\n/);
  assert.equal((await runTsocks(["reload", "x"])).status, 125);
});

/** Becomes another user, with an environment that names a socket of argv[1]. */
const STRANGER = `
import os, sys
os.setuid(65534)
env = {"TSOCKS_CONTROL": "0" * 32 + ":1:1:" + sys.argv[1]}
os.execve("/bin/sh", ["sh", "-c", "echo ready; read line"], env)
`;

test(
  "root is not led to a socket by another user's process",
  needs("python3", "root"),
  async () => {
    await using dir = await makeTempDir();
    const heard: unknown[] = [];
    const listener = createServer((socket) => heard.push(socket.destroy()));
    listener.listen(dir.file("socket"));
    await once(listener, "listening");
    const [command = "", ...args] = python(STRANGER, dir.file("socket"));
    await using stranger = start(command, args, { input: "open" });
    await stranger.waitForOutput(/^ready$/m);
    const { status } = await runTsocks(["reload", `${stranger.pid}`]);
    assert.deepEqual([status, heard], [125, []]);
    listener.close();
  },
);

/** A connection to 203.0.113.9 through `tsocks serve`, by HTTP CONNECT; says a word and hears it. */
async function openThrough(port: number) {
  const socket = connect(port, "127.0.0.1");
  socket.write("CONNECT 203.0.113.9:80 HTTP/1.1\r\nHost: x\r\n\r\n");
  const [head] = await once(socket, "data");
  assert.match(`${head}`, /^HTTP\/1\.1 200 /);
  return {
    say: async (word: string) => {
      socket.write(word);
      const [answer] = await once(socket, "data");
      assert.equal(`${answer}`, word);
    },
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

test("tsocks serve reloads at SIGHUP, and ends at SIGTERM as before", async () => {
  await using web = await startEchoServer();
  const routes = { "203.0.113.9": web.port };
  await using first = await startReferenceServer({ routes });
  await using second = await startReferenceServer({ routes });
  await using dir = await makeTempDir();
  const conf = dir.file("tsocks.conf");
  await writeFile(conf, confOf(first));
  const args = ["serve", "--conf", conf, "--debug", "1", "--listen", "127.0.0.1:0"];
  await using running = startTsocks(args, dir);
  const port = Number((await running.waitForOutput(/^listening on .*:(\d+)$/m))[1]);
  using held = await openThrough(port);
  await writeFile(conf, confOf(second));
  running.kill("SIGHUP");
  await logged(running, /RELOAD - the configuration was read again/);
  using next = await openThrough(port);
  await next.say("new");
  await held.say("held");
  assert.deepEqual([first.requests.length, second.requests.length], [1, 1]);
  // It would connect directly without a server: not because its file was emptied.
  await writeFile(conf, "");
  running.kill("SIGHUP");
  await logged(running, /RELOAD - EINVAL the configuration stays as it was/);
  assert.match(running.stderr, /^tsocks: No SOCKS server is configured$/m);
  using last = await openThrough(port);
  await last.say("last");
  assert.equal(second.requests.length, 2);
  running.kill("SIGTERM");
  assert.equal((await running.finished).status, 0);
});

/** Runs a command on a terminal of its own, which is taken away once it has printed a line. */
const HANG_UP = `
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
said = b""
while b"listening" not in said: said += os.read(fd, 1000)
os.close(fd)
_, status = os.waitpid(pid, 0)
print(os.waitstatus_to_exitcode(status))
`;

test("tsocks serve ends when its terminal hangs up", needs("python3"), async () => {
  const args = [TSOCKS, "serve", "--server", "socks5://127.0.0.1:1", "--listen", "127.0.0.1:0"];
  const [command = "", ...rest] = python(HANG_UP, ...args);
  const { stdout, stderr } = await run(command, rest);
  assert.deepEqual({ stdout, stderr }, { stdout: "0\n", stderr: "" });
});

/** What processes do to themselves and to each other: carried all the same, whoever they become. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmod } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import test from "node:test";
import { JEMALLOC } from "../../scripts/debian_packages.ts";
import { startBannerServer, startEchoServer, startWebServer } from "../helpers/local_servers.ts";
import { needs, outsideAddress, programPath } from "../helpers/needs.ts";
import { python } from "../helpers/python.ts";
import { startReferenceServer } from "../helpers/reference_server.ts";
import { makeTempDir, type TempDir } from "../helpers/temp_dir.ts";
import { runTsocks, startTsocks } from "../helpers/tsocks.ts";
import { waitFor } from "../helpers/wait.ts";

const PAGE = "page of hello.example\n";
const PROGRAMS = new URL("../fixtures/programs/", import.meta.url).pathname;
const COMPILERS = ["gcc", "musl-gcc"];
/** 64 threads, 1,000 connections each, take 40 s: for who asks for them. */
const CONNECTS = process.env["TSOCKS_TEST_LOAD"] === "full" ? 1000 : 50;

function compile(dir: TempDir, name: string, compiler: string): string {
  const flags = ["-std=gnu11", "-O1", "-pthread", "-o", dir.file(name), `${PROGRAMS}${name}.c`];
  execFileSync(programPath(compiler), flags);
  return dir.file(name);
}

/** Runs `command` with a server that has a web server as hello.example. */
async function fetchBy(command: string[], env: Record<string, string> = {}) {
  await using web = await startWebServer();
  await using server = await startReferenceServer({ routes: { "hello.example": web.port } });
  await using home = await makeTempDir();
  await chmod(home.path, 0o711); // commands become another user
  const args = ["run", "--server", server.url(), "--no-env", "--", ...command];
  await using tsocks = startTsocks(args, home, { env });
  const { status, stdout, stderr } = await tsocks.finished;
  return { status, stdout, stderr, requests: server.requests.map(({ host }) => host) };
}

const FETCHED = { status: 0, stdout: PAGE, stderr: "", requests: ["hello.example"] };

for (const compiler of COMPILERS) {
  test(
    `64 threads connect all the while, and each gets its own answers (${compiler})`,
    needs(compiler),
    async () => {
      await using dir = await makeTempDir();
      await using echo = await startEchoServer();
      await using server = await startReferenceServer({ routes: { "hello.example": echo.port } });
      const program = compile(dir, "connect_under_load", compiler);
      const load = [program, "hello.example", "80", "64", `${CONNECTS}`];
      const args = ["run", "--server", server.url(), "--no-env", "--", ...load];
      const { stdout, stderr } = await runTsocks(args, { timeoutMs: 200_000 });
      assert.equal(stdout, `echoed ${64 * CONNECTS}, first error 0, left over 0\n`);
      assert.equal(stderr, "");
      assert.equal(server.requests.length, 64 * CONNECTS);
    },
  );

  test(
    `threads, children of every kind and handlers connect at once (${compiler})`,
    needs(compiler),
    async () => {
      await using dir = await makeTempDir();
      await using banner = await startBannerServer("relayed\n");
      await using server = await startReferenceServer({ routes: { "203.0.113.7": banner.port } });
      const program = compile(dir, "connect_in_mixed_ways", compiler);
      const args = ["run", "--server", server.url(), "--", program, "203.0.113.7", "80", "20"];
      const { stdout, stderr } = await runTsocks(args, { timeoutMs: 60_000 });
      const children = "fork 20 vfork 20 spawn 20 clone 20 handlers yes";
      assert.equal(stdout, `threads 160 ${children}, failed 0 0, left over 0\n`);
      assert.equal(stderr, "");
    },
  );
}

const CURL = ["curl", "-sS", "http://hello.example/"];
const BECOMING: { name: string; needs: string[]; command: string[] }[] = [
  {
    name: "su to another user",
    needs: ["root", "su"],
    command: ["su", "-s", "/bin/sh", "nobody", "-c", CURL.join(" ")],
  },
  {
    name: "su with a fresh environment",
    needs: ["root", "su"],
    command: ["su", "-", "-s", "/bin/sh", "nobody", "-c", `cd /; ${CURL.join(" ")}`],
  },
  { name: "sudo", needs: ["root", "sudo"], command: ["sudo", "-u", "nobody", ...CURL] },
  {
    name: "setpriv with a fresh environment",
    needs: ["root", "setpriv"],
    command: ["setpriv", "--reuid", "65534", "--clear-groups", "--reset-env", ...CURL],
  },
  {
    name: "chroot where all is still to be seen",
    needs: ["root", "mount namespaces"],
    command: [
      "unshare",
      "-m",
      "sh",
      "-c",
      `mount --rbind / /mnt && exec chroot /mnt ${CURL.join(" ")}`,
    ],
  },
  {
    name: "a Python that becomes nobody",
    needs: ["root", "python3"],
    command: python(`
import os, urllib.request
os.setgroups([]); os.setgid(65534); os.setuid(65534)
print(urllib.request.urlopen("http://hello.example/").read().decode(), end="")`),
  },
];

for (const { name, needs: things, command } of BECOMING) {
  test(`${name} does not uncover what runs then`, needs("curl", ...things), async () => {
    const done = await fetchBy(command);
    assert.deepEqual({ ...done, stderr: "" }, FETCHED, done.stderr);
    assert.doesNotMatch(done.stderr, /UNCOVERED/);
  });
}

test(
  "a set-user-id program of Debian's is told where it gains rights",
  needs("root", "su", "setpriv"),
  async () => {
    const become = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
    const { stdout, stderr } = await fetchBy([...become, "su", "--version"]);
    assert.match(stdout, /^su /);
    assert.match(stderr, /setpriv \S*\/su UNCOVERED - runs with another user's or group's rights/);
  },
);

test("a Go program of Debian's is told, though libc is in it", needs("fzf"), async () => {
  const before = await fetchBy(["fzf", "--version"]);
  assert.equal(before.status, 0);
  assert.match(before.stderr, /warning: Not covered: the program is written in Go/);
  const later = await fetchBy(["env", "fzf", "--version"]);
  assert.match(later.stderr, /env \S*\/fzf UNCOVERED - is written in Go, and passes libc by/);
});

test(
  "one process resolves, another connects to the address",
  needs("python3", "curl"),
  async () => {
    const script = `
import socket, subprocess
address = socket.getaddrinfo("hello.example", 80)[0][4][0]
subprocess.run(["curl", "-sS", "-H", "Host: hello.example", f"http://{address}/"], env={}, check=True)`;
    assert.deepEqual(await fetchBy(python(script)), FETCHED);
  },
);

test("a connected socket may be passed to another process", needs("python3"), async () => {
  const script = `
import os, socket
ours, theirs = socket.socketpair()
if os.fork():
    s = socket.create_connection(("hello.example", 80))
    socket.send_fds(ours, [b"x"], [s.fileno()])
    s.close()
    os.wait()
else:
    s = socket.socket(fileno=socket.recv_fds(theirs, 1, 1)[1][0])
    assert s.getpeername()[1] == 80
    s.sendall(b"GET / HTTP/1.0\\r\\nHost: hello.example\\r\\n\\r\\n")
    print(s.makefile("rb").read().split(b"\\r\\n\\r\\n", 1)[1].decode(), end="")`;
  assert.deepEqual(await fetchBy(python(script)), FETCHED);
});

test("a program has its jemalloc beside the shim", needs(JEMALLOC, "curl", "python3"), async () => {
  assert.deepEqual(await fetchBy(CURL, { LD_PRELOAD: JEMALLOC }), FETCHED);
  const script = `
import os, threading, urllib.request
assert "libjemalloc" in open("/proc/self/maps").read()
def fetch():
    pages.append(urllib.request.urlopen("http://hello.example/").read().decode())
pages = []
threads = [threading.Thread(target=fetch) for _ in range(8)]
for t in threads: t.start()
for t in threads: t.join()
print(pages == ["page of hello.example\\n"] * 8)`;
  const { status, stdout } = await fetchBy(python(script), { LD_PRELOAD: JEMALLOC });
  assert.deepEqual([status, stdout], [0, "True\n"]);
});

/** Prints what each try ends with once a line has come, and of the one that was under way before. */
const TRIES = (address: string, port: number, program: string) => `
import errno, os, socket, subprocess, sys, threading
def attempt(name, do):
    try:
        do()
        print(name, "succeeded")
    except socket.gaierror as e:
        print(name, "EAI_FAIL" if e.errno == socket.EAI_FAIL else e)
    except OSError as e:
        print(name, errno.errorcode[e.errno])
def nonblocking():
    s = socket.socket()
    s.setblocking(False)
    s.connect(("${address}", ${port}))
waiting = threading.Thread(target=attempt, args=(
    "in flight", lambda: socket.create_connection(("hello.example", 80))))
waiting.start()
print("ready", flush=True)
sys.stdin.readline()
waiting.join()
attempt("connect", lambda: socket.socket().connect(("${address}", ${port})))
attempt("non-blocking", nonblocking)
attempt("name", lambda: socket.getaddrinfo("hello.example", 80))
attempt("datagram", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("${address}", ${port})))
attempt("raw", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
attempt("exec", lambda: subprocess.run(["${program}"]))
script = "import socket; socket.socket().connect(('${address}', ${port}))"
child = subprocess.run([sys.executable, "-c", script], stderr=subprocess.PIPE)
print("child", b"Network is down" in child.stderr)`;

test(
  "when tsocks is killed nothing goes direct, and what was waiting ends",
  needs("python3", "gcc", "an address beside loopback", "root"),
  async () => {
    await using dir = await makeTempDir();
    await using home = await makeTempDir();
    await using web = await startWebServer({ hostname: outsideAddress() });
    await using server = await startReferenceServer({
      replyAfter: setTimeout(60_000, undefined, { ref: false }),
    });
    const program = dir.file("print_word");
    execFileSync(programPath("gcc"), ["-static", "-o", program, `${PROGRAMS}print_word.c`]);
    const script = python(TRIES(outsideAddress(), web.port, program));
    const args = ["run", "--server", server.url(), "--no-env", "--", ...script];
    await using tsocks = startTsocks(args, home, { input: "open" });
    await tsocks.waitForOutput(/ready/);
    await waitFor("the request", () => server.requests.length > 0);
    tsocks.kill("SIGKILL");
    tsocks.child.stdin.end("go on\n");
    const { stdout } = await tsocks.finished;
    const ends = ["in flight", "connect", "non-blocking"].map((name) => `${name} ENETDOWN\n`);
    const rest = "name EAI_FAIL\ndatagram ENETDOWN\nraw ENETDOWN\nexec EACCES\nchild True\n";
    assert.equal(stdout, `ready\n${ends.join("")}${rest}`);
    assert.equal(web.connections(), 0);
  },
);

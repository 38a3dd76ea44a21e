/** Non-blocking connects through the built binary: they never wait, and they never lie. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { constants } from "node:os";
import test from "node:test";
import { setTimeout } from "node:timers/promises";
import { startBannerServer, startServer } from "../helpers/local_servers.ts";
import { needs, programPath } from "../helpers/needs.ts";
import { python } from "../helpers/python.ts";
import { type ReferenceOptions, startReferenceServer } from "../helpers/reference_server.ts";
import { run } from "../helpers/processes.ts";
import { makeTempDir } from "../helpers/temp_dir.ts";
import { runTsocks, startTsocks, TSOCKS } from "../helpers/tsocks.ts";
import { waitFor } from "../helpers/wait.ts";
import { ALL_LIBCS, commandFor, compileProgram, HOST_LIBCS, type Libc } from "../shim/programs.ts";

const {
  EALREADY,
  ECONNABORTED,
  ECONNREFUSED,
  ECONNRESET,
  EHOSTUNREACH,
  EINPROGRESS,
  EISCONN,
  ENETUNREACH,
  ETIMEDOUT,
} = constants.errno;
const UNTOUCHED = 4000; // program.h
const FAR = "203.0.113.7"; // RFC 5737
const FAR_INET6 = "2001:db8::7";
/** The machine may be busy with other tests; the server's 300 ms would show in each attempt. */
const MAX_ATTEMPTS = 4;
const GLIBC = HOST_LIBCS[0]!;
const STARTED = `connect -1 ${EINPROGRESS}\n`;

type Command = [name: string, ...args: (string | number)[]];

/** Runs a fixture program below tsocks; the server answers for FAR with `arrived`. */
async function runProgram(
  libc: Libc,
  [name, ...args]: Command,
  options: ReferenceOptions = {},
) {
  await using dir = await makeTempDir();
  await using destination = await startBannerServer("arrived\n");
  const routes = { [FAR]: destination.port, "2001:db8:0:0:0:0:0:7": destination.port };
  await using server = await startReferenceServer({ routes, ...options });
  const command = [...commandFor(libc, compileProgram(libc, name, dir)), ...args.map(String)];
  const run = ["run", "--server", server.url(), "--no-env", "--", ...command];
  const { stdout, stderr } = await runTsocks(run);
  return { stdout, stderr };
}

const WAITS = [
  "poll",
  "select",
  "epoll-before",
  "epoll-after",
  "edge-before",
  "edge-after",
  "io_uring",
];

for (const libc of ALL_LIBCS) {
  for (const how of WAITS) {
    // The waiting is the kernel's, whatever the libc.
    if (libc !== GLIBC && how !== "poll" && how !== "edge-before") continue;
    test(
      `${how} sees a connect end with the server's answer (${libc.label})`,
      needs(...libc.needs),
      async (t) => {
        const command: Command = ["wait_for_connect", how, FAR, 443, 150];
        const { stdout, stderr } = await runProgram(libc, command, { replyDelayMs: 400 });
        if (stdout.endsWith("no io_uring\n")) return t.skip("this kernel has no io_uring for us");
        const ready = `early 0\nready 1\nSO_ERROR 0\n`;
        const after = `connect 0 ${UNTOUCHED}\nconnect -1 ${EISCONN}\nread arrived\n`;
        assert.deepEqual({ stdout, stderr }, { stdout: STARTED + ready + after, stderr: "" });
      },
    );
  }
}

test("an AF_INET6 socket waits as well", needs("gcc"), async () => {
  const command: Command = [
    "wait_for_connect",
    "poll",
    FAR_INET6,
    443,
    50,
  ];
  const { stdout } = await runProgram(GLIBC, command, { replyDelayMs: 200 });
  assert.match(stdout, /early 0\nready 1\nSO_ERROR 0\n[^]*read arrived\n$/);
});

/** RFC 1928 section 6, and what connect(2) calls it. */
const VERDICTS: [rep: number, errno: number][] = [
  [3, ENETUNREACH],
  [4, EHOSTUNREACH],
  [5, ECONNREFUSED],
  [6, ETIMEDOUT],
];

/** POLLOUT | POLLERR | POLLHUP: as for a direct connect that failed. */
const FAILED = `connect -1 ${EALREADY}\nevents ${0x4 | 0x8 | 0x10}\n`;
const ANEW = STARTED;

for (const libc of ALL_LIBCS) {
  for (const [rep, errno] of libc === GLIBC ? VERDICTS : VERDICTS.slice(1, 2)) {
    test(
      `REP ${rep} is errno ${errno} of the next connect() (${libc.label})`,
      needs(...libc.needs),
      async () => {
        const { stdout } = await runProgram(libc, ["connect_until_error", "connect", FAR, 443], {
          rep,
          replyDelayMs: 300,
        });
        assert.equal(stdout, `${STARTED}${FAILED}connect -1 ${errno}\nSO_ERROR 0\n${ANEW}`);
      },
    );
  }
  for (const how of ["number", "child"]) {
    test(
      `SO_ERROR is told once, then the socket connects anew: ${how} (${libc.label})`,
      needs(...libc.needs),
      async () => {
        const { stdout } = await runProgram(libc, ["connect_until_error", how, FAR, 443], {
          rep: 4,
          replyDelayMs: 300,
        });
        const told = `SO_ERROR ${EHOSTUNREACH}\nSO_ERROR 0\n`;
        assert.equal(stdout, `${STARTED}${FAILED}${told}connect -1 ${ECONNABORTED}\n${ANEW}`);
      },
    );
  }
}

test(
  "a program that does not ask finds a failed connect reset at its first write",
  needs("gcc"),
  async () => {
    const { stdout } = await runProgram(
      GLIBC,
      ["connect_until_error", "write", FAR, 443],
      { rep: 4, replyDelayMs: 400 },
    );
    const written = `write -1 ${ECONNRESET}\nSO_ERROR 0\n`;
    assert.equal(stdout, `${STARTED}${FAILED}${written}connect -1 ${ECONNABORTED}\n${ANEW}`);
  },
);

test(
  "50 connects started together take one round trip to the server, and none waits for it",
  needs("gcc"),
  async () => {
    const command: Command = ["connect_at_once", 50, FAR, 443];
    let shortestUs = Infinity;
    for (let attempt = 0; attempt < MAX_ATTEMPTS && shortestUs >= 2000; attempt++) {
      const { stdout } = await runProgram(GLIBC, command, { replyDelayMs: 300 });
      const [medianUs, , good, ms] = stdout.split(" ").map(Number);
      assert.equal(good, 50);
      assert.ok(ms! >= 300 && ms! < 3000, `${ms} ms`);
      shortestUs = Math.min(shortestUs, medianUs!);
    }
    assert.ok(shortestUs < 2000, `median ${shortestUs} us`);
  },
);

test("300 refused connects at once are all told", needs("gcc"), async () => {
  const { stdout } = await runProgram(GLIBC, ["connect_at_once", 300, FAR, 443], {
    rep: 5,
  });
  const [, , good, ms] = stdout.split(" ").map(Number);
  assert.equal(good, 0);
  assert.ok(ms! < 5000, `${ms} ms`);
});

const FAIL_AT_ONCE = `
import collections, errno, resource, select, socket, sys
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
waiting = select.epoll()
sockets = {}
for _ in range(int(sys.argv[2])):
    s = socket.socket()
    s.setblocking(False)
    s.connect_ex((sys.argv[1], 443))
    sockets[s.fileno()] = s
    waiting.register(s, select.EPOLLOUT)
sys.stdin.readline()
errors = collections.Counter()
while len(sockets) and (ready := waiting.poll(10)):
    for fd, _ in ready:
        errors[sockets.pop(fd).getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)] += 1
print(dict(errors))`;

test(
  "5000 connects that fail before the program asks are each told why",
  needs("python3", "many descriptors"),
  async () => {
    await using home = await makeTempDir();
    await using server = await startReferenceServer({ rep: 5 });
    const command = python(FAIL_AT_ONCE, FAR, "5000");
    const args = ["run", "--server", server.url(), "--debug", "1", "--", ...command];
    await using tsocks = startTsocks(args, home, { input: "open", timeoutMs: 30_000 });
    const failed = () => [...tsocks.stderr.matchAll(/ FAIL /g)].length;
    await waitFor("all failures", () => failed() === 5000, 20_000);
    tsocks.child.stdin.end("\n");
    assert.equal((await tsocks.finished).stdout, `{${ECONNREFUSED}: 5000}\n`);
  },
);

for (const how of ["close", "dissolve"]) {
  test(
    `a connect that the program gives up is given up at the server: ${how}`,
    needs("gcc"),
    async () => {
      await using dir = await makeTempDir();
      let closedAfterMs = 0;
      await using server = await startServer((socket) => {
        const startedAt = performance.now();
        socket.once("data", () => socket.write(Uint8Array.of(5, 0)));
        socket.on("close", () => closedAfterMs = performance.now() - startedAt);
        socket.on("end", () => socket.end());
      });
      const program = compileProgram(GLIBC, "close_while_connecting", dir);
      const url = `socks5://127.0.0.1:${server.port}`;
      const command = ["run", "--server", url, "--debug", "2", "--", program, FAR, "443", how];
      const { stderr } = await runTsocks(command);
      assert.ok(closedAfterMs > 50 && closedAfterMs < 1500, `${closedAfterMs} ms`);
      assert.match(stderr, /203\.0\.113\.7:443 STEP \S+ given up by the program\n/);
    },
  );
}

test(
  "where the kernel cannot let them wait, a failure comes with the first read, and a warning once",
  needs("gcc"),
  async () => {
    await using dir = await makeTempDir();
    await using server = await startReferenceServer({ rep: 4 });
    const deny = compileProgram(GLIBC, "deny_filters", dir);
    const program = compileProgram(GLIBC, "connect_nonblocking", dir);
    const script = `${program} ${FAR} 443; ${program} ${FAR} 443`;
    await using home = await makeTempDir();
    const args = [TSOCKS, "run", "--server", server.url(), "--", "sh", "-c", script];
    const { stdout, stderr } = await run(deny, args, {
      env: { HOME: home.path, TMPDIR: home.path },
    });
    const lie = `${STARTED}poll 1 SO_ERROR 0\nread \n`;
    assert.equal(stdout, lie + lie);
    assert.equal(stderr.match(/warning: Non-blocking connects report success/g)?.length, 1);
  },
);

/** A shim that is stopped and killed between the answer PENDING and its word of the socket that waits. */
const GO_SILENT = `
import os, socket, sys
token, _, _, path = os.environ["TSOCKS_CONTROL"].split(":", 3)
link = socket.socket(socket.AF_UNIX)
link.connect(path)
body = bytes([1, 4]) + (443).to_bytes(2, "big") + socket.inet_aton(sys.argv[1])
link.send(b"TS\\1\\1" + bytes(4) + bytes.fromhex(token[:32]) + len(body).to_bytes(2, "big") + body)
print("status", link.recv(100)[0], flush=True)
sys.stdin.readline()
link.close()
sys.stdin.readline()`;

test("a connection that came through for nobody is closed", needs("python3"), async () => {
  await using home = await makeTempDir();
  const open = new Set<Socket>();
  await using server = await startServer((socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket)).on("end", () => socket.end());
    socket.once("data", () => {
      socket.write(Uint8Array.of(5, 0));
      socket.once("data", () => socket.write(Uint8Array.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0)));
    });
  });
  const url = `socks5://127.0.0.1:${server.port}`;
  const args = ["run", "--server", url, "--debug", "2", "--", ...python(GO_SILENT, FAR)];
  await using tsocks = startTsocks(args, home, { input: "open" });
  await tsocks.waitForOutput(/status 8/);
  await waitFor("the connection", () => /connected after/.test(tsocks.stderr));
  assert.equal(open.size, 1);
  tsocks.child.stdin.write("\n");
  await waitFor("its end", () => open.size === 0);
  tsocks.child.stdin.end("\n");
  assert.equal((await tsocks.finished).status, 0);
});

const CONNECT_MULTIPATH = `
import select, socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
s.setblocking(False)
s.connect_ex((sys.argv[1], 443))
ready = select.select([], [s], [], 5)[1] != []
s.settimeout(5)
print(ready, s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), s.recv(100).decode(), end="")`;

test(
  "a Multipath TCP socket connects without a wait, and loses no octet",
  needs("python3", "Multipath TCP"),
  async () => {
    await using destination = await startBannerServer("arrived\n");
    await using server = await startReferenceServer({ routes: { [FAR]: destination.port } });
    const command = python(CONNECT_MULTIPATH, FAR);
    const { stdout, stderr } = await runTsocks(["run", "--server", server.url(), "--", ...command]);
    assert.equal(stdout, "True 0 arrived\n");
    assert.match(stderr, /warning: Non-blocking connects report success/);
  },
);

test("a brain that is killed leaves no connect waiting", needs("gcc"), async () => {
  await using dir = await makeTempDir();
  await using home = await makeTempDir();
  await using server = await startServer((socket) => socket.resume());
  const program = compileProgram(GLIBC, "wait_for_connect", dir);
  const url = `socks5://127.0.0.1:${server.port}`;
  const command = ["run", "--server", url, "--", program, "poll", FAR, "443", "4000"];
  await using tsocks = startTsocks(command, home);
  await waitFor("the dial", () => server.connections() > 0);
  await setTimeout(100);
  process.kill(tsocks.pid, "SIGKILL");
  const { stdout } = await tsocks.finished;
  assert.match(stdout, new RegExp(`^${STARTED}early 1\\nready 1\\nSO_ERROR ${ECONNREFUSED}\\n`));
});

test("the port where connects wait answers nobody else", needs("gcc", "ss"), async () => {
  await using dir = await makeTempDir();
  await using home = await makeTempDir();
  await using destination = await startBannerServer("arrived\n");
  await using server = await startReferenceServer({
    routes: { [FAR]: destination.port },
    replyDelayMs: 4000,
  });
  const program = compileProgram(GLIBC, "wait_for_connect", dir);
  const command = ["run", "--server", server.url(), "--", program, "poll", FAR, "443", "500"];
  await using tsocks = startTsocks(command, home);
  const waiting = await waitFor("a waiting socket", () => {
    const table = execFileSync(programPath("ss"), ["-Htnp", "state", "syn-sent"], {
      encoding: "utf8",
    });
    return /127\.0\.0\.1:\d+\s+127\.0\.0\.1:(\d+)\s+.*wait_for_connec/.exec(table) ?? undefined;
  });
  const stranger = connect(Number(waiting[1]), "127.0.0.1");
  let isAnswered = false;
  stranger.on("connect", () => isAnswered = true);
  stranger.on("error", () => isAnswered = true);
  const { stdout } = await tsocks.finished;
  assert.match(stdout, /early 0\nready 1\nSO_ERROR 0\n/);
  assert.equal(isAnswered, false);
  stranger.destroy();
  await once(stranger, "close");
});

/** UDP and sockets of other kinds through the built binary: nothing leaves that the policy has not seen. */

import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import { makeIsolatedNetwork, SERVER_ADDRESS, SOCKS_PORT } from "../helpers/isolated_network.ts";
import { findRefusedPort, startBannerServer } from "../helpers/local_servers.ts";
import { needs, outsideAddress } from "../helpers/needs.ts";
import { run } from "../helpers/processes.ts";
import { python } from "../helpers/python.ts";
import { startReferenceServer } from "../helpers/reference_server.ts";
import { makeTempDir } from "../helpers/temp_dir.ts";
import { runTsocks, TSOCKS } from "../helpers/tsocks.ts";
import { compileProgram, HOST_LIBCS } from "../shim/programs.ts";

const FAR = "203.0.113.7"; // RFC 5737
const UDP = 17;

/** Answers each datagram with itself, beside loopback. */
async function startDatagramEcho(hostname: string) {
  const socket: Socket = createSocket("udp4");
  let received = 0;
  socket.on("message", (message, { port, address }) => {
    received++;
    socket.send(message, port, address);
  });
  socket.bind(0, hostname);
  await once(socket, "listening");
  return {
    port: socket.address().port,
    received: () => received,
    [Symbol.asyncDispose]: () => new Promise<void>((done) => socket.close(() => done())),
  };
}

const ASK = `
import errno, socket, sys
s = socket.socket(type=socket.SOCK_DGRAM)
s.settimeout(5)
try:
    s.sendto(b"echoed", (sys.argv[1], int(sys.argv[2])))
    print(s.recv(100).decode())
except OSError as e:
    print(errno.errorcode.get(e.errno, e))`;

const runs = (conf: string, ...command: string[]) => [
  ...["run", "--conf", conf, "--no-env", "--debug", "1", "--"],
  ...command,
];

/** The log's lines without time and pid. */
function logLines(stderr: string): string[] {
  return stderr.split("\n").filter((line) => /^\d{4}-/.test(line))
    .map((line) => line.replace(/^\S+ \d+ /, ""));
}

test(
  "a datagram is refused with one line and three of help, and never reaches the destination",
  needs("python3", "an address beside loopback"),
  async () => {
    await using echo = await startDatagramEcho(outsideAddress());
    await using dir = await makeTempDir();
    await writeFile(dir.file("conf"), `server = 127.0.0.1\nserver_port = 1\n`);
    const command = python(ASK, outsideAddress(), `${echo.port}`);
    const { status, stdout, stderr } = await runTsocks(runs(dir.file("conf"), ...command));
    assert.deepEqual({ status, stdout }, { status: 0, stdout: "EPERM\n" });
    const where = `${outsideAddress()}:${echo.port}`;
    assert.deepEqual(logLines(stderr), [
      `python3 ${where} REFUSE - datagram: udp = refuse, the default`,
    ]);
    assert.match(
      stderr,
      /^tsocks: Datagrams \(UDP\) are refused.*\n +at .*\n +fix: .*--udp direct/m,
    );
    assert.equal(echo.received(), 0);
  },
);

test(
  "datagrams to what the policy calls local, and to loopback, arrive",
  needs("python3", "an address beside loopback"),
  async () => {
    await using echo = await startDatagramEcho(outsideAddress());
    await using near = await startDatagramEcho("127.0.0.1");
    await using dir = await makeTempDir();
    const conf = dir.file("conf");
    await writeFile(conf, `server = 127.0.0.1\nlocal = ${outsideAddress()}:${echo.port}/32\n`);
    const local = await runTsocks(
      runs(conf, ...python(ASK, outsideAddress(), `${echo.port}`)),
    );
    assert.equal(local.stdout, "echoed\n");
    assert.match(local.stderr, /^\S+ \d+ python3 \S+ DIRECT - datagram: local \S+ \(.*conf:2\)\n$/);
    const loopback = await runTsocks(runs(conf, ...python(ASK, "127.0.0.1", `${near.port}`)));
    assert.deepEqual([loopback.stdout, loopback.stderr], ["echoed\n", ""]);
  },
);

test(
  "udp = direct and --udp direct let datagrams go without a line; --udp refuse beats the file",
  needs("python3", "an address beside loopback"),
  async () => {
    await using echo = await startDatagramEcho(outsideAddress());
    await using dir = await makeTempDir();
    const conf = dir.file("conf");
    await writeFile(conf, "server = 127.0.0.1\nudp = direct\n");
    const command = python(ASK, outsideAddress(), `${echo.port}`);
    const byFile = await runTsocks(runs(conf, ...command));
    assert.deepEqual([byFile.stdout, byFile.stderr], ["echoed\n", ""]);
    const server = ["--server", "socks5://127.0.0.1:1", "--no-env"];
    const byOption = await runTsocks(["run", ...server, "--udp", "direct", "--", ...command]);
    assert.deepEqual([byOption.stdout, byOption.stderr], ["echoed\n", ""]);
    const refused = await runTsocks(runs(conf, ...command).toSpliced(1, 0, "--udp", "refuse"));
    assert.equal(refused.stdout, "EPERM\n");
    assert.match(refused.stderr, /REFUSE - datagram: udp = refuse \(--udp\)/);
  },
);

const ASK_BY_NAME = ASK.replace("(sys.argv[1], int(", "(socket.gethostbyname(sys.argv[1]), int(");

test(
  "a datagram to a name that the server resolves is refused, udp = direct or not",
  needs("python3"),
  async () => {
    for (const way of ["refuse", "direct"]) {
      const args = ["--server", `socks5://127.0.0.1:${await findRefusedPort()}`, "--no-env"];
      const command = python(ASK_BY_NAME, "hello.example", "443");
      const done = await runTsocks(["run", ...args, "--udp", way, "--", ...command]);
      assert.equal(done.stdout, "EPERM\n");
      assert.deepEqual(logLines(done.stderr), [
        "python3 hello.example:443 REFUSE - datagram: the server resolves this name, and carries no datagrams",
      ]);
    }
  },
);

const SEND_MANY = `
import socket, sys
s = socket.socket(type=socket.SOCK_DGRAM)
for _ in range(2500):
    try:
        s.sendto(b"x", (sys.argv[1], 443))
        print("sent")
    except PermissionError:
        pass`;

test("thousands of refused datagrams are four lines", needs("python3"), async () => {
  const args = ["--server", `socks5://127.0.0.1:${await findRefusedPort()}`, "--no-env"];
  const done = await runTsocks(["run", ...args, "--", ...python(SEND_MANY, FAR)]);
  assert.deepEqual([done.status, done.stdout], [0, ""]);
  const reason = `python3 ${FAR}:443 REFUSE - datagram: udp = refuse, the default`;
  assert.deepEqual(logLines(done.stderr), [
    reason,
    `${reason}, 10 times so far`,
    `${reason}, 100 times so far`,
    `${reason}, 1000 times so far`,
  ]);
});

const OPEN_RAW = `
import socket
for arguments in ((socket.AF_INET, socket.SOCK_RAW, 1), (socket.AF_PACKET, socket.SOCK_RAW, 768)):
    try:
        print(socket.socket(*arguments))
    except PermissionError:
        print("EPERM")`;

test(
  "raw and packet sockets, as of ping and tcpdump, are refused with a line, udp = direct or not",
  needs("root", "python3"),
  async () => {
    const args = ["--server", `socks5://127.0.0.1:${await findRefusedPort()}`, "--udp", "direct"];
    const done = await runTsocks(["run", ...args, "--", ...python(OPEN_RAW)]);
    assert.deepEqual([done.status, done.stdout], [0, "EPERM\nEPERM\n"]);
    const reason = "REFUSE - what such a socket sends would pass the policy unseen";
    assert.deepEqual(logLines(done.stderr), [
      `python3 socket(AF_INET,SOCK_RAW,ICMP) ${reason}`,
      `python3 socket(AF_PACKET,SOCK_RAW,768) ${reason}`,
    ]);
  },
);

for (const libc of HOST_LIBCS) {
  test(
    `a program that prefers QUIC falls back to TCP, through the server (${libc.label})`,
    needs(...libc.needs),
    async () => {
      await using dir = await makeTempDir();
      await using destination = await startBannerServer("by TCP\n");
      const routes = { [FAR]: destination.port };
      await using server = await startReferenceServer({ routes });
      const program = compileProgram(libc, "fall_back_from_quic", dir);
      const args = ["--server", server.url(), "--no-env", "--", program, FAR, "443"];
      const { status, stdout } = await runTsocks(["run", ...args]);
      assert.deepEqual([status, stdout], [0, "TCP after 1\nconnect 0 4000\nread by TCP\n"]);
    },
  );

  test(
    `calls by libc's syscall() go by the policy (${libc.label})`,
    needs(...libc.needs),
    async () => {
      await using dir = await makeTempDir();
      await using destination = await startBannerServer("relayed\n");
      const routes = { [FAR]: destination.port };
      await using server = await startReferenceServer({ routes });
      const program = compileProgram(libc, "call_by_number", dir);
      const args = ["--server", server.url(), "--no-env", "--", program, FAR, "443"];
      const { stdout } = await runTsocks(["run", ...args]);
      assert.match(
        stdout,
        /^connect 0 4000\nread relayed\nsendto -1 1\nsendmsg -1 1\nsendmmsg -1 1\n/,
      );
      assert.equal(server.requests.length, 1);
    },
  );
}

const LEAK = `
import socket
for to in (("192.0.2.53", 123), ("224.0.0.251", 5353), ("255.255.255.255", 67), ("10.231.7.2", 123)):
    s = socket.socket(type=socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    for send in (lambda: s.sendto(b"x", to), lambda: s.sendmsg([b"x"], [], 0, to), lambda: s.connect(to)):
        try:
            send()
            print("sent")
        except PermissionError:
            pass
print("over")`;

test(
  "with a default route, no datagram comes over the wire, nor a broadcast or multicast",
  needs(
    ...[
      "root",
      "network namespaces",
      "mount namespaces",
      "ip",
      "python3",
      "microsocks",
      "curl",
      "dig",
    ],
  ),
  async () => {
    await using network = await makeIsolatedNetwork({ hasDefaultRoute: true });
    await using home = await makeTempDir();
    const server = ["--server", `socks5://${SERVER_ADDRESS}:${SOCKS_PORT}`, "--no-env"];
    const inside = async (...command: string[]) => {
      const tsocks = [TSOCKS, "run", ...server, "--", ...command];
      const [program = "", ...args] = network.inside(tsocks);
      return await run(program, args, { env: { HOME: home.path } });
    };
    assert.equal((await inside(...python(LEAK))).stdout, "over\n");
    for (const nameServer of ["192.0.2.53", SERVER_ADDRESS]) {
      const { stdout } = await inside("dig", "+short", `@${nameServer}`, "hello.example");
      assert.equal(stdout, "198.18.0.1\n");
    }
    // What comes after it shows that what came before would have been seen.
    assert.equal((await inside("curl", "-sS", "http://hello.example/")).status, 0);
    assert.ok(network.packets().length > 0);
    assert.deepEqual(network.packets().filter(({ protocol }) => protocol === UDP), []);
  },
);

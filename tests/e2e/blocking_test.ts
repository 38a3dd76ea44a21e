/**
 * Blocking connects through the built binary, beside the same program without it: signals, time
 * limits, second connects, sockets that were bound first, and programs that use all this.
 */

import assert from "node:assert/strict";
import { constants } from "node:os";
import { test } from "node:test";
import { startBannerServer, startWebServer } from "../helpers/local_servers.ts";
import { needs, outsideAddress, outsideDevice } from "../helpers/needs.ts";
import { run, start } from "../helpers/processes.ts";
import { python } from "../helpers/python.ts";
import { startReferenceServer } from "../helpers/reference_server.ts";
import { makeTempDir } from "../helpers/temp_dir.ts";
import { runTsocks } from "../helpers/tsocks.ts";
import { compileProgram, HOST_LIBCS } from "../shim/programs.ts";

const FAR = "203.0.113.7"; // RFC 5737
const FAR_INET6 = "2001:db8::7";
const REPLY_AFTER_MS = 700;
const PAGE = "page of hello.example\n";

/** What stands for a direct connection answers late, as the SOCKS server does. */
const LATE = [
  { name: "an alarm, then wait", steps: "a1wel" },
  { name: "an alarm, then connect again, which waits", steps: "a11l1" },
  { name: "two alarms, then wait and ask", steps: "a1a1we11l" },
  { name: "SO_SNDTIMEO, then connect again, then wait", steps: "t11w1el" },
  { name: "SO_SNDTIMEO, then another destination", steps: "t12we1l" },
  { name: "SO_SNDTIMEO, then AF_UNSPEC", steps: "t1up" },
  { name: "an alarm, then non-blocking", steps: "a1n1wb1l" },
];

for (const libc of HOST_LIBCS) {
  const forLibc = needs(...libc.needs, "an address beside loopback");
  for (const { name, steps } of LATE) {
    test(`a late answer: ${name}: as without tsocks (${libc.name})`, forLibc, async () => {
      await using dir = await makeTempDir();
      const program = compileProgram(libc, "connect_in_steps", dir);
      const listen = compileProgram(HOST_LIBCS[0]!, "listen_late", dir);
      await using late = start(listen, [outsideAddress(), `${REPLY_AFTER_MS}`]);
      const [, port = ""] = await late.waitForOutput(/listening at (\d+)/);
      const elsewhere = [outsideAddress(), "1"];
      const direct = run(program, [steps, outsideAddress(), port, ...elsewhere]);

      await using destination = await startBannerServer("relayed\n");
      const replyAfter = new Promise((resolve) => setTimeout(resolve, REPLY_AFTER_MS + 200));
      const routes = { [FAR]: destination.port };
      await using server = await startReferenceServer({ routes, replyAfter });
      const args = ["run", "--server", server.url(), "--", program, steps, FAR, "443", FAR, "1"];
      const { stdout, stderr } = await runTsocks(args);
      assert.deepEqual({ stdout, stderr }, { stdout: (await direct).stdout, stderr: "" });
      assert.match(stdout, /^connect -1 /);
    });
  }

  test(`bound sockets reach two destinations from one port (${libc.name})`, forLibc, async () => {
    await using dir = await makeTempDir();
    const program = compileProgram(libc, "connect_bound", dir);
    await using destination = await startBannerServer("relayed\n");
    const others = ["203.0.113.8", "203.0.113.9"];
    const routes = Object.fromEntries([FAR, ...others].map((host) => [host, destination.port]));
    await using server = await startReferenceServer({ routes });
    const there = [FAR, ...others].flatMap((host) => [host, "443"]);
    for (const source of ["0.0.0.0", "127.0.0.1", outsideAddress()]) {
      const command = [program, "reuseport", source, ...there];
      const { stdout, stderr } = await runTsocks([
        "run",
        "--server",
        server.url(),
        "--",
        ...command,
      ]);
      const from = source === "0.0.0.0" ? "127.0.0.1" : source;
      const lines = [FAR, ...others].map((host) =>
        `connect 0 4000\nfrom ${from} its port\nto ${host} 443\nread relayed\n`
      );
      assert.deepEqual({ stdout, stderr }, { stdout: lines.join(""), stderr: "" });
    }
  });

  test(`both names of a socket are of one family (${libc.name})`, forLibc, async () => {
    await using dir = await makeTempDir();
    const program = compileProgram(libc, "connect_bound", dir);
    await using destination = await startBannerServer("relayed\n");
    const routes = { [FAR]: destination.port, "2001:db8:0:0:0:0:0:7": destination.port };
    await using server = await startReferenceServer({ routes });
    const mapped = `::ffff:${FAR}`;
    const rows = [
      ["0.0.0.0", FAR, "127.0.0.1"],
      ["::", FAR_INET6, "::1"],
      ["::", mapped, "::ffff:127.0.0.1"],
    ] as const;
    for (const [source, to, from] of rows) {
      const command = [program, "", source, to, "443"];
      const { stdout } = await runTsocks(["run", "--server", server.url(), "--", ...command]);
      const names = `from ${from} its port\nto ${to} 443`;
      assert.equal(stdout, `connect 0 4000\n${names}\nread relayed\n`);
    }
  });
}

test(
  "a thread that closes all other descriptors while one connects loses none of its new ones",
  needs("gcc"),
  async () => {
    await using dir = await makeTempDir();
    const program = compileProgram(HOST_LIBCS[0]!, "close_others_meanwhile", dir);
    await using destination = await startBannerServer("relayed\n");
    const routes = { [FAR]: destination.port };
    await using server = await startReferenceServer({ routes, replyDelayMs: REPLY_AFTER_MS });
    const args = ["run", "--server", server.url(), "--", program, FAR, "443"];
    const { stdout } = await runTsocks(args);
    assert.equal(stdout, "connect 0 4000\nleft 8\nread relayed\n");
  },
);

const OPEN_FROM = `
import asyncio, sys
async def main():
    for host in sys.argv[2:]:
        reader, writer = await asyncio.open_connection(host, 80, local_addr=(sys.argv[1], 0))
        print(writer.get_extra_info("sockname")[0], (await reader.readline()).decode(), end="")
        writer.close()
asyncio.run(main())`;

test(
  "a bound socket that does not block is carried too",
  needs("python3", "an address beside loopback"),
  async () => {
    await using destination = await startBannerServer("relayed\n");
    const routes = { [FAR]: destination.port, "2001:db8:0:0:0:0:0:7": destination.port };
    await using server = await startReferenceServer({ routes });
    const rows = [[outsideAddress(), FAR], ["127.0.0.1", FAR], ["::1", FAR_INET6]] as const;
    for (const [from, to] of rows) {
      const command = python(OPEN_FROM, from, to);
      const { stdout } = await runTsocks(["run", "--server", server.url(), "--", ...command]);
      assert.equal(stdout, `${from} relayed\n`);
    }
  },
);

const SHARE_PORT = `
import select, socket, sys
sockets = []
for port in range(81, 86):
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    one.bind(("0.0.0.0", sockets[0].getsockname()[1] if sockets else 0))
    one.setblocking(False)
    print(port, one.connect_ex((sys.argv[1], port)))
    sockets.append(one)
for one in sockets[:4]:
    select.select([], [one], [], 5)
    one.setblocking(True)
    print(one.getpeername()[1], one.recv(20).decode(), end="")`;

test(
  "four sockets of one port that do not block wait for four destinations; a fifth has no address left",
  needs("python3"),
  async () => {
    await using destination = await startBannerServer("relayed\n");
    await using server = await startReferenceServer({ routes: { [FAR]: destination.port } });
    const args = ["run", "--server", server.url(), "--", ...python(SHARE_PORT, FAR)];
    const { stdout } = await runTsocks(args);
    const { EADDRNOTAVAIL, EINPROGRESS } = constants.errno;
    const started = [81, 82, 83, 84].map((port) => `${port} ${EINPROGRESS}\n`).join("");
    const carried = [81, 82, 83, 84].map((port) => `${port} relayed\n`).join("");
    assert.equal(stdout, `${started}85 ${EADDRNOTAVAIL}\n${carried}`);
  },
);

async function fetchWith(curlOptions: string[]): Promise<void> {
  await using web = await startWebServer();
  await using server = await startReferenceServer({ routes: { "hello.example": web.port } });
  const curl = ["curl", "-sS", ...curlOptions, "http://hello.example/"];
  const args = ["run", "--server", server.url(), "--no-env", "--", ...curl];
  const { stdout, stderr } = await runTsocks(args);
  assert.deepEqual({ stdout, stderr }, { stdout: PAGE, stderr: "" });
}

for (
  const options of [["--tcp-fastopen"], ["--interface", "127.0.0.1"], [
    "--local-port",
    "20000-50000",
  ]]
) {
  test(`curl ${options[0]} works`, needs("curl"), async () => {
    await fetchWith(options);
  });
}

test(
  "curl bound to an address or a device of this machine works",
  needs("curl", "root", "an address beside loopback"),
  async () => {
    for (const where of [outsideAddress(), `if!${outsideDevice()}`]) {
      await fetchWith(["--interface", where]);
    }
  },
);

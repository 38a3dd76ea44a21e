/**
 * A program that has no way to the world but the SOCKS server works there, and sends nothing else over the
 * wire; one whose tsocks is gone reaches nothing at all.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type IsolatedNetwork,
  makeIsolatedNetwork,
  type Packet,
  SERVER_ADDRESS,
  SOCKS_PORT,
} from "../helpers/isolated_network.ts";
import { startWebServer } from "../helpers/local_servers.ts";
import { needs, outsideAddress } from "../helpers/needs.ts";
import { run } from "../helpers/processes.ts";
import { python } from "../helpers/python.ts";
import { startReferenceServer } from "../helpers/reference_server.ts";
import { makeTempDir } from "../helpers/temp_dir.ts";
import { startTsocks, TSOCKS } from "../helpers/tsocks.ts";
import { waitFor } from "../helpers/wait.ts";

const ARP = 0x0806;
const IPV4 = 0x0800;
const TCP = 6;
const PAGE = "page of the other side\n";

const forNetwork = needs(
  "root",
  "network namespaces",
  "mount namespaces",
  "ip",
  "curl",
  "python3",
  "microsocks",
);

function isForServer(packet: Packet): boolean {
  return packet.type === ARP || packet.type === IPV4 && packet.protocol === TCP &&
      packet.destination === SERVER_ADDRESS && packet.port === SOCKS_PORT;
}

const SERVER = ["--server", `socks5://${SERVER_ADDRESS}:${SOCKS_PORT}`];

async function runInside(network: IsolatedNetwork, command: string[]) {
  await using home = await makeTempDir();
  const [program = "", ...args] = network.inside(command);
  const { status, stdout, stderr } = await run(program, args, { env: { HOME: home.path } });
  return { status, stdout, stderr };
}

const FETCH = `
import urllib.request
print(urllib.request.urlopen("http://hello.example/").read().decode(), end="")`;

for (const hasDefaultRoute of [false, true]) {
  const where = hasDefaultRoute
    ? "and a default route that would show a leak"
    : "and no other route";
  test(
    `with a wire to the SOCKS server ${where}, programs work and nothing else leaves`,
    forNetwork,
    async () => {
      await using network = await makeIsolatedNetwork({ hasDefaultRoute });
      const programs = [["curl", "-sS", "-m", "10", "http://hello.example/"], python(FETCH)];
      for (const flags of [[], ["--no-env"]]) {
        for (const program of programs) {
          const done = await runInside(network, [
            TSOCKS,
            "run",
            ...SERVER,
            ...flags,
            "--",
            ...program,
          ]);
          assert.deepEqual(done, { status: 0, stdout: PAGE, stderr: "" });
        }
      }
      const unknown = ["curl", "-sS", "-m", "10", "http://no-such-name.example/"];
      const failed = await runInside(network, [TSOCKS, "run", ...SERVER, "--no-env", ...unknown]);
      assert.notEqual(failed.status, 0);

      const packets = await waitFor(
        "packets",
        () => network.packets().length > 20 && network.packets(),
      );
      assert.deepEqual(packets.filter((packet) => !isForServer(packet)), []);
    },
  );
}

test("the packet counter does see a leak", forNetwork, async () => {
  await using network = await makeIsolatedNetwork({ hasDefaultRoute: true });
  const script =
    "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.53', 53))";
  await runInside(network, python(script));
  const leaked = await waitFor("the leak", () => network.packets().find((p) => !isForServer(p)));
  const { protocol, destination, port } = leaked;
  assert.deepEqual({ protocol, destination, port }, {
    protocol: 17,
    destination: "192.0.2.53",
    port: 53,
  });
});

/** Asks a name server by sockets that are bound to an interface or told to send by one. */
const ASK_BY_INTERFACE = `
import socket, struct, sys
index = socket.if_nametoindex("wire")
to_wire = struct.pack("!I", index)
BIND, UNICAST, UNICAST6 = (1, 25, b"wire\\0"), (0, 50, to_wire), (41, 76, to_wire)
STICKY = (41, 50, bytes(16) + struct.pack("=I", index))
INFO, INFO6 = (0, 8, struct.pack("=iII", index, 0, 0)), (41, 50, bytes(16) + struct.pack("=I", index))
FAR, FAR6, MAPPED = ("192.0.2.53", 53), ("2001:db8::53", 53), ("::ffff:192.0.2.53", 53)
QUERY = b"\\1\\2\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\6secret\\7example\\0\\0\\1\\0\\1"
def ask(to, option=None, info=None, is_connected=False):
    s = socket.socket(socket.AF_INET6 if ":" in to[0] else socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(2)
    if option: s.setsockopt(*option)
    if is_connected: s.connect(to)
    if info: s.sendmsg(*([QUERY], [info], 0, to)[:2 if is_connected else 4])
    elif is_connected: s.send(QUERY)
    else: s.sendto(QUERY, to)
    answer, source = s.recvfrom(512)
    print(source[0] == to[0] and answer[7], to[0], flush=True)
ask(FAR)
for is_connected in (False, True):
    ask(FAR, BIND, is_connected=is_connected)
    ask(FAR, UNICAST, is_connected=is_connected)
    ask(MAPPED, BIND, is_connected=is_connected)
    ask(MAPPED, UNICAST, is_connected=is_connected)
    for option in (BIND, UNICAST6, STICKY):
        ask(FAR6, option, is_connected=is_connected)
    ask(FAR, info=INFO, is_connected=is_connected)
    ask(FAR6, info=INFO6, is_connected=is_connected)`;

test("a question to a name server by an interface does not leave by it", forNetwork, async () => {
  await using network = await makeIsolatedNetwork({ hasDefaultRoute: true });
  const command = [TSOCKS, "run", ...SERVER, "--no-env", "--", ...python(ASK_BY_INTERFACE)];
  const { stdout, stderr } = await runInside(network, command);
  assert.equal(stderr, "");
  assert.deepEqual(
    stdout.trim().split("\n").map((line) => line.split(" ")[0]),
    Array(19).fill("1"),
  );
  assert.deepEqual(network.packets().filter((packet) => !isForServer(packet)), []);
});

const CONNECT_WHEN_TOLD = `
import errno, socket, sys
print("up", flush=True)
sys.stdin.readline()
for host in ("hello.example", sys.argv[1]):
    try:
        socket.socket().connect((host, int(sys.argv[2])))
        print("connected", flush=True)
    except OSError as e:
        print(errno.errorcode.get(e.errno, "EAI"), flush=True)
print("over", flush=True)`;

const forKill = needs("python3", "an address beside loopback");

test("a command whose tsocks was killed connects to nothing", forKill, async () => {
  await using web = await startWebServer({ hostname: outsideAddress() });
  await using server = await startReferenceServer({ routes: { "hello.example": web.port } });
  await using home = await makeTempDir();
  const command = python(CONNECT_WHEN_TOLD, outsideAddress(), `${web.port}`);
  const args = ["run", "--server", server.url(), "--no-env", "--", ...command];
  await using tsocks = startTsocks(args, home, { input: "open" });
  await tsocks.waitForOutput(/up/);
  tsocks.kill("SIGKILL");
  tsocks.child.stdin.end("go\n");
  await tsocks.waitForOutput(/over/);
  assert.equal(tsocks.stdout, "up\nEAI\nENETDOWN\nover\n");
  assert.equal(web.connections() + server.connections(), 0);
});

/** Resolvers of programs' own: their packets are answered, and no name server of this machine hears of them. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
import { readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { startWebServer } from "../helpers/local_servers.ts";
import { type NameServer, startNameServer } from "../helpers/name_server.ts";
import { needs } from "../helpers/needs.ts";
import { underOverlay } from "../helpers/overlay.ts";
import { type Finished, run } from "../helpers/processes.ts";
import { python } from "../helpers/python.ts";
import { startReferenceServer } from "../helpers/reference_server.ts";
import { makeTempDir, type TempDir } from "../helpers/temp_dir.ts";
import { startTsocks, TSOCKS } from "../helpers/tsocks.ts";
import { compileProgram, HOST_LIBCS } from "../shim/programs.ts";

const FAR = "203.0.113.53"; // RFC 5737
const DNS_SERVER = "192.0.2.53";
const RECORDS = {
  "hello.example MX": Buffer.from("\0\x0a\x04mail\xc0\x0c", "latin1"),
  "hello.example TXT": Buffer.from("\x05words", "latin1"),
  "hello.example A": Buffer.from([203, 0, 113, 80]),
  "long.example TXT": Buffer.concat(Array(8).fill(Buffer.from("\xff" + "x".repeat(255), "latin1"))),
};
const here = (...others: string[]) => needs("root", "mount namespaces", "dig", ...others);

/** Runs programs on a machine whose resolver is `nameServer`, with and without tsocks. */
async function onMachine(dir: TempDir, nameServer: NameServer) {
  const resolv = `nameserver ${nameServer.address}\noptions timeout:1 attempts:1\n`;
  await writeFile(dir.file("resolv.conf"), resolv, { mode: 0o644 });
  await writeFile(dir.file("nsswitch.conf"), "hosts: files dns\n", { mode: 0o644 });
  await writeFile(dir.file("hosts"), "127.0.0.1 localhost\n192.0.2.7 nas.lan\n192.0.2.8 near\n", {
    mode: 0o644,
  });
  const overlay = {
    "/etc/resolv.conf": dir.file("resolv.conf"),
    "/etc/nsswitch.conf": dir.file("nsswitch.conf"),
    "/etc/hosts": dir.file("hosts"),
  };
  const plain = (...command: string[]): Promise<Finished> => {
    const [program = "", ...args] = underOverlay(overlay, command);
    return run(program, args, { env: { HOME: dir.path } });
  };
  const tsocks = (options: string[], ...command: string[]) =>
    plain(TSOCKS, "run", "--no-env", ...options, "--", ...command);
  return { plain, tsocks };
}

const DIG = ["dig", "+time=2", "+tries=1"];
const SHORT = [...DIG, "+short"];
const NODE_RESOLVE =
  "require('dns').resolve4(process.argv[1], (e, a) => console.log(e ? e.code : a[0]))";

test(
  "dig, host and c-ares get reserved addresses, and no name server hears of it",
  here("host", "node"),
  async () => {
    await using dir = await makeTempDir();
    await using nameServer = await startNameServer({ records: RECORDS });
    const { plain, tsocks } = await onMachine(dir, nameServer);
    await plain(...SHORT, "control.example");
    await plain(...SHORT, "+tcp", "control.example");
    await plain("node", "-e", NODE_RESOLVE, "control.example");
    assert.deepEqual(nameServer.asked.splice(0), [
      ...["udp control.example A", "tcp control.example A", "udp control.example A"],
    ]);
    const V4 = "198.18.0.1\n";
    const V6 = "fd74:736f:636b:7300::1\n";
    const rows: [string[], string | RegExp][] = [
      [[...SHORT, "hello.example"], V4],
      [[...SHORT, "hello.example", "AAAA"], V6],
      [[...SHORT, "+tcp", "hello.example"], V4],
      [[...SHORT, `@${FAR}`, "hello.example"], V4],
      [[...SHORT, "+tcp", `@${FAR}`, "hello.example"], V4],
      [[...SHORT, "@2001:db8::53", "hello.example"], V4],
      [[...SHORT, "+noedns", "+nocookie", "hello.example", "ANY"], V4 + V6],
      [["host", "-t", "A", "hello.example"], /hello\.example has address 198\.18\.0\.1/],
      [["node", "-e", NODE_RESOLVE, "hello.example"], V4],
      [[...SHORT, "near"], "192.0.2.8\n"],
      [[...SHORT, "near", "AAAA"], ""],
      [[...SHORT, "localhost"], "127.0.0.1\n"],
      [[...DIG, "192.0.2.1"], /NXDOMAIN/],
      [[...DIG, "hello.example", "CH"], /REFUSED/],
      [[...DIG, "hello.example", "MX"], /REFUSED/],
      [[...DIG, "+tcp", "hello.example", "HTTPS"], /REFUSED/],
      [
        ["sh", "-c", `${SHORT.join(" ")} -x $(${SHORT.join(" ")} hello.example)`],
        "hello.example.\n",
      ],
      [
        ["sh", "-c", `${SHORT.join(" ")} a.example >&2; ${SHORT.join(" ")} -x ${V6.trim()}`],
        "a.example.\n",
      ],
      [[...DIG, "-x", "198.18.0.77"], /NXDOMAIN/],
      [[...SHORT, "-x", "192.0.2.8"], "near.\n"],
      [[...DIG, "-x", FAR], /REFUSED/],
    ];
    for (const [command, expected] of rows) {
      const { stdout } = await tsocks(["--server", "socks5://127.0.0.1:1"], ...command);
      if (typeof expected === "string") assert.equal(stdout, expected, command.join(" "));
      else assert.match(stdout, expected, command.join(" "));
    }
    assert.deepEqual(nameServer.asked, []);
  },
);

test(
  "what dig was told leads to the name, through the server, and each step has its line",
  here("curl"),
  async () => {
    await using dir = await makeTempDir();
    await using nameServer = await startNameServer();
    await using web = await startWebServer();
    await using server = await startReferenceServer({ routes: { "hello.example": web.port } });
    const { tsocks } = await onMachine(dir, nameServer);
    const script = `${SHORT.join(" ")} hello.example MX; curl -sS http://$(${
      SHORT.join(" ")
    } hello.example)/`;
    const { stdout, stderr } = await tsocks(
      ["--server", server.url(), "--debug", "1"],
      "sh",
      "-c",
      script,
    );
    assert.equal(stdout, "page of 198.18.0.1\n");
    assert.deepEqual(server.requests.map(({ host }) => host), ["hello.example"]);
    const lines = stderr.split("\n").map((line) => line.replace(/^\S+ \d+ /, ""));
    const asked = `dig ${nameServer.address}:53 ANSWER - datagram: dns = remote, the default`;
    const reason = "dns: only a dns_server knows records of this kind, and none is configured";
    assert.deepEqual(lines.slice(0, 2), [asked, `dig hello.example/MX REFUSE - ${reason}`]);
    assert.match(
      stderr,
      /^tsocks: DNS records other than addresses.*\n +at .*\n +fix: .*dns_server/m,
    );
  },
);

const WAYS = ["connect", "sendto", "sendmsg", "sendmmsg", "tcp", "nonblocking-tcp"];

for (const libc of HOST_LIBCS) {
  test(
    `a resolver of a program's own is answered by the server it asked, whatever its calls (${libc.name})`,
    needs(...libc.needs),
    async () => {
      await using dir = await makeTempDir();
      const program = compileProgram(libc, "query_name_server", dir);
      for (const [server, kind] of [[FAR, ""], [`::ffff:${FAR}`, ""], ["2001:db8::53", "v6only"]]) {
        for (const way of WAYS) {
          const tsocks = ["run", "--server", "socks5://127.0.0.1:1", "--no-env", "--"];
          await using running = startTsocks([...tsocks, program, way, server!, "1", kind!], dir);
          const isConnected = !/send/.test(way);
          const from = /tcp/.test(way) ? " 0" : `${server} 53`;
          const line = `${way} rcode 0 records 1 last 198 18 0 1 from ${from} peer ` +
            `${isConnected ? `${server} 53` : ""} errno 0\n`;
          assert.equal((await running.finished).stdout.replace("from - ", "from  "), line);
        }
      }
    },
  );
}

test("with dns_server records of every kind come through the server over TCP", here(), async () => {
  await using dir = await makeTempDir();
  await using nameServer = await startNameServer({ records: RECORDS });
  await using server = await startReferenceServer({
    routes: { [`${DNS_SERVER}:53`]: nameServer.tcpPort },
  });
  const { tsocks } = await onMachine(dir, nameServer);
  const options = ["--server", server.url(), "--dns-server", DNS_SERVER];
  const rows: [string[], string | RegExp][] = [
    [[...SHORT, "hello.example", "MX"], "10 mail.hello.example.\n"],
    [[...SHORT, "+tcp", `@${FAR}`, "hello.example", "TXT"], '"words"\n'],
    [[...DIG, "other.example", "MX"], /NXDOMAIN/],
    [[...SHORT, "+ignore", "long.example", "TXT"], ""],
    [[...SHORT, "long.example", "TXT"], /^("x{255}" ?){8}\n$/],
    [[...SHORT, "hello.example", "A"], "198.18.0.1\n"],
    [[...DIG, "hello.example", "AXFR"], /Transfer failed/],
  ];
  for (const [command, expected] of rows) {
    const { stdout } = await tsocks(options, ...command);
    if (typeof expected === "string") assert.equal(stdout, expected, command.join(" "));
    else assert.match(stdout, expected, command.join(" "));
  }
  assert.equal(nameServer.asked.length, 6);
  assert.ok(nameServer.asked.every((what) => what.startsWith("tcp ")), nameServer.asked.join());
  assert.equal(server.requests.length, 6);
  assert.ok(server.requests.every(({ host, port }) => host === DNS_SERVER && port === 53));
});

const SPOILT: [string, (answer: Buffer) => Buffer | undefined][] = [
  ["another's ID", (answer) => Buffer.concat([Buffer.of(answer[0]! ^ 1), answer.subarray(1)])],
  [
    "another question",
    (answer) => Buffer.concat([answer.subarray(0, 13), Buffer.from("j"), answer.subarray(14)]),
  ],
  ["garbage", () => Buffer.from("\0\0\0")],
  ["silence", () => undefined],
];
test("a dns_server that answers wrongly or not at all is SERVFAIL, in time", here(), async () => {
  for (const [what, spoil] of SPOILT) {
    await using dir = await makeTempDir();
    await using nameServer = await startNameServer({ records: RECORDS, spoil });
    await using server = await startReferenceServer({
      routes: { [`${DNS_SERVER}:53`]: nameServer.tcpPort },
    });
    const { tsocks } = await onMachine(dir, nameServer);
    const options = [
      "--server",
      server.url(),
      "--dns-server",
      DNS_SERVER,
      "--connect-timeout",
      "1",
    ];
    const { stdout } = await tsocks(options, ...DIG, "hello.example", "TXT");
    assert.match(stdout, /SERVFAIL/, what);
    assert.equal(nameServer.asked.length, 1);
  }
});

const LOOK_UP = `
import socket
try:
    print(socket.getaddrinfo("hello.example", 80, socket.AF_INET)[0][4][0])
except socket.gaierror as e:
    print(e.args[0])`;

test(
  "dns = tcp gives programs the addresses that the DNS server knows, and asks nobody else",
  here("python3", "curl"),
  async () => {
    await using dir = await makeTempDir();
    await using nameServer = await startNameServer({ records: RECORDS });
    await using web = await startWebServer();
    await using server = await startReferenceServer({
      routes: { [`${DNS_SERVER}:53`]: nameServer.tcpPort, "203.0.113.80": web.port },
    });
    const { tsocks } = await onMachine(dir, nameServer);
    for (const scheme of ["socks5", "socks4"]) {
      await writeFile(
        dir.file("conf"),
        `server = 127.0.0.1\nserver_port = ${server.port}\nserver_type = ${
          scheme.at(-1)
        }\ndns = tcp\ndns_server = ${DNS_SERVER}:53\n`,
      );
      const options = ["--conf", dir.file("conf")];
      assert.equal((await tsocks(options, ...python(LOOK_UP))).stdout, "203.0.113.80\n");
      assert.equal((await tsocks(options, ...SHORT, "hello.example")).stdout, "203.0.113.80\n");
      const page = await tsocks(options, "curl", "-sS", "http://hello.example/");
      assert.equal(page.stdout, "page of hello.example\n");
      assert.equal(server.requests.at(-1)?.host, "203.0.113.80");
      const none = await tsocks(options, ...python(LOOK_UP.replace("hello", "other")));
      assert.equal(none.stdout, "-2\n"); // EAI_NONAME
    }
    const tried = await tsocks([
      "--server",
      "socks5://127.0.0.1:1",
      "--dns",
      "tcp",
      "--dns-server",
      FAR,
    ], ...python(LOOK_UP));
    assert.equal(tried.stdout, "-3\n"); // EAI_AGAIN
    assert.ok(nameServer.asked.every((what) => what.startsWith("tcp ")), nameServer.asked.join());
  },
);

test("dns = tcp without a DNS server beyond this machine starts nothing", here(), async () => {
  await using dir = await makeTempDir();
  await using nameServer = await startNameServer();
  const { tsocks } = await onMachine(dir, nameServer);
  const { status, stdout, stderr } = await tsocks(
    ["--server", "socks5://127.0.0.1:1", "--dns", "tcp"],
    "echo",
    "started",
  );
  assert.deepEqual([status, stdout], [125, ""]);
  assert.match(
    stderr,
    /^tsocks: No DNS server for dns = tcp.*\n +at --dns\n +fix: .*--dns-server IP\n$/,
  );
});

test(
  "dns = local leaves names to this machine: its name server is asked",
  here("python3"),
  async () => {
    await using dir = await makeTempDir();
    await using nameServer = await startNameServer({ records: RECORDS });
    const { tsocks } = await onMachine(dir, nameServer);
    const options = ["--server", "socks5://127.0.0.1:1", "--dns", "local"];
    assert.equal((await tsocks(options, ...python(LOOK_UP))).stdout, "203.0.113.80\n");
    assert.equal((await tsocks(options, ...SHORT, "hello.example", "TXT")).stdout, '"words"\n');
    assert.deepEqual(nameServer.asked, ["udp hello.example A", "udp hello.example TXT"]);
    const beyond = await tsocks(options, ...SHORT, `@${FAR}`, "hello.example");
    assert.match(beyond.stderr, / 203\.0\.113\.53:53 REFUSE - datagram: udp = refuse, the default/);
  },
);

test(
  "a local name is this machine's to resolve, its other records its own name server's",
  here(),
  async () => {
    await using dir = await makeTempDir();
    await using nameServer = await startNameServer({
      records: { "nas.lan MX": Buffer.from("\0\x05\xc0\x0c", "latin1") },
    });
    const { tsocks } = await onMachine(dir, nameServer);
    await writeFile(
      dir.file("conf"),
      "server = 127.0.0.1\nserver_type = 5\nlocal_name = *.lan\nlocal = 192.0.2.0/24\n",
    );
    const options = ["--conf", dir.file("conf")];
    assert.equal((await tsocks(options, ...SHORT, "nas.lan")).stdout, "192.0.2.7\n");
    assert.deepEqual(nameServer.asked, []);
    assert.equal((await tsocks(options, ...SHORT, "nas.lan", "MX")).stdout, "5 nas.lan.\n");
    assert.deepEqual(nameServer.asked, ["tcp nas.lan MX"]);
  },
);

/** Asks once for each line that it is sent, on one connected socket. */
const ASK_ON_DEMAND = `
import socket, sys
s = socket.socket(type=socket.SOCK_DGRAM)
s.settimeout(5)
s.connect(("${FAR}", 53))
print("port", s.getsockname()[1], flush=True)
for name in sys.stdin:
    s.send(b"\\0\\1\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0" + bytes([len(name) - 1]) + name.strip().encode() + b"\\0\\0\\1\\0\\1")
    print(*s.recv(512)[-4:], flush=True)`;

test(
  "a process that no shim has announced gets no answer, and no name into the table",
  needs("python3"),
  async () => {
    await using dir = await makeTempDir();
    const tsocks = [
      "run",
      "--server",
      "socks5://127.0.0.1:1",
      "--no-env",
      "--",
      ...python(ASK_ON_DEMAND),
    ];
    await using running = startTsocks(tsocks, dir, { input: "open" });
    const [, port = ""] = await running.waitForOutput(/port (\d+)\n/);
    const end = `:${Number(port).toString(16).toUpperCase().padStart(4, "0")}`;
    const row = (await readFile("/proc/net/udp", "latin1")).split("\n").map((line) =>
      line.trim().split(/\s+/)
    )
      .find((columns) => columns[1]?.endsWith(end));
    // 127.83.53.N:PORT, each number's octets the other way round
    const [, number = "", facePort = ""] = /^(..)35537F:(....)$/.exec(row?.[2] ?? "") ?? [];
    const face = [parseInt(facePort, 16), `127.83.53.${parseInt(number, 16)}`] as const;
    const stranger = createSocket("udp4");
    let answers = 0;
    stranger.on("message", () => answers++);
    const question = Buffer.from(
      "\0\x01\x01\0\0\x01\0\0\0\0\0\0\x08stranger\0\0\x01\0\x01",
      "latin1",
    );
    for (let at = 0; at < 10; at++) {
      stranger.send(question, ...face);
    }
    running.child.stdin.write("first\n");
    await running.waitForOutput(/198 18 0 1\n/);
    running.child.stdin.write("second\n");
    await running.waitForOutput(/198 18 0 2\n/);
    assert.equal(answers, 0);
    stranger.close();
    running.child.stdin.end();
    assert.equal((await running.finished).status, 0);
  },
);

for (const libc of HOST_LIBCS) {
  test(`res_query() gets what dns_server knows (${libc.name})`, here(...libc.needs), async () => {
    await using dir = await makeTempDir();
    await using nameServer = await startNameServer({
      records: { "hello.example SRV": Buffer.from("\0\0\0\0\0\x50\xc0\x0c", "latin1") },
    });
    await using server = await startReferenceServer({
      routes: { [`${DNS_SERVER}:53`]: nameServer.tcpPort },
    });
    const { tsocks } = await onMachine(dir, nameServer);
    const program = compileProgram(libc, "query_resolver", dir);
    const options = ["--server", server.url(), "--dns-server", DNS_SERVER];
    for (
      const [name, expected] of [["hello.example", /^res_query 51 4000 0 0\n$/], [
        "no.example",
        /^res_query -1 4000 1 0\n$/,
      ]] as const
    ) {
      assert.match((await tsocks(options, program, name, "res_query")).stdout, expected);
    }
    assert.deepEqual(nameServer.asked, ["tcp hello.example SRV", "tcp no.example SRV"]);
  });
}

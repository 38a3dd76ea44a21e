/** inspectsocks: what real servers speak, and that no hostile one holds it up. */

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { test } from "node:test";
import {
  findRefusedPort,
  startGarbageServer,
  startServer,
  startSilentServer,
  startWebServer,
} from "../helpers/local_servers.ts";
import { needs } from "../helpers/needs.ts";
import { startReferenceServer } from "../helpers/reference_server.ts";
import { type Daemon, startDanted, startMicrosocks } from "../helpers/socks_daemons.ts";
import { startSshSocks } from "../helpers/ssh.ts";
import { makeTempDir } from "../helpers/temp_dir.ts";
import { runTsocks, startTsocks } from "../helpers/tsocks.ts";

interface Inspection {
  connectMs: number;
  requestMs: number;
  versions: Record<string, { is: string; detail: string }>;
  methods: { number: number; isOffered: boolean }[];
  features: Record<string, { is: string; detail: string }>;
}

async function inspect(port: number, args: string[] = [], env: Record<string, string> = {}) {
  const done = await runTsocks(["inspectsocks", "127.0.0.1", `${port}`, "--json", ...args], {
    env,
  });
  const { status, stdout, stderr } = done;
  assert.equal(stderr, "");
  return { status, found: JSON.parse(stdout) as Inspection, stdout };
}

/** `4 yes, 4a no ...`, the methods that are offered, `names yes ...`. */
function summarize({ versions, methods, features }: Inspection) {
  const words = (verdicts: Record<string, { is: string }>) =>
    Object.entries(verdicts).map(([name, { is }]) => `${name} ${is}`).join(", ");
  return [
    words(versions),
    methods.filter(({ isOffered }) => isOffered).map(({ number }) => number).join(" "),
    words(features),
  ];
}

interface Row {
  title: string;
  probes: string[];
  start: () => Promise<Daemon | { port: number } & AsyncDisposable>;
  summary: string[];
}

const SERVERS: Row[] = [
  {
    title: "microsocks",
    probes: ["microsocks"],
    start: startMicrosocks,
    summary: [
      "socks4 no, socks4a no, socks5 yes, http no",
      "0",
      "names yes, ipv6 yes, udpAssociate no, bind no",
    ],
  },
  {
    title: "Dante",
    probes: ["danted"],
    start: startDanted,
    summary: [
      "socks4 yes, socks4a unknown, socks5 yes, http no",
      "0",
      "names unknown, ipv6 no, udpAssociate unknown, bind unknown", // not to itself
    ],
  },
  {
    title: "ssh -D",
    probes: ["ssh", "sshd", "a user who may log in"],
    start: startSshSocks,
    summary: [
      "socks4 yes, socks4a yes, socks5 yes, http no",
      "0",
      "names yes, ipv6 unknown, udpAssociate no, bind no",
    ],
  },
];

for (const { title, probes, start, summary } of SERVERS) {
  test(`inspectsocks tells what ${title} speaks`, needs(...probes), async () => {
    await using server = await start();
    const { status, found } = await inspect(server.port);
    assert.deepEqual(summarize(found), summary, JSON.stringify(found, null, 1));
    assert.equal(status, 0);
    assert.ok(found.connectMs > 0 && found.requestMs > 0);
  });
}

test("inspectsocks tells what tsocks serve speaks, as a table", async () => {
  await using home = await makeTempDir();
  await using server = startTsocks(["serve", "--listen", "127.0.0.1:0"], home);
  const [, port = ""] = await server.waitForOutput(/listening on \S+:(\d+)/);
  const { status, stdout } = await runTsocks(["inspectsocks", "127.0.0.1", port]);
  assert.equal(status, 0);
  for (
    const row of [
      /^ {2}SOCKS 4 +yes$/m,
      /^ {2}SOCKS 4a +yes$/m,
      /^ {2}SOCKS 5 +yes$/m,
      /^ {4}authentication +X'00' +no authentication$/m,
      /^ {4}UDP ASSOCIATE +no +Command not supported$/m,
      /^ {4}BIND +no +Command not supported$/m,
      /^ {2}HTTP CONNECT +yes$/m,
      /^ {2}names resolved there +yes$/m,
      /^ {2}TCP connection +\d+\.\d ms$/m,
      /^ {2}a whole request +\d+\.\d ms$/m,
    ]
  ) assert.match(stdout, row);
});

test(
  "inspectsocks asks with a password from a file or a variable, and never shows it",
  needs("microsocks"),
  async () => {
    await using server = await startMicrosocks({ user: "bob", password: "geheim" });
    await using dir = await makeTempDir();
    await writeFile(dir.file("password"), "geheim\n", { mode: 0o600 });
    const without = await inspect(server.port);
    assert.equal(summarize(without.found)[1], "2");
    assert.equal(without.found.features["names"]?.is, "unknown");
    const options = ["--user", "bob", "--password-file", dir.file("password")];
    const env = { TSOCKS_USERNAME: "bob", TSOCKS_PASSWORD: "geheim" };
    for (const done of [await inspect(server.port, options), await inspect(server.port, [], env)]) {
      assert.equal(done.found.features["names"]?.is, "yes", done.stdout);
      assert.doesNotMatch(done.stdout, /geheim/);
    }
  },
);

test(
  "inspectsocks -t finds that Dante resolves names",
  needs("danted", "root", "mount namespaces"),
  async () => {
    await using web = await startWebServer();
    await using server = await startDanted({ names: ["hello.example"] });
    const { found } = await inspect(server.port, ["-t", `hello.example:${web.port}`]);
    assert.equal(found.features["names"]?.is, "yes");
    const { stdout } = await runTsocks(["inspectsocks", "127.0.0.1", `${server.port}`]);
    assert.match(stdout, /names resolved there +unknown +Connection not allowed[^]*-t NAME:PORT/);
  },
);

test("inspectsocks -t has the server resolve another name", async () => {
  await using web = await startWebServer();
  await using server = await startReferenceServer({ routes: { "hello.example": web.port } });
  const { found } = await inspect(server.port, ["-t", "hello.example:80"]);
  assert.equal(found.features["names"]?.is, "yes");
  assert.equal(found.versions["socks4a"]?.is, "yes");
  const asked = server.requests.filter(({ host }) => host === "hello.example");
  assert.ok(asked.length > 0 && asked.every(({ port }) => port === 80));
});

test("inspectsocks takes no web server for a proxy", async () => {
  await using web = await startWebServer();
  const { status, found } = await inspect(web.port, ["--timeout", "1"]);
  assert.equal(found.versions["http"]?.is, "no", JSON.stringify(found.versions));
  assert.equal(status, 1);
});

/** Interim answers of HTTP without end, octet by octet. */
function drip(socket: Socket): void {
  let at = 0;
  const text = "HTTP/1.1 100 Continue\r\n\r\n";
  const timer = setInterval(() => socket.write(text[at++ % text.length]!), 20);
  socket.once("close", () => clearInterval(timer));
}

/** Megabytes, as fast as they are read. */
function flood(socket: Socket): void {
  const chunk = "\x05".repeat(65_536);
  const write = () => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on("drain", write);
  write();
}

const HOSTILE: [string, () => Promise<{ port: number } & AsyncDisposable>][] = [
  ["silent", startSilentServer],
  ["talking garbage", startGarbageServer],
  ["slow", () => startServer(drip)],
  ["endless", () => startServer(flood)],
  ["closing at once", () => startServer((socket) => socket.destroy())],
];

for (const [title, start] of HOSTILE) {
  test(`inspectsocks has done with a server that is ${title} in its time`, async () => {
    await using server = await start();
    const startMs = performance.now();
    const { status, found } = await inspect(server.port, ["--timeout", "0.5"]);
    assert.ok(performance.now() - startMs < 4000);
    assert.equal(status, 1, JSON.stringify(found.versions));
    assert.ok(Object.values(found.versions).every(({ is }) => is !== "yes"));
  });
}

test("inspectsocks says why it cannot connect", async () => {
  const port = await findRefusedPort();
  const { status, stdout, stderr } = await runTsocks(["inspectsocks", "127.0.0.1", `${port}`]);
  assert.deepEqual([status, stderr], [1, ""]);
  assert.equal(stdout, `127.0.0.1:${port}: Connection refused\n`);
});

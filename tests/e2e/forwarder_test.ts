/**
 * The forwarder as a SOCKS and HTTP server of its own, inside `run` and as `tsocks serve`, asked by clients that
 * are not ours (npm:socks and curl); closed to whoever has not the secret.
 */

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { test } from "node:test";
import { SocksClient } from "socks";
import { startEchoServer, startWebServer } from "../helpers/local_servers.ts";
import { needs } from "../helpers/needs.ts";
import { run, type Running, start } from "../helpers/processes.ts";
import { python } from "../helpers/python.ts";
import { type ReferenceServer, startReferenceServer } from "../helpers/reference_server.ts";
import { makeTempDir, type TempDir } from "../helpers/temp_dir.ts";
import { runTsocks, startTsocks, TSOCKS } from "../helpers/tsocks.ts";

interface Face {
  port: number;
  user: string;
  password: string;
}

/** The forwarder of a run, from the variables of its command, which stays until its input ends. */
async function startRun(server: ReferenceServer, home: TempDir): Promise<[Running, Face]> {
  const script = 'echo "$ALL_PROXY"; read -r line';
  const args = ["run", "--server", server.url(), "--", "sh", "-c", script];
  const tsocks = startTsocks(args, home, { input: "open" });
  const [url] = await tsocks.waitForOutput(/\S+(?=\n)/);
  const { port, username, password } = new URL(url ?? "");
  return [tsocks, { port: Number(port), user: username, password }];
}

async function startServe(args: string[], home: TempDir): Promise<[Running, number]> {
  const tsocks = startTsocks(["serve", "--listen", "127.0.0.1:0", ...args], home);
  const [, port] = await tsocks.waitForOutput(/^listening on 127\.0\.0\.1:(\d+)\n/);
  return [tsocks, Number(port)];
}

/** A connection to hello.example:7 by npm:socks. */
async function connectBy(type: 4 | 5, face: Partial<Face> & { port: number }): Promise<Socket> {
  const login = face.user === undefined ? {} : { userId: face.user, password: face.password ?? "" };
  const { socket } = await SocksClient.createConnection({
    proxy: { host: "127.0.0.1", port: face.port, type, ...login },
    command: "connect",
    destination: { host: "hello.example", port: 7 },
  });
  return socket;
}

/** Sends, ends, and reads to the end: an echo server gives it all back. */
async function roundTrip(socket: Socket, text: string): Promise<string> {
  socket.end(text);
  let answer = "";
  for await (const chunk of socket) answer += chunk;
  return answer;
}

const FLOOD = `
import resource, socket, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
idle = []
for _ in range(500):
    s = socket.socket()
    s.setblocking(False)
    s.connect_ex(("127.0.0.1", int(sys.argv[1])))
    idle.append(s)
print("ready", flush=True)
sys.stdin.readline()`;

test("a flood of connections that say nothing shuts no program out", needs("python3"), async () => {
  await using home = await makeTempDir();
  await using echo = await startEchoServer();
  await using server = await startReferenceServer(echoRoutes(echo.port));
  const script = 'ulimit -n 300; exec "$@"';
  const connect = 'echo "$ALL_PROXY"; read -r line; exec "$@"';
  const talk = python(`
import socket
s = socket.create_connection(("hello.example", 7))
s.sendall(b"word")
print(s.recv(10))`);
  const args = [TSOCKS, "run", "--server", server.url(), "--", "sh", "-c", connect, "-", ...talk];
  await using tsocks = start("sh", ["-c", script, "-", ...args], {
    env: { HOME: home.path, TMPDIR: home.path },
    input: "open",
  });
  const [url] = await tsocks.waitForOutput(/\S+(?=\n)/);
  const [file = "", ...floodArgs] = python(FLOOD, new URL(url ?? "").port);
  await using flood = start(file, floodArgs, { input: "open" });
  await flood.waitForOutput(/ready/);
  tsocks.child.stdin.end("\n");
  assert.match((await tsocks.finished).stdout, /b'word'\n$/);
  flood.child.stdin.end("\n");
});

const echoRoutes = (port: number) => ({ routes: { "hello.example:7": port } });

test("npm:socks goes through the forwarder of a run, SOCKS5 and its secret", async () => {
  await using echo = await startEchoServer();
  await using server = await startReferenceServer(echoRoutes(echo.port));
  await using home = await makeTempDir();
  const [running, face] = await startRun(server, home);
  await using _tsocks = running;
  assert.equal(await roundTrip(await connectBy(5, face), "hello"), "hello");
});

test("the forwarder of a run refuses whoever has not the secret", needs("curl"), async () => {
  await using server = await startReferenceServer();
  await using home = await makeTempDir();
  const [running, { port, user }] = await startRun(server, home);
  await using _tsocks = running;
  await assert.rejects(connectBy(5, { port }));
  await assert.rejects(connectBy(5, { port, user, password: "guess" }));
  await assert.rejects(connectBy(4, { port }));
  await assert.rejects(connectBy(4, { port, user, password: "" }));
  for (const flags of [[], ["-p"], ["-U", `${user}:guess`]]) {
    const proxy = ["-x", `http://127.0.0.1:${port}`, ...flags];
    const { status } = await run("curl", ["-sSf", ...proxy, "http://hello.example/"]);
    assert.notEqual(status, 0, flags.join(" "));
  }
  assert.deepEqual(server.requests, []);
});

test("serve is a SOCKS4a and SOCKS5 server that knows the names it is told", async () => {
  await using echo = await startEchoServer();
  await using home = await makeTempDir();
  const map = ["--map", `hello.example:7=127.0.0.1:${echo.port}`];
  const [running, port] = await startServe(map, home);
  await using tsocks = running;
  assert.equal(await roundTrip(await connectBy(5, { port }), "five"), "five");
  assert.equal(await roundTrip(await connectBy(4, { port }), "four"), "four");
  tsocks.kill("SIGTERM");
  const { status, stdout, stderr } = await tsocks.finished;
  assert.deepEqual({ status, stdout, stderr }, {
    status: 0,
    stdout: `listening on 127.0.0.1:${port}\n`,
    stderr: "",
  });
});

test("serve is an HTTP server for plain requests and CONNECT", needs("curl"), async () => {
  await using web = await startWebServer();
  await using home = await makeTempDir();
  const map = ["--map", `hello.example:80=127.0.0.1:${web.port}`];
  const [running, port] = await startServe(map, home);
  await using _tsocks = running;
  for (const flags of [[], ["-p"]]) {
    const proxy = ["-x", `http://127.0.0.1:${port}`, ...flags];
    const { stdout, stderr } = await run("curl", ["-sS", ...proxy, "http://hello.example/"]);
    assert.deepEqual({ stdout, stderr }, { stdout: "page of hello.example\n", stderr: "" });
  }
});

test("serve with a password asks for it", async () => {
  await using echo = await startEchoServer();
  await using home = await makeTempDir();
  await using dir = await makeTempDir();
  await writeFile(dir.file("password"), "s3cret\n");
  const login = ["--user", "bob", "--password-file", dir.file("password")];
  const map = ["--map", `hello.example:7=127.0.0.1:${echo.port}`];
  const [running, port] = await startServe([...login, ...map], home);
  await using _tsocks = running;
  const right = await connectBy(5, { port, user: "bob", password: "s3cret" });
  assert.equal(await roundTrip(right, "hello"), "hello");
  await assert.rejects(connectBy(5, { port, user: "bob", password: "guess" }));
  await assert.rejects(connectBy(5, { port }));
  await assert.rejects(connectBy(4, { port }));
});

test("serve goes on through a server of its own configuration", async () => {
  await using echo = await startEchoServer();
  await using server = await startReferenceServer(echoRoutes(echo.port));
  await using home = await makeTempDir();
  const [running, port] = await startServe(["--server", server.url()], home);
  await using _tsocks = running;
  assert.equal(await roundTrip(await connectBy(5, { port }), "hello"), "hello");
  assert.equal(server.requests[0]?.host, "hello.example");
});

test("run works through serve", needs("curl"), async () => {
  await using web = await startWebServer();
  await using home = await makeTempDir();
  const map = ["--map", `hello.example:80=127.0.0.1:${web.port}`];
  const [running, port] = await startServe(map, home);
  await using _tsocks = running;
  const server = ["--server", `socks5://127.0.0.1:${port}`];
  const args = ["run", ...server, "--no-env", "--", "curl", "-sS", "http://hello.example/"];
  const { status, stdout, stderr } = await runTsocks(args);
  assert.deepEqual({ status, stdout, stderr }, {
    status: 0,
    stdout: "page of hello.example\n",
    stderr: "",
  });
});

test("serve does not listen beyond loopback without a password", async () => {
  const { status, stdout, stderr } = await runTsocks(["serve", "--listen", "0.0.0.0:0"]);
  assert.deepEqual({ status, stdout }, { status: 125, stdout: "" });
  assert.match(stderr, /^tsocks: .+\n {2}at .+\n {2}fix: .*--open/);
});

test("serve listens beyond loopback with --open", async () => {
  await using home = await makeTempDir();
  await using tsocks = startTsocks(["serve", "--listen", "0.0.0.0:0", "--open"], home);
  await tsocks.waitForOutput(/^listening on 0\.0\.0\.0:\d+\n/);
});

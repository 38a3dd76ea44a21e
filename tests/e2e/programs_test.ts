/**
 * Real programs fetch a page by a name that only the SOCKS server knows: with the proxy variables and
 * (`--no-env`) by the shim alone. What each program does with a failure is in bad_input_test.ts.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { startReferenceServer } from "../helpers/reference_server.ts";
import { startWebServer } from "../helpers/local_servers.ts";
import { needs, programPath } from "../helpers/needs.ts";
import { runTsocks } from "../helpers/tsocks.ts";

const URL = "http://hello.example/";
const PAGE = "page of hello.example\n";

const PYTHON_URLLIB = `
import urllib.request
print(urllib.request.urlopen("${URL}").read().decode(), end="")`;

const PYTHON_ASYNCIO = `
import asyncio
async def main():
    reader, writer = await asyncio.open_connection("hello.example", 80)
    writer.write(b"GET / HTTP/1.0\\r\\nHost: hello.example\\r\\n\\r\\n")
    print((await reader.read()).split(b"\\r\\n\\r\\n", 1)[1].decode(), end="")
asyncio.run(main())`;

const PYTHON_SOCKET = `
import socket
s = socket.create_connection(("hello.example", 80))
s.sendall(b"GET / HTTP/1.0\\r\\nHost: hello.example\\r\\n\\r\\n")
print(s.makefile("rb").read().split(b"\\r\\n\\r\\n", 1)[1].decode(), end="")`;

const NODE_FETCH = `fetch("${URL}").then((r) => r.text()).then((t) => process.stdout.write(t))`;

const NODE_NET = `
const socket = require("net").connect(80, "hello.example");
let all = "";
socket.write("GET / HTTP/1.0\\r\\nHost: hello.example\\r\\n\\r\\n");
socket.on("data", (chunk) => all += chunk);
socket.on("end", () => process.stdout.write(all.split("\\r\\n\\r\\n")[1]));`;

const BASH_DEV_TCP = `
exec 3<>/dev/tcp/hello.example/80
printf 'GET / HTTP/1.0\\r\\nHost: hello.example\\r\\n\\r\\n' >&3
sed '1,/^\\r$/d' <&3`;

const REQUEST = "GET / HTTP/1.0\r\nHost: hello.example\r\n\r\n";

interface Program {
  name: string;
  probe: string;
  args: string[];
  input?: string;
  /** Writes the header fields before the page. */
  showsHeader?: boolean;
}

const PROGRAMS: Program[] = [
  { name: "curl", probe: "curl", args: ["-sS", URL] },
  { name: "wget", probe: "wget", args: ["-q", "-O", "-", URL] },
  { name: "Python's urllib", probe: "python3", args: ["-c", PYTHON_URLLIB] },
  { name: "Python's asyncio", probe: "python3", args: ["-c", PYTHON_ASYNCIO] },
  { name: "a Python socket", probe: "python3", args: ["-c", PYTHON_SOCKET] },
  { name: "Node's fetch", probe: "node", args: ["-e", NODE_FETCH] },
  { name: "Node's net", probe: "node", args: ["-e", NODE_NET] },
  { name: "bash's /dev/tcp", probe: "bash", args: ["-c", BASH_DEV_TCP] },
  {
    name: "socat",
    probe: "socat",
    args: ["-t10", "-", "TCP:hello.example:80"],
    input: REQUEST,
    showsHeader: true,
  },
];

for (const { name, probe, args, input = "", showsHeader = false } of PROGRAMS) {
  for (const [how, flags] of [["", []], [" without proxy variables", ["--no-env"]]] as const) {
    test(`${name} fetches a page that only the server can reach${how}`, needs(probe), async () => {
      await using web = await startWebServer();
      await using server = await startReferenceServer({ routes: { "hello.example:80": web.port } });
      const command = [
        "run",
        "--server",
        server.url(),
        ...flags,
        "--",
        programPath(probe),
        ...args,
      ];
      const { status, stdout, stderr } = await runTsocks(command, { input });
      const body = showsHeader ? stdout.split("\r\n\r\n")[1] : stdout;
      assert.deepEqual({ status, body, stderr }, { status: 0, body: PAGE, stderr: "" });
      assert.deepEqual(server.requests, [{ protocol: "socks5", host: "hello.example", port: 80 }]);
    });
  }
}

test("curl tunnels through the forwarder with CONNECT", needs("curl"), async () => {
  await using web = await startWebServer();
  await using server = await startReferenceServer({ routes: { "hello.example": web.port } });
  const args = ["run", "--server", server.url(), "--", "curl", "-sSp", URL];
  const { status, stdout, stderr } = await runTsocks(args);
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: PAGE, stderr: "" });
});

for (const scheme of ["socks4a", "socks5", "http"]) {
  for (const user of [undefined, "bob"]) {
    const login = user === undefined ? "" : " with a login";
    test(`curl goes through a ${scheme} server${login}`, needs("curl"), async () => {
      await using web = await startWebServer();
      const routes = { "hello.example": web.port };
      // SOCKS4 has a user id and no password
      const password = scheme === "socks4a" ? {} : { password: "p@ss:w/rd" };
      const secret = user === undefined ? {} : { user, ...password };
      await using server = await startReferenceServer({ routes, ...secret });
      const args = ["run", "--server", server.url(scheme), "--no-env", "--", "curl", "-sS", URL];
      const { status, stdout, stderr } = await runTsocks(args);
      assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: PAGE, stderr: "" });
      assert.equal(server.requests[0]?.host, "hello.example");
    });
  }
}

test("an address is passed on as an address, IPv6 too", needs("curl"), async () => {
  await using web = await startWebServer();
  const routes = { "203.0.113.9": web.port, "2001:db8:0:0:0:0:0:9": web.port };
  await using server = await startReferenceServer({ routes });
  const urls = ["http://203.0.113.9/", "http://[2001:db8::9]/"];
  const args = ["run", "--server", server.url(), "--no-env", "--", "curl", "-sS", ...urls];
  const { status, stdout, stderr } = await runTsocks(args);
  const pages = "page of 203.0.113.9\npage of [2001:db8::9]\n";
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: pages, stderr: "" });
});

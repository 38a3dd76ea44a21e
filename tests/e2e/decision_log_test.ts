/** The decision log: one line a decision, for people and for awk. */

import assert from "node:assert/strict";
import { readFile, stat, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { findRefusedPort, startBannerServer, startWebServer } from "../helpers/local_servers.ts";
import { needs, outsideAddress } from "../helpers/needs.ts";
import { connectCommand } from "../helpers/python.ts";
import { startReferenceServer } from "../helpers/reference_server.ts";
import { makeTempDir } from "../helpers/temp_dir.ts";
import { runTsocks } from "../helpers/tsocks.ts";

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Runs with a log file of its own; the log's lines, each as awk's columns. */
async function logOf(args: string[], env: Record<string, string> = {}): Promise<string[][]> {
  await using dir = await makeTempDir();
  const options = { env: { TSOCKS_DEBUG_FILE: dir.file("debug.log"), ...env } };
  await runTsocks(["run", ...args], options);
  const text = await readFile(dir.file("debug.log"), "utf8");
  assert.equal((await stat(dir.file("debug.log"))).mode & 0o777, 0o600);
  return text.split("\n").filter((line) => line !== "").map((line) => line.split(" "));
}

const CAT = ["bash", "-c", "exec 3<>/dev/tcp/hello.example/80; printf four >&3; cat <&3"];

test(
  "a forwarded connection is a FORWARD line with the reason, and an END line with the octets",
  needs("bash"),
  async () => {
    await using destination = await startBannerServer("nine byte");
    const routes = { "hello.example": destination.port };
    await using server = await startReferenceServer({ routes });
    const lines = await logOf(["--server", server.url(), "--no-env", "--debug", "1", "--", ...CAT]);
    assert.equal(lines.length, 2);
    const [forward = [], end = []] = lines;
    assert.match(forward[0] ?? "", TIME);
    assert.match(forward[1] ?? "", /^\d+$/);
    assert.deepEqual(forward.slice(2, 6), ["bash", "hello.example:80", "FORWARD", server.url()]);
    assert.equal(forward.slice(6).join(" "), "default server (--server)");
    assert.deepEqual(end.slice(2, 6), ["bash", "hello.example:80", "END", server.url()]);
    assert.deepEqual(end.slice(6, 8), ["sent=4", "received=9"]);
    assert.match(end[8] ?? "", /^ms=\d+$/);
    assert.equal(end[9], "outcome=ok");
  },
);

test(
  "a decision names the file and the line of its rule",
  needs("curl", "an address beside loopback"),
  async () => {
    const host = outsideAddress();
    await using web = await startWebServer({ hostname: host });
    await using dir = await makeTempDir();
    const conf = dir.file("tsocks.conf");
    await writeFile(conf, `# first line\nserver = 127.0.0.1\nlocal = ${host}/255.255.255.255\n`);
    const url = `http://${host}:${web.port}/`;
    const options = ["--conf", conf, "--no-env", "--debug", "1"];
    const [direct = []] = await logOf([...options, "--", "curl", "-s", url]);
    assert.deepEqual(direct.slice(3, 6), [`${host}:${web.port}`, "DIRECT", "-"]);
    assert.equal(direct.slice(6).join(" "), `local ${host}/255.255.255.255 (${conf}:3)`);
  },
);

test("a failure is a FAIL line with the server's words", needs("python3"), async () => {
  await using server = await startReferenceServer({ rep: 2 });
  const command = connectCommand("hello.example", 80);
  const lines = await logOf(["--server", server.url(), "--debug", "1", "--", ...command]);
  const fail = lines.find((columns) => columns[4] === "FAIL") ?? [];
  assert.deepEqual(fail.slice(3, 7), ["hello.example:80", "FAIL", server.url(), "EACCES"]);
  assert.match(fail.slice(7).join(" "), /not allowed by ruleset/i);
});

test("level 0 tells a server's failure and not a destination's", needs("python3"), async () => {
  const command = connectCommand("hello.example", 80);
  await using server = await startReferenceServer({ rep: 5 });
  assert.deepEqual(await logOf(["--server", server.url(), "--", ...command]), []);
  const dead = `socks5://127.0.0.1:${await findRefusedPort()}`;
  const lines = await logOf(["--server", dead, "--", ...command]);
  const fail = lines.find((columns) => columns[4] === "FAIL") ?? [];
  assert.deepEqual(fail.slice(3, 7), ["hello.example:80", "FAIL", dead, "ECONNREFUSED"]);
});

test("--log-format json is one object a line", needs("bash"), async () => {
  await using destination = await startBannerServer("nine byte");
  const routes = { "hello.example": destination.port };
  await using server = await startReferenceServer({ routes });
  const options = ["--server", server.url(), "--debug", "1", "--log-format", "json"];
  const lines = await logOf([...options, "--", ...CAT]);
  const [forward, end] = lines.map((columns) => JSON.parse(columns.join(" ")));
  assert.match(forward.time, TIME);
  assert.deepEqual(
    [forward.process, forward.destination, forward.action, forward.server],
    ["bash", "hello.example:80", "FORWARD", server.url()],
  );
  assert.deepEqual([end.action, end.sent, end.received], ["END", 4, 9]);
});

test(
  "TSOCKS_DEBUG=1 logs on stderr what --debug 1 does, and level 0 nothing of success",
  needs("bash"),
  async () => {
    await using destination = await startBannerServer("nine byte");
    const routes = { "hello.example": destination.port };
    await using server = await startReferenceServer({ routes });
    const args = ["run", "--server", server.url(), "--", ...CAT];
    const loud = await runTsocks(args, { env: { TSOCKS_DEBUG: "1" } });
    assert.match(loud.stderr, / hello\.example:80 FORWARD /);
    assert.equal(loud.stdout, "nine byte");
    assert.equal((await runTsocks(args)).stderr, "");
  },
);

test("TSOCKS_DEBUG=-1 says nothing even of a failure", needs("python3"), async () => {
  const server = `socks5://127.0.0.1:${await findRefusedPort()}`;
  const args = ["run", "--server", server, ...connectCommand("hello.example", 80)];
  const { stdout, stderr } = await runTsocks(args, { env: { TSOCKS_DEBUG: "-1" } });
  assert.deepEqual({ stdout, stderr }, { stdout: "ECONNREFUSED\n", stderr: "" });
});

test("the log is appended to", needs("bash"), async () => {
  await using dir = await makeTempDir();
  await writeFile(dir.file("debug.log"), "what was there\n", { mode: 0o600 });
  await using server = await startReferenceServer({ rep: 5 });
  const options = ["--server", server.url(), "--debug", "1", "--debug-file", dir.file("debug.log")];
  await runTsocks(["run", ...options, "--", ...CAT]);
  assert.match(await readFile(dir.file("debug.log"), "utf8"), /^what was there\n\d{4}-/);
});

/** tsocks.jsonc as its users write it, and tsocks convert. */

import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { startWebServer } from "../helpers/local_servers.ts";
import { needs } from "../helpers/needs.ts";
import { startReferenceServer } from "../helpers/reference_server.ts";
import { makeTempDir } from "../helpers/temp_dir.ts";
import { runTsocks, startTsocks } from "../helpers/tsocks.ts";

const CURL = ["curl", "-sS", "-m", "10"];

test(
  "~/.tsocks.jsonc does what a tsocks.conf does, with its places in the log",
  needs("curl"),
  async () => {
    await using web = await startWebServer();
    await using server = await startReferenceServer({ routes: { "hello.example": web.port } });
    await using home = await makeTempDir();
    const conf = home.file(".tsocks.jsonc");
    await writeFile(
      conf,
      `// mine\n{\n  "server": "127.0.0.1", "server_port": ${server.port},\n  "server_type": 5, // SOCKS 5\n}\n`,
    );
    const args = ["run", "--debug", "1", "--", ...CURL, "http://hello.example/"];
    await using running = startTsocks(args, home);
    const { status, stdout, stderr } = await running.finished;
    assert.deepEqual([status, stdout], [0, "page of hello.example\n"]);
    assert.ok(stderr.includes(`default server (${conf}:3)`), stderr);
    assert.deepEqual(server.requests.map(({ host }) => host), ["hello.example"]);
  },
);

test("two forms in one place stop before the command starts", async () => {
  await using home = await makeTempDir();
  const [conf, jsonc] = [home.file(".tsocks.conf"), home.file(".tsocks.jsonc")];
  await writeFile(conf, "server = 127.0.0.1\n");
  await writeFile(jsonc, '{"server": "127.0.0.1"}');
  const start = async (...args: string[]) => {
    await using running = startTsocks(["run", ...args, "--", "echo", "started"], home);
    const { status, stdout, stderr } = await running.finished;
    return { status, stdout, stderr };
  };
  assert.deepEqual(await start(), {
    status: 125,
    stdout: "",
    stderr: "tsocks: Two configurations in one place\n" +
      `  at ${conf} and ${jsonc}\n  fix: remove one of them, or name one: --conf FILE\n`,
  });
  const started = { status: 0, stdout: "started\n", stderr: "" };
  assert.deepEqual(await start("--conf", jsonc), started);
  assert.deepEqual(await start("--server", "socks5://127.0.0.1"), started);
  await rm(conf);
  assert.deepEqual(await start(), started);
});

test("errors of a tsocks.jsonc stop before the command starts, each with its line and column", async () => {
  await using dir = await makeTempDir();
  const conf = dir.file("t.jsonc");
  await writeFile(conf, '{\n  "sever": "h",\n  "local": ["10.0.0.1/8"]\n}\n');
  const { status, stdout, stderr } = await runTsocks([
    "run",
    "--conf",
    conf,
    "--",
    "echo",
    "started",
  ]);
  assert.deepEqual([status, stdout], [125, ""]);
  assert.equal(
    stderr,
    `tsocks: Unknown key: did you mean 'server'\n  at ${conf}:2:3\n  fix: write "server"\n` +
      `tsocks: Network address has bits outside its mask: '10.0.0.1/8'\n  at ${conf}:3:13\n` +
      "  fix: write 10.0.0.0/8 for the network, or 10.0.0.1 for the one host\n",
  );
});

test("tsocks convert writes the other form, and tsocks runs with it", needs("curl"), async () => {
  await using web = await startWebServer();
  await using server = await startReferenceServer({ routes: { "hello.example": web.port } });
  await using dir = await makeTempDir();
  const source = dir.file("proxychains.conf");
  await writeFile(
    source,
    `# mine\nstrict_chain\nproxy_dns\nlocalnet 127.0.0.0/8\n[ProxyList]\nsocks4 127.0.0.1 ${server.port}\n`,
  );
  const toConf = await runTsocks(["convert", source]);
  assert.deepEqual([toConf.status, toConf.stderr], [0, ""]);
  await writeFile(dir.file("a.conf"), toConf.stdout);
  const toJsonc = await runTsocks(["convert", dir.file("a.conf")]);
  assert.deepEqual([toJsonc.status, toJsonc.stderr], [0, ""]);
  await writeFile(dir.file("a.jsonc"), toJsonc.stdout);
  assert.equal((await runTsocks(["convert", dir.file("a.jsonc")])).stdout, toConf.stdout);
  for (const conf of ["a.conf", "a.jsonc"]) {
    const args = ["run", "--conf", dir.file(conf), "--", ...CURL, "http://hello.example/"];
    assert.equal((await runTsocks(args)).stdout, "page of hello.example\n");
  }
  assert.deepEqual(server.requests.map(({ protocol }) => protocol), ["socks4a", "socks4a"]);
});

test("what would be lost is told and nothing written, unless --lossy", async () => {
  await using dir = await makeTempDir();
  const source = dir.file("x");
  await writeFile(
    source,
    "proxy_dns\nlocalnet 127.0.0.0/8\n[ProxyList]\nsocks5 192.0.2.1 1080\nhttp 192.0.2.2 80\n",
  );
  const message = "Chain of several servers: tsocks goes through one\n" +
    `  at ${source}:5:1\n  fix: keep one server, or say --lossy\n`;
  const strict = await runTsocks(["convert", source]);
  assert.deepEqual([strict.status, strict.stdout, strict.stderr], [1, "", `tsocks: ${message}`]);
  const lossy = await runTsocks(["convert", "--lossy", "--to", "jsonc", source]);
  assert.deepEqual([lossy.status, lossy.stderr], [0, `tsocks: warning: ${message}`]);
  assert.match(lossy.stdout, /^ {2}\/\/ not converted: http 192\.0\.2\.2 80$/m);
  await writeFile(source, "sever = h\n");
  const broken = await runTsocks(["convert", "--lossy", source]);
  assert.deepEqual([broken.status, broken.stdout], [1, ""]);
});

/** Arguments, what is said. */
const WRONG: [string[], RegExp][] = [
  [[], /^tsocks: One file is needed$/m],
  [["--to", "yaml", "x"], /^tsocks: Unknown value "yaml"\n {2}at --to\n/],
  [["--from", "squid", "x"], /^tsocks: Unknown value "squid"\n {2}at --from\n/],
  [["--form", "x"], /^tsocks: Unknown option/m],
  [["/proc/none"], /^tsocks: Cannot read it: ENOENT$/m],
];

for (const [args, said] of WRONG) {
  test(`tsocks convert ${args.join(" ")} says what is wrong`, async () => {
    const { status, stdout, stderr } = await runTsocks(["convert", ...args]);
    assert.deepEqual([status, stdout], [125, ""]);
    assert.match(stderr, said);
  });
}

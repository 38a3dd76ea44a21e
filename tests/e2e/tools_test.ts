/** The configuration's tools through the built binary: validateconf, route, doctor, and the help on verbs. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import {
  findRefusedPort,
  startServer,
  startSilentServer,
  startWebServer,
} from "../helpers/local_servers.ts";
import { startNameServer } from "../helpers/name_server.ts";
import { needs } from "../helpers/needs.ts";
import { underOverlay } from "../helpers/overlay.ts";
import { run } from "../helpers/processes.ts";
import { startReferenceServer } from "../helpers/reference_server.ts";
import { makeTempDir, type TempDir } from "../helpers/temp_dir.ts";
import { runTsocks, startTsocks, TSOCKS } from "../helpers/tsocks.ts";

async function writeConf(dir: TempDir, text: string): Promise<string> {
  await writeFile(dir.file("a.conf"), text);
  return dir.file("a.conf");
}

test("validateconf says what a valid file means, and by which line a destination goes", async () => {
  await using dir = await makeTempDir();
  const conf = await writeConf(
    dir,
    "local = 10.0.0.0/8\nserver = 10.0.0.1\nserver_type = 5\ndefault_user = bob\ndefault_pass = geheim\n",
  );
  const done = await runTsocks(["validateconf", "-f", conf, "-t", "www.example:443"]);
  assert.deepEqual([done.status, done.stderr], [0, ""]);
  assert.match(done.stdout, new RegExp(`^${conf}: valid\n`));
  assert.match(done.stdout, new RegExp(`10\\.0\\.0\\.0/8 +direct +local \\(${conf}:1\\)`));
  assert.match(done.stdout, /socks5:\/\/10\.0\.0\.1:1080 +bob +\*{8} /);
  assert.match(
    done.stdout,
    /\nwww\.example:443\n {2}decision +forward: [^]*name +resolved by the server/,
  );
  assert.match(done.stdout, new RegExp(`reason +default server \\(${conf}:2\\)`));
  assert.doesNotMatch(done.stdout, /geheim/);
});

test("validateconf shows each error's line with a caret, and no password; status 1", async () => {
  await using dir = await makeTempDir();
  const conf = await writeConf(dir, "sever = x\nserver_port = 0\ndefault_pas = geheim\n");
  const done = await runTsocks(["validateconf", "-f", conf]);
  assert.equal(done.status, 1);
  assert.equal(done.stdout, `${conf}: 3 errors\n`);
  const caret = `  at ${conf}:2:15\n  2 | server_port = 0\n                    ^\n  fix: `;
  assert.ok(done.stderr.includes(caret), done.stderr);
  assert.doesNotMatch(done.stderr, /geheim/);
});

test("validateconf has status 1 for what run would not start with, and 125 for its own usage", async () => {
  await using dir = await makeTempDir();
  const conf = await writeConf(dir, "local = 10.0.0.0/8\n");
  const rows: [string[], number, RegExp][] = [
    [["-f", conf], 1, /No SOCKS server/],
    [["-f", dir.file("missing")], 1, /Cannot read the configuration: ENOENT/],
    [["--server", "socks5://127.0.0.1", "--server", "socks5://127.0.0.1"], 1, /Second server/],
    [["-x"], 125, /Unknown option "-x"/],
  ];
  for (const [args, status, pattern] of rows) {
    const done = await runTsocks(["validateconf", ...args]);
    assert.deepEqual([args, done.status], [args, status]);
    assert.match(done.stderr, pattern);
  }
});

test("validateconf and route read a tsocks.jsonc, and show its lines without the password", async () => {
  await using dir = await makeTempDir();
  const conf = dir.file("t.jsonc");
  const server = '"server": "127.0.0.1", "server_type": 5';
  await writeFile(conf, `{\n  ${server},\n  "default_pass": "geheim"\n}\n`);
  const valid = await runTsocks(["validateconf", "-f", conf, "-t", "www.example:443"]);
  assert.deepEqual([valid.status, valid.stdout.split("\n", 1)], [0, [`${conf}: valid, 1 warning`]]);
  assert.match(valid.stdout, new RegExp(`reason +default server \\(${conf}:2\\)`));
  const told = await runTsocks(["route", "--json", "-f", conf, "www.example:443"]);
  const [found] = JSON.parse(told.stdout) as Route[];
  assert.deepEqual([found?.file, found?.line, found?.decision], [conf, 2, "forward"]);
  await writeFile(conf, `{ ${server}, "default_pas": "geheim", "server_port": 0 }\n`);
  const broken = await runTsocks(["validateconf", "-f", conf]);
  assert.deepEqual([broken.status, broken.stdout], [1, `${conf}: 2 errors\n`]);
  const line = `  1 | { ${server}, "default_pas": ********, "server_port": 0 }`;
  assert.ok(broken.stderr.includes(line.slice(0, 80)), broken.stderr);
  for (const { stdout, stderr } of [valid, told, broken]) {
    assert.doesNotMatch(stdout + stderr, /geheim/);
  }
});

test("validateconf tells of two forms in one place", async () => {
  await using home = await makeTempDir();
  await writeFile(home.file(".tsocks.conf"), "server = 127.0.0.1\n");
  await writeFile(home.file(".tsocks.jsonc"), '{"server": "127.0.0.1"}');
  await using running = startTsocks(["validateconf"], home);
  const { status, stderr } = await running.finished;
  assert.equal(status, 1);
  assert.match(stderr, /^tsocks: Two configurations in one place\n/);
});

interface Route {
  destination: string;
  decision: string;
  server: string;
  reason: string;
  file: string;
  line: number;
  name: string;
  address: string;
}

test("route tells what run then does, and connects to nothing", needs("curl"), async () => {
  await using web = await startWebServer();
  const routes = { "www.corp.example": web.port, "198.51.100.7": web.port };
  await using server = await startReferenceServer({ routes });
  await using dir = await makeTempDir();
  const conf = await writeConf(
    dir,
    `server = 127.0.0.1\nserver_port = ${server.port}\nserver_type = 5\n` +
      `path {\nserver = 127.0.0.1\nserver_port = ${server.port}\nserver_type = 4a\nreaches_name = *.corp.example\n}\n`,
  );
  const destinations = ["www.corp.example:80", "198.51.100.7:80", "127.0.0.1:80"];
  const told = await runTsocks(["route", "--json", "--conf", conf, ...destinations]);
  assert.deepEqual([told.status, told.stderr, server.connections()], [0, "", 0]);
  const found = JSON.parse(told.stdout) as Route[];
  assert.deepEqual(
    found.map(({ destination, decision, line, name }) => [destination, decision, line, name]),
    [
      ["www.corp.example:80", "forward", 8, "server"],
      ["198.51.100.7:80", "forward", 1, null],
      ["127.0.0.1:80", "direct", null, null],
    ],
  );

  const urls = ["http://www.corp.example/", "http://198.51.100.7/"];
  const log = dir.file("log");
  const options = ["--conf", conf, "--no-env", "--debug", "1", "--debug-file", log];
  assert.equal((await runTsocks(["run", ...options, "--", "curl", "-sS", ...urls])).status, 0);
  const lines = (await readFile(log, "utf8")).split("\n").filter((text) => / FORWARD /.test(text));
  for (
    const [at, { destination, server: url, reason, file, line }] of found.slice(0, 2).entries()
  ) {
    assert.ok(
      lines[at]?.endsWith(` ${destination} FORWARD ${url} ${reason} (${file}:${line})`),
      lines[at],
    );
  }
});

test("route resolves here only what this machine must, and tells each address", async () => {
  const four = ["--server", "socks4://127.0.0.1:9"];
  const { status, stdout } = await runTsocks([
    "route",
    "--json",
    ...four,
    "localhost:80",
    "127.1:80",
  ]);
  const found = JSON.parse(stdout) as Route[];
  assert.equal(status, 0);
  assert.ok(
    found.every(({ decision, address }) =>
      decision === "direct" && /^127\.0\.0\.1$|^::1$/.test(address)
    ),
  );
  const tcp = ["--conf", "/dev/stdin"];
  const input = "server = 127.0.0.1\nserver_type = 5\ndns = tcp\ndns_server = 192.0.2.53\n";
  const asked = await runTsocks(["route", ...tcp, "hello.example:80"], { input });
  assert.equal(asked.status, 1);
  assert.match(asked.stdout, /decision +none[^]*only the DNS server knows/);
});

test("route has status 1 for what is refused, or what the server's version cannot carry", async () => {
  await using dir = await makeTempDir();
  const conf = await writeConf(dir, "path {\nserver = 127.0.0.1\nreaches = 10.0.0.0/8\n}\n");
  const rows: [string[], RegExp][] = [
    [["--conf", conf, "192.0.2.1:80"], /refuse: [^]*no path reaches it/],
    [["--server", "socks4://127.0.0.1", "[2001:db8::1]:80"], /fails +Address type not supported/],
  ];
  for (const [args, pattern] of rows) {
    const done = await runTsocks(["route", ...args]);
    assert.equal(done.status, 1);
    assert.match(done.stdout, pattern);
  }
});

test(
  "route asks a name server for local names alone",
  needs("root", "mount namespaces"),
  async () => {
    const records = {
      "nas.lan A": Buffer.from([192, 0, 2, 7]),
      "hello.example A": Buffer.from([192, 0, 2, 8]),
    };
    await using nameServer = await startNameServer({ records });
    await using dir = await makeTempDir();
    await writeFile(dir.file("resolv.conf"), `nameserver ${nameServer.address}\n`);
    const conf = await writeConf(dir, "server = 127.0.0.1\nserver_type = 5\nlocal_name = *.lan\n");
    const overlay = { "/etc/resolv.conf": dir.file("resolv.conf") };
    const tsocks = [TSOCKS, "route", "--conf", conf, "hello.example:80", "nas.lan:22"];
    const [program = "", ...args] = underOverlay(overlay, tsocks);
    const { status, stdout } = await run(program, args, { env: { HOME: dir.path } });
    assert.equal(status, 0, stdout);
    assert.match(
      stdout,
      /nas\.lan:22\n +decision +direct[^]*local_name \*\.lan[^]*address +192\.0\.2\.7/,
    );
    assert.ok(nameServer.asked.some((question) => question.includes("nas.lan")));
    assert.ok(!nameServer.asked.some((question) => question.includes("hello.example")));
  },
);

interface Finding {
  level: string;
  what: string;
  where?: string;
  fix?: string;
}

async function examine(args: string[], env: Record<string, string> = {}) {
  const done = await runTsocks(["doctor", "--json", ...args], { env });
  assert.doesNotMatch(done.stdout + done.stderr, /geheim/);
  const { findings } = JSON.parse(done.stdout) as { findings: Finding[] };
  const bad = findings.filter(({ level }) => level === "problem");
  return { status: done.status, findings, problems: bad };
}

test("doctor finds no problem where there is none, and says that the server answers", async () => {
  await using server = await startReferenceServer();
  await using home = await makeTempDir();
  await using tsocks = startTsocks(["doctor", "--server", server.url()], home);
  const done = await tsocks.finished;
  assert.deepEqual([done.status, done.stderr], [0, ""]);
  assert.match(done.stdout, new RegExp(`^ok +The shim can lie in ${home.path}$`, "m"));
  assert.deepEqual(await readdir(home.path), []);
  assert.match(done.stdout, new RegExp(`^ok +${server.url()} answers, in [\\d.]+ ms`, "m"));
  assert.match(done.stdout, /\n0 problems, \d+ notes?\n$/);
});

test("doctor tells of each server what is wrong with it, and where to mend it", async () => {
  await using silent = await startSilentServer();
  await using closing = await startServer((socket) => socket.destroy());
  await using web = await startWebServer();
  await using locked = await startReferenceServer({ user: "bob", password: "right" });
  const refused = await findRefusedPort();
  const rows: [string, RegExp][] = [
    [`socks5://127.0.0.1:${refused}`, /connection refused/],
    [`socks5://127.0.0.1:${silent.port}`, /did not answer in time/],
    [`socks5://127.0.0.1:${closing.port}`, /closed the connection/],
    [`socks4://127.0.0.1:${web.port}`, /not the protocol's|closed|in time/],
    [`http://127.0.0.1:${web.port}`, /not the protocol's|closed/],
    [`socks5://bob:geheim@127.0.0.1:${locked.port}`, /does not accept the user name or password/],
    [locked.url().replace("bob:right@", ""), /another authentication/],
  ];
  for (const [server, pattern] of rows) {
    const { status, problems } = await examine(["--timeout", "0.5", "--server", server]);
    assert.deepEqual([server, status, problems.length], [server, 1, 1]);
    assert.match(problems[0]?.what ?? "", pattern);
    assert.match(problems[0]?.where ?? "", /\(--server\)$/);
    assert.ok(problems[0]?.fix);
  }
});

test("doctor tells of errors in the configuration, with their lines", async () => {
  await using dir = await makeTempDir();
  const conf = await writeConf(dir, "server = 127.0.0.1\nserver_port = 0\n");
  const { status, problems } = await examine(["--conf", conf]);
  assert.deepEqual([status, problems.map(({ where }) => where)], [1, [`${conf}:2`]]);
});

test("doctor tells of other preloads", async () => {
  await using server = await startReferenceServer();
  await using dir = await makeTempDir();
  const gone = dir.file("libgone.so");
  const other = await examine(["--server", server.url()], { LD_PRELOAD: "libm.so.6" });
  assert.equal(other.status, 0);
  assert.ok(other.findings.some(({ what }) => /preloaded with libm\.so\.6/.test(what)));
  const args = ["doctor", "--json", "--server", server.url()];
  const missing = await runTsocks(args, { env: { LD_PRELOAD: gone } });
  assert.match(missing.stdout, /preloaded library is missing: \S+libgone\.so/);
});

test(
  "doctor tells of a noexec directory, and of another socksifier in ld.so.preload",
  needs("root", "mount namespaces"),
  async () => {
    await using server = await startReferenceServer();
    await using dir = await makeTempDir();
    await mkdir(dir.file("noexec"));
    await writeFile(dir.file("libtsocks.so"), "");
    await writeFile(dir.file("ld.so.preload"), `${dir.file("libtsocks.so")} # old\n`);
    const script = `set -e; mount -t tmpfs -o noexec none ${dir.file("noexec")}
      mount -t overlay -o lowerdir=${dir.path}:/etc none /etc; exec "$@"`;
    const tsocks = [TSOCKS, "doctor", "--json", "--server", server.url()];
    const env = { TMPDIR: dir.file("noexec"), HOME: dir.path };
    const args = ["-m", "sh", "-c", script, "sh", ...tsocks];
    const done = await run("unshare", args, { env });
    const { findings } = JSON.parse(done.stdout) as { findings: Finding[] };
    assert.equal(done.status, 1);
    const noexec = findings.find(({ what }) => /noexec: mounted noexec/.test(what));
    assert.equal(noexec?.level, "note");
    const preload = findings.find(({ what }) => /preloaded with \S+\/libtsocks\.so/.test(what));
    assert.deepEqual([preload?.level, preload?.where], ["problem", "/etc/ld.so.preload"]);
  },
);

test(
  "doctor tells where no directory will do, and leaves none behind",
  needs("root", "mount namespaces"),
  async () => {
    await using server = await startReferenceServer();
    const all = ["/tmp", "/dev/shm", "/var/tmp", "/run"];
    const mounts = all.map((path) => `mount -t tmpfs -o noexec none ${path}`).join("; ");
    const script = `mount --bind "$1" /mnt; ${mounts}; shift; /mnt/"$@"; s=$?; ls /tmp; exit $s`;
    const binary = [TSOCKS.replace(/\/[^/]*$/, ""), TSOCKS.replace(/.*\//, "")];
    const args = ["-m", "sh", "-c", script, "sh", ...binary];
    const env = { TMPDIR: "/tmp", HOME: "/" };
    const done = await run("unshare", [...args, "doctor", "--server", server.url()], { env });
    assert.equal(done.status, 1, done.stderr);
    assert.match(done.stdout, /^problem +No directory can hold the shim library\n +at .*noexec/m);
    assert.match(done.stdout, /notes?\n$/); // ls found nothing
  },
);

test("a verb's name is the verb, and run -- reaches the command that is called so", async () => {
  await using dir = await makeTempDir();
  await writeFile(dir.file("doctor"), "#!/bin/sh\necho command\n", { mode: 0o755 });
  const env = { PATH: `${dir.path}:/usr/bin:/bin` };
  const conf = await writeConf(dir, "server = 127.0.0.1\n");
  const verb = await runTsocks(["doctor", "--help"], { env });
  assert.match(verb.stdout, /^Usage: tsocks doctor/);
  const command = await runTsocks(["run", "--conf", conf, "--", "doctor", "--help"], { env });
  assert.deepEqual([command.status, command.stdout], [0, "command\n"]);
});

test("a slip of a verb is told, unless there is a command of that name; status 127", async () => {
  await using dir = await makeTempDir();
  const done = await runTsocks(["inspectsock", "127.0.0.1"]);
  assert.equal(done.status, 127);
  assert.match(
    done.stderr,
    /^tsocks: No verb or command "inspectsock": did you mean "inspectsocks"\n/,
  );
  await writeFile(dir.file("docter"), "#!/bin/sh\necho command\n", { mode: 0o755 });
  const conf = await writeConf(dir, "server = 127.0.0.1\n");
  const env = { PATH: `${dir.path}:/usr/bin:/bin`, TSOCKS_CONF_FILE: conf };
  const command = await runTsocks(["docter"], { env });
  assert.deepEqual([command.status, command.stdout], [0, "command\n"]);
  const option = await runTsocks(["run", "--strickt", "--", "true"]);
  assert.equal(option.status, 125);
  assert.match(option.stderr, /did you mean "--strict"/);
});

/** Names travel to the server: this machine's resolver is never asked, and local names stay local. */

import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { startWebServer } from "../helpers/local_servers.ts";
import { needs } from "../helpers/needs.ts";
import { overlayHosts, underOverlay } from "../helpers/overlay.ts";
import { run } from "../helpers/processes.ts";
import { python } from "../helpers/python.ts";
import { startReferenceServer } from "../helpers/reference_server.ts";
import { makeTempDir, type TempDir } from "../helpers/temp_dir.ts";
import { runTsocks, TSOCKS } from "../helpers/tsocks.ts";
import { compileProgram, HOST_LIBCS } from "../shim/programs.ts";

interface NameServer extends AsyncDisposable {
  address: string;
  /** The names it was asked for, as they stand in the packets. */
  asked: string[];
}

/** Listens where DNS does, on a loopback address of its own, and answers nothing. */
async function startNameServer(): Promise<NameServer> {
  const address = `127.${process.pid % 200 + 10}.${Math.floor(process.pid / 200) % 256}.53`;
  const asked: string[] = [];
  const socket: Socket = createSocket("udp4");
  socket.on("message", (packet) => asked.push(packet.subarray(12).toString("latin1")));
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(53, address, resolve);
  });
  const close = () => new Promise<void>((resolve) => socket.close(() => resolve()));
  return { address, asked, [Symbol.asyncDispose]: close };
}

/** A machine whose resolver is `server`, with one name in its hosts file. */
async function overlayResolver(dir: TempDir, server: NameServer) {
  const conf = `nameserver ${server.address}\noptions timeout:1 attempts:1\n`;
  await writeFile(dir.file("resolv.conf"), conf, { mode: 0o644 });
  await writeFile(dir.file("nsswitch.conf"), "hosts: files dns\n", { mode: 0o644 });
  return {
    ...await overlayHosts(dir, ["nearby.example"]),
    "/etc/resolv.conf": dir.file("resolv.conf"),
    "/etc/nsswitch.conf": dir.file("nsswitch.conf"),
  };
}

const ASK_EVERY_WAY = `
import socket, urllib.request
for family in (socket.AF_UNSPEC, socket.AF_INET, socket.AF_INET6):
    assert socket.getaddrinfo("hello.example", 80, family), family
assert socket.gethostbyname("hello.example").startswith("198.1")
assert socket.gethostbyname_ex("hello.example")[2]
print(urllib.request.urlopen("http://hello.example/").read().decode(), end="")`;

const forResolver = needs("python3", "curl", "getent", "root", "mount namespaces");

test("the resolver of this machine is never asked", forResolver, async () => {
  await using dir = await makeTempDir();
  await using nameServer = await startNameServer();
  const overlay = await overlayResolver(dir, nameServer);
  const runHere = (command: string[], env = {}) => {
    const [program = "", ...args] = underOverlay(overlay, command);
    return run(program, args, { env: { HOME: dir.path, ...env } });
  };
  await runHere(["getent", "hosts", "control.example"]);
  assert.match(nameServer.asked.join(), /control/, "the listener does not see what is asked");
  nameServer.asked.length = 0;

  await using web = await startWebServer();
  await using server = await startReferenceServer({ routes: { "hello.example": web.port } });
  const commands = [
    ["curl", "-sS", "http://hello.example/"],
    ["bash", "-c", "exec 3<>/dev/tcp/hello.example/80 && echo page of hello.example"],
    python(ASK_EVERY_WAY),
  ];
  for (const flags of [[], ["--no-env"]]) {
    for (const command of commands) {
      const args = [TSOCKS, "run", "--server", server.url(), ...flags, "--", ...command];
      const { status, stdout, stderr } = await runHere(args);
      const page = "page of hello.example\n";
      assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: page, stderr: "" });
    }
  }
  const getent = ["getent", "ahosts", "hello.example"];
  const { stdout } = await runHere([TSOCKS, "run", "--server", server.url(), "--", ...getent]);
  assert.match(stdout, /^198\.1[89]\./);
  assert.deepEqual(nameServer.asked, []);
});

test("a name of the hosts file keeps its address", forResolver, async () => {
  await using dir = await makeTempDir();
  await using web = await startWebServer();
  await using server = await startReferenceServer();
  const overlay = await overlayHosts(dir, ["nearby.example"]);
  const url = `http://nearby.example:${web.port}/`;
  const tsocks = [TSOCKS, "run", "--server", server.url(), "--no-env", "--", "curl", "-sS", url];
  const [program = "", ...args] = underOverlay(overlay, tsocks);
  const { stdout, stderr } = await run(program, args, { env: { HOME: dir.path } });
  assert.deepEqual({ stdout, stderr }, {
    stdout: `page of nearby.example:${web.port}\n`,
    stderr: "",
  });
  assert.deepEqual(server.requests, []);
});

for (const flags of [[], ["--no-env"]]) {
  test(["localhost and 127.0.0.1 stay local", ...flags].join(" "), needs("curl"), async () => {
    await using web = await startWebServer();
    await using server = await startReferenceServer();
    for (const host of ["localhost", "127.0.0.1"]) {
      const url = `http://${host}:${web.port}/`;
      const args = ["run", "--server", server.url(), ...flags, "--", "curl", "-sS", url];
      const { stdout, stderr } = await runTsocks(args);
      assert.deepEqual({ stdout, stderr }, { stdout: `page of ${host}:${web.port}\n`, stderr: "" });
    }
    assert.deepEqual(server.requests, []);
  });
}

test("one name has one address in all the command's processes", needs("getent"), async () => {
  await using server = await startReferenceServer();
  const script = "getent ahostsv4 a.example; getent ahostsv4 b.example; getent ahostsv4 a.example";
  const args = ["run", "--server", server.url(), "--", "sh", "-c", script];
  const { stdout } = await runTsocks(args);
  const addresses = stdout.split("\n").filter((line) => line.includes("STREAM"))
    .map((line) => line.split(/\s+/)[0]);
  assert.equal(addresses.length, 3);
  assert.equal(addresses[0], addresses[2]);
  assert.notEqual(addresses[0], addresses[1]);
});

test(
  "a program sees the destination as its peer, not the forwarder",
  needs("python3"),
  async () => {
    await using web = await startWebServer();
    const routes = { "203.0.113.9": web.port };
    await using server = await startReferenceServer({ routes });
    const script = `
import socket
s = socket.create_connection(("203.0.113.9", 80))
print(s.getpeername())`;
    const args = ["run", "--server", server.url(), "--", ...python(script)];
    assert.equal((await runTsocks(args)).stdout, "('203.0.113.9', 80)\n");
  },
);

const REVERSE = `
import socket
for family in (socket.AF_INET, socket.AF_INET6):
    address = socket.getaddrinfo("Hello.example", 80, family)[0][4]
    print(socket.getnameinfo(address, 0)[0], socket.gethostbyaddr(address[0])[0])
print(socket.getnameinfo(("192.0.2.1", 80), socket.NI_NUMERICSERV), end=" ")
try:
    socket.gethostbyaddr("192.0.2.1")
except socket.herror as e:
    print(e.args[0])
print(socket.gethostbyaddr("127.0.0.1")[0])
for name in (".", "n" * 255, "\u00fc.example"):
    address = socket.getaddrinfo(name.encode(), 80, socket.AF_INET)[0][4]
    print(len(socket.getnameinfo(address, 0)[0]))`;

test(
  "an address of a name gives the name back, and no other is asked about",
  forResolver,
  async () => {
    await using dir = await makeTempDir();
    await using nameServer = await startNameServer();
    await using server = await startReferenceServer();
    const overlay = await overlayResolver(dir, nameServer);
    const command = python(REVERSE);
    const tsocks = [TSOCKS, "run", "--server", server.url(), "--", ...command];
    const [program = "", ...args] = underOverlay(overlay, tsocks);
    const { stdout, stderr } = await run(program, args, { env: { HOME: dir.path } });
    const name = "Hello.example Hello.example\n";
    assert.deepEqual({ stdout, stderr }, {
      stdout: `${name}${name}('192.0.2.1', '80') 1\nlocalhost\n1\n255\n9\n`,
      stderr: "",
    });
    assert.deepEqual(nameServer.asked, []);
  },
);

const CONNECT_EACH = `
import socket, sys
for name in sys.argv[1:]:
    try:
        socket.create_connection((name.encode("utf-8", "surrogateescape"), 80)).close()
        print("connected")
    except socket.gaierror as e:
        print("EAI", e.args[0])`;

/** As the program writes it, and, where that is another, as Latin-1 shows the octets the server gets. */
const NAMES: [written: string, sent?: string][] = [
  ["Hello.EXAMPLE"],
  ["hello.example."],
  ["single"],
  ["under_score.-x.example"],
  ["bücher.example", "b\u00c3\u00bccher.example"],
  ["\udcfc.example", "\u00fc.example"],
  ["n".repeat(255)],
];

test(
  "the server gets a name as the program wrote it, octet for octet",
  needs("python3"),
  async () => {
    await using web = await startWebServer();
    const sent = NAMES.map(([written, octets]) => octets ?? written);
    const routes = Object.fromEntries(sent.map((name) => [name, web.port]));
    await using server = await startReferenceServer({ routes });
    // The runtime that starts the program cannot pass on an argument that is not UTF-8: it is escaped.
    const script = CONNECT_EACH.replace(
      "sys.argv[1:]",
      JSON.stringify(NAMES.map(([written]) => written)),
    );
    const args = ["run", "--server", server.url(), "--", ...python(script)];
    const { stdout, stderr } = await runTsocks(args);
    assert.deepEqual({ stdout, stderr }, {
      stdout: "connected\n".repeat(NAMES.length),
      stderr: "",
    });
    assert.deepEqual(server.requests.map(({ host }) => host), sent);
  },
);

test(
  "what libc takes for no name is none, and no server hears of it",
  needs("python3"),
  async () => {
    await using server = await startReferenceServer();
    const odd = [
      "-x",
      "a b",
      "a..b",
      ".a",
      "1.2.3.4.5",
      "256.1.1.1",
      "a/b",
      "a+b",
      "a:b",
      "n".repeat(256),
    ];
    const args = ["run", "--server", server.url(), "--", ...python(CONNECT_EACH, ...odd)];
    assert.equal((await runTsocks(args)).stdout, "EAI -2\n".repeat(odd.length));
    assert.deepEqual(server.requests, []);
  },
);

test(
  "localhost and a name of the server have their names in getent",
  needs("getent", "root", "mount namespaces"),
  async () => {
    await using dir = await makeTempDir();
    await using server = await startReferenceServer();
    await writeFile(
      dir.file("hosts"),
      "127.0.0.1 localhost\n192.0.2.7 both.example\n192.0.2.8 both.example\n",
    );
    const ask = async (...question: string[]) => {
      const tsocks = [TSOCKS, "run", "--server", server.url(), "--", "getent", ...question];
      const [program = "", ...args] = underOverlay({ "/etc/hosts": dir.file("hosts") }, tsocks);
      return (await run(program, args, { env: { HOME: dir.path } })).stdout.replace(/ +/g, " ");
    };
    assert.equal(await ask("hosts", "localhost"), "::1 localhost\n");
    const name = `${"long-".repeat(20)}name.example`;
    assert.match(await ask("hosts", name), new RegExp(`^fd74:736f:636b:7300::\\w+ ${name}\n$`));
    assert.match(
      await ask("ahostsv6", name),
      new RegExp(`^fd74:736f:636b:7300::\\w+ STREAM ${name}\n`),
    );
    assert.match(await ask("ahostsv4", name), new RegExp(`^198\\.18\\.\\S+ STREAM ${name}\n`));
    const both = await ask("ahostsv4", "both.example");
    assert.deepEqual(both.match(/^\S+ STREAM/gm), ["192.0.2.7 STREAM", "192.0.2.8 STREAM"]);
  },
);

const REVERSE_LOCAL = `
import socket, sys
socket.getaddrinfo("nas.lan", 80)
for address in sys.argv[1:]:
    print(socket.getnameinfo((address, 80), 0)[0])`;

test("an address that goes direct may be looked up by libc", forResolver, async () => {
  await using dir = await makeTempDir();
  await using nameServer = await startNameServer();
  const overlay = await overlayResolver(dir, nameServer);
  await writeFile(dir.file("hosts"), "192.0.2.7 nas.lan\n192.0.2.8 box.example\n");
  const conf = "server = 127.0.0.1\nserver_type = 5\nlocal = 10.99.0.0/16\nlocal_name = *.lan\n";
  await writeFile(dir.file("conf"), conf);
  const reverse = async (...addresses: string[]) => {
    const command = python(REVERSE_LOCAL, ...addresses);
    const tsocks = [TSOCKS, "run", "--conf", dir.file("conf"), "--", ...command];
    const [program = "", ...args] = underOverlay(overlay, tsocks);
    return (await run(program, args, { env: { HOME: dir.path } })).stdout;
  };
  const known = await reverse("192.0.2.7", "192.0.2.8", "192.0.2.9");
  assert.equal(known, "nas.lan\nbox.example\n192.0.2.9\n");
  assert.deepEqual(nameServer.asked, []);
  await reverse("10.99.0.1");
  assert.match(nameServer.asked.join(), /99.*in-addr/s);
});

for (const libc of HOST_LIBCS) {
  const forLibc = needs(...libc.needs, "root", "mount namespaces");

  test(`no name server is asked past getaddrinfo (${libc.label})`, forLibc, async () => {
    await using dir = await makeTempDir();
    await using nameServer = await startNameServer();
    await using server = await startReferenceServer();
    const overlay = await overlayResolver(dir, nameServer);
    const runHere = (command: string[]) => {
      const [program = "", ...args] = underOverlay(overlay, command);
      return run(program, args, { env: { HOME: dir.path } });
    };
    const compiled = (name: string) => compileProgram(libc, name, dir);
    await runHere([compiled("look_up_getnameinfo"), "192.0.2.1", "2", "100"]);
    await runHere([compiled("query_resolver"), "control.example", "res_search"]);
    assert.match(nameServer.asked.join(), /in-addr.*control/s, "not seen by the listener");
    nameServer.asked.length = 0;

    const tsocks = [TSOCKS, "run", "--server", server.url(), "--"];
    const ofAddress = [compiled("look_up_getnameinfo"), "192.0.2.1", "2", "100"];
    const byNumber = await runHere([...tsocks, ...ofAddress]);
    assert.match(byNumber.stdout, /^getnameinfo 0\n192\.0\.2\.1 80 /);
    const queries = await runHere([...tsocks, compiled("query_resolver"), "hello.example"]);
    // A REFUSED answer is one to res_send(), and hello.example.example has an address.
    const failed = queries.stdout.match(/^(__)?res_n?(query|search) -1 4000 3 [03]$/mg);
    assert.equal(failed?.length, libc.name === "musl" ? 2 : 8, queries.stdout);
    assert.match(
      queries.stderr,
      / query_resolver hello\.example\/SRV REFUSE - dns: only a dns_server/,
    );
    if (libc.name === "glibc") {
      const names = ["hello.example", "nearby.example", "other.example"];
      const all = await runHere([...tsocks, compiled("look_up_getaddrinfo_a"), "thread", ...names]);
      const addresses = "0 198.18.0.1\n0 127.0.0.1\n0 198.18.0.2\n";
      assert.equal(all.stdout, `getaddrinfo_a 0\nnotified by thread 42\n${addresses}`);
    }
    assert.deepEqual(nameServer.asked, []);
  });

  test(`res_query() works where no server takes names (${libc.label})`, forLibc, async () => {
    await using dir = await makeTempDir();
    await using nameServer = await startNameServer();
    await using server = await startReferenceServer();
    const command = [compileProgram(libc, "query_resolver", dir), "hello.example", "res_query"];
    const tsocks = [TSOCKS, "run", "--server", server.url("socks4"), "--", ...command];
    const overlay = await overlayResolver(dir, nameServer);
    const [program = "", ...args] = underOverlay(overlay, tsocks);
    const { stderr } = await run(program, args, { env: { HOME: dir.path } });
    assert.equal(stderr, "");
    assert.match(nameServer.asked.join(), /hello/);
  });
}

const APT_HELPER = "/usr/lib/apt/apt-helper";

test("apt asks for SRV records in vain, and goes on", needs(APT_HELPER), async () => {
  await using dir = await makeTempDir();
  await using web = await startWebServer();
  await using server = await startReferenceServer({ routes: { "hello.example": web.port } });
  const fetch = [APT_HELPER, "download-file", "http://hello.example/", dir.file("page")];
  const args = ["run", "--server", server.url(), "--no-env", "--", ...fetch];
  const { status, stdout, stderr } = await runTsocks(args);
  assert.equal(status, 0, stdout);
  assert.equal(await readFile(dir.file("page"), "utf8"), "page of hello.example\n");
  assert.match(stderr, /^\S+ \d+ http _http\._tcp\.hello\.example\/SRV REFUSE - dns: .*\n/);
});

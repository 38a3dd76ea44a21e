/** tsocks.conf as its users write it: where it is looked for, what its rules do. Errors are in bad_input_test.ts. */

import assert from "node:assert/strict";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { startWebServer } from "../helpers/local_servers.ts";
import { needs, outsideAddress } from "../helpers/needs.ts";
import { underOverlay } from "../helpers/overlay.ts";
import { run } from "../helpers/processes.ts";
import { type ReferenceServer, startReferenceServer } from "../helpers/reference_server.ts";
import { makeTempDir } from "../helpers/temp_dir.ts";
import { runTsocks, TSOCKS } from "../helpers/tsocks.ts";

const CURL = ["curl", "-sS", "-m", "10"];

/** The lines that name a server on loopback. */
function serverLines(server: { port: number }, type = "5"): string {
  return `server = 127.0.0.1\nserver_port = ${server.port}\nserver_type = ${type}\n`;
}

/** Fetches `urls` by the shim under a configuration of these lines. */
async function fetchUnder(conf: string, urls: string[], env: Record<string, string> = {}) {
  await using dir = await makeTempDir();
  await writeFile(dir.file("tsocks.conf"), conf);
  const args = ["run", "--conf", dir.file("tsocks.conf"), "--no-env", "--", ...CURL, ...urls];
  const { status, stdout, stderr } = await runTsocks(args, { env });
  return { status, stdout, stderr };
}

const page = (...hosts: string[]) => ({
  status: 0,
  stdout: hosts.map((host) => `page of ${host}\n`).join(""),
  stderr: "",
});

function names(server: ReferenceServer): string[] {
  return server.requests.map(({ host, port }) => `${host}:${port}`);
}

test(
  "the last path that reaches a destination wins, and the default takes the rest",
  needs("curl"),
  async () => {
    await using web = await startWebServer();
    const routes = { "10.1.2.3": web.port, "10.2.2.3": web.port, "203.0.113.9": web.port };
    await using first = await startReferenceServer({ routes });
    await using last = await startReferenceServer({ routes });
    await using rest = await startReferenceServer({ routes });
    const conf = `
    ${serverLines(rest)}
    path {
      reaches = 10.0.0.0/255.0.0.0
      ${serverLines(first)}
    }
    path {
      reaches = 10.2.0.0:80-81/255.255.0.0
      ${serverLines(last)}
    }`;
    const hosts = ["10.1.2.3", "10.2.2.3", "10.2.2.3:82", "203.0.113.9"];
    assert.deepEqual(
      await fetchUnder(conf, hosts.map((host) => `http://${host}/`)),
      page(...hosts),
    );
    assert.deepEqual(names(first), ["10.1.2.3:80", "10.2.2.3:82"]);
    assert.deepEqual(names(last), ["10.2.2.3:80"]);
    assert.deepEqual(names(rest), ["203.0.113.9:80"]);
  },
);

test(
  "a local network is reached directly",
  needs("curl", "an address beside loopback"),
  async () => {
    const host = outsideAddress();
    await using web = await startWebServer({ hostname: host });
    await using server = await startReferenceServer();
    const conf = `local = ${host}/255.255.255.255\n${serverLines(server)}`;
    const urls = [`http://${host}:${web.port}/`];
    assert.deepEqual(await fetchUnder(conf, urls), page(`${host}:${web.port}`));
    assert.deepEqual(server.requests, []);
  },
);

test("a name rule sends names below it to its server", needs("curl"), async () => {
  await using web = await startWebServer();
  const routes = { "www.corp.example": web.port, "other.example": web.port };
  await using corp = await startReferenceServer({ routes });
  await using rest = await startReferenceServer({ routes });
  const conf = `${serverLines(rest)}path {\nreaches_name = *.corp.example\n${serverLines(corp)}}\n`;
  const hosts = ["www.corp.example", "other.example"];
  assert.deepEqual(await fetchUnder(conf, hosts.map((host) => `http://${host}/`)), page(...hosts));
  assert.deepEqual([names(corp), names(rest)], [["www.corp.example:80"], ["other.example:80"]]);
});

test(
  "server_type absent is SOCKS 4, as in tsocks 1.8, with the user's name",
  needs("curl"),
  async () => {
    await using web = await startWebServer();
    await using server = await startReferenceServer({ routes: { "203.0.113.9": web.port } });
    const conf = `server = 127.0.0.1\nserver_port = ${server.port}\n`;
    const env = { TSOCKS_USERNAME: "alice" };
    assert.deepEqual(await fetchUnder(conf, ["http://203.0.113.9/"], env), page("203.0.113.9"));
    const request = { protocol: "socks4", host: "203.0.113.9", port: 80, user: "alice" };
    assert.deepEqual(server.requests, [request]);
  },
);

for (const type of ["4a", "5", "http"]) {
  test(`server_type = ${type} sends names to the server`, needs("curl"), async () => {
    await using web = await startWebServer();
    await using server = await startReferenceServer({ routes: { "hello.example": web.port } });
    const fetched = await fetchUnder(serverLines(server, type), ["http://hello.example/"]);
    assert.deepEqual(fetched, page("hello.example"));
    assert.deepEqual(names(server), ["hello.example:80"]);
  });
}

test(
  "the password comes from the file, the environment before it, or --password-file",
  needs("curl"),
  async () => {
    await using web = await startWebServer();
    const routes = { "hello.example": web.port };
    await using server = await startReferenceServer({ routes, user: "bob", password: "right" });
    const urls = ["http://hello.example/"];
    const conf = (pass: string) =>
      `${serverLines(server)}default_user = bob\ndefault_pass = ${pass}\n`;
    assert.deepEqual(await fetchUnder(conf("right"), urls), page("hello.example"));
    const env = { TSOCKS_USERNAME: "bob", TSOCKS_PASSWORD: "right" };
    assert.deepEqual(await fetchUnder(conf("wrong"), urls, env), page("hello.example"));

    await using dir = await makeTempDir();
    await writeFile(dir.file("password"), "right\n", { mode: 0o600 });
    const url = `socks5://bob@127.0.0.1:${server.port}`;
    const options = ["--server", url, "--password-file", dir.file("password"), "--no-env"];
    const { status, stdout, stderr } = await runTsocks(["run", ...options, "--", ...CURL, ...urls]);
    assert.deepEqual({ status, stdout, stderr }, page("hello.example"));
  },
);

test("several --server options share the work by --reaches", needs("curl"), async () => {
  await using web = await startWebServer();
  const routes = { "10.1.2.3": web.port, "203.0.113.9": web.port };
  await using inner = await startReferenceServer({ routes });
  await using rest = await startReferenceServer({ routes });
  const options = ["--server", rest.url(), "--server", inner.url(), "--reaches", "10.0.0.0/8"];
  const urls = ["http://10.1.2.3/", "http://203.0.113.9/"];
  const args = ["run", ...options, "--no-env", "--", ...CURL, ...urls];
  const { status, stdout, stderr } = await runTsocks(args);
  assert.deepEqual({ status, stdout, stderr }, page("10.1.2.3", "203.0.113.9"));
  assert.deepEqual([names(inner), names(rest)], [["10.1.2.3:80"], ["203.0.113.9:80"]]);
});

test(
  "fallback = yes goes direct where no server is named",
  needs("curl", "an address beside loopback"),
  async () => {
    const host = outsideAddress();
    await using web = await startWebServer({ hostname: host });
    const fetched = await fetchUnder("fallback = yes\n", [`http://${host}:${web.port}/`]);
    assert.deepEqual(fetched, page(`${host}:${web.port}`));
  },
);

/** The places of a configuration, first that is looked at first. */
const CANDIDATES = [
  "--conf",
  "TSOCKS_CONF_FILE",
  "TSOCKS_CONFFILE",
  "HOME",
  "/etc",
  "/usr/local/etc",
];

test(
  "the configuration is the first there is of all its places",
  needs("root", "mount namespaces", "curl"),
  async () => {
    await using web = await startWebServer();
    await using dir = await makeTempDir();
    const filePaths: Record<string, string> = {
      "--conf": dir.file("option.conf"),
      "TSOCKS_CONF_FILE": dir.file("variable.conf"),
      "TSOCKS_CONFFILE": dir.file("old_variable.conf"),
      "HOME": dir.file(".tsocks.conf"),
      "/etc": dir.file("etc/tsocks.conf"),
      "/usr/local/etc": dir.file("local/tsocks.conf"),
    };
    await mkdir(dir.file("etc"));
    await mkdir(dir.file("local"));
    const overlay = { "/etc": dir.file("etc"), "/usr/local/etc": dir.file("local") };
    const routes = { "hello.example": web.port };
    const servers: Record<string, ReferenceServer> = {};
    await using stack = new AsyncDisposableStack();
    for (const place of CANDIDATES) {
      const server = stack.use(await startReferenceServer({ routes }));
      servers[place] = server;
      await writeFile(filePaths[place] ?? "", serverLines(server));
    }

    for (const [at, place] of CANDIDATES.entries()) {
      const left = CANDIDATES.slice(at);
      const env: Record<string, string> = { HOME: dir.path };
      for (const name of left) if (name.startsWith("TSOCKS")) env[name] = filePaths[name] ?? "";
      const option = place === "--conf" ? ["--conf", filePaths[place] ?? ""] : [];
      const tsocks = [TSOCKS, "run", ...option, "--no-env", "--", ...CURL, "http://hello.example/"];
      const [program = "", ...args] = underOverlay(overlay, tsocks);
      const { status, stdout, stderr } = await run(program, args, { env });
      assert.deepEqual({ place, status, stdout, stderr }, { place, ...page("hello.example") });
      assert.equal(servers[place]?.requests.length, 1, place);
      await rm(filePaths[place] ?? "");
    }
  },
);

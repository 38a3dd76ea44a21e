/** The SOCKS servers that people really run: microsocks, Dante and OpenSSH, in each version that they speak. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { startWebServer } from "../helpers/local_servers.ts";
import { needs, outsideAddress } from "../helpers/needs.ts";
import {
  type Daemon,
  type DaemonOptions,
  startDanted,
  startMicrosocks,
} from "../helpers/socks_daemons.ts";
import { startSshSocks } from "../helpers/ssh.ts";
import { runTsocks } from "../helpers/tsocks.ts";

interface Kind {
  title: string;
  probes: string[];
  start(options?: DaemonOptions): Promise<Daemon>;
  schemes: string[];
  /** Those that take names. */
  namedSchemes: string[];
  /** Can ask for a user and a password. */
  asksLogin: boolean;
}

const KINDS: Kind[] = [
  {
    title: "microsocks",
    probes: ["microsocks"],
    start: startMicrosocks,
    schemes: ["socks5"],
    namedSchemes: ["socks5"],
    asksLogin: true,
  },
  {
    title: "Dante",
    probes: ["danted"],
    start: startDanted,
    schemes: ["socks4", "socks5"],
    namedSchemes: ["socks5"], // SOCKS4a it refuses, from curl itself too
    asksLogin: true,
  },
  {
    title: "ssh -D",
    probes: ["ssh", "sshd", "a user who may log in"],
    start: startSshSocks,
    schemes: ["socks4", "socks5"],
    namedSchemes: ["socks4a", "socks5"],
    asksLogin: false,
  },
];

/** curl by the shim alone; its status and page. */
async function fetchThrough(server: string, url: string) {
  const args = ["run", "--server", server, "--no-env", "--", "curl", "-sS", "-m", "10", url];
  const { status, stdout, stderr } = await runTsocks(args);
  return { status, stdout, stderr };
}

for (const { title, probes, start, schemes, namedSchemes, asksLogin } of KINDS) {
  const forAddress = needs("curl", ...probes, "an address beside loopback");
  const forName = needs("curl", ...probes, "root", "mount namespaces");

  for (const scheme of schemes) {
    test(`curl reaches an address through ${title} by ${scheme}`, forAddress, async () => {
      const host = outsideAddress();
      await using web = await startWebServer({ hostname: host });
      await using server = await start();
      const page = { status: 0, stdout: `page of ${host}:${web.port}\n`, stderr: "" };
      const url = `http://${host}:${web.port}/`;
      assert.deepEqual(await fetchThrough(`${scheme}://127.0.0.1:${server.port}`, url), page);
    });
  }

  for (const scheme of namedSchemes) {
    test(`curl reaches a name that only ${title} knows by ${scheme}`, forName, async () => {
      await using web = await startWebServer();
      await using server = await start({ names: ["hello.example"] });
      const page = { status: 0, stdout: `page of hello.example:${web.port}\n`, stderr: "" };
      const url = `http://hello.example:${web.port}/`;
      assert.deepEqual(await fetchThrough(`${scheme}://127.0.0.1:${server.port}`, url), page);
    });
  }

  if (!asksLogin) continue;
  test(`${title} lets the right password in and a wrong one not`, forName, async () => {
    await using web = await startWebServer();
    const login = { user: "bob", password: "s3cret" };
    await using server = await start({ names: ["hello.example"], ...login });
    const page = { status: 0, stdout: `page of hello.example:${web.port}\n`, stderr: "" };
    const url = `http://hello.example:${web.port}/`;
    const right = await fetchThrough(`socks5://bob:s3cret@127.0.0.1:${server.port}`, url);
    assert.deepEqual(right, page);
    const wrong = await fetchThrough(`socks5://bob:guess@127.0.0.1:${server.port}`, url);
    assert.notEqual(wrong.status, 0);
    assert.equal(wrong.stdout, "");
    assert.match(wrong.stderr, /^tsocks: The SOCKS server does not accept/m);
    assert.equal(web.requests.length, 1);
  });
}

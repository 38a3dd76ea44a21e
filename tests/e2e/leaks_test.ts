/**
 * Ways round the policy that were once open. The server is always a port that refuses, so whatever
 * reaches the web server beside loopback has leaked.
 */

import assert from "node:assert/strict";
import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import test from "node:test";
import { findRefusedPort, startWebServer } from "../helpers/local_servers.ts";
import { needs, outsideAddress } from "../helpers/needs.ts";
import { overlayHosts, underOverlay } from "../helpers/overlay.ts";
import { run } from "../helpers/processes.ts";
import { makeTempDir } from "../helpers/temp_dir.ts";
import { runTsocks, startTsocks, TSOCKS } from "../helpers/tsocks.ts";

const CURL_CANNOT_CONNECT = 7;

async function deadServer(): Promise<string> {
  return `socks5://127.0.0.1:${await findRefusedPort()}`;
}

test(
  "what outlives the command connects to nothing, and starts nothing that does",
  needs("curl", "an address beside loopback"),
  async () => {
    await using web = await startWebServer({ hostname: outsideAddress() });
    const url = `http://${outsideAddress()}:${web.port}/`;
    // The pipe says when the command is gone; what runs then is a new program, a second later still.
    const survivor = `(trap "" HUP; sleep 1; curl -s ${url}; echo "curl $?") &`;
    const args = ["run", "--server", await deadServer(), "--no-env", "--", "sh", "-c", survivor];
    const { status, stdout, stderr } = await runTsocks(args);
    assert.deepEqual({ status, stdout }, { status: 0, stdout: `curl ${CURL_CANNOT_CONNECT}\n` });
    assert.match(stderr, /Programs outlive the command/);
    assert.deepEqual(web.requests, []);
  },
);

test(
  "a TMPDIR that only its owner may enter does not uncover another user's program",
  needs("root", "curl", "setpriv", "an address beside loopback"),
  async () => {
    await using web = await startWebServer({ hostname: outsideAddress() });
    await using home = await makeTempDir();
    await mkdir(home.file("private"));
    await mkdir(home.file("private/tmp"));
    await chmod(home.file("private"), 0o700);
    const become = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
    const url = `http://${outsideAddress()}:${web.port}/`;
    const command = [...become, "curl", "-s", url];
    const args = ["run", "--server", await deadServer(), "--no-env", "--", ...command];
    await using tsocks = startTsocks(args, home, { env: { TMPDIR: home.file("private/tmp") } });
    const { status, stdout } = await tsocks.finished;
    assert.notEqual(status, 0);
    assert.equal(stdout, "");
    assert.deepEqual(web.requests, []);
  },
);

test(
  "a local name with a port is local on that port alone",
  needs("root", "mount namespaces", "curl", "an address beside loopback"),
  async () => {
    await using web = await startWebServer({ hostname: outsideAddress() });
    await using dir = await makeTempDir();
    await writeFile(dir.file("hosts"), `${outsideAddress()} elsewhere.example\n`);
    const server = (await deadServer()).replace("socks5://127.0.0.1:", "");
    // The look-up is this machine's own, so the name is in its hosts file.
    const conf = `server = 127.0.0.1\nserver_port = ${server}\nserver_type = 5\n`;
    const fetch = async (port: number) => {
      await writeFile(dir.file("conf"), `${conf}local_name = elsewhere.example:${port}\n`);
      const command = ["curl", "-s", `http://elsewhere.example:${web.port}/`];
      const tsocks = [TSOCKS, "run", "--conf", dir.file("conf"), "--no-env", "--", ...command];
      const [file = "", ...args] = underOverlay({ "/etc/hosts": dir.file("hosts") }, tsocks);
      return (await run(file, args)).status;
    };
    assert.equal(await fetch(web.port), 0);
    assert.equal(web.requests.length, 1);
    assert.notEqual(await fetch(web.port === 1 ? 2 : 1), 0);
    assert.equal(web.requests.length, 1);
  },
);

test(
  "a hosts file that cannot be read keeps no program waiting",
  needs("root", "mount namespaces", "getent", "setpriv"),
  async () => {
    await using dir = await makeTempDir();
    const overlay = await overlayHosts(dir, []);
    await chmod(dir.file("hosts"), 0o600);
    const become = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
    const command = ["getent", "ahosts", "hello.example"];
    const tsocks = [TSOCKS, "run", "--server", await deadServer(), "--no-env", "--", ...command];
    const [file = "", ...args] = underOverlay(overlay, [...become, ...tsocks]);
    const { status, stdout } = await run(file, args);
    assert.equal(status, 0);
    assert.match(stdout, /^198\.18\.0\.1 /);
    await rm(dir.file("hosts"));
  },
);

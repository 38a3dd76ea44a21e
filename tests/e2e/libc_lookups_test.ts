/** What libc would look up by itself, past any hook: no name server of this machine hears of it. */

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import { type NameServer, startNameServer } from "../helpers/name_server.ts";
import { needs } from "../helpers/needs.ts";
import { underOverlay } from "../helpers/overlay.ts";
import { run } from "../helpers/processes.ts";
import { makeTempDir, type TempDir } from "../helpers/temp_dir.ts";
import { TSOCKS } from "../helpers/tsocks.ts";
import { compileProgram, HOST_LIBCS } from "../shim/programs.ts";

const HOSTS = `127.0.0.1 localhost
192.0.2.7 nas.lan
 192.0.2.8 indented.lan
127.1 short.lan
192.0.2.300 wrong.lan
192.0.2.9 last.lan`;

/** Runs `command` on a machine with that hosts file and resolver; with `options` below tsocks. */
async function onMachine(dir: TempDir, { address }: NameServer) {
  const files = {
    "resolv.conf": `nameserver ${address}\noptions timeout:1 attempts:1\n`,
    "nsswitch.conf": "hosts: files dns\nnetworks: files dns\n",
    "hosts": HOSTS,
    "networks": "near-net 192.0.2.0 alias-net\n",
  };
  const overlay: Record<string, string> = {};
  for (const [name, text] of Object.entries(files)) {
    await writeFile(dir.file(name), text, { mode: 0o644 });
    overlay[`/etc/${name}`] = dir.file(name);
  }
  return async (options: string[] | undefined, ...command: string[]) => {
    const tsocks = options && [TSOCKS, "run", "--no-env", ...options, "--"];
    const [program = "", ...args] = underOverlay(overlay, [...tsocks ?? [], ...command]);
    return (await run(program, args, { env: { HOME: dir.path } })).stdout;
  };
}

const SERVER = ["--server", "socks5://127.0.0.1:1"];
const RESERVED = /^getaddrinfo 0\n2 1 6 198\.1[89]\.\d+\.\d+ 80 -\n$/;
const found = (address: string) => new RegExp(`^getaddrinfo 0\n2 1 6 ${address} 80 -\n$`);
const NAMES: [name: string, expected: RegExp][] = [
  ["nas.lan", found("192.0.2.7")],
  ["nas.lan.", found("192.0.2.7")],
  ["NAS.lan", found("192.0.2.7")],
  ["localhost.", found("127.0.0.1")],
  ["LocalHost", found("127.0.0.1")],
  ["indented.lan", found("192.0.2.8")],
  ["last.lan", found("192.0.2.9")],
  // No libc, or not every, takes these for addresses: the names are the server's.
  ["short.lan", RESERVED],
  ["wrong.lan", RESERVED],
];

for (const libc of HOST_LIBCS) {
  const needed = needs("root", "mount namespaces", ...libc.needs);
  test(
    `names that libc would not find in the hosts file after all tell nobody (${libc.label})`,
    needed,
    async () => {
      await using dir = await makeTempDir();
      await using nameServer = await startNameServer();
      const onIt = await onMachine(dir, nameServer);
      const program = compileProgram(libc, "look_up_service", dir);
      await onIt(undefined, program, "control.lan", "80", "2", "1", "0", "0");
      assert.deepEqual(nameServer.asked.splice(0), ["udp control.lan A"]);
      for (const [name, expected] of NAMES) {
        const stdout = await onIt(SERVER, program, name, "80", "2", "1", "0", "0");
        // musl fills in the canonical name unasked
        assert.match(stdout.replace(/ \S+\n$/, " -\n"), expected, name);
      }
      assert.deepEqual(nameServer.asked, []);
    },
  );
}

const NEAR = "0xC0000200"; // 192.0.2.0, as in the file
for (const libc of HOST_LIBCS) {
  const needed = needs("root", "mount namespaces", ...libc.needs);
  test(`networks are looked up in their file alone (${libc.label})`, needed, async () => {
    await using dir = await makeTempDir();
    await using nameServer = await startNameServer();
    const onIt = await onMachine(dir, nameServer);
    const program = compileProgram(libc, "look_up_networks", dir);
    const direct = await onIt(undefined, program, "alias-net", NEAR);
    const count = libc.name === "musl" ? 2 : 4;
    assert.equal(direct.match(/ near-net\n/g)?.length ?? 0, libc.name === "musl" ? 0 : count);
    await onIt(undefined, program, "far.example", "0xCB0071");
    const asked = nameServer.asked.splice(0).length;
    assert.equal(asked, libc.name === "musl" ? 0 : count);
    const near = await onIt(SERVER, program, "alias-net", NEAR);
    assert.equal(near, direct);
    const far = await onIt(SERVER, program, "far.example", "0xCB0071");
    assert.equal(far.match(/ -\n/g)?.length, count);
    assert.deepEqual(nameServer.asked, []);
  });

  test(`old programs' look-ups get reserved addresses (${libc.label})`, needed, async () => {
    await using dir = await makeTempDir();
    await using nameServer = await startNameServer();
    const onIt = await onMachine(dir, nameServer);
    const program = compileProgram(libc, "look_up_by_old_names", dir);
    const stdout = await onIt(SERVER, program, "old.example", "198.18.0.1");
    const lines = ["res_gethostbyname", "res_gethostbyname2", "res_gethostbyaddr"];
    const expected = lines.map((line) => `${line} old.example\n`).join("");
    assert.equal(stdout, libc.name === "musl" ? "none\n" : expected);
    assert.deepEqual(nameServer.asked, []);
  });
}

test(
  "a local name is not called none while its name server is out of reach",
  needs("root", "mount namespaces", "gcc"),
  async () => {
    await using dir = await makeTempDir();
    // Nobody listens there.
    const onIt = await onMachine(dir, { address: "127.83.9.9" } as NameServer);
    await writeFile(dir.file("conf"), "server = 127.0.0.1\nserver_type = 5\nlocal_name = *.lan\n");
    const program = compileProgram(HOST_LIBCS[0]!, "look_up_service", dir);
    const stdout = await onIt(
      ["--conf", dir.file("conf")],
      program,
      "x.lan",
      "80",
      "2",
      "1",
      "0",
      "0",
    );
    assert.equal(stdout, "getaddrinfo -3\n"); // EAI_AGAIN
  },
);

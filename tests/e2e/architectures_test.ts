/** Programs of several architectures and libcs below one tsocks: all carried, and ld.so has nothing to say. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir } from "node:fs/promises";
import test from "node:test";
import { startBannerServer } from "../helpers/local_servers.ts";
import { needs, programPath } from "../helpers/needs.ts";
import { run } from "../helpers/processes.ts";
import { startReferenceServer } from "../helpers/reference_server.ts";
import { makeTempDir, type TempDir } from "../helpers/temp_dir.ts";
import { runTsocks, TSOCKS } from "../helpers/tsocks.ts";
import { AARCH64, compileProgram, HOST_LIBCS, type Libc } from "../shim/programs.ts";

const FAR = "203.0.113.7"; // RFC 5737
const CARRIED = "connect 0 4000\nread relayed\n";
const I386 = HOST_LIBCS.filter(({ arch }) => arch === "i386");
const ALL_NEEDS = HOST_LIBCS.flatMap((libc) => libc.needs);
/** A server that is never asked. */
const UNUSED = ["--server", "socks5://127.0.0.1:1080"];

/** Runs `command` with a server behind which FAR:443 says "relayed"; and how often that was asked for. */
async function carry(command: string[], options: string[] = []) {
  await using destination = await startBannerServer("relayed\n");
  await using server = await startReferenceServer({ routes: { [FAR]: destination.port } });
  const args = ["run", "--server", server.url(), "--no-env", ...options, "--", ...command];
  const { status, stdout, stderr } = await runTsocks(args);
  return { status, stdout, stderr, requests: server.requests.length };
}

/** Each libc's directory of programs: the compiled files have the same names. */
async function programsOf(libcs: Libc[], dir: TempDir) {
  return await Promise.all(libcs.map(async (libc, index) => {
    await mkdir(dir.file(`${index}`));
    const file = (name: string) => dir.file(`${index}/${name}`);
    const compile = (name: string) => compileProgram(libc, name, { ...dir, file });
    return {
      libc,
      connect: compile("connect_blocking"),
      exec: compile("exec_program"),
      shell: compile("start_shell"),
    };
  }));
}

test("each kind of program starts each, with an empty environment, and all are carried", {
  ...needs(...ALL_NEEDS),
}, async () => {
  await using dir = await makeTempDir();
  const programs = await programsOf(HOST_LIBCS, dir);
  for (const from of programs) {
    for (const to of programs) {
      const result = await carry([from.exec, "execve", to.connect, FAR, "443"], ["--strict"]);
      const expected = { status: 0, stdout: CARRIED, stderr: "", requests: 1 };
      assert.deepEqual(result, expected, `${from.libc.label} to ${to.libc.label}`);
    }
  }
});

test("a shell that libc starts is this machine's, and has its shim with an empty environment too", {
  ...needs(...ALL_NEEDS),
}, async () => {
  await using dir = await makeTempDir();
  const [native, ...others] = await programsOf(HOST_LIBCS, dir);
  for (const { libc, shell } of others) {
    for (const form of ["system", "popen"]) {
      const command = [shell, "clearenv", form, `${native!.connect} ${FAR} 443`];
      const { stdout, stderr, requests } = await carry(command, ["--strict"]);
      assert.ok(stdout.includes(CARRIED), `${form}, ${libc.label}: ${stdout}`);
      assert.deepEqual([stderr, requests], ["", 1], libc.label);
    }
  }
});

test(
  "a shell's children of both architectures and libcs in turns are carried, without --no-reexec or with it",
  needs(...ALL_NEEDS),
  async () => {
    await using dir = await makeTempDir();
    const programs = await programsOf(HOST_LIBCS, dir);
    const turn = programs.map(({ connect }) => `${connect} ${FAR} 443`).join("; ");
    for (const options of [[], ["--no-reexec"]]) {
      const { stdout, stderr, requests } = await carry(["sh", "-c", `${turn}; ${turn}`], options);
      assert.equal(stdout, CARRIED.repeat(2 * programs.length));
      assert.equal(stderr, "");
      assert.equal(requests, 2 * programs.length);
    }
  },
);

if (process.arch === "x64") {
  test(
    "on Intel's processors, for which glibc has a $PLATFORM of its own, ld.so finds the shim too",
    needs("qemu-x86_64", "gcc"),
    async () => {
      await using dir = await makeTempDir();
      const connect = compileProgram(HOST_LIBCS[0]!, "connect_blocking", dir);
      const emulated = [programPath("qemu-x86_64"), "-cpu", "Haswell", connect, FAR, "443"];
      const { stdout, stderr, requests } = await carry(emulated);
      assert.deepEqual([stdout, requests], [CARRIED, 1], stderr);
      assert.doesNotMatch(stderr, /libtsocks/);
    },
  );
}

test(
  "where the kernel has an emulator for aarch64, its programs are carried and ld.so is content",
  needs(...AARCH64.needs, "root", "mount namespaces"),
  async () => {
    if (process.arch === "arm64") return;
    await using dir = await makeTempDir();
    const connect = compileProgram(AARCH64, "connect_blocking", dir);
    const { command, root } = AARCH64.emulator!;
    await using destination = await startBannerServer("relayed\n");
    await using server = await startReferenceServer({ routes: { [FAR]: destination.port } });
    const tsocks = `${TSOCKS} run --server ${server.url()} --no-env --`;
    const script = "mount -t tmpfs none /proc/sys/fs/binfmt_misc; " +
      ": >/proc/sys/fs/binfmt_misc/qemu-aarch64; " +
      `exec ${tsocks} ${command} -L ${root} ${connect} ${FAR} 443`;
    const { stdout, stderr } = await run("unshare", ["-m", "sh", "-c", script]);
    assert.deepEqual([stdout, stderr], [CARRIED, ""]);
  },
);

for (const libc of I386) {
  test(
    `a dynamic program for i386 is a covered command, a static one is told (${libc.label})`,
    needs(...libc.needs),
    async () => {
      await using dir = await makeTempDir();
      const covered = compileProgram(libc, "print_word", dir);
      const uncovered = dir.file("static");
      const source = new URL("../fixtures/programs/print_word.c", import.meta.url).pathname;
      execFileSync(programPath(libc.compiler), ["-static", "-o", uncovered, source]);
      const strict = await runTsocks(["run", ...UNUSED, "--strict", "--", covered]);
      assert.deepEqual([strict.status, strict.stdout.split("\n")[0], strict.stderr], [
        0,
        "ran",
        "",
      ]);
      const refused = await runTsocks(["run", ...UNUSED, "--strict", "--", uncovered]);
      assert.deepEqual([refused.status, refused.stdout], [125, ""]);
      assert.match(refused.stderr, /Not covered: .* is statically linked/);
      const told = await runTsocks(["run", ...UNUSED, "--", "env", uncovered]);
      assert.match(told.stderr, /^\S+ \d+ env \S+\/static UNCOVERED - is statically linked/);
    },
  );
}

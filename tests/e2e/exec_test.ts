/** What a command starts: still covered whatever environment it is given, or said not to be. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import test from "node:test";
import { findRefusedPort, startWebServer } from "../helpers/local_servers.ts";
import { needs, outsideAddress, programPath } from "../helpers/needs.ts";
import { startReferenceServer } from "../helpers/reference_server.ts";
import { makeTempDir, type TempDir } from "../helpers/temp_dir.ts";
import { runTsocks, startTsocks } from "../helpers/tsocks.ts";

/** A server that is never asked. */
const UNUSED = ["--server", "socks5://127.0.0.1:1080"];
const PAGE = "page of hello.example\n";
const SOURCES = new URL("../fixtures/programs/", import.meta.url).pathname;

/** `print_word`, which does nothing but say that it ran. */
function compileWord(dir: TempDir, compiler = "gcc", flags: string[] = ["-static"]): string {
  const output = dir.file("print_word");
  execFileSync(programPath(compiler), [...flags, "-o", output, `${SOURCES}print_word.c`]);
  return output;
}

/** Runs `command` with a server that has hello.example; returns what it printed. */
async function fetchBy(command: string[]): Promise<{ stdout: string; stderr: string }> {
  await using web = await startWebServer();
  await using server = await startReferenceServer({ routes: { "hello.example": web.port } });
  const args = ["run", "--server", server.url(), "--no-env", "--", ...command];
  const { stdout, stderr } = await runTsocks(args);
  return { stdout, stderr };
}

test("env -i does not uncover what it starts", needs("curl"), async () => {
  const command = ["env", "-i", programPath("curl"), "-sS", "http://hello.example/"];
  assert.deepEqual(await fetchBy(command), { stdout: PAGE, stderr: "" });
});

test("LD_PRELOAD= before a command does not either", needs("curl"), async () => {
  const script = "LD_PRELOAD= curl -sS http://hello.example/; unset LD_PRELOAD TSOCKS_CONTROL; " +
    "exec curl -sS http://hello.example/";
  assert.deepEqual(await fetchBy(["sh", "-c", script]), { stdout: PAGE + PAGE, stderr: "" });
});

const PYTHON = [
  "os.execve(curl, args, {})",
  "os.waitpid(os.posix_spawn(curl, args, {}), 0)",
  "os.waitpid(os.posix_spawnp('curl', args, {}), 0)",
  "subprocess.run(args, env={})",
  "subprocess.run(args, env={'LD_PRELOAD': ''}, close_fds=False)",
];

for (const call of PYTHON) {
  test(`python's ${call} does not either`, needs("python3", "curl"), async () => {
    const args = `['${programPath("curl")}', '-sS', 'http://hello.example/']`;
    const script = `import os, subprocess; args = ${args}; curl = args[0]; ${call}`;
    assert.deepEqual(await fetchBy([programPath("python3"), "-c", script]), {
      stdout: PAGE,
      stderr: "",
    });
  });
}

test(
  "a refusal holds for what is started with an empty environment",
  needs("curl", "an address beside loopback"),
  async () => {
    await using web = await startWebServer({ hostname: outsideAddress() });
    const url = `http://${outsideAddress()}:${web.port}/`;
    const server = `socks5://127.0.0.1:${await findRefusedPort()}`;
    const command = ["env", "-i", programPath("curl"), "-s", url];
    assert.notEqual((await runTsocks(["run", "--server", server, "--", ...command])).status, 0);
    assert.deepEqual(web.requests, []);
  },
);

test("--no-reexec leaves the environment alone", async () => {
  const command = ["--no-reexec", "--", "env", "-i", "env"];
  assert.equal((await runTsocks(["run", ...UNUSED, ...command])).stdout, "");
  const others = await runTsocks(["run", ...UNUSED, "--", "env", "-i", "A=1", "env"]);
  assert.match(others.stdout, /^A=1\nLD_PRELOAD=\S+\nTSOCKS_CONTROL=\S+\n$/);
});

test("a tsocks in a tsocks keeps its own server", needs("curl"), async () => {
  await using web = await startWebServer();
  await using server = await startReferenceServer({ routes: { "hello.example": web.port } });
  const { TSOCKS } = await import("../helpers/tsocks.ts");
  const inner = ["env", "-i", programPath("curl"), "-sS", "http://hello.example/"];
  const outer = ["run", ...UNUSED, "--no-env", "--", TSOCKS, "run", "--server", server.url()];
  const { stdout } = await runTsocks([...outer, "--no-env", "--", ...inner]);
  assert.equal(stdout, PAGE);
});

test("a static command is warned of before it starts, and --strict does not start it", async () => {
  await using dir = await makeTempDir();
  const program = compileWord(dir);
  const warned = await runTsocks(["run", ...UNUSED, "--", program]);
  assert.equal(warned.status, 0);
  assert.match(warned.stdout, /^ran\n/);
  assert.match(
    warned.stderr,
    /^tsocks: warning: Not covered: .* is statically linked; only the proxy variables carry it\n {2}at \S+print_word\n {2}fix: .+\n$/,
  );
  const refused = await runTsocks(["run", ...UNUSED, "--strict", "--", program]);
  assert.deepEqual([refused.status, refused.stdout], [125, ""]);
  assert.match(refused.stderr, /^tsocks: Not covered: .* is statically linked/);
  const env = { PATH: `${dir.path}:/usr/bin:/bin` };
  const found = await runTsocks(["run", ...UNUSED, "--strict", "--", "print_word"], { env });
  assert.equal(found.status, 125);
  await writeFile(dir.file("script"), `#!${program}\n`, { mode: 0o755 });
  assert.equal((await runTsocks(["run", ...UNUSED, "--strict", dir.file("script")])).status, 125);
});

test("--strict lets covered commands be", async () => {
  const { status, stdout, stderr } = await runTsocks(["run", ...UNUSED, "--strict", "echo", "a"]);
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: "a\n", stderr: "" });
});

test("--strict finds a static program behind two scripts, and behind a directory of its name", async () => {
  await using dir = await makeTempDir();
  const program = compileWord(dir);
  await writeFile(dir.file("inner"), `#!${program}\n`, { mode: 0o755 });
  await writeFile(dir.file("outer"), `#!${dir.file("inner")}\n`, { mode: 0o755 });
  const direct = await runTsocks(["run", ...UNUSED, "--strict", "--", dir.file("outer")]);
  assert.equal(direct.status, 125);
  const strict = ["run", ...UNUSED, "--strict", "--", "sh", "-c"];
  const nested = await runTsocks([...strict, `${dir.file("outer")}; echo $?`]);
  assert.equal(nested.stdout, "126\n");
  await mkdir(dir.file("first/print_word"), { recursive: true });
  const exec = `PATH=${dir.file("first")}:${dir.path}:$PATH; export PATH; ` +
    `python3 -c 'import os; os.posix_spawnp("print_word", ["p"], os.environ)' 2>&1 | tail -1`;
  const hidden = await runTsocks([...strict, exec]);
  assert.match(hidden.stdout, /^PermissionError/);
});

test("a static program that a command starts is logged once, and refused with --strict", async () => {
  await using dir = await makeTempDir();
  const program = compileWord(dir);
  const script = `${program} >&2; ${program} >/dev/null; echo $?`;
  const args = (...options: string[]) => ["run", ...UNUSED, ...options, "--", "sh", "-c", script];
  const file = dir.file("log");
  const loose = await runTsocks(args("--debug-file", file));
  assert.equal(loose.stdout, "0\n");
  const log = await readFile(file, "utf8");
  assert.match(
    log,
    /^\S+ \d+ sh \S+\/print_word UNCOVERED - is statically linked; only the proxy variables carry it\n$/,
  );
  const strict = await runTsocks(args("--strict"));
  assert.equal(strict.stdout, "126\n");
  assert.match(strict.stderr, / sh \S+\/print_word UNCOVERED - EACCES is statically linked/);
});

test(
  "a set-user-id program is logged, and refused with --strict",
  needs("root", "setpriv"),
  async () => {
    await using dir = await makeTempDir();
    const program = compileWord(dir, "gcc", []);
    await chmod(program, 0o4755);
    const become = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
    const start = async (...options: string[]) => {
      await using home = await makeTempDir();
      await chmod(home.path, 0o711);
      const args = ["run", ...UNUSED, ...options, "--", ...become, program];
      await using tsocks = startTsocks(args, home);
      return await tsocks.finished;
    };
    const loose = await start();
    assert.match(loose.stdout, /^ran\n/);
    assert.match(loose.stderr, /print_word UNCOVERED - runs with another user's or group's rights/);
    const strict = await start("--strict");
    assert.equal(strict.stdout, "");
    assert.match(strict.stderr, /print_word UNCOVERED - EACCES /);
  },
);

test(
  "a program with file capabilities is logged, where another than root starts it",
  needs("root", "setpriv", "python3"),
  async () => {
    await using dir = await makeTempDir();
    const program = compileWord(dir, "gcc", []);
    // struct vfs_cap_data of linux/capability.h: revision 2, effective; CAP_NET_RAW
    const value = "0100000200200000000000000000000000000000";
    const script = `import os; os.setxattr("${program}", "security.capability", ` +
      `bytes.fromhex("${value}"))`;
    execFileSync(programPath("python3"), ["-c", script]);
    const become = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
    const loose = await runTsocks(["run", ...UNUSED, "--", "env", program]);
    assert.deepEqual([loose.stdout.split("\n")[0], loose.stderr], ["ran", ""]);
    await using home = await makeTempDir();
    await chmod(home.path, 0o711);
    const args = ["run", ...UNUSED, "--strict", "--", ...become, program];
    await using tsocks = startTsocks(args, home);
    const { stdout, stderr } = await tsocks.finished;
    assert.equal(stdout, "");
    assert.match(stderr, /print_word UNCOVERED - EACCES has file capabilities/);
  },
);

test(
  "where the shim's file is out of sight no program starts, unless --no-reexec",
  needs("root", "mount namespaces"),
  async () => {
    const start = async (...options: string[]) => {
      await using home = await makeTempDir();
      const script =
        `mount -t tmpfs none ${home.path} && ls /proc/self/comm; echo $?; nothing; echo $?`;
      const command = ["unshare", "-m", "sh", "-c", script];
      await using tsocks = startTsocks(["run", ...UNUSED, ...options, "--", ...command], home);
      return await tsocks.finished;
    };
    assert.equal((await start()).stdout, "126\n127\n");
    assert.equal((await start("--no-reexec")).stdout, "/proc/self/comm\n0\n127\n");
  },
);

for (
  const [title, command, program] of [
    [
      "a git with an empty environment",
      "git",
      "-c alias.page='!curl -sS http://hello.example/' page",
    ],
    [
      "what node starts with an empty environment",
      "node",
      `-e 'process.stdout.write(require("child_process").execFileSync("CURL", ` +
      `["-sS", "http://hello.example/"], { env: {} }))'`,
    ],
  ] as const
) {
  test(`${title} is covered`, needs(command, "curl"), async () => {
    const words = program.replace("CURL", programPath("curl"));
    const script = `exec env -i PATH="$PATH" ${programPath(command)} ${words}`;
    assert.deepEqual(await fetchBy(["sh", "-c", script]), { stdout: PAGE, stderr: "" });
  });
}

test(
  "a program for another architecture is logged",
  needs("aarch64-linux-gnu-gcc", "/usr/aarch64-linux-gnu/include/stdio.h"),
  async () => {
    await using dir = await makeTempDir();
    const program = compileWord(dir, "aarch64-linux-gnu-gcc", []);
    const { stderr } = await runTsocks(["run", ...UNUSED, "--", "env", program]);
    if (process.arch === "x64") assert.match(stderr, /UNCOVERED - is for another architecture/);
  },
);

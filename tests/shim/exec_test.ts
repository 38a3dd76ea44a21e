/** exec and posix_spawn below the shim: it stays in what is started, or the brain hears of it. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmod, copyFile, rename, writeFile } from "node:fs/promises";
import { programPath } from "../helpers/needs.ts";
import type { TempDir } from "../helpers/temp_dir.ts";
import { DIRECT, fail } from "./fake_brain.ts";
import {
  ALL_LIBCS,
  compileProgram,
  ensureShim,
  HOST_LIBCS,
  type Libc,
  testShim,
} from "./programs.ts";

const FAR = "203.0.113.7"; // RFC 5737
const UNTOUCHED = 4000; // program.h
const CARRIED = `connect 0 ${UNTOUCHED}\nread relayed\n`;
const EXECUTE = 6; // control.h
const E2BIG = 7;
const EACCES = 13;
const EFAULT = 14;
const ENOSYS = 38;
const ENOEXEC = 8;
const REASON = { static: 1, setId: 2, otherArchitecture: 3, go: 6, unseen: 7 };

const AARCH64_COMPILER = "aarch64-linux-gnu-gcc";
const FORMS = [
  ...["execve", "execve_null", "execv", "execvp", "execvpe", "execl", "execlp", "execle"],
  ...["fexecve", "posix_spawn", "posix_spawnp", "vfork", "SYS_execve"],
];
/** musl has no execveat(3), and qemu-aarch64 does not know the call. */
const GLIBC_FORMS = ["execveat", "execveat_empty", "SYS_execveat"];

function formsOf(libc: Libc): string[] {
  return libc.name === "musl" ? FORMS : [...FORMS, ...GLIBC_FORMS];
}

/** A program of the same source, linked as `flags` say and named `name`. */
function compileAs(libc: Libc, name: string, dir: TempDir, flags: string[]): string {
  const source = new URL("../fixtures/programs/print_word.c", import.meta.url).pathname;
  execFileSync(programPath(libc.compiler), [...flags, "-o", dir.file(name), source]);
  return dir.file(name);
}

testShim("what is started with an empty environment is still covered, by every function", {
  reply: (_, brain) => brain.forward4(),
}, async ({ libc, brain, dir, run }) => {
  const program = compileProgram(libc, "connect_blocking", dir);
  for (const form of formsOf(libc)) {
    const { stdout } = await run("exec_program", [form, program, FAR, 443]);
    assert.equal(stdout, CARRIED, form);
  }
  assert.equal(brain.asked.length, formsOf(libc).length);
});

testShim("what is started by what was started is covered as well", {
  reply: (_, brain) => brain.forward4(),
}, async ({ libc, dir, run }) => {
  const again = compileProgram(libc, "exec_program", dir);
  const program = compileProgram(libc, "print_word", dir);
  const { stdout } = await run("exec_program", ["execve", again, "execve", program]);
  assert.equal(stdout, `ran\n${ensureShim(libc.arch)}\n`);
});

testShim("a preload of the program's own is kept behind the shim", {
  reply: () => DIRECT,
}, async ({ libc, dir, run }) => {
  const preload = compileProgram(libc, "connect_preload", dir, true);
  const program = compileProgram(libc, "print_word", dir);
  const shim = ensureShim(libc.arch);
  const started = async (value: string) => {
    const { stdout } = await run("exec_with_preload", [value, program]);
    return stdout;
  };
  assert.equal(await started(preload), `ran\n${shim}:${preload}\n`);
  assert.equal(await started(""), `ran\n${shim}\n`);
  assert.equal(await started(`${preload}:${shim}`), `ran\n${preload}:${shim}\n`);
  assert.equal(await started(`${preload} ${shim}`), `ran\n${preload} ${shim}\n`);
});

testShim("where only TSOCKS_CONTROL is lacking, it is put back", {
  reply: (_, brain) => brain.forward4(),
}, async ({ libc, dir, run }) => {
  const args = [ensureShim(libc.arch), compileProgram(libc, "connect_blocking", dir), FAR, 443];
  assert.equal((await run("exec_with_preload", args)).stdout, CARRIED);
});

testShim("with the flag E environments are left alone", {
  reply: () => DIRECT,
}, async ({ libc, brain, dir, run }) => {
  const program = compileProgram(libc, "print_word", dir);
  const env = { TSOCKS_CONTROL: brain.control.replace(":", "+E:") };
  for (const form of formsOf(libc)) {
    assert.equal((await run("exec_program", [form, program], env)).stdout, "ran\n", form);
  }
});

testShim("flags that the shim does not know change nothing", {
  reply: (_, brain) => brain.forward4(),
}, async ({ brain, run }) => {
  const env = { TSOCKS_CONTROL: brain.control.replace(":", "+QZ:") };
  assert.equal((await run("connect_blocking", [FAR, 443], env)).stdout, CARRIED);
});

testShim("pidfd_spawn is posix_spawn where libc has it, and else ENOSYS", {
  reply: () => fail(EACCES),
}, async ({ libc, dir, run }) => {
  const preload = compileProgram(libc, "pidfd_spawn_preload", dir, true);
  const program = compileProgram(libc, "print_word", dir);
  const shim = ensureShim(libc.arch);
  const spawn = async (file: string, LD_PRELOAD: string) =>
    (await run("spawn_by_pidfd", [file], { LD_PRELOAD })).stdout;
  const both = (before: string, result: number) =>
    `${before}pidfd_spawn ${result}\n${before}pidfd_spawnp ${result}\n`;
  assert.equal(await spawn(program, `${shim}:${preload}`), both(`ran\n${shim}\n`, 0));
  const other = compileAs(libc, "static_program", dir, ["-static"]);
  assert.equal(await spawn(other, `${shim}:${preload}`), both("", EACCES));
  const hasIts = await spawn(program, shim);
  if (hasIts !== both(`ran\n${shim}\n`, 0)) assert.equal(hasIts, both("", ENOSYS));
});

testShim("a large environment is copied, on a small stack too", {
  reply: () => DIRECT,
}, async ({ libc, dir, run }) => {
  const program = compileProgram(libc, "print_word", dir);
  const shim = ensureShim(libc.arch);
  for (const count of [200, 1400, 50_000]) {
    const { stdout } = await run("execute_large", [count, program]);
    assert.equal(stdout, `ran\n${shim}\nsignal 0\n`, `${count}`);
  }
  assert.equal((await run("execute_many_arguments", [program])).stdout, `exec -1 ${E2BIG}\n`);
});

testShim("arguments that cannot be read are EFAULT", {
  libcs: ALL_LIBCS,
  reply: () => DIRECT,
}, async ({ libc, dir, run }) => {
  const program = compileProgram(libc, "print_word", dir);
  const { stdout } = await run("exec_badly", [program]);
  const told = (forms: string[]) => forms.map((form) => `${form} ${EFAULT}\n`).join("");
  const first = told(["path", "argv", "envp", "variable", "open-ended variable", "SYS_execve"]);
  assert.equal(stdout.slice(0, first.length), first);
  if (libc.name === "aarch64 glibc") return; // qemu knows no execveat, and its vfork is a fork
  const others = told(["SYS_execveat", "posix_spawn path", "posix_spawn envp", "open-ended envp"]);
  assert.equal(stdout, `${first}${others}ran\n${ensureShim(libc.arch)}\n`);
});

testShim("a static program is told to the brain, and goes on if that says so", {
  reply: () => DIRECT,
}, async ({ libc, brain, dir, run }) => {
  const program = compileAs(libc, "static_program", dir, ["-static"]);
  for (const form of formsOf(libc)) {
    // The environment is repaired all the same: what it starts itself may be covered.
    const { stdout } = await run("exec_program", [form, program]);
    assert.equal(stdout, `ran\n${ensureShim(libc.arch)}\n`, form);
    const notice = brain.asked.at(-1);
    assert.equal(notice?.op, EXECUTE, form);
    assert.equal(notice?.body[0], REASON.static, form);
    const told = notice?.body.toString("latin1", 1) ?? "";
    assert.equal(told, form.endsWith("execveat") ? program.slice(1) : program, form);
  }
  assert.equal(brain.asked.length, formsOf(libc).length);
});

testShim("the brain's refusal is the error of the exec", {
  reply: () => fail(EACCES),
}, async ({ libc, dir, run }) => {
  const program = compileAs(libc, "static_program", dir, [
    libc.name === "musl" ? "-static" : "-static-pie",
  ]);
  for (const form of formsOf(libc).filter((name) => name !== "vfork")) {
    const { stdout } = await run("exec_program", [form, program]);
    assert.equal(stdout, `exec -1 ${EACCES}\n`, form);
  }
});

testShim("without a brain no uncovered program is started", {
  reply: () => "close",
}, async ({ libc, dir, run }) => {
  const program = compileAs(libc, "static_program", dir, ["-static"]);
  assert.equal((await run("exec_program", ["execve", program])).stdout, `exec -1 ${EACCES}\n`);
});

testShim("a script is judged by its interpreter", {
  reply: () => fail(EACCES),
}, async ({ libc, brain, dir, run }) => {
  const interpreter = compileAs(libc, "static_program", dir, ["-static"]);
  await writeFile(dir.file("uncovered"), `#! ${interpreter} -x\n`, { mode: 0o755 });
  const word = compileProgram(libc, "print_word", dir);
  await writeFile(dir.file("covered"), `#!${word}\n`, { mode: 0o4755 });
  await chmod(dir.file("covered"), 0o4755);
  const uncovered = await run("exec_program", ["execve", dir.file("uncovered")]);
  assert.equal(uncovered.stdout, `exec -1 ${EACCES}\n`);
  assert.equal(brain.asked[0]?.body.toString("latin1", 1), interpreter);
  const covered = await run("exec_program", ["execve", dir.file("covered")]);
  assert.equal(covered.stdout, `ran\n${ensureShim(libc.arch)}\n`);
  assert.equal(brain.asked.length, 1);
});

testShim("of a long path the end is told", {
  reply: () => fail(EACCES),
}, async ({ libc, brain, dir, run }) => {
  const name = "x".repeat(250);
  await rename(compileAs(libc, "static_program", dir, ["-static"]), dir.file(name));
  await run("exec_program", ["execve", dir.file(name)]);
  assert.equal(brain.asked[0]?.body.toString("latin1", 1), dir.file(name).slice(-255));
});

testShim("a program that gains another user's or group's rights is told to the brain", {
  needs: ["root"],
  reply: () => fail(EACCES),
}, async ({ libc, brain, dir, run }) => {
  const program = compileProgram(libc, "print_word", dir);
  const execute = async (uid: number, gid: number, mode: number) => {
    await copyFile(program, dir.file("program"));
    execFileSync("chown", [`${uid}:${gid}`, dir.file("program")]);
    await chmod(dir.file("program"), mode);
    const { stdout } = await run("exec_program", ["execve", dir.file("program")]);
    const notice = brain.asked.pop();
    assert.ok(notice === undefined || notice.body[0] === REASON.setId);
    return notice === undefined ? stdout.split("\n")[0] : "told";
  };
  assert.equal(await execute(65534, 0, 0o4755), "told");
  assert.equal(await execute(0, 65534, 0o2755), "told");
  assert.equal(await execute(0, 0, 0o6755), "ran");
  assert.equal(await execute(65534, 65534, 0o755), "ran");
  assert.equal(await execute(65534, 65534, 0o2745), "ran");
});

testShim("a program for another architecture is told to the brain", {
  needs: [AARCH64_COMPILER, "/usr/aarch64-linux-gnu/include/stdio.h"],
  reply: () => fail(ENOEXEC),
}, async ({ libc, brain, dir, run }) => {
  const program = compileAs({ ...libc, compiler: AARCH64_COMPILER }, "foreign", dir, []);
  assert.equal((await run("exec_program", ["execvp", program])).stdout, `exec -1 ${ENOEXEC}\n`);
  assert.equal(brain.asked[0]?.body[0], REASON.otherArchitecture);
});

testShim("a Go program is told to the brain, though libc is in it", {
  libcs: ALL_LIBCS,
  reply: () => fail(EACCES),
}, async ({ libc, brain, dir, run }) => {
  const program = compileProgram(libc, "go_build_id", dir);
  assert.equal((await run("exec_program", ["execve", program])).stdout, `exec -1 ${EACCES}\n`);
  assert.equal(brain.asked[0]?.body[0], REASON.go);
});

testShim("the brain hears of a program that posix_spawn starts in another directory", {
  reply: (_, brain) => brain.asked.length > 1 ? fail(EACCES) : DIRECT,
}, async ({ libc, brain, dir, run }) => {
  compileProgram(libc, "print_word", dir);
  const spawn = async (path: string) => (await run("spawn_elsewhere", [dir.path, path])).stdout;
  assert.equal(await spawn("./print_word"), `ran\n${ensureShim(libc.arch)}\nspawn 0\n`);
  assert.equal(await spawn("./print_word"), `spawn ${EACCES}\n`);
  assert.deepEqual(brain.asked.map(({ body }) => body[0]), [REASON.unseen, REASON.unseen]);
  assert.equal(brain.asked[0]?.body.toString("latin1", 1), "./print_word");
  assert.equal(await spawn(dir.file("print_word")), `ran\n${ensureShim(libc.arch)}\nspawn 0\n`);
  assert.equal(brain.asked.length, 2);
});

testShim("what cannot be looked at is the kernel's to judge", {
  reply: () => fail(EACCES),
}, async ({ brain, dir, run }) => {
  await writeFile(dir.file("noise"), "\x7fELF\x02", { mode: 0o755 });
  const rows = { "nothing": 2, "noise": ENOEXEC, "": EACCES };
  for (const [name, errno] of Object.entries(rows)) {
    const { stdout } = await run("exec_program", ["execve", dir.file(name)]);
    assert.equal(stdout, `exec -1 ${errno}\n`, name);
  }
  assert.equal(brain.asked.length, 0);
});

testShim(
  "on aarch64 too a program of this machine gets the environment, and the brain hears of it",
  {
    libcs: ALL_LIBCS.filter(({ name }) => name === "aarch64 glibc"),
    reply: () => DIRECT,
  },
  async ({ libc, brain, dir, run }) => {
    const host = compileAs(HOST_LIBCS[0]!, "host_program", dir, ["-static"]);
    for (const form of FORMS.filter((name) => name !== "vfork")) {
      const { stdout } = await run("exec_program", [form, host]);
      assert.equal(stdout, `ran\n${ensureShim(libc.arch)}\n`, form);
      const reason = brain.asked.at(-1)?.body[0];
      assert.equal(
        reason,
        process.arch === "arm64" ? REASON.static : REASON.otherArchitecture,
        form,
      );
    }
  },
);

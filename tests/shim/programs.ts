/**
 * The fixture programs of tests/fixtures/programs, compiled for each libc and run below the built
 * shim. Builds the shim where it is missing or older than its sources.
 */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, statSync, symlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  buildShim,
  hostArch,
  type ShimArch,
  shimPath,
  shimSources,
} from "../../scripts/build_shim.ts";
import { findProgram } from "../../scripts/debian_packages.ts";
import { PLATFORMS } from "../../src/policy/architecture.ts";
import { needs, programPath } from "../helpers/needs.ts";
import { type Finished, run } from "../helpers/processes.ts";
import { makeTempDir, type TempDir } from "../helpers/temp_dir.ts";
import { type Answerer, type FakeBrain, hasInet6, startFakeBrain } from "./fake_brain.ts";

/** One kind of program: the libc it is linked with and the machine it is for. */
export interface Libc {
  name: "glibc" | "musl" | "aarch64 glibc";
  /** What a test's name says. */
  label: string;
  compiler: string;
  arch: ShimArch;
  /** What the machine must have, in the words of helpers/needs.ts. */
  needs: string[];
  /** Runs it where this machine's kernel does not. */
  emulator?: { command: string; root: string };
}

const GLIBC: Libc = {
  name: "glibc",
  label: "glibc",
  compiler: "gcc",
  arch: hostArch(),
  needs: ["gcc"],
};
const MUSL: Libc = {
  name: "musl",
  label: "musl",
  compiler: "musl-gcc",
  arch: hostArch(),
  needs: ["musl-gcc"],
};
export const AARCH64: Libc = {
  name: "aarch64 glibc",
  label: "aarch64 glibc",
  compiler: "aarch64-linux-gnu-gcc",
  arch: "aarch64",
  needs: [
    "aarch64-linux-gnu-gcc",
    "/usr/aarch64-linux-gnu/include/stdio.h",
    "qemu-aarch64",
  ],
  emulator: { command: "qemu-aarch64", root: "/usr/aarch64-linux-gnu" },
};
const I386_NEEDS = ["i686-linux-gnu-gcc", "/lib/ld-linux.so.2", "a kernel that runs i386 programs"];
const I386: Libc = {
  name: "glibc",
  label: "i386 glibc",
  compiler: "i686-linux-gnu-gcc",
  arch: "i386",
  needs: [...I386_NEEDS, "/usr/i686-linux-gnu/include/stdio.h"],
};
const I386_MUSL: Libc = {
  name: "musl",
  label: "i386 musl",
  compiler: "i386-linux-musl-gcc",
  arch: "i386",
  needs: [...I386_NEEDS, "i386-linux-musl-gcc"],
};

/** Only where it is there: it is of another architecture than the machine, which not every mirror has. */
function listI386Libcs(): Libc[] {
  if (hostArch() !== "x86_64") return [];
  if (findProgram(I386_MUSL.compiler) !== undefined) return [I386, I386_MUSL];
  console.warn(`LEFT OUT: ${I386_MUSL.label}, for want of ${I386_MUSL.compiler}`);
  return [I386];
}

/** Those whose programs this machine's kernel runs by itself, its own first. */
export const HOST_LIBCS: Libc[] = [GLIBC, MUSL, ...listI386Libcs()];
/** For the few tests that show that the other machine's system calls are right. */
export const ALL_LIBCS: Libc[] = [...HOST_LIBCS, AARCH64];

const PROGRAMS = fileURLToPath(new URL("../fixtures/programs/", import.meta.url));

/** What a test of the shim has: a brain, and programs below the shim that ask it. */
export interface Bench {
  libc: Libc;
  brain: FakeBrain;
  dir: TempDir;
  /** Compiles `NAME.c` and runs it; `env` is added, as in helpers/processes.ts. */
  run(
    name: string,
    args: (string | number)[],
    env?: Record<string, string | undefined>,
  ): Promise<Finished>;
}

/** Declares one test for each libc. `reply` is what the brain says to each question. */
export function testShim(
  name: string,
  options: {
    libcs?: Libc[];
    needs?: string[];
    /** Set where the test needs ::1. */
    isInet6?: boolean;
    reply: Answerer;
  },
  body: (bench: Bench) => Promise<void>,
): void {
  for (const libc of options.libcs ?? HOST_LIBCS) {
    const missing = options.isInet6 && !hasInet6() && !process.env["CI"]
      ? { skip: "needs ::1" }
      : needs(...libc.needs, ...(options.needs ?? []));
    test(`${name} (${libc.label})`, missing, async () => {
      await using dir = await makeTempDir();
      await using brain = await startFakeBrain(dir.file("control"), options.reply);
      const shim = ensureShim(libc.arch);
      const bench: Bench = {
        libc,
        brain,
        dir,
        run: (program, args, env) => {
          const filePath = compileProgram(libc, program, dir);
          const allArgs = args.map(String);
          const allEnv = { TSOCKS_CONTROL: brain.control, LD_PRELOAD: shim, ...env };
          return runProgram(libc, filePath, { args: allArgs, env: allEnv });
        },
      };
      await body(bench);
    });
  }
}

/** Compiles `NAME.c` into `dir`; with `shared` as a library. Returns its path. */
export function compileProgram(libc: Libc, name: string, dir: TempDir, shared = false): string {
  const output = dir.file(shared ? `${name}.so` : name);
  if (existsSync(output)) return output;
  const kind = shared ? ["-shared", "-fPIC"] : [];
  const flags = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1", "-pthread", ...kind];
  // where a program finds a library that it opens
  flags.push("-Wl,-rpath,$ORIGIN,--enable-new-dtags");
  execFileSync(programPath(libc.compiler), [...flags, "-o", output, `${PROGRAMS}${name}.c`]);
  return output;
}

/** What runs a compiled program below `tsocks run`, whose own shims are for what this kernel runs. */
export function commandFor({ arch, emulator }: Libc, filePath: string): string[] {
  if (emulator === undefined || arch === hostArch()) return [filePath];
  const preload = `LD_PRELOAD=${ensureShim(arch)}`;
  return [programPath(emulator.command), "-L", emulator.root, "-E", preload, filePath];
}

/** An emulator runs on this machine's libc: the preload is for the program inside alone. */
function runProgram(
  libc: Libc,
  filePath: string,
  { args, env }: { args: string[]; env: Record<string, string | undefined> },
): Promise<Finished> {
  if (libc.emulator === undefined || libc.arch === hostArch()) return run(filePath, args, { env });
  const { LD_PRELOAD: preload, ...others } = env;
  const { command, root } = libc.emulator;
  const emulation = ["-L", root, "-E", `LD_PRELOAD=${preload}`, filePath];
  return run(programPath(command), [...emulation, ...args], { env: others });
}

/** What LD_PRELOAD must say: the built shim, made anew where a source is newer. */
export function ensureShim(arch: ShimArch): string {
  if (arch === "i386") return ensureBothShims();
  if (!isFresh(arch)) console.log(`built ${basename(buildShim(arch))}`);
  return shimPath(arch);
}

/** A 32-bit program's shell is this machine's: the shims lie beside each other, as in a run. */
function ensureBothShims(): string {
  const directory = join(dirname(ensureShim("x86_64")), "shims");
  const names = ["libtsocks.so", "libtsocks32.so"];
  const link = (arch: ShimArch, name: string) => {
    const temporary = join(directory, `${name}.${process.pid}`);
    symlinkSync(shimPath(arch), temporary);
    renameSync(temporary, join(directory, name));
  };
  if (!isFresh("i386")) console.log(`built ${basename(buildShim("i386"))}`);
  mkdirSync(directory, { recursive: true });
  for (const name of names) {
    for (const platform of PLATFORMS.x86_64) link("x86_64", `${name}.${platform}`);
    link("i386", `${name}.i686`);
  }
  link("x86_64", `${names[0]}.$PLATFORM`);
  link("i386", `${names[1]}.$PLATFORM`);
  return names.map((name) => join(directory, `${name}.$PLATFORM`)).join(":");
}

function isFresh(arch: ShimArch): boolean {
  const output = shimPath(arch);
  const builtMs = existsSync(output) ? statSync(output).mtimeMs : 0;
  return shimSources().every((filePath) => statSync(filePath).mtimeMs <= builtMs);
}

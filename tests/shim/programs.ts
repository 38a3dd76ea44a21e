/**
 * The fixture programs of tests/fixtures/programs, compiled for each libc and run below the built
 * shim. Builds the shim where it is missing or older than its sources.
 */

import { execFileSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { basename } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  buildShim,
  hostArch,
  type ShimArch,
  shimPath,
  shimSources,
} from "../../scripts/build_shim.ts";
import { needs, programPath } from "../helpers/needs.ts";
import { type Finished, run } from "../helpers/processes.ts";
import { makeTempDir, type TempDir } from "../helpers/temp_dir.ts";
import { type Answerer, type FakeBrain, hasInet6, startFakeBrain } from "./fake_brain.ts";

/** One kind of program: the libc it is linked with and the machine it is for. */
export interface Libc {
  name: "glibc" | "musl" | "aarch64 glibc";
  compiler: string;
  arch: ShimArch;
  /** What the machine must have, in the words of helpers/needs.ts. */
  needs: string[];
}

const GLIBC: Libc = { name: "glibc", compiler: "gcc", arch: hostArch(), needs: ["gcc"] };
const MUSL: Libc = { name: "musl", compiler: "musl-gcc", arch: hostArch(), needs: ["musl-gcc"] };
const AARCH64: Libc = {
  name: "aarch64 glibc",
  compiler: "aarch64-linux-gnu-gcc",
  arch: "aarch64",
  needs: [
    "aarch64-linux-gnu-gcc",
    "/usr/aarch64-linux-gnu/include/stdio.h",
    "qemu-aarch64",
  ],
};

export const HOST_LIBCS: Libc[] = [GLIBC, MUSL];
/** For the few tests that show that the other machine's system calls are right. */
export const ALL_LIBCS: Libc[] = [GLIBC, MUSL, AARCH64];

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
    test(`${name} (${libc.name})`, missing, async () => {
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

/** qemu-aarch64 runs on this machine's libc: the preload is for the program inside alone. */
function runProgram(
  libc: Libc,
  filePath: string,
  { args, env }: { args: string[]; env: Record<string, string | undefined> },
): Promise<Finished> {
  if (libc.name !== "aarch64 glibc" || hostArch() === "aarch64") {
    return run(filePath, args, { env });
  }
  const { LD_PRELOAD: preload, ...others } = env;
  const emulation = ["-L", "/usr/aarch64-linux-gnu", "-E", `LD_PRELOAD=${preload}`, filePath];
  return run(programPath("qemu-aarch64"), [...emulation, ...args], { env: others });
}

/** The built shim, made anew where a source is newer. */
export function ensureShim(arch: ShimArch): string {
  const output = shimPath(arch);
  const builtMs = existsSync(output) ? statSync(output).mtimeMs : 0;
  const isStale = shimSources().some((filePath) => statSync(filePath).mtimeMs > builtMs);
  if (isStale) console.log(`built ${basename(buildShim(arch))}`);
  return output;
}

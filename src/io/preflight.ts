/**
 * A look at the command before it starts: the user is told before the first packet, not after,
 * that the shim will not be in it. Reads files; the judgement is policy/coverage.ts's. File
 * capabilities are not seen here.
 */

import {
  accessSync,
  closeSync,
  constants,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  statSync,
} from "node:fs";
import process from "node:process";
import { formatMessage, TsocksError } from "../errors.ts";
import { escapeText } from "../net/printable.ts";
import type { ShimArch } from "../policy/architecture.ts";
import {
  findUncovered,
  type Identity,
  type ProgramFile,
  scriptInterpreter,
  type Uncovered,
  uncoveredWords,
} from "../policy/coverage.ts";

export interface CoverageOptions {
  /** The child's: its PATH counts. */
  env: Record<string, string>;
  /** Those that there is a shim for. */
  archs: readonly ShimArch[];
  /** `--strict`: refuse instead of warning. */
  isStrict: boolean;
  withoutProxyVariables: boolean;
}

const MAX_SHOWN_PATH_LENGTH = 1024;

/** What is known of the command before it starts. */
export interface Preflight {
  /** Where it, or the interpreter of a script, will run without the shim. */
  warning: string | undefined;
  /** Otherwise the program that will run, without symbolic links; undefined where none was found. */
  covered: string | undefined;
}

/** @throws TsocksError UNCOVERED in place of a warning, where that is strict */
export function checkCoverage(command: string[], options: CoverageOptions): Preflight {
  const looked = lookAt(command[0] ?? "", options);
  if (looked === undefined) return { warning: undefined, covered: undefined };
  const { path, reason } = looked;
  if (reason === undefined) return { warning: undefined, covered: realpathSync(path) };
  if (options.isStrict) throw uncoveredError(path, reason, options);
  const warning = formatMessage(
    `warning: Not covered: the program ${uncoveredWords(reason, options)}`,
    escapeText(path, MAX_SHOWN_PATH_LENGTH),
    "use a dynamically linked program of this machine; --strict refuses all others",
  );
  return { warning, covered: undefined };
}

/** The program that `name` or the interpreter of its script is, and why the shim will not be in it; undefined where there is none. */
export function lookAt(
  name: string,
  { env, archs }: Pick<CoverageOptions, "env" | "archs">,
): { path: string; reason: Uncovered | undefined } | undefined {
  const file = findProgram(name, env["PATH"]);
  const program = file && followScripts(file);
  return program &&
    { path: program.path, reason: findUncovered(program, ownIdentity(), archs) };
}

/** In the short form: the complaint about a first word that is no command, and nearly a verb. */
export function findMistypedVerb(
  { command: [name = ""], meantVerb }: { command: string[]; meantVerb: string | undefined },
  env: Record<string, string>,
): TsocksError | undefined {
  if (meantVerb === undefined || findProgram(name, env["PATH"]) !== undefined) return undefined;
  const what = `No verb or command "${name}": did you mean "${meantVerb}"`;
  const fix = `tsocks ${meantVerb}, or tsocks --help`;
  return new TsocksError("USAGE", what, { where: "tsocks and the directories of PATH", fix });
}

/** What --strict says of a program that runs, or would, without the shim. */
export function uncoveredError(
  path: string,
  reason: Uncovered,
  options: { withoutProxyVariables: boolean },
): TsocksError {
  return new TsocksError(
    "UNCOVERED",
    `Not covered: the program ${uncoveredWords(reason, options)}`,
    {
      where: escapeText(path, MAX_SHOWN_PATH_LENGTH),
      fix: "use a dynamically linked program of this machine, or leave --strict out",
    },
  );
}

/** The kernel follows so many scripts whose interpreter is a script. */
const MAX_SCRIPTS = 5;

/** The program that the kernel starts for a script; undefined where it is not there. */
function followScripts(file: ProgramFile): ProgramFile | undefined {
  let program: ProgramFile | undefined = file;
  for (let depth = 0; program !== undefined && depth < MAX_SCRIPTS; depth++) {
    const interpreter = scriptInterpreter(program);
    if (interpreter === undefined) break;
    program = openProgram(interpreter);
  }
  return program;
}

/** What execvp(3) would find. */
function findProgram(name: string, path = "/bin:/usr/bin"): ProgramFile | undefined {
  if (name === "") return undefined;
  if (name.includes("/")) return openProgram(name);
  for (const directory of path.split(":")) {
    const program = openProgram(directory === "" ? name : `${directory}/${name}`);
    if (program !== undefined) return program;
  }
}

/** Undefined where there is no regular file that may be executed. */
function openProgram(path: string): ProgramFile | undefined {
  try {
    const stat = statSync(path);
    accessSync(path, constants.X_OK);
    const { mode, uid, gid } = stat;
    const read = (offset: number, length: number) => readPart(path, offset, length);
    return stat.isFile() ? { path, mode, uid, gid, read } : undefined;
  } catch {
    return undefined;
  }
}

/** Nothing of a file that may be executed but not read. */
function readPart(path: string, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  try {
    const fd = openSync(path, "r");
    try {
      return bytes.subarray(0, readSync(fd, bytes, 0, length, offset));
    } finally {
      closeSync(fd);
    }
  } catch {
    return bytes.subarray(0, 0);
  }
}

function ownIdentity(): Identity {
  return {
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    euid: process.geteuid?.() ?? 0,
    egid: process.getegid?.() ?? 0,
    hasNoNewPrivileges: hasNoNewPrivileges(),
  };
}

/** proc(5) */
function hasNoNewPrivileges(): boolean {
  try {
    return /^NoNewPrivs:\s*1$/m.test(readFileSync("/proc/self/status", "latin1"));
  } catch {
    return false;
  }
}

/** What a row of the compatibility table is: a program, what it is to do, and how it is seen that it did. */

import type { TempDir } from "../../tests/helpers/temp_dir.ts";
import type { Lab } from "./lab.ts";

export interface Row {
  program: string;
  /** Debian's packages: the program's own first (its version is shown), then what else the row needs. */
  packages: readonly string[];
  /** What is done, in a few words: with `program` it names the row. */
  action: string;
  /** `NAME:PORT` that the SOCKS server must have been asked for. */
  asks: readonly string[];
  /** With the proxy variables; all other rows run with `--no-env`, on the shim alone. */
  hasVariables?: true;
  /** Fast, and its packages are where the tests run: the tests run it too. */
  isQuick?: true;
  /** `dir` is an empty directory for this one run, and the program's HOME. */
  command(lab: Lab, dir: TempDir): Command | Promise<Command>;
}

export interface Command {
  argv: string[];
  env?: Record<string, string>;
  input?: string;
  /** 0 if left out. */
  status?: number;
  /** What standard output must hold. */
  prints?: string | RegExp;
  /** What tsocks must have said on standard error. */
  logs?: RegExp;
  /** What else must be true afterwards: the problem, or undefined. */
  check?(): string | undefined;
}

/** Table cells; `seconds` is undefined where nothing ran. */
export interface Result {
  verdict: "works" | "fails" | "not installed";
  seconds: number | undefined;
  version: string;
  reason: string;
}

export function nameOf({ program, action }: { program: string; action: string }): string {
  return `${program}: ${action}`;
}

/** Shell words for `sh -c`, where a row needs a pipe. */
export function shell(script: string, ...args: string[]): string[] {
  return ["/bin/sh", "-c", script, "sh", ...args];
}

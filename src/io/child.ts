/**
 * Runs the child with our own stdio and tells its end as an exit status.
 * Source of the statuses: env(1), timeout(1), tini.
 */

import { spawn } from "node:child_process";
import { constants } from "node:os";
import { TsocksError } from "../errors.ts";
import type { SignalForwarding } from "./signals.ts";

export const STATUS_OWN_FAILURE = 125;
export const STATUS_NOT_EXECUTABLE = 126;
export const STATUS_NOT_FOUND = 127;

const SHELL = "/bin/sh";

export interface ChildEnd {
  status: number;
  /** Set where the child did not start. */
  error: TsocksError | undefined;
}

/** Who hears of its start and end. */
export interface ChildWatcher {
  start(pid: number): void;
  stop(): void;
}

/** Run `command` to its end, with the signals that come to us. Never rejects. */
export function runChild(
  command: string[],
  env: Record<string, string>,
  signals: SignalForwarding,
  watch: ChildWatcher,
): Promise<ChildEnd> {
  const [file = "", ...args] = command;
  return new Promise((resolve) => {
    const onError = (error: unknown) => {
      // A script without #!: execvp(3), and so env(1), gives it to sh.
      const isScript = (error as { code?: string }).code === "ENOEXEC" && file !== SHELL;
      resolve(
        isScript ? runChild([SHELL, ...command], env, signals, watch) : spawnFailure(file, error),
      );
    };
    try {
      const child = spawn(file, args, { stdio: "inherit", env });
      if (child.pid !== undefined) {
        signals.passTo(child.pid);
        watch.start(child.pid);
      }
      child.on("error", onError);
      child.on("exit", (code, signal) => {
        signals.childEnded();
        watch.stop();
        resolve({ status: statusOf(code, signal), error: undefined });
      });
    } catch (error) {
      onError(error);
    }
  });
}

/** The child's own status, or 128 + the number of the signal that ended it. */
function statusOf(code: number | null, signal: NodeJS.Signals | null): number {
  if (signal !== null) return 128 + constants.signals[signal];
  return code ?? STATUS_OWN_FAILURE;
}

function spawnFailure(file: string, error: unknown): ChildEnd {
  const code = (error as { code?: string }).code ?? "";
  const isMissing = code === "ENOENT" || code === "ENOTDIR";
  return {
    status: isMissing ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE,
    error: new TsocksError("SPAWN", `Cannot run "${file}": ${SPAWN_WORDS[code] ?? code}`, {
      where: file.includes("/") ? file : "the directories of PATH",
      fix: isMissing
        ? 'check the name; for an alias or a shell function: tsocks run -- bash -ic "..."'
        : "check its permissions (chmod +x) and that it is a program for this machine",
      cause: error,
    }),
  };
}

const SPAWN_WORDS: Record<string, string> = {
  ENOENT: "no such command",
  ENOTDIR: "no such command",
  EACCES: "permission denied",
  ENOEXEC: "not a program for this machine",
};

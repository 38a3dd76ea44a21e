/**
 * Runs the child with our own stdio, passes signals on, and tells its end as an exit status.
 * Source of the statuses: env(1), timeout(1), tini.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import process from "node:process";
import { TsocksError } from "../errors.ts";

export const STATUS_OWN_FAILURE = 125;
export const STATUS_NOT_EXECUTABLE = 126;
export const STATUS_NOT_FOUND = 127;

export interface ChildEnd {
  status: number;
  /** Set where the child did not start. */
  error: TsocksError | undefined;
}

const FORWARDED = [
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGTERM",
  "SIGUSR1",
  "SIGUSR2",
  "SIGALRM",
  "SIGWINCH",
] as const;

/** The terminal sends these to our whole foreground group, the child with it. */
const FROM_TERMINAL = new Set<string>(["SIGINT", "SIGQUIT", "SIGWINCH"]);

/** Run `command` to its end. Never rejects. */
export function runChild(command: string[], env: Record<string, string>): Promise<ChildEnd> {
  const [file = "", ...args] = command;
  return new Promise((resolve) => {
    const onError = (error: unknown) => resolve(spawnFailure(file, error));
    try {
      const child = spawn(file, args, { stdio: "inherit", env });
      const stopForwarding = forwardSignals(child);
      child.on("error", (error) => {
        stopForwarding();
        onError(error);
      });
      child.on("exit", (code, signal) => {
        stopForwarding();
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

function forwardSignals(child: ChildProcess): () => void {
  const undo: (() => void)[] = [];
  for (const signal of FORWARDED) {
    const forward = () => {
      if (FROM_TERMINAL.has(signal) && isForeground()) return;
      // Not child.kill(): on Deno it would report the signal although the child handled it.
      if (child.pid !== undefined) sendSignal(child.pid, signal);
    };
    process.on(signal, forward);
    undo.push(() => process.off(signal, forward));
  }
  return () => undo.forEach((off) => off());
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has just ended.
  }
}

/** Whether our process group is its terminal's foreground group (pgrp and tpgid of proc(5) stat). */
function isForeground(): boolean {
  const stat = readFileSync("/proc/self/stat", "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[2] === fields[5];
}

/** Resolves at the first signal that asks us to end; from then on another one ends us at once. */
export function untilToldToEnd(): Promise<void> {
  const signals = ["SIGTERM", "SIGINT", "SIGHUP"] as const;
  return new Promise((resolve) => {
    const end = () => {
      for (const signal of signals) process.off(signal, end);
      resolve();
    };
    for (const signal of signals) process.on(signal, end);
  });
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

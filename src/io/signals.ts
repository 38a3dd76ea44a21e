/**
 * Signals to tsocks are the child's: they are kept until there is a child, passed on while there is
 * one, and after its end they are ours. The disposition of the others stays the kernel's.
 */

import process from "node:process";
import { readOwnStat } from "./processes.ts";

const FORWARDED = [
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGTERM",
  "SIGUSR1",
  "SIGUSR2",
  "SIGALRM",
  "SIGWINCH",
  "SIGIO",
  "SIGPROF",
  "SIGPWR",
  "SIGSTKFLT",
  "SIGVTALRM",
  "SIGXCPU",
  "SIGXFSZ",
] as const;

/** The terminal sends these to our whole foreground group, the child with it. */
const FROM_TERMINAL = new Set<string>(["SIGINT", "SIGQUIT", "SIGWINCH"]);
const ENDING = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

export class SignalForwarding {
  #pid: number | undefined;
  #isOver = false;
  readonly #early: NodeJS.Signals[] = [];
  readonly #undo: (() => void)[] = [];

  /** From now on none of them ends us: install it before there is anything to leave behind. */
  constructor() {
    for (const signal of FORWARDED) {
      const take = () => this.#take(signal);
      process.on(signal, take);
      this.#undo.push(() => process.off(signal, take));
    }
  }

  /** The child is there, and gets what came before it. */
  passTo(pid: number): void {
    this.#pid = pid;
    for (const signal of this.#early.splice(0)) sendSignal(pid, signal);
  }

  /** Its number may soon be another's. */
  childEnded(): void {
    this.#isOver = true;
  }

  /** Back to what they were. */
  stop(): void {
    for (const undo of this.#undo.splice(0)) undo();
  }

  #take(signal: NodeJS.Signals): void {
    if (this.#isOver) return;
    if (this.#pid === undefined) this.#early.push(signal);
    else if (!FROM_TERMINAL.has(signal) || !isForeground()) sendSignal(this.#pid, signal);
  }
}

/**
 * Resolves at the first signal that asks us to end; from then on another one ends us at once. With
 * `onReload`, SIGHUP is that, unless it is a hang-up: the terminal that we had is gone (tty_nr of
 * proc(5) stat, which the kernel clears before it signals).
 */
export function untilToldToEnd(onReload?: () => void): Promise<void> {
  const hasTerminal = () => readOwnStat()[4] !== "0";
  const hadTerminal = onReload !== undefined && hasTerminal();
  return new Promise((resolve) => {
    const end = (signal: NodeJS.Signals) => {
      const isHangUp = hadTerminal && !hasTerminal();
      if (signal === "SIGHUP" && onReload !== undefined && !isHangUp) return onReload();
      for (const signal of ENDING) process.off(signal, end);
      resolve();
    };
    for (const signal of ENDING) process.on(signal, end);
  });
}

/** SIGHUP is the child's, as all are, and has the configuration read again besides. Returns what ends that. */
export function reloadAtHangUp(reload: () => void): () => void {
  process.on("SIGHUP", reload);
  return () => process.off("SIGHUP", reload);
}

/** Not child.kill(): on Deno it would report the signal although the child handled it. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has just ended.
  }
}

/** Whether our process group is its terminal's foreground group (pgrp and tpgid of proc(5) stat). */
function isForeground(): boolean {
  const fields = readOwnStat();
  return fields[2] === fields[5];
}

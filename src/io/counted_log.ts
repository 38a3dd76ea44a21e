/**
 * Log lines that would come a thousand times: of those that say the same of one process the 1st,
 * 10th, 100th ... is written.
 */

import type { DecisionLog, LogEntry } from "./log.ts";
import { describeProcess } from "./processes.ts";

/** Processes and destinations that are counted; beyond that the oldest are forgotten. */
const MAX_COUNTED = 1000;

export interface CountedEntry {
  pid: number;
  destination: string;
  action: LogEntry["action"];
  text: string;
}

export class CountedLog {
  readonly #log: DecisionLog;
  /** `PID DESTINATION` → how often, the last counted at the end. */
  readonly #counts = new Map<string, number>();

  constructor(log: DecisionLog) {
    this.#log = log;
  }

  /** `key` tells what is counted as one. */
  write({ pid, destination, action, text }: CountedEntry, key = destination): void {
    const counted = `${pid} ${key}`;
    const times = (this.#counts.get(counted) ?? 0) + 1;
    this.#counts.delete(counted);
    this.#counts.set(counted, times);
    if (this.#counts.size > MAX_COUNTED) this.#counts.delete(this.#counts.keys().next().value!);
    if (!/^10*$/.test(`${times}`)) return;
    const suffix = times === 1 ? "" : `, ${times} times so far`;
    const asker = describeProcess(pid);
    this.#log.write({ action, asker, destination, server: "-", text: text + suffix });
  }
}

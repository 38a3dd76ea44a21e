/**
 * The decision log: one line for each decision, failure and end of a connection, as text for people
 * and awk or as JSON. Writes to an open descriptor, at once; knows levels, not policy.
 */

import { writeSync } from "node:fs";

/** TSOCKS_DEBUG: -1 nothing, 0 errors, 1 each decision, 2 each step. */
export type LogLevel = -1 | 0 | 1 | 2;

/** The program that asked. `pid` 0 is a process that could not be found (or is not of this machine). */
export interface Asker {
  readonly pid: number;
  readonly comm: string;
}

export interface LogEntry {
  action:
    | "DIRECT"
    | "FORWARD"
    | "REFUSE"
    | "FAIL"
    | "END"
    | "STEP"
    | "UNCOVERED"
    | "ANSWER"
    | "RELOAD";
  asker: Asker;
  /** `hello.example:80`, of UNCOVERED the program's path; already safe to print. */
  destination: string;
  /** `socks5://127.0.0.1:1080`, or `-`. */
  server: string;
  /** The reason of a decision, the words of a failure. */
  text: string;
  /** errno name of a FAIL. */
  errno?: string;
  /** Of a FAIL: the server did its job, and the destination is what failed. */
  isDestinationsFault?: boolean;
  /** Octets from the program and to it, milliseconds, at an END. */
  sent?: number;
  received?: number;
  ms?: number;
}

export interface LogOptions {
  level: LogLevel;
  format: "text" | "json";
  /** An open descriptor; the log never closes it. */
  fd: number;
}

export const UNKNOWN_ASKER: Asker = { pid: 0, comm: "-" };

export class DecisionLog {
  readonly #options: LogOptions;
  readonly #explained = new Set<string>();

  constructor(options: LogOptions) {
    this.#options = options;
  }

  /** Whether entries of `level` are written; ask before finding out something only the log needs. */
  wants(level: 0 | 1 | 2): boolean {
    return this.#options.level >= level;
  }

  /** Failures of the server, refusals and programs not covered are errors (0); what the program sees anyway is 1; steps are 2. */
  write(entry: LogEntry): void {
    if (!this.wants(levelOf(entry))) return;
    const time = new Date().toISOString();
    this.#emit(this.#options.format === "json" ? toJson(time, entry) : toText(time, entry));
  }

  /** A step that belongs to no connection (level 2). */
  step(text: string): void {
    this.write({ action: "STEP", asker: UNKNOWN_ASKER, destination: "-", server: "-", text });
  }

  /** The three lines of an error, once for each different one, however often it happens. */
  explain(message: string): void {
    if (!this.wants(0) || this.#options.format === "json" || this.#explained.has(message)) return;
    if (this.#explained.size < 1000) this.#explained.add(message);
    this.#emit(message);
  }

  #emit(text: string): void {
    try {
      writeSync(this.#options.fd, text + "\n");
    } catch {
      // A full disk or a closed stderr must not take the program's connections with it.
    }
  }
}

function levelOf(entry: LogEntry): 0 | 1 | 2 {
  if (entry.action === "REFUSE" || entry.action === "UNCOVERED") return 0;
  if (entry.action === "FAIL") return entry.isDestinationsFault ? 1 : 0;
  if (entry.action === "RELOAD") return entry.errno === undefined ? 1 : 0;
  return entry.action === "STEP" ? 2 : 1;
}

function toText(time: string, entry: LogEntry): string {
  const { pid, comm } = entry.asker;
  // comm is the program's own choice (prctl(2)): no blank may shift awk's columns.
  const name = comm.replace(/[^\x21-\x7e]/g, "_") || "-";
  const head = `${time} ${pid || "-"} ${name} ${entry.destination} ${entry.action} ${entry.server}`;
  if (entry.action === "END") {
    return `${head} sent=${entry.sent} received=${entry.received} ms=${entry.ms} outcome=${entry.text}`;
  }
  return [head, entry.errno, entry.text].filter((word) => word !== undefined).join(" ");
}

function toJson(time: string, entry: LogEntry): string {
  const { asker, isDestinationsFault: _, ...rest } = entry;
  return JSON.stringify({ time, pid: asker.pid, process: asker.comm, ...rest });
}

/**
 * Looks whether the shim is in the command once it runs: ld.so says nothing that we hear where it
 * drops a preload. The shim itself cannot report, since it does nothing when it is loaded. What the
 * command starts is judged by the shim at every exec (shim/coverage.c), not here.
 */

import { readFileSync, readlinkSync } from "node:fs";
import process from "node:process";
import type { TsocksError } from "../errors.ts";
import { escapeText } from "../net/printable.ts";
import { REASON_WORDS, type Uncovered, uncoveredWords } from "../policy/coverage.ts";
import { findShim, gainsCapabilities } from "../policy/presence.ts";
import type { DecisionLog } from "./log.ts";
import { uncoveredError } from "./preflight.ts";
import { describeProcess, readStat } from "./processes.ts";
import { sendSignal } from "./signals.ts";

export interface WatchOptions {
  /** The program that ought to run, without symbolic links; undefined: there is nothing to look for. */
  program: string | undefined;
  shimPath: string;
  log: DecisionLog;
  /** `--strict`: end the process instead of only saying so. */
  isStrict: boolean;
  withoutProxyVariables: boolean;
}

const MAX_SHOWN_PATH_LENGTH = 255;
/** From the start; ld.so takes a millisecond as a rule. */
const LOOKS_AT_MS = [0, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 1500, 2000, 3000, 5000];
/** From then on a program that has run and loaded nothing but ld.so has been given up by it. */
const LOADED_AFTER_MS = 1000;
/** Clock ticks (10 ms): far more than ld.so needs to begin with the first library. */
const TICKS_TO_BEGIN = 2;

export class CoverageWatch {
  readonly #options: WatchOptions;
  #timer: NodeJS.Timeout | undefined;
  #wasMissing = false;
  /** Set where the process was ended. */
  error: TsocksError | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  start(pid: number): void {
    if (this.#options.program !== undefined) this.#look(pid, 0);
  }

  /** The process is gone, or nobody cares any more. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  #look(pid: number, turn: number): void {
    const now = LOOKS_AT_MS[turn]!;
    const next = LOOKS_AT_MS[turn + 1];
    const found = this.#examine(pid, now);
    if (found === "there") return;
    if (found !== "loading" && found !== "unknown") return this.#tell(pid, found);
    if (found === "unknown" || next === undefined) {
      const asker = describeProcess(pid);
      const text = "whether the shim is in it cannot be seen";
      this.#options.log.write({ action: "STEP", asker, destination: "-", server: "-", text });
      return;
    }
    this.#timer = setTimeout(() => this.#look(pid, turn + 1), next - now);
    this.#timer.unref();
  }

  #tell(pid: number, reason: Uncovered): void {
    const { program = "-", log, isStrict } = this.#options;
    log.write({
      action: "UNCOVERED",
      asker: describeProcess(pid),
      destination: escapeText(program, MAX_SHOWN_PATH_LENGTH),
      server: "-",
      text: isStrict ? `${REASON_WORDS[reason]}; --strict` : uncoveredWords(reason, this.#options),
    });
    if (!isStrict) return;
    this.error = uncoveredError(program, reason, this.#options);
    sendSignal(pid, "SIGKILL");
  }

  #examine(pid: number, now: number): "there" | "loading" | "unknown" | Uncovered {
    const { program = "", shimPath } = this.#options;
    try {
      // Where it has executed another program, the shim has judged that.
      if (readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, "") !== program) {
        return "unknown";
      }
      const presence = findShim(readFileSync(`/proc/${pid}/maps`, "latin1"), program, shimPath);
      if (presence === "there") return "there";
      // A library may be mapped while the file is being read: only a second look proves.
      const isMissing = presence === "missing" || now >= LOADED_AFTER_MS && hasBegun(pid);
      const isProven = isMissing && this.#wasMissing;
      this.#wasMissing = isMissing;
      return isProven ? "missing" : "loading";
    } catch {
      return isPrivileged(pid) ? "capabilities" : "unknown";
    }
  }
}

/** Whether ld.so has had the time to begin: it does not wait for anything but files. */
function hasBegun(pid: number): boolean {
  const fields = readStat(pid);
  return fields[0] === "S" || Number(fields[11]) + Number(fields[12]) >= TICKS_TO_BEGIN;
}

/** Whether it has got capabilities by being executed: then its maps are nobody's to read. */
function isPrivileged(pid: number): boolean {
  try {
    const [status, own] = [pid, process.pid].map((one) =>
      readFileSync(`/proc/${one}/status`, "latin1")
    );
    return gainsCapabilities(status!, own!);
  } catch {
    return false;
  }
}

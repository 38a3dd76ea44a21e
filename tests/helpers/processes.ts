/**
 * Programs that tests start: with a clean environment, a hard time limit and an owner that ends
 * them. Each leads a process group of its own, so that ending it ends what it started, and nothing else.
 */

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { Buffer } from "node:buffer";
import { waitFor } from "./wait.ts";

export interface StartOptions {
  /** Added to (or, with undefined, taken from) the clean environment. */
  env?: Record<string, string | undefined>;
  cwd?: string;
  /** Standard input, then its end. Left out: an end at once. "open": the test writes and ends it itself. */
  input?: string | Uint8Array | "open";
  /** After it, the group is killed and `finished` throws. */
  timeoutMs?: number;
}

/** How a program ended: status and signal as waitpid(2) has them, output as UTF-8 and as octets. */
export interface Finished {
  status: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
  stdoutBytes: Buffer;
}

/** The environment of every program here, but for HOME: nothing of the user's own gets in. */
export const CLEAN_ENV = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  LANG: "C.UTF-8",
  HOME: "/nonexistent",
};

export class Running implements AsyncDisposable {
  readonly child: ChildProcessWithoutNullStreams;
  /** Resolves when the program has ended and its output is whole. */
  readonly finished: Promise<Finished>;
  readonly #stdout: Buffer[] = [];
  readonly #stderr: Buffer[] = [];
  #isOver = false;

  constructor(command: string, args: string[], options: StartOptions) {
    const env = { ...CLEAN_ENV, ...options.env } as Record<string, string>;
    for (const [name, value] of Object.entries(options.env ?? {})) {
      if (value === undefined) delete env[name];
    }
    this.child = spawn(command, args, {
      env,
      detached: true,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    this.child.stdout.on("data", (chunk: Buffer) => this.#stdout.push(chunk));
    this.child.stderr.on("data", (chunk: Buffer) => this.#stderr.push(chunk));
    this.child.stdin.on("error", () => {}); // EPIPE: the program has ended before reading all
    if (options.input !== "open") this.child.stdin.end(options.input ?? "");
    this.finished = this.#finish(`${command} ${args.join(" ")}`, options.timeoutMs ?? 15_000);
    this.finished.catch(() => {}); // who awaits it sees it
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  /** What it has written so far. */
  get stdout(): string {
    return Buffer.concat(this.#stdout).toString("utf8");
  }

  get stderr(): string {
    return Buffer.concat(this.#stderr).toString("utf8");
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** To this one process, not to its group. */
  kill(signal: NodeJS.Signals): void {
    if (!this.#isOver) process.kill(this.pid, signal);
  }

  /** The match of `pattern` in what it writes on stdout, as soon as it is there. */
  waitForOutput(pattern: RegExp, timeoutMs?: number): Promise<RegExpMatchArray> {
    return waitFor(`${pattern} on stdout of ${this.child.spawnfile}`, () => {
      const match = this.stdout.match(pattern);
      if (match === null && this.#isOver) {
        throw new Error(`${this.child.spawnfile} ended: ${this.stdout}${this.stderr}`);
      }
      return match ?? undefined;
    }, timeoutMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#killGroup("SIGTERM");
    await waitFor("the end", () => this.#isOver, 2_000).catch(() => {});
    this.#killGroup("SIGKILL"); // also what the program has left behind
    await this.finished.catch(() => {});
  }

  /** The group outlives its leader while a member lives; with none left this does nothing. */
  #killGroup(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.pid, signal);
    } catch {
      // ESRCH: all gone
    }
  }

  #finish(commandLine: string, timeoutMs: number): Promise<Finished> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#killGroup("SIGKILL");
        const said = `stdout: ${this.stdout.slice(-2000)}\nstderr: ${this.stderr.slice(-2000)}`;
        reject(new Error(`No end after ${timeoutMs} ms: ${commandLine}\n${said}`));
      }, timeoutMs);
      this.child.once("error", (error) => {
        clearTimeout(timer);
        this.#isOver = true;
        reject(error);
      });
      this.child.once("close", (status, signal) => {
        clearTimeout(timer);
        this.#isOver = true;
        const stdoutBytes = Buffer.concat(this.#stdout);
        resolve({ status, signal, stdout: this.stdout, stderr: this.stderr, stdoutBytes });
      });
    });
  }
}

/** Starts a program; `await using` ends it. */
export function start(command: string, args: string[], options: StartOptions = {}): Running {
  return new Running(command, args, options);
}

/** Runs a program to its end. */
export async function run(
  command: string,
  args: string[],
  options: StartOptions = {},
): Promise<Finished> {
  await using running = start(command, args, options);
  return await running.finished;
}

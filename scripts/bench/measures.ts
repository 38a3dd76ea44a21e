/** What is measured, and one run of it: the figure that a small C program prints, or the time of a whole command. */

import { spawn, spawnSync } from "node:child_process";
import { networkInterfaces } from "node:os";
import type { Contender } from "./contenders.ts";

export interface Measure {
  name: string;
  unit: string;
  isMoreBetter: boolean;
  /** The server's answers are held so long: a round trip. */
  delayMs: number;
  /** The measuring program below scripts/bench and its last argument; "true" is timed from outside. */
  program: string;
  argument: string;
}

/** Of this machine, beside loopback where there is one: the contenders are told that it is local. */
export function localAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const found = all.find(({ family, internal }) => family === "IPv4" && !internal);
  return found?.address ?? "127.0.0.1";
}

export function listMeasures(isQuick: boolean): Measure[] {
  const octets = isQuick ? 200_000_000 : 2_000_000_000;
  return [
    {
      name: "blocking connects, one after the other",
      unit: "us each",
      isMoreBetter: false,
      delayMs: 0,
      program: "connect_sequential",
      argument: isQuick ? "100" : "500",
    },
    {
      name: "50 non-blocking connects together, 20 ms away",
      unit: "ms",
      isMoreBetter: false,
      delayMs: 20,
      program: "connect_together",
      argument: "50",
    },
    {
      name: `${octets / 1e9} GB over one connection`,
      unit: "MB/s",
      isMoreBetter: true,
      delayMs: 0,
      program: "bulk_read",
      argument: `${octets}`,
    },
    ...[localAddress(), "127.0.0.1"].map((address) => ({
      name: `a connect that goes direct, to ${address} (p50)`,
      unit: "us",
      isMoreBetter: false,
      delayMs: 0,
      program: "connect_here",
      argument: address,
    })),
    {
      name: "start of true",
      unit: "ms",
      isMoreBetter: false,
      delayMs: 0,
      program: "true",
      argument: "",
    },
  ];
}

const LIMIT_MS = 20_000;
const PROGRAMS = ["server", "connect_sequential", "connect_together", "connect_here", "bulk_read"];

/** The figure of one run, or why there is none. */
export async function measureOnce(
  measure: Measure,
  contender: Contender,
  binaries: string,
): Promise<number | string> {
  const { program, argument } = measure;
  const { address, port } = contender;
  const own = [`${binaries}/${program}`, address, `${port}`, argument];
  const command = [...contender.wrapper, ...(program === "true" ? ["true"] : own)];
  const startedAt = performance.now();
  const { status, stdout, stderr } = await run(command, contender.env);
  const elapsedMs = performance.now() - startedAt;
  if (status !== 0) return stderr.trim().split("\n").at(-1) || `exit status ${status}`;
  return program === "true" ? elapsedMs : Number(stdout);
}

/** In a process group of its own, so that the time limit ends all of it. */
function run(command: string[], env: Record<string, string>) {
  const [program = "", ...args] = command;
  const child = spawn(program, args, {
    env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => stdout += chunk);
  child.stderr.on("data", (chunk) => stderr += chunk);
  return new Promise<{ status: number | null; stdout: string; stderr: string }>((resolve) => {
    const timer = setTimeout(() => {
      stderr = `no end after ${LIMIT_MS / 1000} s`;
      process.kill(-(child.pid ?? 0), "SIGKILL");
    }, LIMIT_MS);
    child.once("error", (error) => stderr = error.message);
    child.once("close", (status) => {
      clearTimeout(timer);
      resolve({ status, stdout, stderr });
    });
  });
}

/** Compiles server.c and the measuring programs from `sources` into `directory`. @throws Error with gcc's words */
export function compilePrograms(sources: string, directory: string): void {
  for (const name of PROGRAMS) {
    const flags = ["-O2", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-pthread"];
    const args = [...flags, "-o", `${directory}/${name}`, `${sources}/${name}.c`];
    const done = spawnSync("gcc", args, { encoding: "utf8" });
    if (done.status !== 0) throw new Error(done.stderr || String(done.error));
  }
}

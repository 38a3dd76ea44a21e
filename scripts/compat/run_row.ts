/** Runs one row and judges it: the work done, the SOCKS server asked by name, and no packet sent past it. */

import type { Packet } from "../../tests/helpers/isolated_network.ts";
import { type Finished, run } from "../../tests/helpers/processes.ts";
import type { RecordedRequest } from "../../tests/helpers/reference_server.ts";
import { makeTempDir, type TempDir } from "../../tests/helpers/temp_dir.ts";
import { TSOCKS } from "../../tests/helpers/tsocks.ts";
import type { Lab } from "./lab.ts";
import type { Command, Row } from "./row.ts";

const TIMEOUT_MS = 30_000;
const MAX_REASON_LENGTH = 160;
const IPV4 = 0x0800;
const PROTOCOLS: Record<number, string> = { 1: "ICMP", 6: "TCP", 17: "UDP" };

/** The first problem of the run, undefined where there is none; `said` is what it wrote, for who looks into it. */
export interface Run {
  problem: string | undefined;
  seconds: number;
  said: string;
}

export async function runRow(row: Row, lab: Lab): Promise<Run> {
  await using dir = await makeTempDir();
  const command = await row.command(lab, dir);
  lab.takeRequests();
  await lab.takeLeaks();
  const startedAt = performance.now();
  const done = await runProgram(row, command, lab, dir);
  const seconds = (performance.now() - startedAt) / 1000;
  const leaks = await lab.takeLeaks();
  const requests = lab.takeRequests();
  const said = typeof done === "string" ? done : `${done.stdout}${done.stderr}`;
  const problem = findLeak(leaks, said) ??
    (typeof done === "string" ? done : findFailure(command, done)) ??
    findUnasked(row.asks, requests);
  return { problem: problem && clean(problem, dir), seconds, said };
}

/** How it ended, or in words that it did not. */
async function runProgram(
  row: Row,
  command: Command,
  lab: Lab,
  dir: TempDir,
): Promise<Finished | string> {
  const flags = row.hasVariables ? [] : ["--no-env"];
  const tsocks = [TSOCKS, "run", "--server", lab.serverUrl, ...flags, "--", ...command.argv];
  const [program = "", ...args] = lab.inside(tsocks);
  const env = { HOME: dir.path, TMPDIR: dir.path, TERM: "xterm", ...command.env };
  const input = command.input ?? "";
  try {
    return await run(program, args, { env, cwd: dir.path, input, timeoutMs: TIMEOUT_MS });
  } catch (error) {
    const seconds = TIMEOUT_MS / 1000;
    return `not done after ${seconds} s${String(error).replace(/^[^]*?(?=\nstdout)/, "")}`;
  }
}

function findLeak(leaks: Packet[], said: string): string | undefined {
  const words = leaks.map(({ type, protocol, destination, port }) =>
    type === IPV4
      ? `${PROTOCOLS[protocol] ?? protocol} to ${destination}:${port}`
      : `EtherType ${type.toString(16)}`
  );
  if (words.length === 0) return undefined;
  const places = [...new Set(words)].slice(0, 3).join(", ");
  return [`sent past the server: ${places}`, ...complaint(said)].join("; ");
}

function findFailure(command: Command, done: Finished): string | undefined {
  const { status: wanted = 0, prints = "" } = command;
  const words = lastWords(done);
  if (done.status !== wanted) return `status ${done.status ?? done.signal}: ${words}`;
  const isThere = typeof prints === "string"
    ? done.stdout.includes(prints)
    : prints.test(done.stdout);
  if (!isThere) return `wrong output: ${words}`;
  if (command.logs && !command.logs.test(done.stderr)) return `no ${command.logs} in the log`;
  return command.check?.();
}

/** tsocks's own complaint, else the last line. */
function lastWords({ stdout, stderr }: Finished): string {
  const text = stderr.trim() || stdout.trim();
  const [words = text.split("\n").at(-1) ?? ""] = complaint(text);
  return words.trim();
}

function complaint(said: string): string[] {
  return said.split("\n").filter((line) => line.startsWith("tsocks: ")).slice(0, 1);
}

function findUnasked(asks: readonly string[], requests: RecordedRequest[]): string | undefined {
  const asked = new Set(requests.map(({ host, port }) => `${host}:${port}`));
  const missing = asks.find((wanted) => !asked.has(wanted));
  return missing && `the server was not asked for ${missing}, but for ${[...asked].join(", ")}`;
}

/** One line for a table, and nothing in it of this machine. */
function clean(problem: string, dir: TempDir): string {
  // deno-lint-ignore no-control-regex
  const plain = problem.replaceAll(dir.path, "DIR").replace(/[\x00-\x1f\x7f]+/g, " ").trim();
  return plain.length > MAX_REASON_LENGTH ? `${plain.slice(0, MAX_REASON_LENGTH)}...` : plain;
}

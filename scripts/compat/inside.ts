/**
 * Runs rows in namespaces that compat.ts has made for this process alone: `inside.ts OPTIONS` with options as JSON. A line
 * for each row on standard output; the results go into a file as JSON.
 */

import { writeFileSync } from "node:fs";
import process from "node:process";
import { listInstalled } from "../debian_packages.ts";
import { Lab } from "./lab.ts";
import { nameOf, type Result, type Row } from "./row.ts";
import { ROWS } from "./rows.ts";
import { type Run, runRow } from "./run_row.ts";

export interface InsideOptions {
  /** Row names, as `nameOf()` has them. */
  rows: string[];
  resultsPath: string;
  /** Why packages could not be installed. */
  reasons: Record<string, string>;
  /** Show what failing programs wrote. */
  isVerbose: boolean;
}

/** After it no further row is begun. */
const LIMIT_MS = 600_000;

const options: InsideOptions = JSON.parse(process.argv[2] ?? "{}");
const rows = ROWS.filter((row) => options.rows.includes(nameOf(row)));
const installed = listInstalled();
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130));

const results: Record<string, Result> = {};
await using lab = await Lab.make();
for (const row of rows) {
  if (performance.now() > LIMIT_MS) {
    console.log(`No time left for ${nameOf(row)} and what follows`);
    break;
  }
  const result = await judge(row);
  results[nameOf(row)] = result;
  const { verdict, seconds, reason } = result;
  const time = seconds === undefined ? "" : seconds.toFixed(1);
  console.log(
    `${time.padStart(5)} ${verdict.padEnd(13)} ${nameOf(row)}${reason && ` (${reason})`}`,
  );
}
writeFileSync(options.resultsPath, JSON.stringify(results));

async function judge(row: Row): Promise<Result> {
  const missing = row.packages.find((name) => !installed.has(name));
  const version = installed.get(row.packages[0] ?? "") ?? "";
  if (missing !== undefined) {
    const reason = `${missing}: ${options.reasons[missing] ?? "not on this machine"}`;
    return { verdict: "not installed", seconds: undefined, version, reason };
  }
  const { problem, seconds, said } = await tryRow(row);
  if (problem === undefined) return { verdict: "works", seconds, version, reason: "" };
  if (options.isVerbose) console.log(`${said}\n${problem}`);
  return { verdict: "fails", seconds, version, reason: problem };
}

/** A service that does not start is the row's failure, not the end of the others. */
async function tryRow(row: Row): Promise<Run> {
  try {
    return await runRow(row, lab);
  } catch (error) {
    return { problem: `the row could not be run: ${error}`, seconds: 0, said: "" };
  }
}

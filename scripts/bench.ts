/**
 * `deno task bench [--quick]`: the built binary beside nothing, tsocks 1.8, proxychains4 and torsocks, with one
 * server and the same small C programs, the runs of all interleaved. Prints a table, writes dist/bench.json.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, release, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Contender, makeContenders } from "./bench/contenders.ts";
import { compilePrograms, listMeasures, type Measure, measureOnce } from "./bench/measures.ts";
import { formatRow, makeRow, type Row, summarize } from "./bench/report.ts";
import { BENCH_NEEDS, ensurePackages } from "./debian_packages.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const BINARY = join(ROOT, "dist/tsocks");
const RUNS = 7;
const QUICK_RUNS = 5;

/** Starts server.c; resolves with its port when it listens. */
async function startServer(directory: string, delayMs: number): Promise<[ChildProcess, number]> {
  const child = spawn(join(directory, "server"), [`${delayMs}`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const port = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", () => reject(new Error("The bench server has ended")));
    child.stdout?.once("data", (text) => resolve(Number(`${text}`.split(" ")[1])));
  });
  return [child, port];
}

/** All contenders take turns, so that whatever else the machine does hits them alike. */
async function runMeasure(
  measure: Measure,
  contenders: Contender[],
  directory: string,
  runs: number,
): Promise<Row> {
  const results = new Map<string, (number | string)[]>();
  for (let run = 0; run < runs; run += 1) {
    for (const contender of contenders) {
      const list = results.get(contender.name) ?? [];
      // Who has failed twice will fail again, at its time limit perhaps.
      if (list.filter((result) => typeof result === "string").length >= 2) continue;
      results.set(contender.name, [...list, await measureOnce(measure, contender, directory)]);
    }
  }
  return makeRow(measure, [...results].map(([name, list]) => summarize(name, list)));
}

async function measureAll(directory: string, isQuick: boolean): Promise<Row[]> {
  const rows: Row[] = [];
  for (const measure of listMeasures(isQuick)) {
    const [server, port] = await startServer(directory, measure.delayMs);
    try {
      const contenders = makeContenders(BINARY, port, directory);
      const runs = isQuick ? QUICK_RUNS : RUNS;
      const row = await runMeasure(measure, contenders, directory, runs);
      console.log(`${formatRow(row)}\n`);
      rows.push(row);
    } finally {
      server.kill("SIGKILL");
    }
  }
  return rows;
}

async function main(isQuick: boolean): Promise<void> {
  ensurePackages(BENCH_NEEDS);
  if (!existsSync(BINARY)) throw new Error(`No ${BINARY}: run deno task compile`);
  const directory = mkdtempSync(join(tmpdir(), "tsocks-bench-"));
  try {
    compilePrograms(join(ROOT, "scripts/bench"), directory);
    const machine = `${cpus().length} x ${cpus()[0]?.model ?? "?"}, Linux ${release()}`;
    console.log(`${machine}; medians (least to most); ratio above 1: ours is better\n`);
    const rows = await measureAll(directory, isQuick);
    const report = { date: new Date().toISOString(), machine, isQuick, rows };
    writeFileSync(join(ROOT, "dist/bench.json"), JSON.stringify(report, null, 2) + "\n");
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

await main(process.argv.includes("--quick"));

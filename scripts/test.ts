/**
 * `deno task test`: brings what the tests need, builds the shim and the binary, runs every test and
 * ends with one line of totals, the runner's own. A skip is a failure where CI is set.
 */

import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { ensurePackages, TEST_NEEDS } from "./debian_packages.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}

/** The runner's last summary, `ok | 12 passed (2 steps) | 1 failed | 3 ignored`; undefined where it wrote none. */
function parseTotals(output: string): Totals | undefined {
  // deno-lint-ignore no-control-regex
  const plain = output.replace(/\x1b\[[0-9;]*m/g, "");
  const line = plain.split("\n").findLast((text) => /^(ok|FAILED) \| \d+ passed/.test(text));
  if (line === undefined) return undefined;
  const count = (word: string) => Number(line.match(new RegExp(`(\\d+) ${word}`))?.[1] ?? 0);
  return { passed: count("passed"), failed: count("failed"), skipped: count("ignored") };
}

/** Runs a script of ours with this same Deno; its output is the user's. */
function build(script: string): void {
  const args = ["run", "-A", script];
  const done = spawnSync(process.execPath, args, { cwd: ROOT, stdio: "inherit" });
  if (done.status !== 0) {
    console.log(`${script} failed: ${done.error?.message ?? `exit status ${done.status}`}`);
    process.exit(1);
  }
}

/** Streams the runner's output and keeps it, to read the totals from its end. */
async function runTests(targets: string[]): Promise<{ status: number; output: string }> {
  const child = spawn(process.execPath, ["test", "-A", ...targets], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    process.stdout.write(text);
    output += text;
  });
  const status = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
  return { status, output };
}

/** 0 only where tests ran, none failed, and, where CI is set, none was skipped. */
function judge(status: number, totals: Totals): number {
  const { passed, failed, skipped } = totals;
  if (status === 0 && passed + failed === 0) {
    console.log("Nothing ran");
    return 1;
  }
  if (process.env["CI"] && skipped > 0) {
    console.log(`CI is set: ${skipped} skipped count as failed`);
    return 1;
  }
  return status !== 0 || failed > 0 ? 1 : 0;
}

const targets = process.argv.slice(2);
ensurePackages(TEST_NEEDS);
build("scripts/build_shim.ts");
build("scripts/compile.ts");
const { status, output } = await runTests(targets.length > 0 ? targets : ["tests/"]);
const totals = parseTotals(output) ?? { passed: 0, failed: 0, skipped: 0 };
process.exitCode = judge(status, totals);
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);

/**
 * `deno task compat [PROGRAM...]`: runs the rows of compat/rows.ts through the built binary and writes what came of them into
 * COMPATIBILITY.md. Root on Debian. Rows that were not run keep their line.
 *
 * --present     installs nothing, and leaves out the rows whose packages are missing
 * --no-install  installs nothing, and says so in those rows
 * --quick       the rows that the tests run
 * --check       writes nothing; status 1 where a row fails that the table calls good
 * --verbose     shows what failing programs wrote
 */

import { spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { machine, release, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { InsideOptions } from "./compat/inside.ts";
import { formatLine, formatReport, parseReport, saysWorks } from "./compat/report.ts";
import { nameOf, type Result, type Row } from "./compat/row.ts";
import { ROWS } from "./compat/rows.ts";
import { installOptional, listInstalled } from "./debian_packages.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const REPORT_PATH = join(ROOT, "COMPATIBILITY.md");
/** What the servers and the counter are made of, whatever the rows. */
const LAB_PACKAGES = ["iproute2", "util-linux", "openssl", "python3", "git", "openssh-server"];

const { values: flags, positionals: words } = parseArgs({
  allowPositionals: true,
  options: {
    present: { type: "boolean" },
    "no-install": { type: "boolean" },
    quick: { type: "boolean" },
    check: { type: "boolean" },
    verbose: { type: "boolean" },
  },
});

function selectRows(): Row[] {
  const isNamed = ({ program }: Row) =>
    words.length === 0 || program.split(/[^\w.-]+/).some((word) => words.includes(word));
  const installed = listInstalled();
  const isPresent = (row: Row) => row.packages.every((name) => installed.has(name));
  return ROWS.filter((row) =>
    isNamed(row) && (!flags.quick || row.isQuick) && (!flags.present || isPresent(row))
  );
}

/** Runs the rows in namespaces of their own, which take all processes with them when they end. */
async function runRows(rows: Row[], reasons: Record<string, string>) {
  const directory = mkdtempSync(join(tmpdir(), "tsocks-compat-"));
  chmodSync(directory, 0o755);
  // Interrupted, the process inside ends first; this one cleans up.
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => {});
  try {
    const resultsPath = join(directory, "results.json");
    const isVerbose = flags.verbose ?? false;
    const options: InsideOptions = { rows: rows.map(nameOf), resultsPath, reasons, isVerbose };
    const inside = [join(ROOT, "scripts/compat/inside.ts"), JSON.stringify(options)];
    const namespaces = ["-n", "-m", "-p", "-f", "--mount-proc", "--kill-child"];
    const child = spawn("unshare", [...namespaces, process.execPath, "run", "-A", ...inside], {
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, TMPDIR: directory },
    });
    const status = await new Promise((resolve) => child.once("exit", resolve));
    if (status !== 0) throw new Error(`The rows did not run: status ${status}`);
    return JSON.parse(readFileSync(resultsPath, "utf8")) as Record<string, Result>;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function describeMachine(): string {
  const debian = existsSync("/etc/debian_version")
    ? `Debian ${readFileSync("/etc/debian_version", "utf8").trim()}`
    : "No Debian";
  const [kernel] = release().match(/^\d+\.\d+/) ?? ["?"];
  return `${debian}, Linux ${kernel}, ${machine()}`;
}

function writeReport(known: Map<string, string[]>, results: Record<string, Result>): void {
  for (const row of ROWS) {
    const result = results[nameOf(row)];
    if (result !== undefined) known.set(nameOf(row), formatLine(row, result));
  }
  writeFileSync(REPORT_PATH, formatReport(ROWS, known, describeMachine()));
  spawnSync(process.execPath, ["fmt", "--quiet", REPORT_PATH], { stdio: "inherit", cwd: ROOT });
}

if (process.getuid?.() !== 0) throw new Error("Only root can make the network that this runs in");
const isInstalling = !flags.present && !flags["no-install"] && !flags.check;
const reasons = isInstalling
  ? installOptional([...new Set([...LAB_PACKAGES, ...selectRows().flatMap((r) => r.packages)])])
  : {};
const rows = selectRows();
if (rows.length === 0) throw new Error("No such rows: see COMPATIBILITY.md for the programs");
const results = await runRows(rows, reasons);
const known = parseReport(existsSync(REPORT_PATH) ? readFileSync(REPORT_PATH, "utf8") : "");
const failed = Object.keys(results).filter((name) => results[name]?.verdict === "fails");
const broken = failed.filter((name) => saysWorks(known.get(name)));
for (const name of broken) console.log(`COMPATIBILITY.md calls it good, and it fails now: ${name}`);
if (!flags.check) writeReport(known, results);
console.log(`${Object.keys(results).length} rows, ${failed.length} failed`);
process.exitCode = flags.check && broken.length > 0 ? 1 : 0;

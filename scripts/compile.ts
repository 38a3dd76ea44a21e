/**
 * `deno task compile [--target x86_64|aarch64]`: one executable, dist/tsocks, with the shim inside.
 * `deno compile` where its base binary can be had, else `bun build --compile`; one line says which.
 */

import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, globSync, mkdirSync, renameSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { embedShims, type HostArch, hostArch } from "./build_shim.ts";

const TRIPLE: Record<HostArch, string> = {
  x86_64: "x86_64-unknown-linux-gnu",
  aarch64: "aarch64-unknown-linux-gnu",
};
const BUN_TARGET: Record<HostArch, string> = {
  x86_64: "bun-linux-x64",
  aarch64: "bun-linux-arm64",
};
/** Where the network swallows packets, the wait for the base binary must end. */
const DENO_COMPILE_TIMEOUT_MS = 300_000;

/** Without the last two flags the binary would run code from the directory it is started in. */
const BUN_FLAGS = [
  "--minify",
  "--bytecode",
  "--format=esm",
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
];

function compile(target: HostArch): void {
  mkdirSync("dist", { recursive: true });
  embedShims(target);
  const output = `dist/tsocks-${target}`;
  const how = compileWithDeno(target, output) ?? compileWithBun(target, output);
  console.log(`compile: ${output} made with ${how}`);
  if (target === hostArch()) replaceFile(output, "dist/tsocks");
  else embedShims(hostArch()); // for what runs from source on this machine
}

/** Not over the old file: it may be running (ETXTBSY). */
function replaceFile(from: string, to: string): void {
  copyFileSync(from, `${to}.new`);
  renameSync(`${to}.new`, to);
}

function compileWithDeno(target: HostArch, output: string): string | undefined {
  const result = spawnSync(Deno.execPath(), [
    "compile",
    "--quiet",
    "--allow-all",
    "--no-check",
    "--node-modules-dir=none",
    `--target=${TRIPLE[target]}`,
    `--output=${output}`,
    "src/main.ts",
  ], { encoding: "utf8", timeout: DENO_COMPILE_TIMEOUT_MS });
  return result.status === 0 ? "deno compile" : undefined;
}

function compileWithBun(target: HostArch, output: string): string {
  const args = ["build", "--compile", ...BUN_FLAGS];
  if (target !== hostArch()) args.push(`--target=${BUN_TARGET[target]}`);
  args.push("src/main.ts", `--outfile=${output}`);
  const result = spawnSync(findBun(), args, { encoding: "utf8" });
  if (result.status !== 0) {
    console.error(result.stdout + result.stderr);
    throw new Error("bun build --compile failed");
  }
  return "bun build --compile, as the base binary of deno compile cannot be had here";
}

/** The npm package's binary for this machine; its launcher needs an install script that we do not run. */
function findBun(): string {
  const arch = hostArch() === "x86_64" ? "x64" : "aarch64";
  const name = `bun-linux-${arch}`;
  const pattern = `node_modules/.deno/@oven+${name}@*/node_modules/@oven/${name}/bin/bun`;
  const [found] = globSync(pattern).filter((path) => existsSync(path));
  if (found === undefined) throw new Error(`no ${pattern}: run "deno install" first`);
  return found;
}

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: { target: { type: "string" } },
});
const target = values.target ?? hostArch();
if (target !== "x86_64" && target !== "aarch64") {
  throw new Error(`--target is x86_64 or aarch64, not "${target}"`);
}
compile(target);

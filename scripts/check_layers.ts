/**
 * Fails when an import points the wrong way or the core touches the machine: main → run → io → core,
 * and the core (config, policy, socks, net, cli, shim, errors) is pure.
 */

import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import process from "node:process";

/** Each layer may import from itself (`same`) and from those named. */
const MAY_IMPORT: Record<string, string[]> = {
  "errors.ts": [],
  net: ["net", "errors.ts"],
  config: ["config", "net", "errors.ts"],
  socks: ["socks", "config", "net", "errors.ts"],
  policy: ["policy", "socks", "config", "net", "errors.ts"],
  shim: ["shim", "net", "errors.ts"],
  dns: ["dns", "net", "errors.ts"],
  cli: ["cli", "config", "net", "errors.ts"],
  report: ["report", "policy", "socks", "config", "net", "errors.ts"],
  io: ["io", "shim", "dns", "policy", "socks", "config", "net", "cli", "errors.ts"],
  "context.ts": [],
  "run.ts": ["context.ts", "io", "cli", "shim", "policy", "socks", "config", "net", "errors.ts"],
  "serve.ts": ["context.ts", "io", "cli", "policy", "socks", "config", "net", "errors.ts"],
  verbs: [
    "verbs",
    "context.ts",
    "io",
    "report",
    "cli",
    "policy",
    "socks",
    "config",
    "net",
    "errors.ts",
  ],
  "main.ts": ["verbs", "run.ts", "serve.ts", "context.ts", "io", "cli", "errors.ts"],
};
/** The one file that opens a C library, which no node: module can. */
const NATIVE_FILE = "src/io/libc.ts";
const CORE = new Set([
  "errors.ts",
  "net",
  "config",
  "socks",
  "policy",
  "shim",
  "dns",
  "cli",
  "report",
]);
/** Pure parts of node: that the core may use, and one package; of node:net only the two predicates and BlockList. */
const PURE_NODE = new Set(["node:net", "node:util", "node:buffer", "jsonc-parser"]);
const IMPURE_NAMES = /\b(connect|createServer|createConnection|Socket|Server)\b/;
/** The edge reads argv, environment and clock in one place; the core never does. */
const IMPURE_GLOBALS =
  /\bprocess\.|\bDeno\.|\bBun\.|\bDate\.now|new Date\(|\bMath\.random|\bsetTimeout|performance\.now/;

/** Imports and re-exports (group 1: what; group 2: whence), side-effect and dynamic imports (3). */
const IMPORT = /(?:(\{[^{}]*\}|\w+) )from "([^"]+)"|\bimport(?: |\()"([^"]+)"/g;

const problems: string[] = [];

for (const file of globSync("src/**/*.ts")) {
  const text = readFileSync(file, "utf8");
  const layer = layerOf(file);
  if (MAY_IMPORT[layer] === undefined) problems.push(`${file}: no layer of that name`);
  for (const [, what = "", whence, other] of text.matchAll(IMPORT)) {
    const specifier = whence ?? other ?? "";
    if (specifier.startsWith(".")) checkRelative(file, layer, specifier);
    else if (CORE.has(layer)) checkCoreImport(file, what, specifier);
    else if (!specifier.startsWith("node:")) problems.push(`${file}: imports ${specifier}`);
  }
  const code = withoutComments(text);
  if (CORE.has(layer) && IMPURE_GLOBALS.test(code)) {
    problems.push(`${file}: the core reads ${IMPURE_GLOBALS.exec(code)?.[0]}`);
  }
  if (!CORE.has(layer) && layer !== "main.ts" && /process\.(argv|env|exit)\b/.test(code)) {
    problems.push(`${file}: only main.ts reads argv and environment and exits`);
  }
  if (file !== NATIVE_FILE && /\b(Deno|Bun)\./.test(code)) {
    problems.push(`${file}: node: APIs only`);
  }
}

function checkRelative(file: string, layer: string, specifier: string): void {
  const imported = relative("src", join(dirname(file), specifier));
  // The one source of the version.
  if (imported === "../deno.json") return;
  const to = imported.split("/")[0] ?? "";
  if (!MAY_IMPORT[layer]?.includes(to)) {
    problems.push(`${file}: ${layer} must not import ${imported}`);
  }
}

function checkCoreImport(file: string, what: string, specifier: string): void {
  if (!PURE_NODE.has(specifier)) problems.push(`${file}: the core imports ${specifier}`);
  if (specifier === "node:net" && IMPURE_NAMES.test(what)) {
    problems.push(`${file}: the core opens sockets`);
  }
}

function layerOf(file: string): string {
  return relative("src", file).split("/")[0] ?? "";
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}

for (const problem of problems) console.error(`layers: ${problem}`);
console.log(problems.length === 0 ? "layers: ok" : `layers: ${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);

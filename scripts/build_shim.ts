/**
 * Builds the shims, checks that the results are what ld.so of any libc can load, and embeds them as a
 * TypeScript module. `deno run -A scripts/build_shim.ts [--target x86_64|aarch64]`, also with Bun.
 */

import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { TsocksError } from "../src/errors.ts";
import { type HostArch, SHIM_ARCHS, type ShimArch } from "../src/policy/architecture.ts";

export type { HostArch, ShimArch };

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const SOURCE_DIRECTORY = join(ROOT, "src", "shim");
const EMBEDDED = join(SOURCE_DIRECTORY, "embedded.ts");

const COMPILERS: Record<ShimArch, { command: string; debianPackage: string; machine: string }> = {
  x86_64: { command: "gcc", debianPackage: "gcc libc6-dev", machine: "X86-64" },
  aarch64: {
    command: "aarch64-linux-gnu-gcc",
    debianPackage: "gcc-aarch64-linux-gnu",
    machine: "AArch64",
  },
  i386: {
    command: "i686-linux-gnu-gcc",
    debianPackage: "gcc-i686-linux-gnu libc6-dev-i386-cross",
    machine: "Intel 80386",
  },
};

/** What a shim's machine needs beside FLAGS. */
const ARCH_FLAGS: Record<ShimArch, string[]> = {
  x86_64: [],
  // programs on kernels with 64 KB pages must be able to map it
  aarch64: ["-mno-outline-atomics", "-Wl,-z,max-page-size=65536"],
  // old processors, and old programs whose stack is not aligned for SSE
  i386: ["-march=i686", "-mno-sse"],
};

/** What a program's own libraries provide; anything else would fail in some libc. */
const ALLOWED_UNDEFINED = ["__errno_location", "dl_iterate_phdr", "environ"];

const FLAGS = [
  ..."-std=gnu11 -Wall -Wextra -Werror -O2 -fPIC -shared -nostdlib -s".split(" "),
  ..."-ffreestanding -fno-builtin -fno-stack-protector -fvisibility=hidden".split(" "),
  // the memory functions of memory.c must not be compiled into calls of themselves
  "-fno-tree-loop-distribute-patterns",
  "-U_FORTIFY_SOURCE",
  `-ffile-prefix-map=${ROOT}=.`,
  "-Wl,--build-id=none,--hash-style=both,-z,now,-z,relro,-z,noexecstack",
];

/** The machine this runs on, where the shim can be built for it. @throws TsocksError SHIM */
export function hostArch(): HostArch {
  if (process.arch === "x64") return "x86_64";
  if (process.arch === "arm64") return "aarch64";
  throw new TsocksError("SHIM", `No shim for this machine: ${process.arch}`, {
    where: "scripts/build_shim.ts",
    fix: "use an x86_64 or aarch64 machine",
  });
}

/** The compiler for `arch` and the Debian package that has it; CC overrides the host's own. */
export function compilerFor(arch: ShimArch): { command: string; debianPackage: string } {
  const { command, debianPackage } = COMPILERS[arch];
  const isHosts = arch === hostArch() || (arch === "i386" && hostArch() === "x86_64");
  if (!isHosts) return { command, debianPackage };
  return { command: process.env.CC || "gcc", debianPackage: "gcc libc6-dev" };
}

/**
 * An x86_64 compiler makes code for i386 too, and libc's headers are for both but for one, which
 * says what a libc lacks. A libc whose headers are for x86_64 alone fails an assertion in sys.h.
 */
function flagsForI386OnX86(): string[] {
  const headers = join(ROOT, "dist", "headers-i386");
  mkdirSync(join(headers, "gnu"), { recursive: true });
  writeFileSync(join(headers, "gnu", "stubs-32.h"), "");
  const multiarch = "/usr/include/x86_64-linux-gnu";
  const directories = existsSync(multiarch) ? [headers, multiarch] : [headers];
  return ["-m32", ...directories.flatMap((directory) => ["-isystem", directory])];
}

/** Where the built shim is: `dist/libtsocks-ARCH.so`. */
export function shimPath(arch: ShimArch): string {
  return join(ROOT, "dist", `libtsocks-${arch}.so`);
}

/** The C files and what they include, sorted, so that each build links them in one order. */
export function shimSources(): string[] {
  return readdirSync(SOURCE_DIRECTORY).filter((name) => /\.(c|h|map)$/.test(name)).sort()
    .map((name) => join(SOURCE_DIRECTORY, name));
}

/** Compiles and checks the shim; returns its path. @throws TsocksError SHIM */
export function buildShim(arch: ShimArch): string {
  const output = shimPath(arch);
  const unchecked = `${output}.${process.pid}`;
  mkdirSync(dirname(output), { recursive: true });
  try {
    compile(arch, unchecked);
    check(arch, unchecked);
    renameSync(unchecked, output); // whoever runs beside us sees the old one or the new one, whole
  } finally {
    rmSync(unchecked, { force: true });
  }
  return output;
}

function compile(arch: ShimArch, output: string): void {
  const { command, debianPackage } = compilerFor(arch);
  const flags = [...FLAGS, ...ARCH_FLAGS[arch]];
  if (arch === "i386" && hostArch() === "x86_64") flags.push(...flagsForI386OnX86());
  const map = `-Wl,--version-script=${join(SOURCE_DIRECTORY, "exports.map")}`;
  const sources = shimSources().filter((filePath) => filePath.endsWith(".c"));
  run(command, [...flags, map, "-o", output, ...sources], debianPackage);
}

/** Runs a tool of the compiler's; returns what it prints. @throws TsocksError SHIM */
function run(command: string, args: string[], debianPackage: string): string {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  } catch (cause) {
    const isMissing = (cause as { code?: string }).code === "ENOENT";
    throw new TsocksError(
      "SHIM",
      isMissing
        ? `Cannot build the shim: no ${command}`
        : `Cannot build the shim: ${command} failed`,
      {
        where: "scripts/build_shim.ts",
        fix: isMissing ? `apt-get install ${debianPackage}` : "see the compiler's messages above",
        cause,
      },
    );
  }
}

/** @throws TsocksError SHIM where the built file breaks a rule of src/README.md */
function check(arch: ShimArch, filePath: string): void {
  const text = run("readelf", ["-W", "-h", "-d", "-l", "--dyn-syms", filePath], "binutils");
  const faults = findFaults(text, readExports(), COMPILERS[arch].machine);
  if (faults.length === 0) return;
  throw new TsocksError("SHIM", `The built shim is wrong: ${faults.join("; ")}`, {
    where: filePath,
    fix: "check src/shim and the flags in scripts/build_shim.ts",
  });
}

/** The names in exports.map, sorted. */
function readExports(): string[] {
  const text = readFileSync(join(SOURCE_DIRECTORY, "exports.map"), "utf8");
  const section = /global:([^}]*?)local:/.exec(text)?.[1] ?? "";
  return [...section.matchAll(/(\w+);/g)].map((match) => match[1] ?? "").sort();
}

/** What is wrong with a shim, by what `readelf -W -h -d -l --dyn-syms` prints of it. */
export function findFaults(readelf: string, exports: string[], machine: string): string[] {
  const symbols = [
    ...readelf.matchAll(/^\s*\d+: \S+\s+\d+ (?!SECTION)\w+\s+(\w+)\s+\w+\s+(\w+) (\w+)/gm),
  ];
  const isUndefined = (match: RegExpMatchArray) => match[2] === "UND";
  const names = (matches: RegExpMatchArray[]) => matches.map((match) => match[3] ?? "").sort();
  const unknown = names(symbols.filter(isUndefined))
    .filter((name) => !ALLOWED_UNDEFINED.includes(name));
  const exported = names(symbols.filter((match) => !isUndefined(match)));
  const faults: string[] = [];
  if (!readelf.includes(machine)) faults.push(`not for ${machine}`);
  if (readelf.includes("(NEEDED)")) faults.push("needs another library");
  if (readelf.includes("(TEXTREL)")) faults.push("needs its code changed at load");
  if (unknown.length > 0) faults.push(`undefined: ${unknown.join(" ")}`);
  if (exported.join() !== exports.join()) faults.push(`exports: ${exported.join(" ")}`);
  if (!/GNU_STACK.* RW /.test(readelf)) faults.push("executable stack");
  return faults;
}

/**
 * Builds the shims that a binary for `host` carries, and writes src/shim/embedded.ts: its own, and
 * those for the other machines that there are compilers for. @throws TsocksError SHIM for its own
 */
export function embedShims(host: HostArch): void {
  buildShim(host);
  const built = [host, ...SHIM_ARCHS.filter((arch) => arch !== host && tryBuild(arch))];
  const entry = (arch: ShimArch) =>
    `  ${arch}: "${readFileSync(shimPath(arch)).toString("base64")}",`;
  const text = [
    "/** Generated by scripts/build_shim.ts: the shims as the binary carries them. */",
    "",
    `export const HOST_ARCH = "${host}";`,
    "export const SHIMS: { x86_64?: string; aarch64?: string; i386?: string } = {",
    ...built.map(entry),
    "};",
    "",
  ].join("\n");
  writeFileSync(`${EMBEDDED}.${process.pid}`, text);
  renameSync(`${EMBEDDED}.${process.pid}`, EMBEDDED);
}

/** Builds it, or says in one line why it is left out. */
function tryBuild(arch: ShimArch): boolean {
  try {
    buildShim(arch);
    return true;
  } catch (error) {
    if (!(error instanceof TsocksError)) throw error;
    console.log(`build_shim: no shim for ${arch} programs: ${error.message}; ${error.fix}`);
    return false;
  }
}

/** @throws TsocksError USAGE */
function parseTarget(args: string[]): HostArch {
  if (args.length === 0) return hostArch();
  const [option, target] = args;
  if (args.length === 2 && option === "--target" && (target === "x86_64" || target === "aarch64")) {
    return target;
  }
  throw new TsocksError("USAGE", `Unknown arguments: ${args.join(" ")}`, {
    where: "scripts/build_shim.ts",
    fix: "build_shim.ts [--target x86_64|aarch64]",
  });
}

function main(): void {
  try {
    embedShims(parseTarget(process.argv.slice(2)));
  } catch (error) {
    if (!(error instanceof TsocksError)) throw error;
    console.error(error.format());
    process.exitCode = 1;
  }
}

if (import.meta.main) main();

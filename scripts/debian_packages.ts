/**
 * What the tests and the bench need from Debian, and how it gets there: the one table of programs,
 * packages and reasons, and an installer for root. It starts no service and asks no question.
 */

import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, rmSync, statSync, writeFileSync } from "node:fs";

/** A program (or a file, where `probe` starts with `/`) and the package that brings it. */
export interface Need {
  probe: string;
  packageName: string;
  why: string;
}

export const JEMALLOC = `/usr/lib/${
  process.arch === "arm64" ? "aarch64" : "x86_64"
}-linux-gnu/libjemalloc.so.2`;

export const TEST_NEEDS: Need[] = [
  { probe: "gcc", packageName: "gcc", why: "builds the shim" },
  { probe: "/usr/include/stdio.h", packageName: "libc6-dev", why: "builds test programs" },
  { probe: "musl-gcc", packageName: "musl-tools", why: "the shim in musl programs" },
  { probe: "aarch64-linux-gnu-gcc", packageName: "gcc-aarch64-linux-gnu", why: "the arm64 shim" },
  {
    probe: "/usr/aarch64-linux-gnu/include/stdio.h",
    packageName: "libc6-dev-arm64-cross",
    why: "arm64 test programs",
  },
  { probe: "qemu-aarch64", packageName: "qemu-user", why: "runs arm64 test programs" },
  ...listI386Needs(),
  { probe: "curl", packageName: "curl", why: "a real program" },
  { probe: "wget", packageName: "wget", why: "a real program" },
  { probe: "python3", packageName: "python3", why: "a real program" },
  { probe: "git", packageName: "git", why: "a real program" },
  { probe: "socat", packageName: "socat", why: "a real program" },
  { probe: "ssh", packageName: "openssh-client", why: "a real program, and ssh -D" },
  { probe: "sshd", packageName: "openssh-server", why: "the far end of ssh -D" },
  { probe: "microsocks", packageName: "microsocks", why: "a real SOCKS5 server" },
  { probe: "danted", packageName: "dante-server", why: "a real SOCKS4 and SOCKS5 server" },
  { probe: "sudo", packageName: "sudo", why: "a real set-user-id program" },
  { probe: "fzf", packageName: "fzf", why: "a real Go program with a libc" },
  { probe: JEMALLOC, packageName: "libjemalloc2", why: "a program with an allocator of its own" },
  { probe: "openssl", packageName: "openssl", why: "certificates of the compatibility test" },
  { probe: "dig", packageName: "bind9-dnsutils", why: "a real program that asks name servers" },
  { probe: "host", packageName: "bind9-host", why: "a real program that asks name servers" },
  { probe: "ip", packageName: "iproute2", why: "the network namespace test" },
];

/** What 32-bit programs need on an x86_64 machine; another one's kernel does not run them. */
function listI386Needs(): Need[] {
  if (process.arch !== "x64") return [];
  return [
    { probe: "i686-linux-gnu-gcc", packageName: "gcc-i686-linux-gnu", why: "i386 test programs" },
    {
      probe: "/usr/i686-linux-gnu/include/stdio.h",
      packageName: "libc6-dev-i386-cross",
      why: "i386 test programs",
    },
    { probe: "/lib/ld-linux.so.2", packageName: "libc6-i386", why: "runs i386 test programs" },
    { probe: "i386-linux-musl-gcc", packageName: "musl-dev:i386", why: "the shim in i386 musl" },
  ];
}

export const BENCH_NEEDS: Need[] = [
  { probe: "gcc", packageName: "gcc", why: "builds the measuring programs" },
  { probe: "/usr/include/stdio.h", packageName: "libc6-dev", why: "builds the measuring programs" },
  { probe: "/usr/bin/tsocks", packageName: "tsocks", why: "a rival" },
  { probe: "proxychains4", packageName: "proxychains4", why: "a rival" },
  { probe: "torsocks", packageName: "torsocks", why: "a rival" },
];

/** Debian's own directories come first, so that a version manager's wrapper is not taken. */
const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The absolute path of a program, or undefined where this machine has none. */
export function findProgram(name: string): string | undefined {
  if (name.startsWith("/")) return existsSync(name) ? name : undefined;
  const directories = `${SYSTEM_PATH}:${process.env["PATH"] ?? ""}`.split(":");
  return directories.map((directory) => `${directory}/${name}`).find(isExecutable);
}

function isExecutable(filePath: string): boolean {
  try {
    accessSync(filePath, constants.X_OK);
    return statSync(filePath).isFile();
  } catch {
    return false;
  }
}

/** Those of `needs` that this machine does not have. */
export function listMissing(needs: Need[]): Need[] {
  return needs.filter((need) => findProgram(need.probe) === undefined);
}

/** Installs what is missing where it may, and says in one line what and why. Returns what is still missing. */
export function ensurePackages(needs: Need[]): Need[] {
  const missing = listMissing(needs);
  if (missing.length === 0) return [];
  const words = missing.map((need) => `${need.packageName} (${need.why})`).join(", ");
  if (process.getuid?.() !== 0 || findProgram("apt-get") === undefined) {
    console.log(`Missing, and only root on a Debian machine can install it: ${words}`);
    return missing;
  }
  console.log(`Installing with apt-get: ${words}`);
  install(missing.map((need) => need.packageName));
  const still = listMissing(needs);
  if (still.length > 0) {
    console.log(`Still missing: ${still.map((need) => need.packageName).join(", ")}`);
  }
  return still;
}

/** What dpkg(1) has installed: package → version. Empty where there is no dpkg. */
export function listInstalled(): Map<string, string> {
  const format = "-f=${db:Status-Abbrev}\t${Package}\t${Version}\n";
  const { stdout } = spawnSync("dpkg-query", ["-W", format], { encoding: "utf8" });
  const fields = (stdout ?? "").split("\n").map((line) => line.split("\t"));
  return new Map(
    fields.flatMap(([status = "", name = "", version = ""]) =>
      status.startsWith("ii") ? [[name, version]] : []
    ),
  );
}

/** Installs what can be had of `packageNames`; one that cannot does not keep the others out. Returns why, by package. */
export function installOptional(packageNames: string[]): Record<string, string> {
  const list = () => packageNames.filter((name) => !listInstalled().has(name));
  const missing = list();
  if (missing.length === 0) return {};
  if (process.getuid?.() !== 0 || findProgram("apt-get") === undefined) {
    return Object.fromEntries(missing.map((name) => [name, "only root on Debian can install it"]));
  }
  console.log(`Installing with apt-get: ${missing.join(" ")}`);
  install(missing);
  const reasons = list().map((name) => {
    const problem = install([name], false);
    return [name, problem.match(/^E: (.*)/m)?.[1] ?? (problem || "apt-get did not install it")];
  });
  const still = new Set(list());
  return Object.fromEntries(reasons.filter(([name = ""]) => still.has(name)));
}

const INSTALL = ["-qq", "install", "-y", "--no-install-recommends"];

/** Debian starts what it installs unless this file says no (invoke-rc.d(8)): 101 is "forbidden". */
const POLICY_FILE_PATH = "/usr/sbin/policy-rc.d";

/** Returns apt-get's complaint, empty where it has none. */
function install(packageNames: string[], isFirst = true): string {
  const isPolicyOurs = !existsSync(POLICY_FILE_PATH);
  if (isPolicyOurs) writeFileSync(POLICY_FILE_PATH, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    const foreign = packageNames.filter((name) => name.endsWith(":i386"));
    const own = packageNames.filter((name) => !foreign.includes(name));
    if (isFirst) aptGet(["-q", "update"]);
    const problem = own.length === 0 ? "" : aptGet([...INSTALL, ...own]);
    if (foreign.length > 0) installForeign(foreign);
    return problem;
  } finally {
    if (isPolicyOurs) rmSync(POLICY_FILE_PATH, { force: true });
  }
}

/**
 * Last, and undone where it fails: a mirror whose index of the other architecture is out of step keeps
 * apt-get(8) from a whole repository.
 */
function installForeign(packageNames: string[]): void {
  spawnSync("dpkg", ["--add-architecture", "i386"]);
  aptGet(["-q", "update"]);
  if (aptGet([...INSTALL, ...packageNames]) === "") return;
  spawnSync("dpkg", ["--remove-architecture", "i386"]);
  aptGet(["-q", "update"]);
}

/** Quiet when it works; its own words, which are returned too, when it does not. */
function aptGet(args: string[]): string {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const done = spawnSync("apt-get", args, { env, encoding: "utf8", timeout: 900_000 });
  if (done.status === 0) return "";
  const problem = done.stderr || `${done.error?.message}`;
  console.log(`apt-get ${args.join(" ")} failed: ${problem}`);
  return problem;
}

/**
 * What a test needs of the machine. A missing thing is a loud skip that the runner counts; where CI
 * is set nothing is skipped, and the test fails for want of it.
 */

import { spawnSync } from "node:child_process";
import { networkInterfaces, userInfo } from "node:os";
import { BENCH_NEEDS, findProgram, TEST_NEEDS } from "../../scripts/debian_packages.ts";

/** Abilities that no package brings, each with its check. */
const ABILITIES: Record<string, () => boolean> = {
  "root": () => process.getuid?.() === 0,
  "mount namespaces": () => spawnSync("unshare", ["-m", "true"]).status === 0,
  "network namespaces": () => spawnSync("unshare", ["-n", "true"]).status === 0,
  "a user who may log in": () => !/nologin$|false$/.test(userInfo().shell ?? ""),
  "a kernel that runs i386 programs": () =>
    spawnSync("/lib/ld-linux.so.2", ["--version"]).status === 0,
  "many descriptors": () =>
    Number(spawnSync("sh", ["-c", "ulimit -Hn"], { encoding: "utf8" }).stdout) >= 20_000,
  "Multipath TCP": () => {
    const { stdout } = spawnSync("cat", ["/proc/sys/net/mptcp/enabled"], { encoding: "utf8" });
    return stdout === "1\n";
  },
  "an address beside loopback": () => findOutsideAddress() !== undefined,
};

/** Options for `test()`: empty, or a skip that says what is missing and which package brings it. */
export function needs(...things: string[]): { skip?: string } {
  if (process.env["CI"]) return {};
  const missing = things.filter((thing) => !isPresent(thing));
  if (missing.length === 0) return {};
  const skip = `needs ${missing.map(describe).join(", ")}`;
  console.warn(`SKIPPED: ${skip}`);
  return { skip };
}

function isPresent(thing: string): boolean {
  const check = ABILITIES[thing];
  return check === undefined ? findProgram(thing) !== undefined : check();
}

function describe(thing: string): string {
  const need = [...TEST_NEEDS, ...BENCH_NEEDS].find(({ probe }) => probe === thing);
  return need === undefined ? thing : `${thing} (Debian package ${need.packageName})`;
}

/** The absolute path of a program a test has declared with `needs()`. */
export function programPath(name: string): string {
  const filePath = findProgram(name);
  if (filePath === undefined) throw new Error(`This machine has no ${describe(name)}`);
  return filePath;
}

/** An IPv4 address of this machine that is not loopback: tsocks never asks about 127.0.0.0/8. */
export function findOutsideAddress(): string | undefined {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find(({ family, internal }) => family === "IPv4" && !internal)?.address;
}

/** The same for a test that has declared it with `needs()`. */
export function outsideAddress(): string {
  const address = findOutsideAddress();
  if (address === undefined) throw new Error("This machine has loopback addresses only");
  return address;
}

/** The network device that has outsideAddress(). */
export function outsideDevice(): string {
  const holds = (addresses: { address: string }[] = []) =>
    addresses.some(({ address }) => address === outsideAddress());
  return Object.entries(networkInterfaces()).find(([, addresses]) => holds(addresses))![0];
}

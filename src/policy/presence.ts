/**
 * Whether the shim is in a process, by its /proc/PID/maps. ld.so maps what is preloaded before any
 * other library, so that one without the shim is proof. Pure. Source: proc(5), ld.so(8).
 */

import { PLATFORMS, SHIM_ARCHS } from "./architecture.ts";

/** "loading": only the program and what may be ld.so are there. */
export type Presence = "there" | "loading" | "missing";

/**
 * `program` as /proc names it: absolute, without symbolic links. Of `shimPath`, with which the names
 * of the shim's files begin, the last two words count, which are of this run alone: mounts may
 * change what is before them.
 */
export function findShim(maps: string, program: string, shimPath: string): Presence {
  const ofShim = shimPath.split("/").slice(-2).join("/");
  const names = ["", ...SHIM_ARCHS.map((arch) => `.${PLATFORMS[arch][0]}`)]
    .map((end) => `/${ofShim}${end}`);
  const libraries = new Set<string>();
  for (const line of maps.split("\n")) {
    const [, permissions, path] = /^\S+ (\S+) \S+ \S+ \d+ +(\/.*?)(?: \(deleted\))?$/.exec(line) ??
      [];
    if (names.some((name) => path?.endsWith(name))) return "there";
    if (permissions?.includes("x") && path !== program) libraries.add(path!);
  }
  return libraries.size > 1 ? "missing" : "loading";
}

/** Whether `status` (/proc/PID/status) has a permitted capability that `own` lacks: ld.so is careful then. */
export function gainsCapabilities(status: string, own: string): boolean {
  const permitted = (text: string) => BigInt(`0x${/^CapPrm:\s*(\w+)$/m.exec(text)?.[1] ?? "0"}`);
  return (permitted(status) & ~permitted(own)) !== 0n;
}

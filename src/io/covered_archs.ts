/**
 * The machines whose programs are covered here: those that the kernel runs by itself, where it tells
 * ld.so a program's platform, by which the shim's file is found; a kernel that does not (gVisor)
 * gets this machine's shim alone. Source: getauxval(3), proc(5).
 */

import { readFileSync } from "node:fs";
import { type HostArch, RUNNABLE, type ShimArch } from "../policy/architecture.ts";

const AT_PLATFORM = 15n;

/** `shims` has those that were built. */
export function coveredArchs(host: HostArch, shims: { [arch in ShimArch]?: string }): ShimArch[] {
  return tellsPlatform() ? RUNNABLE[host].filter((arch) => shims[arch] !== undefined) : [host];
}

/** The auxiliary vector is pairs of 64-bit words: type and value. */
function tellsPlatform(): boolean {
  try {
    const words = new BigUint64Array(new Uint8Array(readFileSync("/proc/self/auxv")).buffer);
    return words.some((word, index) => index % 2 === 0 && word === AT_PLATFORM);
  } catch {
    return false;
  }
}

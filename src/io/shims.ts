/**
 * The shims that programs are given here: for all that the kernel runs, by itself or by an emulator
 * (binfmt_misc), since ld.so says an error where it finds none for its program's platform. A kernel
 * that does not tell ld.so the platform (gVisor) gets this machine's alone. Source: getauxval(3), proc(5).
 */

import { existsSync, readFileSync } from "node:fs";
import { type HostArch, RUNNABLE, SHIM_ARCHS, type ShimArch } from "../policy/architecture.ts";

const AT_PLATFORM = 15n;

/** The machines of `carried` whose shims are to be used, the host's first. */
export function chooseShims(host: HostArch, carried: { [arch in ShimArch]?: string }): ShimArch[] {
  if (!tellsPlatform()) return [host];
  const emulated = SHIM_ARCHS.filter((arch) =>
    !RUNNABLE[host].includes(arch) && existsSync(`/proc/sys/fs/binfmt_misc/qemu-${arch}`)
  );
  return [...RUNNABLE[host], ...emulated].filter((arch) => carried[arch] !== undefined);
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

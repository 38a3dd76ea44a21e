/** Gathers what policy/machine.ts judges. Leaves nothing behind. */

import { existsSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { TsocksError } from "../errors.ts";
import type { HostArch, ShimArch } from "../policy/architecture.ts";
import type { MachineFacts } from "../policy/machine.ts";
import { listPreloads } from "../policy/preload_file.ts";
import { HOST_ARCH, SHIMS } from "../shim/embedded.ts";
import { maxConnections } from "./limits.ts";
import { PendingConnects } from "./pending.ts";
import { lookAt } from "./preflight.ts";
import { candidateDirectories, createRunDirectory, hindranceOf } from "./run_directory.ts";
import { chooseShims } from "./shims.ts";

const PRELOAD_FILE = "/etc/ld.so.preload";

export async function gatherFacts(env: Record<string, string>): Promise<MachineFacts> {
  const hostArch: HostArch = HOST_ARCH;
  const archs = chooseShims(hostArch, SHIMS);
  const hasInet6 = / lo$/m.test(read("/proc/net/if_inet6") ?? "");
  return {
    hostArch,
    archs,
    ...tryDirectories(env, archs),
    hasInet6,
    status: read("/proc/self/status"),
    ptraceScope: readNumber("/proc/sys/kernel/yama/ptrace_scope"),
    uncoveredShells: lookAtShells(env, archs),
    preloads: [
      ...splitPreloads(env.LD_PRELOAD ?? "", "LD_PRELOAD"),
      ...splitPreloads(read(PRELOAD_FILE) ?? "", PRELOAD_FILE),
    ],
    isInsideRun: env.TSOCKS_CONTROL !== undefined,
    pendingError: await tryPending(hasInet6),
    maxConnections: maxConnections(),
  };
}

function tryDirectories(
  env: Record<string, string>,
  archs: ShimArch[],
): Pick<MachineFacts, "directory" | "hindrances"> {
  const candidates = [...new Set(candidateDirectories(env))];
  const hindrances = candidates.flatMap((path) => {
    const hindrance = hindranceOf(path);
    // What is not there is no one's fault.
    return hindrance === undefined || hindrance === "ENOENT" ? [] : [{ path, hindrance }];
  });
  try {
    const made = createRunDirectory(
      candidates,
      archs.map((arch) => [arch, Uint8Array.fromBase64(SHIMS[arch]!)]),
    );
    made.remove();
    return { directory: { path: dirname(dirname(made.shimPath)) }, hindrances };
  } catch (error) {
    if (!(error instanceof TsocksError)) throw error;
    const { where, fix } = error;
    return { directory: { where, fix }, hindrances: [] };
  }
}

/** system(3) and popen(3) start /bin/sh whatever $SHELL is. */
function lookAtShells(env: Record<string, string>, archs: ShimArch[]) {
  const shells = new Set(["/bin/sh", ...(env.SHELL ? [env.SHELL] : [])]);
  return [...shells].flatMap((shell) => {
    const { path, reason } = lookAt(shell, { env, archs }) ?? {};
    return path === undefined || reason === undefined ? [] : [{ path, reason }];
  });
}

/** A bare name, or one with $LIB, is ld.so's to find. */
function splitPreloads(text: string, from: "LD_PRELOAD" | typeof PRELOAD_FILE) {
  return listPreloads(text).map((path) => (
    { path, from, exists: !/^\/[^$]*$/.test(path) || existsSync(path) }
  ));
}

async function tryPending(hasInet6: boolean): Promise<string | undefined> {
  const pending = new PendingConnects(() => Promise.resolve(), hasInet6);
  const error = await pending.open();
  pending.close();
  return error?.message;
}

function read(filePath: string): string | undefined {
  try {
    return readFileSync(filePath, "latin1");
  } catch {
    return undefined;
  }
}

function readNumber(filePath: string): number | undefined {
  const text = read(filePath)?.trim();
  return text === undefined ? undefined : Number(text);
}

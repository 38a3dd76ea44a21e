/**
 * The private directory of one run: the shim as files that can be mapped executable, one for each
 * machine whose programs run here, and room for the control socket. Found before anything starts,
 * because ld.so ignores a preload that it cannot map and would run the child uncovered. Removed at
 * the end.
 */

import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { TsocksError } from "../errors.ts";
import { PLATFORMS, type ShimArch } from "../policy/architecture.ts";

/** The shim's octets for each machine, this one's first. */
export type Shims = [ShimArch, Uint8Array][];

export interface RunDirectory {
  /** What LD_PRELOAD calls the shim in all programs. */
  preload: string;
  /** What the names of the shim's files begin with. */
  shimPath: string;
  controlPath: string;
  /**
   * Remove it. While a process that outlives the run has the shim mapped, the shim itself must stay:
   * a program that it starts would find no library to preload, and go direct. False then.
   */
  remove(): boolean;
}

/** In the order of preference; which of them other users' programs can reach is found out later. */
export function candidateDirectories(env: { TMPDIR?: string; XDG_RUNTIME_DIR?: string }): string[] {
  return [env.TMPDIR, "/tmp", "/dev/shm", "/var/tmp", "/run", env.XDG_RUNTIME_DIR]
    .filter((directory) => directory?.startsWith("/") === true)
    .map((directory) => directory!);
}

/**
 * Write the shims into the first of `candidates` that can be written and mapped executable, and
 * reached by every user (apt's child becomes _apt); where there is none such, by this one at least.
 * @throws TsocksError SHIM that says what hinders each candidate
 */
export function createRunDirectory(candidates: string[], shims: Shims): RunDirectory {
  const hindrances: string[] = [];
  const tryOne = (candidate: string) => {
    try {
      return fill(candidate, shims);
    } catch (error) {
      hindrances.push(`${candidate}: ${(error as { code?: string }).code ?? "cannot be written"}`);
    }
  };
  const onlyOurs: string[] = [];
  for (const candidate of candidates) {
    const hindrance = hindranceOf(candidate);
    if (hindrance !== undefined) hindrances.push(`${candidate}: ${hindrance}`);
    else if (!isReachableByAll(candidate)) onlyOurs.push(candidate);
    else {
      const made = tryOne(candidate);
      if (made !== undefined) return made;
    }
  }
  for (const candidate of onlyOurs) {
    const made = tryOne(candidate);
    if (made !== undefined) return made;
  }
  throw new TsocksError("SHIM", "No directory can hold the shim library", {
    where: hindrances.join("; "),
    fix: "set TMPDIR to a writable directory on a file system mounted without noexec",
  });
}

function fill(candidate: string, shims: Shims): RunDirectory {
  const directory = mkdtempSync(join(candidate, "tsocks-"));
  const shimPath = join(directory, "libtsocks.so");
  const controlPath = join(directory, "control");
  const remove = () => {
    rmSync(controlPath, { force: true });
    if (isMappedByOthers(shimPath)) return false;
    rmSync(directory, { recursive: true, force: true });
    return true;
  };
  try {
    // 0711: a child with another uid opens what it was told the name of, and lists nothing.
    chmodSync(directory, 0o711);
    return { preload: writeShims(directory, shims), shimPath, controlPath, remove };
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Writes one file as libtsocks.so; several with links under all names that an ld.so may look for.
 * glibc's replaces $PLATFORM, so that each program finds its own machine's file, by both names the
 * same. musl's replaces nothing and passes over what it cannot load: it finds this machine's file by
 * the one name and the other machine's by the other. The shim knows these names too
 * (shim/preload.c). Returns what LD_PRELOAD must say.
 */
function writeShims(directory: string, shims: Shims): string {
  const write = (name: string, bytes: Uint8Array) => {
    writeFileSync(join(directory, name), bytes, { mode: 0o644 });
    chmodSync(join(directory, name), 0o644);
  };
  const link = (file: string, name: string) => symlinkSync(file, join(directory, name));
  const names = ["libtsocks.so.$PLATFORM", "libtsocks32.so.$PLATFORM"];
  if (shims.length === 1) {
    write("libtsocks.so", shims[0]![1]);
    return join(directory, "libtsocks.so");
  }
  shims.forEach(([arch, bytes], index) => {
    const file = `libtsocks.so.${PLATFORMS[arch][0]}`;
    write(file, bytes);
    for (const platform of PLATFORMS[arch].slice(1)) link(file, `libtsocks.so.${platform}`);
    for (const platform of PLATFORMS[arch]) link(file, `libtsocks32.so.${platform}`);
    if (names[index] !== undefined) link(file, names[index]);
  });
  return names.map((name) => join(directory, name)).join(":");
}

/** Whether every user can pass through the directory and all above it. */
function isReachableByAll(directory: string): boolean {
  const isPassable = (statSync(directory).mode & 0o001) !== 0;
  const parent = dirname(directory);
  return isPassable && (parent === directory || isReachableByAll(parent));
}

/** sun_path of unix(7) less the NUL, `/tsocks-XXXXXX/control`. */
const MAX_DIRECTORY_LENGTH = 107 - 22;

/** Why the shim cannot lie there, as far as it can be told without trying; undefined where nothing hinders. */
export function hindranceOf(candidate: string): string | undefined {
  // ld.so splits LD_PRELOAD at blanks and colons, and has no way to quote them.
  if (/[\s:]/.test(candidate)) return "blank or colon in its name";
  if (candidate.length > MAX_DIRECTORY_LENGTH) return "its name is too long for a Unix socket";
  try {
    const mountinfo = readFileSync("/proc/self/mountinfo", "utf8");
    return isMountedNoexec(mountinfo, realpathSync(candidate)) ? "mounted noexec" : undefined;
  } catch (error) {
    return (error as { code?: string }).code ?? "cannot be examined";
  }
}

/**
 * Whether a process that began after ours has `filePath` mapped. Those have higher numbers, unless
 * the kernel began again at the lowest meanwhile (the last number given is in /proc/loadavg).
 */
function isMappedByOthers(filePath: string): boolean {
  const lastPid = Number(readFileSync("/proc/loadavg", "latin1").trim().split(" ").at(-1));
  const isYounger = (pid: number) => pid > process.pid || lastPid < process.pid;
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number);
  return pids.some((pid) => pid !== process.pid && isYounger(pid) && isMappedBy(pid, filePath));
}

/** Of another user's process nothing can be seen. */
function isMappedBy(pid: number, filePath: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/maps`, "latin1").includes(filePath);
  } catch {
    return false;
  }
}

/** Whether the mount that holds `directory` (an absolute real path) says noexec. Source: proc(5). */
export function isMountedNoexec(mountinfo: string, directory: string): boolean {
  let longest = -1;
  let isNoexec = false;
  for (const line of mountinfo.split("\n")) {
    const columns = line.split(" ");
    const point = columns[4]?.replace(
      /\\([0-7]{3})/g,
      (_, octal) => String.fromCharCode(parseInt(octal, 8)),
    );
    if (point === undefined || !isBelow(directory, point)) continue;
    // Of two mounts on the same point the later one covers the earlier.
    if (point.length >= longest) {
      longest = point.length;
      isNoexec = columns[5]?.split(",").includes("noexec") ?? false;
    }
  }
  return isNoexec;
}

function isBelow(directory: string, point: string): boolean {
  return point === "/" || directory === point || directory.startsWith(point + "/");
}

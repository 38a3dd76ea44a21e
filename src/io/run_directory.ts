/**
 * The private directory of one run: the shim as a file that can be mapped executable, and room for
 * the control socket. Found before anything starts, because ld.so ignores a preload that it cannot
 * map and would run the child uncovered. Removed at the end.
 */

import { chmodSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TsocksError } from "../errors.ts";

export interface RunDirectory {
  shimPath: string;
  controlPath: string;
  remove(): void;
}

/** Other users' children must reach it, so the runtime directory (0700) comes last. */
export function candidateDirectories(env: { TMPDIR?: string; XDG_RUNTIME_DIR?: string }): string[] {
  const directories = [
    env.TMPDIR,
    "/tmp",
    "/dev/shm",
    "/var/tmp",
    "/run",
    env.XDG_RUNTIME_DIR,
  ];
  return directories.filter((directory) => directory !== undefined && directory.startsWith("/"))
    .map((directory) => directory!);
}

/**
 * Write the shim into the first of `candidates` that can be written and mapped executable.
 * @throws TsocksError SHIM that says what hinders each candidate
 */
export function createRunDirectory(candidates: string[], shim: Uint8Array): RunDirectory {
  const hindrances: string[] = [];
  for (const candidate of candidates) {
    const hindrance = hindranceOf(candidate);
    if (hindrance !== undefined) {
      hindrances.push(`${candidate}: ${hindrance}`);
      continue;
    }
    try {
      return fill(candidate, shim);
    } catch (error) {
      hindrances.push(`${candidate}: ${(error as { code?: string }).code ?? "cannot be written"}`);
    }
  }
  throw new TsocksError("SHIM", "No directory can hold the shim library", {
    where: hindrances.join("; "),
    fix: "set TMPDIR to a writable directory on a file system mounted without noexec",
  });
}

function fill(candidate: string, shim: Uint8Array): RunDirectory {
  const directory = mkdtempSync(join(candidate, "tsocks-"));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  try {
    // 0711: a child with another uid opens what it was told the name of, and lists nothing.
    chmodSync(directory, 0o711);
    const shimPath = join(directory, "libtsocks.so");
    writeFileSync(shimPath, shim, { mode: 0o644 });
    chmodSync(shimPath, 0o644);
    return { shimPath, controlPath: join(directory, "control"), remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** sun_path of unix(7) less the NUL, `/tsocks-XXXXXX/control`. */
const MAX_DIRECTORY_LENGTH = 107 - 22;

function hindranceOf(candidate: string): string | undefined {
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

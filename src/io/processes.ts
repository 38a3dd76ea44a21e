/**
 * What /proc says of ourselves, and of the processes that ask: their names, and which of them owns a
 * loopback connection. The latter is only for the log; an unknown process is no error. Source: proc(5).
 */

import { readFileSync } from "node:fs";
import { readdir, readFile, readlink } from "node:fs/promises";
import { type Asker, UNKNOWN_ASKER } from "./log.ts";

/** Our own stat from its third field (state) on: field N of proc(5) is at N - 3. */
export function readOwnStat(): string[] {
  return readStat("self");
}

/** The same of the process `pid`. */
export function readStat(pid: number | "self"): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/** The process `pid`. Its name is read when the log first asks for it; `-` if it is gone by then. */
export function describeProcess(pid: number): Asker {
  let comm: string | undefined;
  return {
    pid,
    get comm() {
      return comm ??= readComm(pid);
    },
  };
}

function readComm(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trimEnd();
  } catch {
    return "-";
  }
}

/**
 * The process of this machine whose TCP socket has the local port `port` and a peer on `peerPort`,
 * both on loopback. Costs a walk over /proc/PID/fd: ask only when the log wants it.
 */
export async function findSocketOwner(port: number, peerPort: number): Promise<Asker> {
  const inode = await findInode("/proc/net/tcp", port, peerPort) ??
    await findInode("/proc/net/tcp6", port, peerPort);
  if (inode === undefined || inode === "0") return UNKNOWN_ASKER;
  for (const entry of await readdir("/proc")) {
    if (/^\d+$/.test(entry) && await holdsSocket(entry, `socket:[${inode}]`)) {
      return describeProcess(Number(entry));
    }
  }
  return UNKNOWN_ASKER;
}

async function findInode(file: string, port: number, peerPort: number) {
  const text = await readFile(file, "utf8").catch(() => "");
  const ends = [port, peerPort].map((n) => ":" + n.toString(16).toUpperCase().padStart(4, "0"));
  for (const line of text.split("\n")) {
    const columns = line.trim().split(/\s+/);
    if (columns[1]?.endsWith(ends[0]!) && columns[2]?.endsWith(ends[1]!)) return columns[9];
  }
}

async function holdsSocket(pid: string, link: string): Promise<boolean> {
  const directory = `/proc/${pid}/fd`;
  for (const fd of await readdir(directory).catch(() => [])) {
    if (await readlink(`${directory}/${fd}`).catch(() => "") === link) return true;
  }
  return false;
}

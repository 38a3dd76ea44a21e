/**
 * What /proc says of the processes that ask: their names, and which of them owns a loopback
 * connection. Only for the log; an unknown process is no error. Source: proc(5).
 */

import { readdir, readFile, readlink } from "node:fs/promises";
import type { Asker } from "./log.ts";

/** The process `pid` with its name; `-` where it is gone. */
export async function describeProcess(pid: number): Promise<Asker> {
  const comm = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "-\n");
  return { pid, comm: comm.trimEnd() };
}

/**
 * The process of this machine whose TCP socket has the local port `port` and a peer on `peerPort`,
 * both on loopback. Costs a walk over /proc/PID/fd: ask only when the log wants it.
 */
export async function findSocketOwner(port: number, peerPort: number): Promise<Asker> {
  const inode = await findInode("/proc/net/tcp", port, peerPort) ??
    await findInode("/proc/net/tcp6", port, peerPort);
  if (inode === undefined || inode === "0") return { pid: 0, comm: "-" };
  for (const entry of await readdir("/proc")) {
    if (/^\d+$/.test(entry) && await holdsSocket(entry, `socket:[${inode}]`)) {
      return describeProcess(Number(entry));
    }
  }
  return { pid: 0, comm: "-" };
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

/** What a program has left behind, as /proc tells it. */

import { readdirSync, readFileSync } from "node:fs";

/** `pid (comm)` of each living process of the group; a zombie is dead, and its parent's business. */
export function listGroup(groupId: number): string[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    const stat = readStat(pid);
    if (stat === undefined || stat.group !== groupId || stat.state === "Z") return [];
    return [`${pid} (${stat.comm})`];
  });
}

/** `PID (COMM) STATE PPID PGRP ...`, proc(5); undefined where the process is gone. */
function readStat(pid: string): { comm: string; state: string; group: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const end = text.lastIndexOf(")");
    const [state = "", , group = ""] = text.slice(end + 2).split(" ");
    return { comm: text.slice(text.indexOf("(") + 1, end), state, group: Number(group) };
  } catch {
    return undefined;
  }
}

/** The arguments of a process as ps(1) would show them. */
export function readCommandLine(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trimEnd();
}

/** Resident memory in bytes, `VmRSS` of proc(5). */
export function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(status.match(/^VmRSS:\s+(\d+) kB/m)?.[1] ?? NaN) * 1024;
}

/** Children of a process: `ppid` is the fourth field of proc(5)'s stat. */
export function listChildren(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return children.split(" ").filter((word) => word !== "").map(Number);
}

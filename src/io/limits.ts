/**
 * How many connections our own limit of open files allows (getrlimit(2) RLIMIT_NOFILE, by
 * /proc/self/limits).
 */

import { readFileSync } from "node:fs";

/** For the log, the listeners, the runtime's own. */
const OTHER_DESCRIPTORS = 64;
/** The program's socket, the one to the server, and for a moment the question about it and a handshake. */
const DESCRIPTORS_A_CONNECTION = 4;
const FALLBACK_LIMIT = 1024;

export function maxConnections(): number {
  const descriptors = Math.max(0, openFilesLimit() - OTHER_DESCRIPTORS);
  return Math.max(1, Math.floor(descriptors / DESCRIPTORS_A_CONNECTION));
}

function openFilesLimit(): number {
  try {
    const limits = readFileSync("/proc/self/limits", "latin1");
    const [, soft] = /^Max open files\s+(\d+|unlimited)/m.exec(limits) ?? [];
    return soft === "unlimited" ? Infinity : Number(soft ?? FALLBACK_LIMIT);
  } catch {
    return FALLBACK_LIMIT;
  }
}

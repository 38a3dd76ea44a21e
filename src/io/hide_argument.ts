/**
 * Blots a secret out of our own command line, as ps(1) and /proc/PID/cmdline show it, by writing
 * over the argument area of our own memory (arg_start and arg_end of proc(5) stat).
 */

import { closeSync, openSync, readFileSync, readSync, writeSync } from "node:fs";

/** Overwrite every occurrence of `secrets` in our arguments with asterisks; false where that failed. */
export function hideArguments(secrets: string[]): boolean {
  const wanted = secrets.filter((secret) => secret !== "");
  if (wanted.length === 0) return true;
  try {
    const { start, end } = argumentArea();
    const fd = openSync("/proc/self/mem", "r+");
    const area = Buffer.alloc(end - start);
    readSync(fd, area, 0, area.length, start);
    for (const secret of wanted) blot(area, Buffer.from(secret));
    writeSync(fd, area, 0, area.length, start);
    closeSync(fd);
    return true;
  } catch {
    return false;
  }
}

function argumentArea(): { start: number; end: number } {
  const stat = readFileSync("/proc/self/stat", "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // Fields 48 and 49, counted from 1; the first two are cut off.
  return { start: Number(fields[45]), end: Number(fields[46]) };
}

function blot(area: Buffer, secret: Buffer): void {
  for (let at = area.indexOf(secret); at !== -1; at = area.indexOf(secret, at + secret.length)) {
    area.fill("*", at, at + secret.length);
  }
}

/** The user information of URLs as typed, with its delimiters: `//user:password@`. */
export function typedSecrets(urls: string[]): string[] {
  return urls.flatMap((url) => /\/\/.*@/s.exec(url)?.[0] ?? []);
}

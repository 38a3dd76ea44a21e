/**
 * Blots secrets out of our own command line and environment, as ps(1) and /proc/PID/{cmdline,environ}
 * show them, by writing over those areas of our own memory (proc(5) stat: arg_start to env_end).
 */

import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { readOwnStat } from "./processes.ts";

/** Overwrite every occurrence with asterisks; false where that failed. */
export function hideFromProc(secrets: { args: string[]; env: string[] }): boolean {
  const wanted = [...secrets.args, ...secrets.env].filter((secret) => secret !== "");
  if (wanted.length === 0) return true;
  try {
    const [argStart, argEnd, envStart, envEnd] = readOwnStat().slice(45, 49).map(Number);
    const fd = openSync("/proc/self/mem", "r+");
    blotArea(fd, argStart!, argEnd!, secrets.args);
    blotArea(fd, envStart!, envEnd!, secrets.env);
    closeSync(fd);
    return true;
  } catch {
    return false;
  }
}

function blotArea(fd: number, start: number, end: number, secrets: string[]): void {
  const area = Buffer.alloc(end - start);
  readSync(fd, area, 0, area.length, start);
  for (const secret of secrets) if (secret !== "") blot(area, Buffer.from(secret));
  writeSync(fd, area, 0, area.length, start);
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

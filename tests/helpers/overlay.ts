/**
 * Runs a program with files of the test's own in the place of the machine's, in a mount namespace
 * that ends with it: names that only a server knows, users that only danted knows, an /etc of our own.
 */

import { readFile, writeFile } from "node:fs/promises";
import type { TempDir } from "./temp_dir.ts";

/** A path of the machine (a file or directory that exists) → what the program finds there instead. */
export type Overlay = Record<string, string>;

/** The command line that runs `command` under `overlay`; needs root and "mount namespaces" where it is not empty. */
export function underOverlay(overlay: Overlay, command: string[]): string[] {
  const pairs = Object.entries(overlay);
  if (pairs.length === 0) return command;
  const mounts = pairs.map((_, at) => `mount --bind "$${at * 2 + 2}" "$${at * 2 + 1}"`);
  const script = `set -e; ${mounts.join("; ")}; shift ${pairs.length * 2}; exec "$@"`;
  return ["unshare", "-m", "sh", "-c", script, "sh", ...pairs.flat(), ...command];
}

/** An /etc/hosts in which each name is 127.0.0.1. */
export async function overlayHosts(dir: TempDir, names: string[]): Promise<Overlay> {
  const lines = ["localhost", ...names].map((name) => `127.0.0.1 ${name}\n`);
  await writeFile(dir.file("hosts"), lines.join(""), { mode: 0o644 });
  return { "/etc/hosts": dir.file("hosts") };
}

/** The machine's users and one more, `passwordHash` as crypt(3) has it; root's locked login is opened for keys. */
export async function overlayUsers(
  dir: TempDir,
  user: string,
  passwordHash: string,
): Promise<Overlay> {
  const passwd = await readFile("/etc/passwd", "utf8");
  const shadow = await readFile("/etc/shadow", "utf8");
  const added = `${user}:x:65533:65534::/nonexistent:/usr/sbin/nologin\n`;
  await writeFile(dir.file("passwd"), passwd + added, { mode: 0o644 });
  const unlocked = shadow.replace(/^root:!/m, "root:*");
  await writeFile(dir.file("shadow"), `${unlocked}${user}:${passwordHash}:19000:0:99999:7:::\n`, {
    mode: 0o600,
  });
  return { "/etc/passwd": dir.file("passwd"), "/etc/shadow": dir.file("shadow") };
}

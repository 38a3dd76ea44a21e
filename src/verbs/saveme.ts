/** `tsocks saveme`: takes libtsocks out of /etc/ld.so.preload. At no time is there half a file. */

import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import process from "node:process";
import type { SavemeOptions } from "../cli/saveme.ts";
import type { Context } from "../context.ts";
import { formatMessage } from "../errors.ts";
import { listPreloads, withoutTsocks } from "../policy/preload_file.ts";

const PRELOAD_FILE = "/etc/ld.so.preload";
const STATUS_FAILED = 1;

/** Resolves to the exit status. */
export function saveme(_: SavemeOptions, { print, warn }: Context): Promise<number> {
  try {
    print(takeOut());
    return Promise.resolve(0);
  } catch (error) {
    const code = (error as { code?: string }).code ?? `${error}`;
    const what = `Cannot take libtsocks out of ${PRELOAD_FILE}: ${code}`;
    warn(formatMessage(what, PRELOAD_FILE, "run it as root, where /etc can be written"));
    return Promise.resolve(STATUS_FAILED);
  }
}

function takeOut(): string {
  const text = readOrNothing();
  const left = withoutTsocks(text);
  if (left === text) return `${PRELOAD_FILE}: no libtsocks in it`;
  const filePath = realpathSync(PRELOAD_FILE);
  if (left.trim() === "") rmSync(filePath);
  else replaceFile(filePath, left);
  const kept = listPreloads(left);
  return `${PRELOAD_FILE}: libtsocks taken out; left: ${kept.join(" ") || "nothing"}`;
}

/** latin1 keeps every octet as it is. */
function readOrNothing(): string {
  try {
    return readFileSync(PRELOAD_FILE, "latin1");
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return "";
    throw error;
  }
}

/** Whole on the disk before it takes the name. */
function replaceFile(filePath: string, text: string): void {
  const { mode, uid, gid } = statSync(filePath);
  const newPath = `${filePath}.${process.pid}`;
  const fd = openSync(newPath, "wx", 0o600);
  try {
    writeSync(fd, text, null, "latin1");
    chownSync(newPath, uid, gid);
    chmodSync(newPath, mode & 0o7777);
    fsyncSync(fd);
    closeSync(fd);
    renameSync(newPath, filePath);
  } catch (error) {
    rmSync(newPath, { force: true });
    throw error;
  }
}

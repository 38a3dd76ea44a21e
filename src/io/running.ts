/**
 * The runs of tsocks that this user has, found by what their programs have in the environment
 * (proc(5) environ: the kernel shows it to those who may trace the process), and their control sockets.
 */

import { readdirSync, readFileSync, statSync } from "node:fs";
import { connect } from "node:net";
import process from "node:process";
import { CTL_ANSWER_HEADER_LEN, encodeReloadRequest } from "../shim/control.ts";
import { readStat } from "./processes.ts";

const ANSWER_TIMEOUT_MS = 10_000;

export interface RunningTsocks {
  controlPath: string;
  token: Uint8Array;
}

/** Those with a program that is `pid`, or comes from it; of no `pid`, all. */
export function findRunning(pid: number | undefined): RunningTsocks[] {
  const found = new Map<string, RunningTsocks>();
  for (const name of readdirSync("/proc")) {
    const running = /^\d+$/.test(name) ? controlOf(Number(name)) : undefined;
    if (running === undefined || pid !== undefined && !comesFrom(Number(name), pid)) continue;
    found.set(running.controlPath, running);
  }
  return [...found.values()];
}

/** TSOCKS_CONTROL as shim/control.h has it. Root believes no other user's: it may name any socket. */
function controlOf(pid: number): RunningTsocks | undefined {
  try {
    if (statSync(`/proc/${pid}`).uid !== process.getuid?.()) return undefined;
    const environ = readFileSync(`/proc/${pid}/environ`, "latin1");
    const [, token, controlPath] =
      /(?:^|\0)TSOCKS_CONTROL=([0-9a-f]{32})[+A-Z]*:\d+:\d+:([^\0]+)/.exec(environ) ?? [];
    if (token === undefined || controlPath === undefined) return undefined;
    return { controlPath, token: Uint8Array.fromHex(token) };
  } catch {
    return undefined; // it has ended, or is not ours to look at
  }
}

function comesFrom(pid: number, ancestor: number): boolean {
  try {
    for (let at = pid; at > 0; at = Number(readStat(at)[1])) if (at === ancestor) return true;
  } catch {
    // It has ended.
  }
  return false;
}

/** Has it read its configuration again: what hinders it, "" if nothing does, undefined if it is gone. */
export function askToReload({ controlPath, token }: RunningTsocks): Promise<string | undefined> {
  return new Promise((resolve) => {
    const chunks: Uint8Array[] = [];
    const socket = connect(controlPath, () => socket.write(encodeReloadRequest(token)));
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("error", () => resolve(undefined));
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => socket.destroy());
    socket.on("close", () => {
      const answer = Buffer.concat(chunks);
      const isWhole = answer.length >= CTL_ANSWER_HEADER_LEN;
      resolve(isWhole ? answer.subarray(CTL_ANSWER_HEADER_LEN).toString("utf8") : undefined);
    });
  });
}

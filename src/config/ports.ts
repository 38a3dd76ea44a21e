/** Ports and ranges of them, in decimal, as rules and servers write them. */

import { fail, type Failed } from "./diagnostic.ts";
import type { PortRange } from "./model.ts";

const MAX_PORT = 65535;

export function anyPort(): PortRange {
  return { first: 0, last: MAX_PORT };
}

/** A server's port, 1–65535, else undefined. */
export function parsePort(text: string): number | undefined {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= MAX_PORT ? port : undefined;
}

/** `80` or `80-1024`, both ends included, 0–65535. */
export function parsePortRange(text: string): { ok: true; ports: PortRange } | Failed {
  const match = /^([0-9]{1,5})(?:-([0-9]{1,5}))?$/.exec(text);
  if (match === null) return fail("Invalid port", "write PORT or FIRST-LAST in decimal");
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  if (first > MAX_PORT || last > MAX_PORT) {
    return fail("Port too large", "write a port between 0 and 65535");
  }
  if (last < first) return fail("Port range ends before it starts", `write ${last}-${first}`);
  return { ok: true, ports: { first, last } };
}

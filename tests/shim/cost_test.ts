/**
 * What the shim costs, in system calls: nothing to send, receive, read and write, nothing to connect to
 * loopback, and one question to connect elsewhere. A parent that traces counts.
 */

import assert from "node:assert/strict";
import { createServer } from "node:net";
import { outsideAddress } from "../helpers/needs.ts";
import { DIRECT } from "./fake_brain.ts";
import { type Bench, testShim } from "./programs.ts";

const FUNCTIONS = ["connect", "send", "recv", "write", "read", "sendto", "sendmsg"];
/** Measured: 15. Socket, connect, send, two receives and close are the question. */
const MAX_CALLS_OF_DIRECT = 20;

/** Calls of each function; the destination is this machine's `hostname`. */
async function countCalls({ run }: Bench, hostname: string): Promise<Record<string, number>> {
  const listener = createServer((socket) => socket.on("error", () => {}));
  await new Promise<void>((resolve) => listener.listen(0, hostname, resolve));
  const address = listener.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  try {
    const { stdout } = await run("count_calls", [hostname, port]);
    assert.match(stdout, /^exit 0$/m);
    const rows = [...stdout.matchAll(/^(\w+) (\d+)$/gm)].map(([, name, calls]) =>
      [name!, Number(calls)] as const
    );
    return Object.fromEntries(rows.filter(([name]) => name !== "exit"));
  } finally {
    listener.close();
  }
}

const oneEach = Object.fromEntries(FUNCTIONS.map((name) => [name, 1]));

testShim("loopback connects, and what is sent and received, cost no system call more", {
  reply: () => "close",
}, async (bench) => {
  assert.deepEqual(await countCalls(bench, "127.0.0.1"), oneEach);
  assert.equal(bench.brain.asked.length, 0);
});

testShim("a connect that goes direct costs one question", {
  needs: ["an address beside loopback"],
  reply: () => DIRECT,
}, async (bench) => {
  const { connect, ...others } = await countCalls(bench, outsideAddress());
  assert.deepEqual({ ...others, connect: 1 }, oneEach);
  assert.ok(connect! <= MAX_CALLS_OF_DIRECT, `${connect} system calls`);
  assert.equal(bench.brain.asked.length, 1);
});

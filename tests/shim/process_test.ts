/** The shim in programs that fork, use threads, clear their environment or have other preloads. */

import assert from "node:assert/strict";
import { compileProgram, ensureShim, testShim } from "./programs.ts";
import { fail } from "./fake_brain.ts";

const FAR = "203.0.113.7"; // RFC 5737
const UNTOUCHED = 4000; // program.h
const ECONNREFUSED = 111;

testShim("200 children connect at once", {
  reply: (_, brain) => brain.forward4(),
}, async ({ brain, run }) => {
  assert.equal((await run("fork_and_connect", [FAR, 443, 200])).stdout, "connected 200\n");
  assert.equal(new Set(brain.asked.map(({ pid }) => pid)).size, 200);
});

testShim("16 threads connect at once", {
  reply: (_, brain) => brain.forward4(),
}, async ({ brain, run }) => {
  assert.equal((await run("connect_in_threads", [FAR, 443])).stdout, "connected 320\n");
  assert.equal(brain.asked.length, 320);
});

testShim("no descriptor is left over, whatever the answer", {
  reply: (_, brain) => {
    const replies = [brain.forward4(), fail(ECONNREFUSED), "close" as const];
    return replies[brain.asked.length % 3] ?? "close";
  },
}, async ({ brain, run }) => {
  assert.equal((await run("count_descriptors", [FAR, 443])).stdout, "left over 0\n");
  assert.equal(brain.asked.length, 50);
});

testShim("a program that clears its environment is still covered", {
  reply: (_, brain) => brain.forward4(),
}, async ({ run }) => {
  assert.equal((await run("clear_environment", [FAR, 443])).stdout, `connect 0 ${UNTOUCHED}\n`);
});

testShim("a preload behind the shim stays in the chain", {
  reply: (_, brain) => brain.forward4(),
}, async ({ libc, dir, run }) => {
  const preload = compileProgram(libc, "connect_preload", dir, true);
  const { stdout, stderr } = await run("connect_blocking", [FAR, 443], {
    LD_PRELOAD: `${ensureShim(libc.arch)}:${preload}`,
  });
  assert.equal(stdout, `connect 0 ${UNTOUCHED}\nread relayed\n`);
  assert.equal(stderr, "hook called\n");
});

testShim("a preload before the shim stays in the chain", {
  reply: (_, brain) => brain.forward4(),
}, async ({ libc, dir, run }) => {
  const preload = compileProgram(libc, "connect_preload_next", dir, true);
  const { stdout, stderr } = await run("connect_blocking", [FAR, 443], {
    LD_PRELOAD: `${preload}:${ensureShim(libc.arch)}`,
  });
  assert.equal(stdout, `connect 0 ${UNTOUCHED}\nread relayed\n`);
  assert.equal(stderr, "hook called\n");
});

/** The shim in programs that fork, use threads, clear their environment or have other preloads. */

import assert from "node:assert/strict";
import { compileProgram, ensureShim, testShim } from "./programs.ts";
import { addressText, answer, endpoint4, fail } from "./fake_brain.ts";

const FAR = "203.0.113.7"; // RFC 5737
const UNTOUCHED = 4000; // program.h
const ECONNREFUSED = 111;
const ENETDOWN = 100;
const EACCES = 13;
const EAI_FAIL = -4;
const RESOLVE = 2; // control.h
const PEER = 3;
const EXECUTE = 6;
const REASON_HIDDEN = 5;

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

testShim("threads, children of every kind and signal handlers connect at the same time", {
  reply: ({ op }, brain) => op === RESOLVE ? addressText("198.18.0.1") : brain.forward4(),
}, async ({ run }) => {
  const { stdout } = await run("connect_in_mixed_ways", [FAR, 443, 20]);
  const children = "fork 20 vfork 20 spawn 20 clone 20 handlers yes";
  assert.equal(stdout, `threads 160 ${children}, failed 0 0, left over 0\n`);
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

testShim("a program that closes every descriptor is still covered, and keeps none of ours", {
  reply: (_, brain) => brain.forward4(),
}, async ({ run }) => {
  for (const how of ["loop", "close_range", "closefrom"]) {
    const { stdout } = await run("close_all_then_connect", [how, FAR, 443]);
    assert.equal(stdout, `connect 0 ${UNTOUCHED}\nread relayed\ndescriptor 3\n`, how);
  }
});

testShim("a connected socket goes to another process, with its peer", {
  reply: ({ op }, brain) => op === PEER ? answer(6, endpoint4(FAR, 443)) : brain.forward4(),
}, async ({ brain, run }) => {
  const { stdout } = await run("pass_socket", [FAR, 443]);
  assert.equal(stdout, `connect 0 ${UNTOUCHED}\npeer 443\nread relayed\n`);
  assert.equal(brain.asked[1]?.op, PEER);
});

testShim("an address that one program was given is another's to connect to", {
  reply: ({ op }, brain) => op === RESOLVE ? addressText("198.18.0.1") : brain.forward4(),
}, async ({ libc, brain, dir, run }) => {
  const program = compileProgram(libc, "connect_blocking", dir);
  const { stdout } = await run("resolve_then_execute", ["hello.example", 443, program]);
  assert.equal(stdout, `connect 0 ${UNTOUCHED}\nread relayed\n`);
  assert.deepEqual(brain.asked.at(-1)?.body.subarray(1), endpoint4("198.18.0.1", 443));
});

testShim("after chroot what cannot be reached fails, and nothing is started", {
  needs: ["root"],
  reply: (_, brain) => brain.forward4(),
}, async ({ libc, brain, dir, run }) => {
  compileProgram(libc, "print_word", dir);
  const { stdout } = await run("chroot_and_go_on", [dir.path, FAR, 443, "/print_word"]);
  assert.equal(stdout, `connect -1 ${ENETDOWN}\nlook-up ${EAI_FAIL}\nexec ${EACCES}\n`);
  assert.equal(brain.asked.length, 0);
});

testShim("after chroot the brain hears of a program that the shim's file is hidden from", {
  needs: ["root"],
  reply: ({ op }, brain) =>
    op === EXECUTE ? fail(EACCES) : op === RESOLVE ? addressText("198.18.0.1") : brain.forward4(),
}, async ({ libc, brain, dir, run }) => {
  compileProgram(libc, "print_word", dir);
  const env = { TSOCKS_CONTROL: brain.control.replace(dir.path, "") };
  const { stdout } = await run("chroot_and_go_on", [dir.path, FAR, 443, "/print_word"], env);
  assert.equal(stdout, `connect 0 ${UNTOUCHED}\nlook-up 0\nexec ${EACCES}\n`);
  const notice = brain.asked.at(-1);
  assert.deepEqual([notice?.op, notice?.body[0]], [EXECUTE, REASON_HIDDEN]);
  assert.equal(notice?.body.toString("latin1", 1), "/print_word");
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

/** What 32-bit programs do in ways of their own: socketcall(2), 64-bit time, old kernels. */

import assert from "node:assert/strict";
import { constants } from "node:os";
import { startServer } from "../helpers/local_servers.ts";
import { fail, pending4 } from "./fake_brain.ts";
import { compileProgram, HOST_LIBCS, testShim } from "./programs.ts";

const { EBADF, EHOSTUNREACH, EPERM, ENOTCONN } = constants.errno;
const UNTOUCHED = 4000; // program.h
const FAR = "203.0.113.7"; // RFC 5737
const OP_CONNECT = 1;
const OP_VERDICT = 7;
const FLAG_DATAGRAM = 4;
const I386 = HOST_LIBCS.filter(({ arch }) => arch === "i386");
const I386_GLIBC = I386.filter(({ name }) => name === "glibc");

testShim("the calls of socketcall(2) are caught, and others pass with their errno", {
  libcs: I386,
  reply: ({ op, body }, brain) =>
    op === OP_CONNECT && (body[0]! & FLAG_DATAGRAM) === 0 ? brain.forward4() : fail(EPERM),
}, async ({ brain, run }) => {
  const { stdout, status } = await run("call_by_socketcall", [FAR, 443]);
  assert.deepEqual(stdout.trim().split("\n"), [
    `socket 0 ${UNTOUCHED}`,
    `socket 0 ${UNTOUCHED}`,
    `connect 0 ${UNTOUCHED}`,
    "read relayed",
    `sendto -1 ${EPERM}`,
    `sendmsg -1 ${EPERM}`,
    `sendmmsg -1 ${EPERM}`,
    `raw -1 ${EPERM}`,
    `listen -1 ${EBADF}`,
  ]);
  assert.equal(status, 0);
  assert.equal(brain.asked.length, 5);
});

testShim("datagrams by glibc's names for programs with 64-bit time are refused too", {
  libcs: I386_GLIBC,
  reply: () => fail(EPERM),
}, async ({ brain, run }) => {
  const { stdout } = await run("send_datagrams_time64", [FAR, 443]);
  assert.match(stdout, new RegExp(`^sendmsg -1 ${EPERM}$`, "m"));
  assert.match(stdout, new RegExp(`^sendmmsg-first -1 ${EPERM}$`, "m"));
  assert.equal(brain.asked.length, 5);
});

let farPort = 0;

for (
  const [program, libcs] of [
    ["wait_for_connect_by_socketcall", I386],
    ["wait_for_connect_time64", I386_GLIBC],
  ] as const
) {
  testShim(`the verdict on a connect is the SO_ERROR of ${program}`, {
    libcs: [...libcs],
    reply: ({ op }) => op === OP_VERDICT ? fail(EHOSTUNREACH) : pending4(farPort),
  }, async ({ run }) => {
    await using far = await startServer((socket) => socket.resetAndDestroy());
    farPort = far.port;
    const { stdout } = await run(program, ["late", FAR, 443, 300]);
    assert.match(stdout, new RegExp(`^SO_ERROR ${EHOSTUNREACH}$`, "m"));
  });
}

testShim("on a kernel before 4.3 connections are relayed, and refused", {
  libcs: I386_GLIBC,
  reply: (_, brain) => brain.asked.length === 1 ? brain.forward4() : fail(ENOTCONN),
}, async ({ libc, dir, brain, run }) => {
  const program = compileProgram(libc, "connect_blocking", dir);
  const relayed = await run("run_on_old_kernel", [program, FAR, 443]);
  assert.equal(relayed.stdout, `connect 0 ${UNTOUCHED}\nread relayed\n`);
  const refused = await run("run_on_old_kernel", [program, FAR, 443]);
  assert.equal(refused.stdout, `connect -1 ${ENOTCONN}\n`);
  assert.equal(brain.tickets.length, 1);
});

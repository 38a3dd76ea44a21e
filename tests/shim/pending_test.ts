/** A connect that waits for its verdict, seen from the shim: PENDING, STARTED, VERDICT. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type AddressInfo, createServer } from "node:net";
import { constants } from "node:os";
import { DIRECT, endpoint4, fail, pending4 } from "./fake_brain.ts";
import { ALL_LIBCS, testShim } from "./programs.ts";

const { ECONNREFUSED, ECONNRESET, EHOSTUNREACH, EINPROGRESS, EISCONN } = constants.errno;
const UNTOUCHED = 4000; // program.h
const FAR = "203.0.113.7"; // RFC 5737
const CONNECT = 1;
const VERDICT = 7;
/** The shim works on this machine's SO_COOKIE, which qemu does not know. */
const NO_COOKIE = Buffer.alloc(8);

/** Where the shim's sockets connect to; `resets` breaks them off at once. */
async function startFarEnd({ resets = false } = {}) {
  const ports: number[] = [];
  const listener = createServer((socket) => {
    ports.push(socket.remotePort ?? 0);
    socket.on("error", () => {});
    if (resets) socket.resetAndDestroy();
    else socket.end("arrived\n");
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const { port } = listener.address() as AddressInfo;
  return {
    port,
    /** The ports they came from. */
    ports,
    [Symbol.asyncDispose]: () => new Promise<void>((done) => listener.close(() => done())),
  };
}

let farPort = 0;

testShim("PENDING: the socket connects where it is told, and the brain is told which it is", {
  libcs: ALL_LIBCS,
  reply: () => pending4(farPort),
}, async ({ brain, libc, run }) => {
  await using far = await startFarEnd();
  farPort = far.port;
  const { stdout } = await run("wait_for_connect", ["poll", FAR, 443, 0]);
  assert.match(stdout, new RegExp(`^connect -1 ${EINPROGRESS}\n[^]*ready 1\nSO_ERROR 0\n`));
  const connected = `connect 0 ${UNTOUCHED}\nconnect -1 ${EISCONN}\nread arrived\n`;
  assert.ok(stdout.endsWith(connected), stdout);
  assert.equal(brain.asked.length, 1);
  assert.equal(brain.started.length, 1);
  const [started] = brain.started;
  assert.equal(started?.subarray(0, 8).equals(NO_COOKIE), libc.arch === "aarch64");
  assert.deepEqual(started?.subarray(8), endpoint4("127.0.0.1", far.ports[0]!));
});

for (
  const [words, reply, errno] of [
    ["FAIL is the errno of SO_ERROR", fail(EHOSTUNREACH), EHOSTUNREACH],
    ["DIRECT leaves the kernel's", DIRECT, ECONNRESET],
  ] as const
) {
  testShim(`VERDICT: ${words}`, {
    libcs: ALL_LIBCS,
    reply: ({ op }) => op === VERDICT ? reply : pending4(farPort),
  }, async ({ brain, run }) => {
    await using far = await startFarEnd({ resets: true });
    farPort = far.port;
    const { stdout } = await run("wait_for_connect", ["late", FAR, 443, 300]);
    assert.match(stdout, new RegExp(`SO_ERROR ${errno}\n`));
    assert.deepEqual(brain.asked.slice(0, 2).map(({ op }) => op), [CONNECT, VERDICT]);
    assert.equal(
      brain.asked[1]?.body.subarray(0, 8).equals(brain.started[0]!.subarray(0, 8)),
      true,
    );
  });
}

testShim("PENDING to a port where nobody listens fails", {
  reply: () => pending4(1),
}, async ({ run }) => {
  const { stdout } = await run("connect_nonblocking", [FAR, 443]);
  assert.equal(stdout, `connect -1 ${EINPROGRESS}\npoll 1 SO_ERROR ${ECONNREFUSED}\nread \n`);
});

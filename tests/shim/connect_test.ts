/** connect() below the shim: each answer of the brain, on each kind of socket. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createServer } from "node:net";
import { constants } from "node:os";
import { outsideAddress } from "../helpers/needs.ts";
import { DIRECT, endpoint4, endpoint6, fail, TICKET, TOKEN } from "./fake_brain.ts";
import { ALL_LIBCS, testShim } from "./programs.ts";

const { EINPROGRESS, EACCES, EINVAL, EBADF, ENOTSOCK } = constants.errno;
const UNTOUCHED = 4000; // program.h
const FAR = "203.0.113.7"; // RFC 5737: nobody answers there
const FAR_INET6 = "2001:db8::7";
const RELAYED = `connect 0 ${UNTOUCHED}\nread relayed\n`;

/** A destination on this machine that tells who came. */
async function startDestination(hostname: string) {
  let connections = 0;
  const listener = createServer((socket) => {
    connections++;
    socket.on("error", () => {});
    socket.end("arrived\n");
  });
  await new Promise<void>((resolve) => listener.listen(0, hostname, resolve));
  const address = listener.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    connections: () => connections,
    [Symbol.asyncDispose]: () => new Promise<void>((done) => listener.close(() => done())),
  };
}

testShim("FORWARD relays a blocking socket, errno untouched, ticket first", {
  libcs: ALL_LIBCS,
  reply: (_, brain) => brain.forward4(),
}, async ({ brain, run }) => {
  const { stdout, status } = await run("connect_blocking", [FAR, 443]);
  assert.equal(stdout, RELAYED);
  assert.equal(status, 0);
  assert.deepEqual(brain.tickets, [TICKET.toString("latin1")]);
  const [asked] = brain.asked;
  assert.equal(brain.asked.length, 1);
  assert.equal(asked?.op, 1);
  assert.equal(asked?.token, TOKEN);
  assert.ok((asked?.pid ?? 0) > 1);
  assert.deepEqual(asked?.body, Buffer.concat([Buffer.of(0), endpoint4(FAR, 443)]));
});

testShim("FORWARD to ::1 relays an IPv6 socket", {
  libcs: ALL_LIBCS,
  isInet6: true,
  reply: (_, brain) => brain.forward6(),
}, async ({ brain, run }) => {
  assert.equal((await run("connect_blocking", [FAR_INET6, 443])).stdout, RELAYED);
  const body = endpoint6("20010db8000000000000000000000007", 443);
  assert.deepEqual(brain.asked[0]?.body, Buffer.concat([Buffer.of(2), body]));
  assert.equal(brain.tickets.length, 1);
});

testShim("FORWARD to 127.0.0.1 relays an IPv6 socket", {
  isInet6: true,
  reply: (_, brain) => brain.forward4(),
}, async ({ brain, run }) => {
  assert.equal((await run("connect_blocking", [FAR_INET6, 443])).stdout, RELAYED);
  assert.equal((await run("connect_blocking", [`::ffff:${FAR}`, 443])).stdout, RELAYED);
  const body = endpoint6("00000000000000000000ffffcb007107", 443);
  assert.deepEqual(brain.asked[1]?.body, Buffer.concat([Buffer.of(0), body]));
});

testShim("FORWARD to ::1 of an IPv4 socket fails closed", {
  reply: (_, brain) => brain.forward6(),
}, async ({ run }) => {
  const { stdout } = await run("connect_blocking", [FAR, 443]);
  assert.equal(stdout, `connect -1 ${constants.errno.ENETDOWN}\n`);
});

testShim("FORWARD relays a non-blocking socket, EINPROGRESS and then writable", {
  libcs: ALL_LIBCS,
  reply: (_, brain) => brain.forward4(),
}, async ({ brain, run }) => {
  const { stdout } = await run("connect_nonblocking", [FAR, 443]);
  assert.equal(stdout, `connect -1 ${EINPROGRESS}\npoll 1 SO_ERROR 0\nread relayed\n`);
  assert.equal(brain.asked[0]?.body[0], 1);
  assert.equal(brain.tickets.length, 1);
});

testShim("FORWARD to a port where nobody listens is ENETDOWN, blocking or not", {
  reply: () => {
    const nowhere = Buffer.concat([endpoint4("127.0.0.1", 1), TICKET]);
    return Buffer.concat([Buffer.from([2, 0, 0, 0, 0, 0, 0, nowhere.length]), nowhere]);
  },
}, async ({ run }) => {
  const { stdout } = await run("connect_blocking", [FAR, 443]);
  assert.equal(stdout, `connect -1 ${constants.errno.ENETDOWN}\n`);
  assert.equal((await run("connect_nonblocking", [FAR, 443])).stdout, stdout);
});

testShim("DIRECT connects to the destination itself", {
  libcs: ALL_LIBCS,
  needs: ["an address beside loopback"],
  reply: () => DIRECT,
}, async ({ brain, run }) => {
  await using destination = await startDestination(outsideAddress());
  const { stdout } = await run("connect_blocking", [outsideAddress(), destination.port]);
  assert.equal(stdout, `connect 0 ${UNTOUCHED}\nread arrived\n`);
  assert.equal(destination.connections(), 1);
  assert.deepEqual(brain.tickets, []);
});

testShim("FAIL gives its errno and leaves the socket fit for use", {
  libcs: ALL_LIBCS,
  reply: (_, brain) => brain.asked.length === 1 ? fail(EACCES) : brain.forward4(),
}, async ({ run }) => {
  const { stdout } = await run("connect_twice", [FAR, 443]);
  assert.equal(stdout, `connect -1 ${EACCES}\n${RELAYED}`);
});

testShim("loopback is never asked about", { reply: () => "close" }, async ({ brain, run }) => {
  await using destination = await startDestination("127.0.0.1");
  for (const address of ["127.0.0.1", "0.0.0.0", "::ffff:127.0.0.1", "::ffff:0.0.0.0"]) {
    const { stdout } = await run("connect_blocking", [address, destination.port]);
    assert.equal(stdout, `connect 0 ${UNTOUCHED}\nread arrived\n`, address);
  }
  assert.equal(brain.asked.length, 0);
});

testShim("::1 and :: are never asked about", {
  isInet6: true,
  reply: () => "close",
}, async ({ brain, run }) => {
  await using destination = await startDestination("::1");
  for (const address of ["::1", "::"]) {
    const { stdout } = await run("connect_blocking", [address, destination.port]);
    assert.equal(stdout, `connect 0 ${UNTOUCHED}\nread arrived\n`, address);
  }
  assert.equal(brain.asked.length, 0);
});

testShim("wrong descriptors, lengths and families get the kernel's own error, unasked", {
  reply: () => "close",
}, async ({ brain, run }) => {
  const { stdout } = await run("connect_oddly", [FAR, 443]);
  const codes = stdout.trim().split("\n").map((line) => line.replace(/^connect /, ""));
  assert.deepEqual(codes, [
    `-1 ${EBADF}`,
    `-1 ${ENOTSOCK}`,
    `-1 ${EINVAL}`,
    `0 ${UNTOUCHED}`, // AF_UNSPEC disconnects
    `-1 ${EINVAL}`, // a sockaddr_in is too short for AF_INET6
    `-1 ${EINVAL}`, // longer than any address
  ]);
  assert.equal(brain.asked.length, 0);
});

testShim("a connected socket gets EISCONN, unasked", {
  reply: (_, brain) => brain.forward4(),
}, async ({ brain, run }) => {
  const { stdout } = await run("connect_twice", [FAR, 443]);
  assert.equal(stdout, `connect 0 ${UNTOUCHED}\nconnect -1 ${constants.errno.EISCONN}\n`);
  assert.equal(brain.asked.length, 1);
});

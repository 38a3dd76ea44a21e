/** Fail closed: what connect() does below the shim when the brain is gone, silent or mad. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createServer } from "node:net";
import { constants } from "node:os";
import { outsideAddress } from "../helpers/needs.ts";
import { waitFor } from "../helpers/wait.ts";
import { answer, DIRECT, endpoint4, endpoint6, fail, TICKET, TOKEN } from "./fake_brain.ts";
import { ALL_LIBCS, testShim } from "./programs.ts";

const { ENETDOWN, EINTR, ETIMEDOUT, EMFILE } = constants.errno;
const FAR = "203.0.113.7"; // RFC 5737
const CLOSED = `connect -1 ${ENETDOWN}\n`;

testShim("without a usable TSOCKS_CONTROL nothing reaches the destination", {
  libcs: ALL_LIBCS,
  needs: ["an address beside loopback"],
  reply: () => DIRECT,
}, async ({ run }) => {
  let connections = 0;
  const destination = createServer((socket) => socket.on("error", () => {}) && connections++);
  await new Promise<void>((resolve) => destination.listen(0, outsideAddress(), resolve));
  const address = destination.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const controls = [
    undefined,
    "",
    `${TOKEN}:1:1:/nonexistent/control`,
    `${TOKEN}:1:1:`,
    `${TOKEN}:65536:1:/tmp`,
    `${TOKEN}::1:/tmp`,
    `${TOKEN.slice(1)}:1:1:/tmp`,
    `${TOKEN}:1:1:/${"x".repeat(108)}`,
  ];
  for (const control of controls) {
    const { stdout } = await run("connect_blocking", [outsideAddress(), port], {
      TSOCKS_CONTROL: control,
    });
    assert.equal(stdout, CLOSED, `TSOCKS_CONTROL=${control}`);
  }
  assert.equal(connections, 0);
  destination.close();
});

const MAD_ANSWERS: { name: string; bytes: Buffer }[] = [
  { name: "noise", bytes: Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n") },
  { name: "half a header", bytes: Buffer.of(1, 0, 0) },
  {
    name: "half a body",
    bytes: answer(2, Buffer.concat([endpoint4(FAR, 1), TICKET])).subarray(0, 20),
  },
  { name: "a body that is too long", bytes: answer(1, Buffer.alloc(65)) },
  { name: "DIRECT with a body", bytes: answer(1, Buffer.of(0)) },
  { name: "status 0", bytes: answer(0) },
  { name: "status 7", bytes: answer(7) },
  { name: "FAIL without an errno", bytes: fail(0) },
  { name: "FAIL with a negative errno", bytes: fail(0xffffffff) },
  { name: "FORWARD without a ticket", bytes: answer(2, endpoint4("127.0.0.1", 1)) },
  { name: "FORWARD nowhere", bytes: answer(2, TICKET) },
  {
    name: "FORWARD with the wrong family",
    bytes: answer(2, Buffer.concat([endpoint6("00".repeat(16), 1).fill(4, 0, 1), TICKET])),
  },
  { name: "LIBC", bytes: answer(4) },
  { name: "ADDRESS", bytes: answer(5, Buffer.from("127.0.0.1")) },
  { name: "PEER", bytes: answer(6, endpoint4("127.0.0.1", 1)) },
];

testShim("a mad answer is ENETDOWN", {
  reply: (_, brain) => MAD_ANSWERS[brain.asked.length - 1]?.bytes ?? "close",
}, async ({ run }) => {
  for (const { name } of MAD_ANSWERS) {
    assert.equal((await run("connect_blocking", [FAR, 443])).stdout, CLOSED, name);
  }
});

testShim("a brain that closes without an answer is ENETDOWN, blocking or not", {
  reply: () => "close",
}, async ({ run }) => {
  assert.equal((await run("connect_blocking", [FAR, 443])).stdout, CLOSED);
  assert.equal((await run("connect_nonblocking", [FAR, 443])).stdout, CLOSED);
});

/** The first octet of CONNECT's body is FLAGS, whose bit 0 says "answer at once". */
testShim("a signal ends a waiting connect with EINTR, and the attempt goes on behind it", {
  libcs: ALL_LIBCS,
  reply: ({ body }, brain) => (body[0]! & 1) === 0 ? "hang" : brain.forward4(),
}, async ({ brain, run }) => {
  const { stdout } = await run("connect_under_alarm", [FAR, 443, "interrupt"]);
  assert.equal(stdout, `connect -1 ${EINTR}\n`);
  await waitFor("the waiting question's end", () => brain.abandoned === 1);
  await waitFor("the ticket", () => brain.tickets.length === 1);
});

/** The alarm comes after 200 ms, the answer after 500. */
testShim("a signal whose handler restarts calls does not end a waiting connect", {
  reply: (_, brain) => new Promise((resolve) => setTimeout(() => resolve(brain.forward4()), 500)),
}, async ({ brain, run }) => {
  const { stdout } = await run("connect_under_alarm", [FAR, 443, "restart"]);
  assert.equal(stdout, "connect 0 4000\n");
  assert.equal(brain.asked.length, 1);
});

testShim("a forwarder that does not accept is ETIMEDOUT, and the socket is new again", {
  reply: ({ body }) =>
    answer(2, Buffer.concat([endpoint4("127.0.0.1", body.readUInt16BE(2)), TICKET])),
}, async ({ run }) => {
  const { stdout } = await run("connect_to_full_queue", [FAR]);
  assert.equal(stdout, `connect -1 ${ETIMEDOUT}\ngetpeername -1 ${constants.errno.ENOTCONN}\n`);
});

testShim("without a descriptor to ask with the errno is EMFILE; 0 to 2 are not used for it", {
  reply: (_, brain) => brain.forward4(),
}, async ({ brain, run }) => {
  const { stdout } = await run("connect_without_descriptors", [FAR, 443]);
  assert.equal(stdout, `socket 0 connect 0\nsocket 0 connect -1 ${EMFILE}\n`);
  assert.equal(brain.asked.length, 1);
});

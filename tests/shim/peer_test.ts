/** getpeername() below the shim: the destination, in the form that the program's socket has. */

import assert from "node:assert/strict";
import { createServer } from "node:net";
import { answer, endpoint4, endpoint6, fail } from "./fake_brain.ts";
import type { Asked, FakeBrain } from "./fake_brain.ts";
import { ALL_LIBCS, testShim } from "./programs.ts";

const FAR = "203.0.113.7"; // RFC 5737
const FAR_INET6 = "2001:db8::7";
const UNTOUCHED = 4000; // program.h
const PEER = 3;

function replyPeer(peer: ReturnType<typeof answer>) {
  return ({ op }: Asked, brain: FakeBrain) => op === PEER ? peer : brain.forward4();
}

testShim("getpeername() of a relayed socket is the destination, also cut short", {
  libcs: ALL_LIBCS,
  reply: replyPeer(answer(6, endpoint4(FAR, 443))),
}, async ({ brain, run }) => {
  const { stdout } = await run("print_peer", [FAR, 443]);
  assert.equal(
    stdout,
    [
      `connect 0 ${UNTOUCHED}`,
      `getpeername 0 ${UNTOUCHED} ${FAR} 443 length 16`,
      "cut port 443 next ee length 16",
      "",
    ].join("\n"),
  );
  const asked = brain.asked[1];
  assert.equal(asked?.op, PEER);
  assert.deepEqual([...asked?.body.subarray(3, 7) ?? []], [127, 0, 0, 1]);
  assert.deepEqual(asked?.body.subarray(7), endpoint4("127.0.0.1", brain.port4));
  assert.ok((asked?.body.readUInt16BE(1) ?? 0) > 0);
});

testShim("getpeername() of a relayed IPv6 socket is an IPv6 address", {
  isInet6: true,
  reply: replyPeer(answer(6, endpoint6("20010db8000000000000000000000007", 443))),
}, async ({ run }) => {
  const { stdout } = await run("print_peer", [FAR_INET6, 443]);
  assert.match(stdout, /^getpeername 0 4000 2001:db8::7 443 length 28$/m);
  assert.match(stdout, /^cut port 443 next ee length 28$/m);
});

testShim("getpeername() on an IPv6 socket shows an IPv4 destination v4-mapped", {
  isInet6: true,
  reply: replyPeer(answer(6, endpoint4(FAR, 443))),
}, async ({ run }) => {
  const { stdout } = await run("print_peer", [`::ffff:${FAR}`, 443]);
  assert.match(stdout, /^getpeername 0 4000 ::ffff:203\.0\.113\.7 443 length 28$/m);
});

testShim("getpeername() is the kernel's own where the brain does not know", {
  reply: replyPeer(fail(107)),
}, async ({ brain, run }) => {
  const { stdout } = await run("print_peer", [FAR, 443]);
  const expected = `getpeername 0 4000 127.0.0.1 ${brain.port4} length 16`;
  assert.ok(stdout.includes(expected), stdout);
});

testShim("getpeername() of other loopback connections is not asked about", {
  reply: () => "close",
}, async ({ brain, run }) => {
  const listener = createServer((socket) => socket.on("error", () => {}));
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const address = listener.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const { stdout } = await run("print_peer", ["127.0.0.1", port]);
  assert.ok(stdout.includes(`getpeername 0 4000 127.0.0.1 ${port} length 16`), stdout);
  assert.equal(brain.asked.length, 0);
  listener.close();
});

testShim("getpeername() of an unconnected socket is ENOTCONN", {
  reply: () => fail(111),
}, async ({ run }) => {
  assert.match((await run("print_peer", [FAR, 443])).stdout, /^getpeername -1 107 /m);
});

/** Datagrams and connections to name servers below the shim: where the brain sends them, and whence answers seem to come. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { constants } from "node:os";
import { answer, type Asked, DIRECT, endpoint4, endpoint6, fail } from "./fake_brain.ts";
import { ALL_LIBCS, testShim } from "./programs.ts";

const { ENETDOWN, EPERM } = constants.errno;
const SERVER = "203.0.113.53"; // RFC 5737
const SERVER6 = "2001:db8::53";
const SERVER6_HEX = "20010db8000000000000000000000053";
const UNTOUCHED = 4000; // program.h
const BY_NUMBER = ["number-sendto", "number-sendmsg", "number-sendmmsg"];
const WAYS = ["connect", "sendto", "sendmsg", "sendmmsg", ...BY_NUMBER];
/** Of 53000–53255; tests of other worktrees may run beside us. */
const FACE_PORT = 53000 + process.pid % 256;
const CONNECT = 1;
const SOURCE = 10;

/** Answers each datagram with itself, as an answer of DNS with rcode 0. */
async function startFace(type: "udp4" | "udp6", address: string, port = 0) {
  const socket = createSocket({ type, ipv6Only: type === "udp6" });
  let received = 0;
  socket.on("message", (message, from) => {
    received++;
    message[2]! |= 0x80;
    socket.send(message, from.port, from.address);
  });
  socket.bind(port, address);
  await once(socket, "listening");
  return {
    port: socket.address().port,
    received: () => received,
    [Symbol.asyncDispose]: () => new Promise<void>((done) => socket.close(() => done())),
  };
}

const redirect = (endpoint: Buffer) => answer(10, endpoint);
const peer = (endpoint: Buffer) => answer(6, endpoint);

/** What query_name_server prints of an echo: the question's own last octets. */
function report(way: string, server: string): string {
  const isConnected = way === "connect";
  return `${way} rcode 0 records 0 last 0 1 0 1 from ${server} 53 peer ${
    isConnected ? `${server} 53` : ""
  } errno 0\n`;
}

testShim("REDIRECT sends elsewhere, and the answer seems to come from the server that was asked", {
  libcs: ALL_LIBCS,
  reply: ({ op }: Asked, brain) => {
    if (op === SOURCE) return peer(endpoint4(SERVER, 53));
    const { port } = (brain as unknown as { face: { port: number } }).face;
    return redirect(endpoint4("127.83.53.9", port));
  },
}, async ({ brain, run }) => {
  await using face = await startFace("udp4", "127.83.53.9");
  Object.assign(brain, { face });
  for (const way of WAYS) {
    assert.equal((await run("query_name_server", [way, SERVER, 1])).stdout, report(way, SERVER));
    const [question] = brain.asked.splice(0);
    assert.equal(question?.op, CONNECT);
    const flags = 1 + 4 + 8;
    assert.deepEqual(
      question?.body.subarray(0, 8),
      Buffer.concat([Buffer.of(flags), endpoint4(SERVER, 53)]),
    );
    assert.notEqual(question?.body.readBigUInt64BE(8), 0n);
  }
  const mapped = `::ffff:${SERVER}`;
  for (const way of WAYS) {
    assert.equal((await run("query_name_server", [way, mapped, 1])).stdout, report(way, mapped));
  }
});

testShim("a name server of IPv6 is redirected to ::1, also from a socket for IPv6 alone", {
  libcs: ALL_LIBCS,
  isInet6: true,
  reply: ({ op }) =>
    op === SOURCE
      ? peer(endpoint6(SERVER6_HEX, 53))
      : redirect(endpoint6("00".repeat(15) + "01", FACE_PORT)),
}, async ({ run }) => {
  await using _ = await startFace("udp6", "::1", FACE_PORT);
  for (const way of WAYS) {
    const { stdout } = await run("query_name_server", [way, SERVER6, 1, "v6only"]);
    assert.equal(stdout, report(way, SERVER6));
  }
});

testShim("a source that is no face costs no question; a face that is nobody's keeps its address", {
  reply: ({ op }) => op === SOURCE ? fail(107) : DIRECT,
}, async ({ brain, run }) => {
  for (const [address, asked] of [["127.83.54.1", 0], ["127.83.53.77", 1]] as const) {
    await using _ = await startFace("udp4", address, 53);
    const { stdout } = await run("query_name_server", ["sendto", address, 1]);
    assert.equal(stdout, report("sendto", address));
    assert.equal(brain.asked.filter(({ op }) => op === SOURCE).length, asked);
  }
});

testShim("of messages sent together only those for the name server go elsewhere", {
  libcs: ALL_LIBCS,
  reply: ({ body }, brain) => {
    const { port } = (brain as unknown as { face: { port: number } }).face;
    return body.includes(endpoint4(SERVER, 53)) ? redirect(endpoint4("127.83.53.8", port)) : DIRECT;
  },
}, async ({ brain, run }) => {
  await using face = await startFace("udp4", "127.83.53.8");
  Object.assign(brain, { face });
  const { stdout } = await run("send_datagrams", [SERVER, 53]);
  const went = (call: string, count = 1) => `${call} ${count} ${UNTOUCHED}\n`;
  assert.equal(
    stdout,
    went("sendto") + went("sendto-unspec") + went("sendmsg") + went("sendmmsg", 3) +
      went("sendmmsg-first", 2) + went("sendto-here"),
  );
  assert.equal(face.received(), 1 + 1 + 1 + 2 + 2);
});

testShim("what is sent to a name server fails closed", {
  reply: ({ body }, brain) => {
    const replies = [
      fail(EPERM),
      redirect(endpoint4("192.0.2.9", 53)), // no face
      redirect(endpoint6("00".repeat(15) + "01", 53000)), // not for this socket
      brain.forward4(),
      "close" as const,
    ];
    assert.equal(body.length, 16);
    return replies[(brain.asked.length - 1) % replies.length]!;
  },
}, async ({ run }) => {
  for (const errno of [EPERM, ENETDOWN, ENETDOWN, ENETDOWN, ENETDOWN]) {
    const { stdout } = await run("query_name_server", ["sendto", SERVER, 1]);
    assert.equal(stdout, `sendto sendto ${errno}\n`);
  }
});

testShim("port 53 of loopback is asked about, by UDP and TCP, and no other port is", {
  libcs: ALL_LIBCS,
  reply: () => fail(EPERM),
}, async ({ brain, run }) => {
  for (const address of ["127.0.0.53", "0.0.0.0", "::ffff:127.0.0.53", "::1", "::"]) {
    const udp = await run("query_name_server", ["connect", address, 1]);
    assert.equal(udp.stdout, `connect connect ${EPERM}\n`, address);
    const tcp = await run("query_name_server", ["tcp", address, 1]);
    assert.equal(tcp.stdout, `tcp connect ${EPERM}\n`, address);
  }
  assert.equal(brain.asked.length, 10);
  for (const port of [52, 54]) {
    await run("connect_udp", ["127.0.0.53", port]);
    await run("connect_blocking", ["127.0.0.53", port]);
  }
  assert.equal(brain.asked.length, 10);
});

testShim("with udp = direct a datagram to port 53 is a question all the same", {
  reply: () => fail(EPERM),
}, async ({ brain, run }) => {
  const env = { TSOCKS_CONTROL: brain.control.replace(":", "+U:") };
  const { stdout } = await run("query_name_server", ["sendto", SERVER, 1], env);
  assert.equal(stdout, `sendto sendto ${EPERM}\n`);
});

/**
 * Blocking connects as connect(2) has them: each program runs once without the shim, against a
 * plain server beside loopback, and once below it, relayed; both must say the same, errno for errno.
 */

import assert from "node:assert/strict";
import { createServer } from "node:net";
import { constants } from "node:os";
import { outsideAddress, outsideDevice } from "../helpers/needs.ts";
import { start } from "../helpers/processes.ts";
import { waitFor } from "../helpers/wait.ts";
import {
  answer,
  type Asked,
  DIRECT,
  fail,
  type FakeBrain,
  hasInet6,
  type Reply,
} from "./fake_brain.ts";
import { ALL_LIBCS, type Bench, compileProgram, HOST_LIBCS, testShim } from "./programs.ts";

const { EAFNOSUPPORT, ECONNREFUSED, EINPROGRESS, EINTR, ENETUNREACH, EPERM } = constants.errno;
const UNTOUCHED = 4000; // program.h
const CONNECT = 1;
const PEER = 3;
const REFUSED_PORT = 1; // tcpmux, which nobody runs
const FAR_INET6 = "2001:db8::7"; // RFC 3849
const FAR_MAPPED = "::ffff:203.0.113.7";
const OUTSIDE = ["an address beside loopback"];

/** Relays, refuses REFUSED_PORT, and knows the last destination as the peer of every connection. */
function replyAsServer({ op, body }: Asked, brain: FakeBrain): Reply {
  if (op === PEER) {
    const connects = brain.asked.filter((one) => one.op === CONNECT);
    return answer(6, connects.at(-1)!.body.subarray(1));
  }
  if (body.readUInt16BE(2) === REFUSED_PORT) return fail(ECONNREFUSED);
  return (body[0]! & 2) !== 0 && hasInet6() ? brain.forward6() : brain.forward4();
}

/** Sends "relayed", as the fake brain's forwarder does. */
async function startDestination() {
  const listener = createServer((socket) => {
    socket.on("error", () => {});
    socket.resume().end("relayed\n");
  });
  await new Promise<void>((resolve) => listener.listen(0, outsideAddress(), resolve));
  const address = listener.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    [Symbol.asyncDispose]: () => new Promise<void>((done) => listener.close(() => done())),
  };
}

/** Runs it without the shim and below it; both outputs. */
async function runBoth({ run }: Bench, program: string, args: (string | number)[]) {
  const direct = await run(program, args, { LD_PRELOAD: undefined, TSOCKS_CONTROL: undefined });
  return { direct: direct.stdout, relayed: (await run(program, args)).stdout };
}

const SEQUENCES = [
  { name: "a line, and EISCONN again and again", steps: "1l11" },
  { name: "connect again after a failure on the same socket", steps: "1211e2l" },
  { name: "a failure again and again", steps: "22e2" },
  { name: "AF_UNSPEC dissolves a connection, and the socket connects anew", steps: "1upl1lp" },
  { name: "AF_UNSPEC of a new socket, and after a failure", steps: "u2u1l" },
  { name: "names before, during and after", steps: "p1plup2p" },
];
for (const { name, steps } of SEQUENCES) {
  testShim(`a relayed connect is like a direct one: ${name}`, {
    libcs: ALL_LIBCS,
    needs: OUTSIDE,
    reply: replyAsServer,
  }, async (bench) => {
    await using destination = await startDestination();
    const there = [outsideAddress(), destination.port, outsideAddress(), REFUSED_PORT];
    const { direct, relayed } = await runBoth(bench, "connect_in_steps", [steps, ...there]);
    assert.equal(relayed, direct);
    assert.match(direct, /^connect /m);
    assert.ok(bench.brain.asked.length > 0);
  });
}

/** The first octet of CONNECT's body is FLAGS, whose bit 0 says "answer at once". */
const ENDINGS = [
  { name: "an alarm ends a waiting connect with EINTR", steps: "a1", errno: EINTR },
  { name: "SO_SNDTIMEO ends a waiting connect with EINPROGRESS", steps: "t1", errno: EINPROGRESS },
];
for (const { name, steps, errno } of ENDINGS) {
  testShim(`${name}, and the attempt goes on, as without the shim`, {
    libcs: ALL_LIBCS,
    needs: OUTSIDE,
    reply: ({ body }, brain) => (body[0]! & 1) === 0 ? "hang" : brain.forward4(),
  }, async (bench) => {
    const listen = compileProgram(HOST_LIBCS[0]!, "listen_late", bench.dir);
    await using late = start(listen, [outsideAddress(), "600"]);
    const [, port = ""] = await late.waitForOutput(/listening at (\d+)/);
    const args = [`${steps}wel`, outsideAddress(), port];
    const { direct, relayed } = await runBoth(bench, "connect_in_steps", args);
    assert.equal(relayed, `connect -1 ${errno}\npoll 1\nSO_ERROR 0\nread relayed\n`);
    assert.equal(relayed, direct);
    const { brain } = bench;
    await waitFor("the waiting question's end", () => brain.abandoned === 1);
    assert.equal(brain.tickets.length, 1);
  });
}

const BOUND: { name: string; words: string; source: () => string }[] = [
  { name: "to no address", words: "", source: () => "-" },
  { name: "to a port", words: "", source: () => "0.0.0.0" },
  { name: "to 127.0.0.1", words: "", source: () => "127.0.0.1" },
  { name: "to an address of this machine", words: "", source: outsideAddress },
  { name: "with SO_REUSEADDR", words: "reuseaddr", source: outsideAddress },
  { name: "and set to TCP Fast Open", words: "fastopen", source: outsideAddress },
];
/** The option is off on the way to the forwarder, which is no way out. */
function withoutFastOpen(stdout: string): string {
  return stdout.replace(/^fastopen \d\n/m, "");
}

for (const { name, words, source } of BOUND) {
  testShim(`a socket bound ${name} connects like a direct one, from where it was bound`, {
    libcs: ALL_LIBCS,
    needs: OUTSIDE,
    reply: replyAsServer,
  }, async (bench) => {
    await using destination = await startDestination();
    const args = [words, source(), outsideAddress(), destination.port];
    const { direct, relayed } = await runBoth(bench, "connect_bound", args);
    const loopback = withoutFastOpen(relayed).replace("from 127.0.0.1", `from ${outsideAddress()}`);
    // where the program did not choose the address, the way to the forwarder does
    const isChosen = source() === outsideAddress() || source() === "127.0.0.1";
    assert.equal(isChosen ? withoutFastOpen(relayed) : loopback, withoutFastOpen(direct));
    assert.match(direct, /^connect 0 .*\nfrom .* its port\nto .*\n(fast.*\n)?read relayed$/m);
    assert.equal(bench.brain.tickets.length, 1);
  });
}

for (const source of ["0.0.0.0", "outside"]) {
  testShim(`sockets bound to one port of ${source} connect to two destinations`, {
    needs: OUTSIDE,
    reply: replyAsServer,
  }, async (bench) => {
    await using one = await startDestination();
    await using other = await startDestination();
    const where = source === "outside" ? outsideAddress() : source;
    const there = [outsideAddress(), one.port, outsideAddress(), other.port];
    const { direct, relayed } = await runBoth(bench, "connect_bound", [
      "reuseport",
      where,
      ...there,
    ]);
    assert.equal(relayed.replaceAll("from 127.0.0.1", `from ${outsideAddress()}`), direct);
    assert.equal(direct.match(/its port/g)?.length, 2, direct);
    assert.equal(bench.brain.tickets.length, 2);
  });
}

/** The errnos are the kernel's, measured against a blackhole. */
const FAMILIES = [
  { words: "", source: "-", to: FAR_INET6, expected: `from ::1 its port\nto ${FAR_INET6} 443` },
  { words: "", source: "::", to: FAR_INET6, expected: `from ::1 its port\nto ${FAR_INET6} 443` },
  {
    words: "v6only",
    source: "::",
    to: FAR_INET6,
    expected: `from ::1 its port\nto ${FAR_INET6} 443`,
  },
  { words: "", source: "::1", to: FAR_INET6, expected: `from ::1 its port\nto ${FAR_INET6} 443` },
  {
    words: "",
    source: "-",
    to: FAR_MAPPED,
    expected: `from ::ffff:127.0.0.1 its port\nto ${FAR_MAPPED} 443`,
  },
  {
    words: "",
    source: "::",
    to: FAR_MAPPED,
    expected: `from ::ffff:127.0.0.1 its port\nto ${FAR_MAPPED} 443`,
  },
  {
    words: "",
    source: "::ffff:127.0.0.1",
    to: FAR_MAPPED,
    expected: `from ::ffff:127.0.0.1 its port\nto ${FAR_MAPPED} 443`,
  },
  { words: "v6only", source: "::", to: FAR_MAPPED, expected: ENETUNREACH },
  { words: "", source: "::1", to: FAR_MAPPED, expected: ENETUNREACH },
  { words: "", source: "::ffff:127.0.0.1", to: FAR_INET6, expected: EAFNOSUPPORT },
];
for (const { words, source, to, expected } of FAMILIES) {
  testShim(`an IPv6 socket bound to ${source} (${words}) and ${to}: both names of one family`, {
    isInet6: true,
    reply: replyAsServer,
  }, async ({ run }) => {
    const { stdout } = await run("connect_bound", [words, source, to, 443]);
    const failed = `connect -1 ${expected}\n`;
    const relayed = `connect 0 ${UNTOUCHED}\n${expected}\nread relayed\n`;
    assert.equal(stdout, typeof expected === "number" ? failed : relayed);
  });
}

testShim("a socket that goes direct keeps its options", {
  needs: OUTSIDE,
  reply: () => DIRECT,
}, async (bench) => {
  await using destination = await startDestination();
  const words = "fastopen,reuseaddr";
  const args = [words, outsideAddress(), outsideAddress(), destination.port];
  const { direct, relayed } = await runBoth(bench, "connect_bound", args);
  assert.equal(relayed, direct);
  assert.match(direct, /^fastopen 1$/m);
});

const forDevice = { needs: ["root", ...OUTSIDE], reply: replyAsServer };

testShim("a socket bound to a device is relayed all the same", forDevice, async ({ run }) => {
  const device = "device=" + outsideDevice();
  const { stdout } = await run("connect_bound", [device, "-", "203.0.113.7", 443]);
  assert.match(
    stdout,
    /^connect 0 .*\nfrom 127\.0\.0\.1 .*\nto 203\.0\.113\.7 443\ndevice 0\nread relayed$/m,
  );
});

testShim("a device that the user may not leave is EPERM, at once", forDevice, async (bench) => {
  const words = `nobody,device=${outsideDevice()}`;
  const started = performance.now();
  const { stdout } = await bench.run("connect_bound", [words, "-", "203.0.113.7", 443]);
  assert.equal(stdout, `connect -1 ${EPERM}\n`);
  assert.ok(performance.now() - started < 1000);
});

/** Datagrams, sockets of other kinds and calls by number below the shim, each answer of the brain. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { constants } from "node:os";
import { outsideAddress } from "../helpers/needs.ts";
import { type Asked, DIRECT, endpoint4, endpoint6, fail, type FakeBrain } from "./fake_brain.ts";
import { ALL_LIBCS, compileProgram, ensureShim, testShim } from "./programs.ts";

const { EPERM, ENETDOWN, EOPNOTSUPP, EBADF, ENOSYS, EAFNOSUPPORT } = constants.errno;
const UNTOUCHED = 4000; // program.h
const FAR = "203.0.113.7"; // RFC 5737
const DATAGRAM_AT_ONCE = 1 + 4; // FLAGS
const QUESTION = Buffer.concat([Buffer.of(DATAGRAM_AT_ONCE), endpoint4(FAR, 443)]);
const REFUSED = `-1 ${EPERM}`;

/** What send_datagrams prints where nothing may leave; the one to 127.0.0.1 goes. */
function allRefused(errno: number): string {
  const calls = ["sendto", "sendto-unspec", "sendmsg"].map((call) => `${call} -1 ${errno}\n`);
  return `${calls.join("")}sendmmsg 1 ${UNTOUCHED}\nsendmmsg-first -1 ${errno}\n` +
    `sendto-here 1 ${UNTOUCHED}\n`;
}

const ALL_SENT = ["sendto 1", "sendto-unspec 1", "sendmsg 1", "sendmmsg 3", "sendmmsg-first 2"]
  .map((call) => `${call} ${UNTOUCHED}\n`).join("") + `sendto-here 1 ${UNTOUCHED}\n`;

/** FORWARD for TCP, EPERM for all else. */
function forwardTcp({ op, body }: Asked, brain: FakeBrain): Buffer {
  return op === 1 && (body[0]! & 4) === 0 ? brain.forward4() : fail(EPERM);
}

testShim("FAIL refuses each way to send a datagram, and what loopback gets still goes", {
  libcs: ALL_LIBCS,
  reply: () => fail(EPERM),
}, async ({ brain, run }) => {
  const { stdout, status } = await run("send_datagrams", [FAR, 443]);
  assert.equal(stdout, allRefused(EPERM));
  assert.equal(status, 0);
  assert.equal(brain.asked.length, 5);
  for (const { op, body } of brain.asked) assert.deepEqual([op, body], [1, QUESTION]);
});

testShim("DIRECT sends datagrams, one question for messages to one destination", {
  libcs: ALL_LIBCS,
  needs: ["an address beside loopback"],
  reply: () => DIRECT,
}, async ({ brain, run }) => {
  assert.equal((await run("send_datagrams", [outsideAddress(), 9])).stdout, ALL_SENT);
  assert.equal(brain.asked.length, 5);
});

testShim("a datagram is refused where the brain is gone or answers with something else", {
  reply: (_, brain) => brain.asked.length < 3 ? "close" : brain.forward4(),
}, async ({ run }) => {
  assert.equal((await run("send_datagrams", [FAR, 443])).stdout, allRefused(ENETDOWN));
  const gone = { TSOCKS_CONTROL: undefined };
  assert.equal((await run("send_datagrams", [FAR, 443], gone)).stdout, allRefused(ENETDOWN));
  assert.equal((await run("connect_udp", [FAR, 443], gone)).stdout, `connect -1 ${ENETDOWN}\n`);
});

testShim("connect() of a UDP socket asks, IPv4 and IPv6; loopback does not", {
  libcs: ALL_LIBCS,
  reply: () => fail(EPERM),
}, async ({ brain, run }) => {
  for (const address of [FAR, `::ffff:${FAR}`, "2001:db8::7"]) {
    assert.equal((await run("connect_udp", [address, 443])).stdout, `connect ${REFUSED}\n`);
  }
  const inet6 = "20010db8000000000000000000000007";
  assert.deepEqual(brain.asked[0]?.body, QUESTION);
  assert.deepEqual(brain.asked[2]?.body.subarray(1), endpoint6(inet6, 443));
  for (const address of ["127.0.0.1", "0.0.0.0", "::ffff:127.0.0.1"]) {
    const { stdout } = await run("connect_udp", [address, 443]);
    assert.equal(stdout, `connect 0 ${UNTOUCHED}\n`, address);
  }
  assert.equal(brain.asked.length, 3);
});

testShim("where udp = direct, only datagrams to addresses that stand for names cost a question", {
  libcs: ALL_LIBCS,
  needs: ["an address beside loopback"],
  reply: () => fail(EPERM),
}, async ({ brain, run }) => {
  const env = { TSOCKS_CONTROL: brain.control.replace(":", "+U:") };
  assert.equal((await run("send_datagrams", [outsideAddress(), 9], env)).stdout, ALL_SENT);
  const { stdout } = await run("connect_udp", [outsideAddress(), 9], env);
  assert.equal(stdout, `connect 0 ${UNTOUCHED}\n`);
  assert.equal(brain.asked.length, 0);
  for (const address of ["198.18.0.1", "198.19.255.255", "fd74:736f:636b:7300::1"]) {
    assert.equal((await run("connect_udp", [address, 9], env)).stdout, `connect ${REFUSED}\n`);
  }
  assert.equal(brain.asked.length, 3);
  const tcp = await run("connect_blocking", [FAR, 443], env);
  assert.equal(tcp.stdout, `connect ${REFUSED}\n`);
});

testShim("TCP Fast Open by sendto and sendmsg is EOPNOTSUPP unasked, and connect() then goes", {
  libcs: ALL_LIBCS,
  reply: (_, brain) => brain.forward4(),
}, async ({ brain, run }) => {
  const { stdout } = await run("send_fast_open", [FAR, 443]);
  const refused = `-1 ${EOPNOTSUPP}`;
  assert.equal(stdout, `sendto ${refused}\nsendmsg ${refused}\nconnect 0 ${UNTOUCHED}\n`);
  assert.equal(brain.asked.length, 1);
});

/** DOMAIN TYPE PROTOCOL of socket(2). */
const AF_INET_RAW_ICMP = [2, 3, 1];
const AF_PACKET_RAW = [17, 3, 3 << 8];
const AF_INET_SOCK_PACKET = [2, 10, 3 << 8];
const AF_UNIX = [1, 1, 0];
const TCP_CLOEXEC = [2, 1 | 0o2000000, 6];
const UDP6_NONBLOCK = [10, 2 | 0o4000, 0];
const NETLINK = [16, 3, 0];
const AF_X25_UNKNOWN = [45_000, 1, 0];

testShim("raw and packet sockets are asked about; what is hooked or local is not", {
  libcs: ALL_LIBCS,
  needs: ["root"],
  reply: () => fail(EPERM),
}, async ({ brain, run }) => {
  const kinds = [AF_INET_RAW_ICMP, AF_UNIX, TCP_CLOEXEC, UDP6_NONBLOCK, NETLINK, AF_X25_UNKNOWN];
  const { stdout } = await run("open_sockets", kinds.flat());
  assert.equal(stdout, `${EPERM}\nmade\nmade\nmade\nmade\n${EAFNOSUPPORT}\n`);
  assert.deepEqual(brain.asked.map(({ op, body }) => [op, body.toString("hex")]), [
    [16, "000200030001"],
  ]);
});

testShim("AF_PACKET sockets, by their old name too, are asked about", {
  needs: ["root"],
  reply: (_, brain) => brain.asked.length === 1 ? DIRECT : fail(EPERM),
}, async ({ brain, run }) => {
  const kinds = [AF_PACKET_RAW, AF_PACKET_RAW, AF_INET_SOCK_PACKET];
  assert.equal((await run("open_sockets", kinds.flat())).stdout, `made\n${EPERM}\n${EPERM}\n`);
  assert.equal(brain.asked.length, 3);
});

testShim("calls by libc's syscall() are caught, and others pass with their errno", {
  libcs: ALL_LIBCS,
  reply: forwardTcp,
}, async ({ brain, run }) => {
  const { stdout, status } = await run("call_by_number", [FAR, 443]);
  assert.deepEqual(stdout.trim().split("\n"), [
    `connect 0 ${UNTOUCHED}`,
    "read relayed",
    `sendto ${REFUSED}`,
    `sendmsg ${REFUSED}`,
    `sendmmsg ${REFUSED}`,
    `io_uring -1 ${ENOSYS}`,
    `pid 0 ${UNTOUCHED}`,
    `close -1 ${EBADF}`,
  ]);
  assert.equal(status, 0);
  assert.equal(brain.asked.length, 4);
});

testShim("liburing's ways to start are ENOSYS, which its programs take for an old kernel", {
  reply: () => "close",
}, async ({ run }) => {
  assert.equal((await run("start_io_uring", [])).stdout, `-${ENOSYS}\n`.repeat(4));
});

testShim("a library whose connect() is syscall(SYS_connect) does not go round in circles", {
  needs: ["an address beside loopback"],
  reply: () => DIRECT,
}, async ({ libc, dir, run }) => {
  const preload = compileProgram(libc, "connect_preload_by_number", dir, true);
  const shim = ensureShim(libc.arch);
  for (const order of [`${preload}:${shim}`, `${shim}:${preload}`]) {
    const { stdout, stderr } = await run("connect_udp", [outsideAddress(), 9], {
      LD_PRELOAD: order,
    });
    assert.equal(stdout, `connect 0 ${UNTOUCHED}\n`, order);
    assert.equal(stderr, "hook called\n", order);
  }
});

/** Look-ups past getaddrinfo() below the shim: of an address, by getaddrinfo_a(), by res_query(). */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { addressText, answer, endpoint4, endpoint6, fail, LIBC } from "./fake_brain.ts";
import { ALL_LIBCS, testShim } from "./programs.ts";

const RESERVED = "198.18.0.5";
const RESERVED6 = "fd74:736f:636b:7300::5";
const NAME = "a-rather-long-name.of-a-host.example";
const [NI_NUMERICSERV, NI_NUMERICHOST, NI_NAMEREQD] = [2, 1, 8];
const [EAI_NONAME, EAI_FAIL, EAI_OVERFLOW] = [-2, -4, -12];
const [HOST_NOT_FOUND, NO_RECOVERY] = [1, 3];
const [NETDB_INTERNAL, ERANGE, EBADMSG, ECONNREFUSED, UNTOUCHED] = [-1, 34, 74, 111, 4000];
const GLIBCS = ALL_LIBCS.filter(({ name }) => name !== "musl");

function hostName(name: string): Buffer {
  return answer(7, Buffer.from(name, "latin1"));
}

testShim("getnameinfo() gives the brain's name, and libc's service", {
  libcs: ALL_LIBCS,
  reply: () => hostName(NAME),
}, async ({ brain, run }) => {
  for (const address of [RESERVED, RESERVED6]) {
    for (const flags of [NI_NUMERICSERV, NI_NUMERICSERV | NI_NAMEREQD]) {
      const { stdout } = await run("look_up_getnameinfo", [address, flags, NAME.length + 1]);
      assert.equal(stdout, `getnameinfo 0\n${NAME} 80 errno ${UNTOUCHED}\n`);
    }
  }
  assert.deepEqual(brain.asked[0]?.op, 4);
  assert.deepEqual(brain.asked[0]?.body, endpoint4(RESERVED, 0));
  assert.deepEqual(brain.asked[2]?.body, endpoint6("fd74736f636b73000000000000000005", 0));
});

testShim("getnameinfo() is EAI_OVERFLOW for a name that does not fit", {
  reply: () => hostName(NAME),
}, async ({ run }) => {
  const args = [RESERVED, NI_NUMERICSERV, NAME.length];
  const { stdout } = await run("look_up_getnameinfo", args);
  assert.equal(stdout, `getnameinfo ${EAI_OVERFLOW}\n`);
});

testShim("getnameinfo() without a name gives numbers, or EAI_NONAME where a name is wanted", {
  libcs: ALL_LIBCS,
  reply: () => fail(2),
}, async ({ run }) => {
  const numbers = await run("look_up_getnameinfo", ["192.0.2.1", NI_NUMERICSERV, 100]);
  assert.equal(numbers.stdout, `getnameinfo 0\n192.0.2.1 80 errno ${UNTOUCHED}\n`);
  const wanted = await run("look_up_getnameinfo", ["192.0.2.1", NI_NAMEREQD, 100]);
  assert.equal(wanted.stdout, `getnameinfo ${EAI_NONAME}\n`);
});

testShim("getnameinfo() asks nothing for numbers, and for no host", {
  reply: () => "close",
}, async ({ brain, run }) => {
  const flags = NI_NUMERICHOST | NI_NUMERICSERV;
  const numbers = await run("look_up_getnameinfo", [RESERVED, flags, 100]);
  assert.equal(numbers.stdout, `getnameinfo 0\n${RESERVED} 80 errno ${UNTOUCHED}\n`);
  const service = await run("look_up_getnameinfo", [RESERVED, NI_NUMERICSERV, 0]);
  assert.equal(service.stdout, `getnameinfo 0\n 80 errno ${UNTOUCHED}\n`);
  assert.equal(brain.asked.length, 0);
});

testShim("getnameinfo() and gethostbyaddr() leave to libc what the brain leaves to libc", {
  reply: () => LIBC,
}, async ({ brain, run }) => {
  const { stdout } = await run("look_up_getnameinfo", ["127.0.0.1", NI_NUMERICSERV, 100]);
  assert.match(stdout, /^getnameinfo 0\nlocalhost.* 80 errno/);
  const host = await run("look_up_gethostbyaddr", ["127.0.0.1", 2000]);
  assert.match(host.stdout, /^gethostbyaddr 0 localhost/);
  assert.match(host.stdout, /^gethostbyaddr_r 0 localhost/m);
  assert.equal(brain.asked.length, 3);
});

/** libc knows a name for 127.0.0.1, were it asked. */
testShim("an address has no name when the brain is gone or mad, and libc is not asked", {
  reply: (_, brain) => {
    const mad = [hostName(""), hostName("n".repeat(256)), hostName("a\0b"), addressText(RESERVED)];
    return mad[(brain.asked.length - 1) % (mad.length + 1)] ?? "close";
  },
}, async ({ run }) => {
  for (let i = 0; i < 5; i++) {
    const { stdout } = await run("look_up_getnameinfo", ["127.0.0.1", NI_NUMERICSERV, 100]);
    assert.equal(stdout, `getnameinfo ${EAI_FAIL}\n`, `answer ${i}`);
  }
  const gone = { TSOCKS_CONTROL: undefined };
  const { stdout } = await run("look_up_gethostbyaddr", ["127.0.0.1", 2000], gone);
  const none = `h_errno ${NO_RECOVERY}`;
  assert.equal(stdout, `gethostbyaddr 0 ${none}\ngethostbyaddr_r ${EBADMSG} ${none}\n`);
});

testShim("gethostbyaddr() and its _r form give the brain's name, however long", {
  libcs: ALL_LIBCS,
  reply: ({ body }) => hostName(body[0] === 4 ? "a.b" : "n".repeat(255)),
}, async ({ run }) => {
  const names = [[RESERVED, "a.b"], [RESERVED6, "n".repeat(255)]] as const;
  for (const [address, name] of names) {
    const { stdout } = await run("look_up_gethostbyaddr", [address, 2000]);
    const found = `0 ${name} 0 ${address}\n`;
    assert.equal(stdout, `gethostbyaddr ${found}gethostbyaddr_r ${found}`);
  }
});

testShim("gethostbyaddr_r() is ERANGE for a buffer that is too small", {
  reply: () => hostName(NAME),
}, async ({ libc, run }) => {
  // an address and three pointers, which begin behind an odd address
  const pointer = libc.arch === "i386" ? 4 : 8;
  const fixed = 16 + 3 * pointer;
  for (const length of [0, pointer - 1, fixed, fixed + NAME.length]) {
    const { stdout } = await run("look_up_gethostbyaddr", [RESERVED, length]);
    assert.match(stdout, new RegExp(`^gethostbyaddr_r ${ERANGE} h_errno ${NETDB_INTERNAL}$`, "m"));
  }
  const { stdout } = await run("look_up_gethostbyaddr", [
    RESERVED,
    pointer - 1 + fixed + NAME.length + 1,
  ]);
  assert.match(stdout, /^gethostbyaddr_r 0 /m);
});

testShim("gethostbyaddr() finds no host without a name", {
  libcs: ALL_LIBCS,
  reply: () => fail(2),
}, async ({ run }) => {
  const { stdout } = await run("look_up_gethostbyaddr", ["192.0.2.1", 2000]);
  const none = `0 h_errno ${HOST_NOT_FOUND}\n`;
  assert.equal(stdout, `gethostbyaddr ${none}gethostbyaddr_r ${none}`);
});

const WAYS = [["wait", ""], ["none", ""], ["signal", "notified by signal 42\n"]];
for (const [way = "", notice] of [...WAYS, ["thread", "notified by thread 42\n"]]) {
  testShim(`getaddrinfo_a() gives the brain's addresses, and notifies: ${way}`, {
    libcs: GLIBCS,
    reply: ({ body }) =>
      body.toString("latin1", 1) === "a.example" ? addressText(RESERVED) : fail(2),
  }, async ({ brain, run }) => {
    const { stdout } = await run("look_up_getaddrinfo_a", [way, "a.example", "b.example"]);
    assert.equal(stdout, `getaddrinfo_a 0\n${notice}0 ${RESERVED}\n${EAI_NONAME} -\n`);
    assert.equal(brain.asked.length, 2);
  });
}

const CODES = ["res_query", "res_search", "res_querydomain", "res_send"];
const STATE_CODES = ["res_nquery", "res_nsearch", "res_nquerydomain", "res_nsend"];

/** What `query_resolver` is to call, in order. */
function calls(libc: string): string[] {
  if (libc === "musl") return CODES;
  return [...CODES, ...STATE_CODES, ...[...CODES, ...STATE_CODES].map((code) => `__${code}`)];
}

testShim("res_query() and its family fail as without a name server, and the brain hears of each", {
  libcs: ALL_LIBCS,
  reply: () => fail(4),
}, async ({ brain, run, libc }) => {
  const { stdout } = await run("query_resolver", ["_http._tcp.hello.example"]);
  const lines = calls(libc.name).map((call) => {
    const inState = STATE_CODES.some((code) => call.endsWith(code)) ? NO_RECOVERY : 0;
    return `${call} -1 ${ECONNREFUSED} ${NO_RECOVERY} ${inState}\n`;
  });
  assert.equal(stdout, lines.join(""));
  assert.equal(brain.asked.length, calls(libc.name).length);
  for (const { op, body } of brain.asked) {
    assert.equal(op, 9);
    assert.match(body.toString("latin1", 12), /_http.*_tcp.*hello.*example/);
  }
});

/** An answer to a query of DNS: its question, and records of any kind that only their count tells. */
function dnsAnswer(query: Buffer, rcode: number, count: number, length = query.length): Buffer {
  const message = Buffer.alloc(length);
  query.copy(message);
  message[2] = 0x81;
  message[3] = 0x80 | rcode;
  message[7] = count;
  return answer(9, message);
}

const TRY_AGAIN = 2;
const NO_DATA = 4;
const QUERIES = /^(?:__)?res_n?(query|search|querydomain) /;
const RESULTS: [string, number, number, number][] = [
  ["records", 0, 1, 0],
  ["none of this kind", 0, 0, NO_DATA],
  ["no such name", 3, 0, HOST_NOT_FOUND],
  ["a server that failed", 2, 0, TRY_AGAIN],
  ["a refusal", 5, 0, NO_RECOVERY],
];
for (const [what, rcode, count, hErrno] of RESULTS) {
  testShim(`res_query() and its family give the brain's answer: ${what}`, {
    libcs: ALL_LIBCS,
    reply: ({ body }) => dnsAnswer(body, rcode, count),
  }, async ({ brain, run, libc }) => {
    const { stdout } = await run("query_resolver", ["hello.example"]);
    const lines = stdout.trim().split("\n");
    assert.equal(lines.length, calls(libc.name).length);
    lines.forEach((line, at) => {
      const [, result, errno, error] = line.split(" ").map(Number);
      const isFailed = QUERIES.test(line) && hErrno !== 0;
      const expected = isFailed
        ? [-1, UNTOUCHED, hErrno]
        : [brain.asked[at]!.body.length, UNTOUCHED, 0];
      assert.deepEqual([result, errno, error], expected, line);
    });
  });
}

testShim("res_send() tells the whole length of an answer that does not fit", {
  reply: ({ body }) => dnsAnswer(body, 0, 1, 60_000),
}, async ({ run }) => {
  const { stdout } = await run("query_resolver", ["hello.example", "res_send"]);
  assert.equal(stdout, `res_send 60000 ${UNTOUCHED} 0 0\n`);
});

testShim("res_query() and its family are refused when the brain is gone", {
  reply: () => "close",
}, async ({ run, libc }) => {
  const { stdout } = await run("query_resolver", ["hello.example"], { TSOCKS_CONTROL: undefined });
  const refused = stdout.match(new RegExp(` -1 ${ECONNREFUSED} ${NO_RECOVERY} `, "g"));
  assert.equal(refused?.length, calls(libc.name).length, stdout);
});

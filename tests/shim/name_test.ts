/** getaddrinfo() and the gethostbyname family below the shim: names that libc must not see. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { addressText, DIRECT, fail, LIBC } from "./fake_brain.ts";
import { ALL_LIBCS, testShim } from "./programs.ts";

const NAME = "a-rather-long-name.of-a-host.example";
const AI_CANONNAME = 2;
const AI_NUMERICHOST = 4;
const AI_ADDRCONFIG = 32;
const [EAI_NONAME, EAI_AGAIN, EAI_FAIL] = [-2, -3, -4];
const [NETDB_INTERNAL, ERANGE] = [-1, 34];
const [HOST_NOT_FOUND, TRY_AGAIN, NO_RECOVERY] = [1, 2, 3];
const EAI_FAMILY = -6;
const RESERVED = "198.18.0.5";
const RESERVED6 = "fd74:736f:636b:7300::5";

testShim("getaddrinfo() gives the brain's address for a name, whatever the hints", {
  libcs: ALL_LIBCS,
  reply: () => addressText(RESERVED),
}, async ({ brain, run }) => {
  const found = `getaddrinfo 0\n${RESERVED} 80\n`;
  const hints: [family: number, flags: string][] = [[0, "none"], [0, "0"], [4, "0"]];
  for (const [family, flags] of [...hints, [4, String(AI_ADDRCONFIG)] as const]) {
    const { stdout } = await run("look_up_getaddrinfo", [NAME, family, flags]);
    assert.equal(stdout, found, `family ${family}, flags ${flags}`);
  }
  const bodies = brain.asked.map(({ op, body }) => [op, body[0], body.toString("utf8", 1)]);
  assert.deepEqual(bodies, [[2, 0, NAME], [2, 0, NAME], [2, 4, NAME], [2, 4, NAME]]);
});

testShim("getaddrinfo() gives the asked name as the canonical one", {
  libcs: ALL_LIBCS,
  reply: () => addressText(RESERVED),
}, async ({ run }) => {
  for (const name of ["a.b", "ab.example", "abc.example", NAME, "n".repeat(253)]) {
    const { stdout } = await run("look_up_getaddrinfo", [name, 4, AI_CANONNAME]);
    assert.equal(stdout, `getaddrinfo 0\n${RESERVED} 80\ncanonical ${name}\n`);
  }
});

testShim("getaddrinfo() gives the asked name as the canonical one of an IPv6 address", {
  libcs: ALL_LIBCS,
  reply: () => addressText(RESERVED6),
}, async ({ run }) => {
  const lengths = [1, 20, 21, 22, 23, 24, 45, 64, 100, 253, 254];
  for (const name of lengths.map((length) => "n".repeat(length))) {
    const { stdout } = await run("look_up_getaddrinfo", [name, 6, AI_CANONNAME]);
    assert.equal(stdout, `getaddrinfo 0\n${RESERVED6} 80\ncanonical ${name}\n`);
  }
});

const [AF_INET, AF_INET6, STREAM, DGRAM, RAW, TCP, UDP] = [2, 10, 1, 2, 3, 6, 17];
const [AI_PASSIVE, AI_V4MAPPED, AI_ALL, AI_NUMERICSERV] = [1, 8, 16, 1024];
const SERVICES: [service: string, family: number, type: number, protocol: number, flags: number][] =
  [
    ["80", 0, 0, 0, 0],
    ["-", 0, 0, 0, 0],
    ["-", 0, STREAM, 0, AI_CANONNAME],
    ["http", 0, 0, 0, 0],
    ["https", AF_INET, STREAM, 0, 0],
    ["domain", 0, DGRAM, 0, AI_PASSIVE],
    ["domain", AF_INET6, 0, UDP, 0],
    ["443", AF_INET6, STREAM, TCP, AI_V4MAPPED],
    ["443", AF_INET6, STREAM, 0, AI_V4MAPPED | AI_ALL | AI_CANONNAME],
    ["443", AF_INET, STREAM, 0, AI_NUMERICSERV],
    ["http", 0, STREAM, 0, AI_NUMERICSERV],
    ["-", 0, RAW, 0, 0],
    ["http", 0, RAW, 0, 0],
    ["nosuchservice", 0, STREAM, 0, 0],
    ["65536", 0, STREAM, 0, 0],
    ["80", 0, STREAM, UDP, 0],
    ["80", 0, 77, 0, 0],
    ["80", 0, 0, 0, 0x10000],
  ];

testShim("services, kinds and flags come out as for an address in the name's place", {
  libcs: ALL_LIBCS,
  reply: ({ body }) => addressText(body[0] === 6 ? RESERVED6 : RESERVED),
}, async ({ run }) => {
  const withoutShim = { LD_PRELOAD: undefined, TSOCKS_CONTROL: undefined };
  for (const row of SERVICES) {
    const address = row[1] === AF_INET6 ? RESERVED6 : RESERVED;
    const numeric = await run("look_up_service", [address, ...row], withoutShim);
    const named = await run("look_up_service", [NAME, ...row]);
    const canonical = new RegExp(`${address}$`, "gm");
    assert.equal(named.stdout.replaceAll(NAME, "NAME"), numeric.stdout.replace(canonical, "NAME"));
  }
  const alone = await run("look_up_service", ["-", "-", 0, 0, 0, 0]);
  assert.equal(alone.stdout, `getaddrinfo ${EAI_NONAME}\n`);
  const family = await run("look_up_service", [NAME, "80", 1, 0, 0, 0]);
  assert.equal(family.stdout, `getaddrinfo ${EAI_FAMILY}\n`);
});

testShim("getaddrinfo() gives IPv6 addresses", {
  reply: () => addressText("fd00:198:18::5"),
}, async ({ brain, run }) => {
  const { stdout } = await run("look_up_getaddrinfo", [NAME, 6, 0]);
  assert.equal(stdout, "getaddrinfo 0\nfd00:198:18::5 80\n");
  assert.equal(brain.asked[0]?.body[0], 6);
});

testShim("getaddrinfo() is EAI_NONAME when the address is not of the family asked for", {
  reply: ({ body }) => addressText(body[0] === 4 ? "fd00::5" : RESERVED),
}, async ({ run }) => {
  for (const family of [4, 6]) {
    const { stdout } = await run("look_up_getaddrinfo", [NAME, family, 0]);
    assert.equal(stdout, `getaddrinfo ${EAI_NONAME}\n`);
  }
});

testShim("getaddrinfo() leaves to libc what the brain leaves to libc", {
  reply: () => LIBC,
}, async ({ brain, run }) => {
  const { stdout } = await run("look_up_getaddrinfo", ["127.0.0.1", 4, 0]);
  assert.equal(stdout, "getaddrinfo 0\n127.0.0.1 80\n");
  assert.equal(brain.asked.length, 1);
});

testShim("getaddrinfo() asks nothing without a name or for a numeric one", {
  reply: () => "close",
}, async ({ brain, run }) => {
  const none = await run("look_up_getaddrinfo", ["-", 4, 0]);
  assert.equal(none.stdout, "getaddrinfo 0\n127.0.0.1 80\n");
  const numeric = await run("look_up_getaddrinfo", ["192.0.2.1", 4, AI_NUMERICHOST]);
  assert.equal(numeric.stdout, "getaddrinfo 0\n192.0.2.1 80\n");
  const name = await run("look_up_getaddrinfo", [NAME, 4, AI_NUMERICHOST]);
  assert.equal(name.stdout, `getaddrinfo ${EAI_NONAME}\n`);
  assert.equal(brain.asked.length, 0);
});

testShim("getaddrinfo() fails with the brain's code", {
  libcs: ALL_LIBCS,
  reply: () => fail(3),
}, async ({ run }) => {
  const { stdout } = await run("look_up_getaddrinfo", [NAME, 0, 0]);
  assert.equal(stdout, `getaddrinfo ${EAI_AGAIN}\n`);
});

testShim("getaddrinfo() is EAI_NONAME for names of no and of over 1024 octets, unasked", {
  reply: () => LIBC,
}, async ({ brain, run }) => {
  for (const name of ["", "n".repeat(1025)]) {
    const { stdout } = await run("look_up_getaddrinfo", [name, 0, 0]);
    assert.equal(stdout, `getaddrinfo ${EAI_NONAME}\n`);
  }
  assert.equal(brain.asked.length, 0);
});

/** localhost is what libc would resolve by itself, were it asked. */
testShim("names fail when the brain is gone or mad, and libc is not asked", {
  reply: (_, brain) => {
    const mad = [
      "close" as const,
      DIRECT,
      ...["localhost", "cafe", "1.2", "1.2.3."].map(addressText),
    ];
    return mad[(brain.asked.length - 1) % mad.length] ?? "close";
  },
}, async ({ run }) => {
  for (let i = 0; i < 6; i++) {
    const { stdout } = await run("look_up_getaddrinfo", ["localhost", 4, 0]);
    assert.equal(stdout, `getaddrinfo ${EAI_FAIL}\n`, `answer ${i}`);
  }
  const gone = { TSOCKS_CONTROL: undefined };
  const { stdout } = await run("look_up_gethostbyname", ["localhost", 4], gone);
  assert.equal(stdout.match(new RegExp(`h_errno ${NO_RECOVERY}$`, "gm"))?.length, 4, stdout);
});

testShim("the gethostbyname family gives the brain's address and the asked name", {
  libcs: ALL_LIBCS,
  reply: () => addressText(RESERVED),
}, async ({ brain, run }) => {
  for (const name of ["a.b", NAME]) {
    const { stdout } = await run("look_up_gethostbyname", [name, 4]);
    assert.equal(
      stdout,
      [
        `gethostbyname 0 ${name} ${RESERVED}`,
        `gethostbyname_r 0 ${name} ${RESERVED}`,
        `gethostbyname2 0 ${name} ${RESERVED}`,
        `gethostbyname2_r 0 ${name} ${RESERVED}`,
        `without room 1 ${ERANGE} ${NETDB_INTERNAL}`,
        "",
      ].join("\n"),
    );
  }
  assert.deepEqual(brain.asked[5]?.body, Buffer.from(`\x04${NAME}`, "latin1"));
});

testShim("gethostbyname2() gives IPv6 addresses", {
  reply: () => addressText("fd00:198:18::5"),
}, async ({ brain, run }) => {
  for (const name of ["a", "a.example", NAME, "n".repeat(255)]) {
    const { stdout } = await run("look_up_gethostbyname", [name, 6]);
    const found =
      `gethostbyname2 0 ${name} fd00:198:18::5\ngethostbyname2_r 0 ${name} fd00:198:18::5\n`;
    assert.equal(stdout, `${found}without room 1 ${ERANGE} ${NETDB_INTERNAL}\n`);
  }
  assert.equal(brain.asked[0]?.body[0], 6);
});

const HOST_ERRORS: { name: string; code: number; hErrno: number; result: number }[] = [
  { name: "EAI_NONAME", code: 2, hErrno: HOST_NOT_FOUND, result: 0 },
  { name: "EAI_AGAIN", code: 3, hErrno: TRY_AGAIN, result: 11 },
  { name: "EAI_FAIL", code: 4, hErrno: NO_RECOVERY, result: 74 },
];
for (const { name, code, hErrno, result } of HOST_ERRORS) {
  testShim(`the gethostbyname family turns ${name} into h_errno ${hErrno}`, {
    reply: () => fail(code),
  }, async ({ run }) => {
    const { stdout } = await run("look_up_gethostbyname", [NAME, 4]);
    assert.equal(
      stdout,
      [
        `gethostbyname 0 h_errno ${hErrno}`,
        `gethostbyname_r ${result} h_errno ${hErrno}`,
        `gethostbyname2 0 h_errno ${hErrno}`,
        `gethostbyname2_r ${result} h_errno ${hErrno}`,
        "",
      ].join("\n"),
    );
  });
}

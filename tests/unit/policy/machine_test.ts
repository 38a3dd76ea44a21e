import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeMachine, type MachineFacts } from "../../../src/policy/machine.ts";

const SOUND: MachineFacts = {
  hostArch: "x86_64",
  archs: ["x86_64", "i386"],
  directory: { path: "/tmp" },
  hindrances: [],
  hasInet6: true,
  status: "NoNewPrivs:\t0\nSeccomp:\t0\n",
  ptraceScope: 1,
  uncoveredShells: [],
  preloads: [],
  isInsideRun: false,
  pendingError: undefined,
  maxConnections: 1000,
};

test("judgeMachine() finds nothing in a sound machine", () => {
  const levels = judgeMachine(SOUND).map(({ level }) => level);
  assert.deepEqual([...new Set(levels)], ["ok"]);
});

const preload = (
  path: string,
  exists = true,
  from: "LD_PRELOAD" | "/etc/ld.so.preload" = "LD_PRELOAD",
) => ({
  preloads: [{ path, from, exists }],
});

/** What is otherwise, and what is said then. */
const ROWS: [Partial<MachineFacts>, "note" | "problem", RegExp][] = [
  [{ directory: { where: "/tmp: mounted noexec", fix: "set TMPDIR" } }, "problem", /No directory/],
  [
    { hindrances: [{ path: "/tmp", hindrance: "mounted noexec" }] },
    "note",
    /\/tmp: mounted noexec/,
  ],
  [{ status: undefined }, "problem", /\/proc cannot be read/],
  [{ status: "Seccomp:\t2\n" }, "note", /seccomp/],
  [preload("libm.so.6"), "note", /libm\.so\.6: it stays/],
  [preload("/x/gone.so", false), "note", /missing: \/x\/gone\.so/],
  [preload("/usr/lib/libtsocks.so"), "problem", /libtsocks/],
  [preload("libproxychains4.so", true, "/etc/ld.so.preload"), "problem", /libproxychains4/],
  [{ isInsideRun: true }, "note", /inside of a tsocks run/],
  [{ uncoveredShells: [{ path: "/bin/sh", reason: "static" }] }, "note", /statically linked/],
  [{ archs: ["x86_64"] }, "note", /i386/],
  [{ pendingError: "errno 1" }, "note", /before the server has answered/],
  [{ hasInet6: false }, "note", /No IPv6/],
  [{ maxConnections: 20 }, "note", /Only 20 connections/],
];

for (const [otherwise, level, pattern] of ROWS) {
  test(`judgeMachine() has a ${level} on ${JSON.stringify(otherwise)}`, () => {
    const findings = judgeMachine({ ...SOUND, ...otherwise }).filter((one) => one.level !== "ok");
    assert.deepEqual(findings.map((one) => one.level), [level]);
    const [{ what = "", where, fix } = {}] = findings;
    assert.match(what, pattern);
    assert.ok(where && fix);
  });
}

test("judgeMachine() tells which programs qemu runs", () => {
  const findings = judgeMachine({ ...SOUND, archs: ["x86_64", "i386", "aarch64"] });
  assert.ok(findings.some(({ what }) => /for aarch64, which qemu runs/.test(what)));
});

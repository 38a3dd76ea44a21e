import assert from "node:assert/strict";
import test from "node:test";
import {
  findUncovered,
  type ProgramFile,
  scriptInterpreter,
  type Uncovered,
  uncoveredWords,
} from "../../../src/policy/coverage.ts";

const ET_EXEC = 2;
const ET_DYN = 3;
const PT_LOAD = 1;
const PT_INTERP = 3;
const USER = { uid: 1000, gid: 1000, euid: 1000, egid: 1000, hasNoNewPrivileges: false };

interface Elf {
  elfClass?: number;
  type?: number;
  machine?: number;
  segments?: number[];
  segmentsAt?: number;
  segmentSize?: number;
}

/** An ELF header and program headers of these types, as elf(5) draws them. */
function elf({
  elfClass = 2,
  type = ET_DYN,
  machine = 62,
  segments = [PT_LOAD, PT_INTERP],
  segmentsAt = 64,
  segmentSize = 56,
}: Elf = {}): Uint8Array {
  const is64 = elfClass === 2;
  const bytes = new Uint8Array(segmentsAt + segments.length * segmentSize);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, elfClass, 1, 1]);
  view.setUint16(16, type, true);
  view.setUint16(18, machine, true);
  if (is64) view.setBigUint64(32, BigInt(segmentsAt), true);
  else view.setUint32(28, segmentsAt, true);
  view.setUint16(is64 ? 54 : 42, segmentSize, true);
  view.setUint16(is64 ? 56 : 44, segments.length, true);
  segments.forEach((segment, at) => view.setUint32(segmentsAt + at * segmentSize, segment, true));
  return bytes;
}

function file(bytes: Uint8Array, stat: Partial<ProgramFile> = {}): ProgramFile {
  const read = (offset: number, length: number) => bytes.subarray(offset, offset + length);
  return { path: "/bin/program", mode: 0o100755, uid: 0, gid: 0, read, ...stat };
}

const FILES: { name: string; bytes: Uint8Array; uncovered: Uncovered | undefined }[] = [
  { name: "a dynamic program", bytes: elf(), uncovered: undefined },
  { name: "a static one", bytes: elf({ type: ET_EXEC, segments: [1, 1] }), uncovered: "static" },
  { name: "a static-pie one", bytes: elf({ segments: [1, 2] }), uncovered: "static" },
  { name: "headers far behind", bytes: elf({ segmentsAt: 9000 }), uncovered: undefined },
  {
    name: "static, headers far behind",
    bytes: elf({ segmentsAt: 9000, segments: [1] }),
    uncovered: "static",
  },
  { name: "aarch64", bytes: elf({ machine: 183 }), uncovered: "other architecture" },
  { name: "i386", bytes: elf({ elfClass: 1, machine: 3 }), uncovered: "other architecture" },
  { name: "x32", bytes: elf({ elfClass: 1 }), uncovered: "other architecture" },
  {
    name: "program headers of another size",
    bytes: elf({ segmentSize: 57 }),
    uncovered: undefined,
  },
  { name: "too many of them", bytes: elf({ segments: Array(65).fill(1) }), uncovered: undefined },
  {
    name: "cut program headers",
    bytes: elf({ segments: [1, 1] }).slice(0, -1),
    uncovered: undefined,
  },
  { name: "a cut header", bytes: elf({ segments: [] }).slice(0, 15), uncovered: undefined },
  { name: "a script", bytes: new TextEncoder().encode("#!/bin/sh\n"), uncovered: undefined },
  { name: "an unreadable file", bytes: new Uint8Array(), uncovered: undefined },
];

/** A dynamic program whose one PT_NOTE segment holds these notes, each [name, type, desc length]. */
function elfWithNotes(notes: [string, number, number][], alignment = 4): Uint8Array {
  const PT_NOTE = 4;
  const bytes = elf({ segments: [PT_INTERP, PT_NOTE] });
  const segment = new DataView(bytes.buffer, 64 + 56);
  const parts = notes.flatMap(([name, type, length]) => {
    const head = new Uint8Array(new Uint32Array([name.length, length, type]).buffer);
    const pad = (size: number) => Math.ceil(size / alignment) * alignment;
    const named = new Uint8Array(pad(12 + name.length));
    named.set(head);
    named.set(new TextEncoder().encode(name), 12);
    return [named, new Uint8Array(pad(length))];
  });
  const body = Buffer.concat(parts);
  segment.setBigUint64(8, BigInt(bytes.length), true);
  segment.setBigUint64(32, BigInt(body.length), true);
  segment.setBigUint64(48, BigInt(alignment), true);
  return Buffer.concat([bytes, body]);
}

const GO: [string, number, number] = ["Go\0\0", 4, 83];
const ABI: [string, number, number] = ["GNU\0", 1, 16];

FILES.push(
  { name: "a Go program with a libc", bytes: elfWithNotes([GO]), uncovered: "go" },
  { name: "Go behind other notes", bytes: elfWithNotes([ABI, ["x", 1, 3], GO]), uncovered: "go" },
  { name: "Go behind notes of 8", bytes: elfWithNotes([["xyz\0", 5, 3], GO], 8), uncovered: "go" },
  { name: "other notes", bytes: elfWithNotes([ABI]), uncovered: undefined },
  { name: "a note of that name", bytes: elfWithNotes([["Go\0\0", 3, 8]]), uncovered: undefined },
  { name: "that type of another", bytes: elfWithNotes([["GNU\0", 4, 8]]), uncovered: undefined },
  { name: "a cut note", bytes: elfWithNotes([ABI]).subarray(0, -20), uncovered: undefined },
  {
    name: "a vast note",
    bytes: elfWithNotes([ABI]).map((_, i, all) => i < all.length - 28 ? all[i]! : 255),
    uncovered: undefined,
  },
);

for (const { name, bytes, uncovered } of FILES) {
  test(`findUncovered() is ${uncovered ?? "content"} for ${name}`, () => {
    assert.equal(findUncovered(file(bytes), USER, ["x86_64"]), uncovered);
  });
}

const I386 = { elfClass: 1, machine: 3, segmentsAt: 52, segmentSize: 32 };

test("findUncovered() reads 32-bit programs where there is a shim for them", () => {
  const find = (bytes: Uint8Array) => findUncovered(file(bytes), USER, ["x86_64", "i386"]);
  assert.equal(find(elf(I386)), undefined);
  assert.equal(find(elf()), undefined);
  assert.equal(find(elf({ ...I386, segments: [1, 2] })), "static");
  assert.equal(find(elf({ ...I386, segmentSize: 56 })), undefined);
  assert.equal(find(elf({ ...I386, machine: 62 })), "other architecture");
});

test("findUncovered() takes the machine that it is told", () => {
  assert.equal(findUncovered(file(elf({ machine: 183 })), USER, ["aarch64"]), undefined);
  assert.equal(findUncovered(file(elf()), USER, ["aarch64"]), "other architecture");
});

test("findUncovered() does not take a program in a directory named like a library for ld.so", () => {
  const program = file(elf({ segments: [1, 2] }), { path: "/x.source/p.so.d/p" });
  assert.equal(findUncovered(program, USER, ["x86_64"]), "static");
});

test("findUncovered() knows ld.so, which is linked with nothing and loads the shim", () => {
  const loader = file(elf({ segments: [1, 2] }), { path: "/lib64/ld-linux-x86-64.so.2" });
  assert.equal(findUncovered(loader, USER, ["x86_64"]), undefined);
});

const RIGHTS: { mode: number; uid?: number; gid?: number; who?: object; gains: boolean }[] = [
  { mode: 0o4755, uid: 0, gains: true },
  { mode: 0o4711, uid: 1000, gid: 0, gains: false },
  { mode: 0o2755, gid: 42, gains: true },
  { mode: 0o2745, gid: 42, gains: false }, // mandatory locking, once
  { mode: 0o2755, gid: 1000, gains: false },
  { mode: 0o6755, uid: 0, gid: 0, who: { uid: 0, gid: 0, euid: 0, egid: 0 }, gains: false },
  { mode: 0o4755, uid: 0, who: { hasNoNewPrivileges: true }, gains: false },
  { mode: 0o755, who: { euid: 33 }, gains: true }, // as it is, the process has another's rights
  { mode: 0o755, gains: false },
];

for (const { mode, uid = 0, gid = 0, who = {}, gains } of RIGHTS) {
  test(`findUncovered() of mode ${mode.toString(8)} ${uid}:${gid} ${JSON.stringify(who)}`, () => {
    const found = findUncovered(file(elf(), { mode, uid, gid }), { ...USER, ...who }, ["x86_64"]);
    assert.equal(found, gains ? "set-id" : undefined);
    const script = file(new TextEncoder().encode("#!/bin/sh\n"), { mode, uid, gid });
    assert.equal(findUncovered(script, { ...USER, ...who }, ["x86_64"]), undefined);
  });
}

const SCRIPTS: [string, string | undefined][] = [
  ["#!/bin/sh\n", "/bin/sh"],
  ["#! \t/usr/bin/env python3\n", "/usr/bin/env"],
  ["#!/bin/sh", "/bin/sh"],
  ["#!\n", undefined],
  ["#/bin/sh\n", undefined],
  [" #!/bin/sh\n", undefined],
  ["", undefined],
];

for (const [text, interpreter] of SCRIPTS) {
  test(`scriptInterpreter() of ${JSON.stringify(text)}`, () => {
    assert.equal(scriptInterpreter(file(new TextEncoder().encode(text))), interpreter);
  });
}

test("uncoveredWords() promises the proxy variables only where they are", () => {
  const words = (withoutProxyVariables: boolean) =>
    uncoveredWords("static", { withoutProxyVariables });
  assert.equal(words(false), "is statically linked; only the proxy variables carry it");
  assert.equal(words(true), "is statically linked; nothing carries it");
});

/**
 * Whether the shim will be in a program: ld.so puts it into a dynamically linked program of a machine
 * that there is a shim for, if it gains no rights by being executed. Pure; the shim makes the same
 * judgement at every exec (shim/coverage.c). Source: elf(5), execve(2), ld.so(8)
 * "Secure-execution mode".
 */

import { ELF_KINDS, type ShimArch } from "./architecture.ts";

/**
 * Why the shim will not be in a program; "hidden": its file is out of sight there (chroot); "go": it
 * will, but is passed by; "unseen": it may be; "missing": it ought to be, and is not.
 */
export type Uncovered =
  | "static"
  | "set-id"
  | "other architecture"
  | "capabilities"
  | "hidden"
  | "go"
  | "unseen"
  | "missing";

/** A regular file that is about to be executed. */
export interface ProgramFile {
  path: string;
  /** st_mode, st_uid, st_gid of stat(2). */
  mode: number;
  uid: number;
  gid: number;
  /** At most `length` octets from `offset`; fewer at the end, none where it cannot be read. */
  read: (offset: number, length: number) => Uint8Array;
}

/** Who executes it. */
export interface Identity {
  uid: number;
  gid: number;
  euid: number;
  egid: number;
  /** PR_SET_NO_NEW_PRIVS of prctl(2): set-id bits have no effect. */
  hasNoNewPrivileges: boolean;
}

const S_ISUID = 0o4000;
const S_ISGID = 0o2000;
const S_IXGRP = 0o010;

/** The kernel reads as much of a script (BINPRM_BUF_SIZE). */
const HEAD_LEN = 256;
const MIN_ELF_HEADER_LEN = 16;
const ELF_HEADER_LEN = 64;
const PROGRAM_HEADER_LENS = { 1: 32, 2: 56 };
const MAX_SEGMENTS = 64;
const ET_DYN = 3;
const PT_INTERP = 3;
const PT_NOTE = 4;
const NOTE_HEADER_LEN = 12;
const MAX_NOTES = 16;
const GO_BUILD_ID = 4;

/** The interpreter of a script (`#!` in its first line), undefined for another file. */
export function scriptInterpreter(file: ProgramFile): string | undefined {
  const head = String.fromCharCode(...file.read(0, HEAD_LEN));
  return /^#![ \t]*([^ \t\n\0]+)/.exec(head)?.[1];
}

/** Undefined where the shim will be in it, or where it cannot be known; a script's bits count for nothing. */
export function findUncovered(
  file: ProgramFile,
  identity: Identity,
  archs: readonly ShimArch[],
): Uncovered | undefined {
  if (scriptInterpreter(file) !== undefined) return undefined;
  return gainsIdentity(file, identity) ? "set-id" : elfReason(file, archs);
}

/** What a user reads of a program that is not covered: the reason and what follows from it. */
export function uncoveredWords(
  reason: Uncovered,
  { withoutProxyVariables }: { withoutProxyVariables: boolean },
): string {
  if (reason === "unseen") return REASON_WORDS[reason];
  const rest = withoutProxyVariables ? "nothing carries it" : "only the proxy variables carry it";
  return `${REASON_WORDS[reason]}; ${rest}`;
}

export const REASON_WORDS: Record<Uncovered, string> = {
  "static": "is statically linked",
  "set-id": "runs with another user's or group's rights",
  "other architecture": "is for another architecture",
  "capabilities": "has file capabilities",
  "hidden": "starts where the shim's file cannot be read",
  "go": "is written in Go, and passes libc by",
  "unseen": "is started in another directory, and cannot be looked at",
  "missing": "runs without the shim, which ld.so did not load",
};

function gainsIdentity({ mode, uid, gid }: ProgramFile, identity: Identity): boolean {
  const isHonoured = !identity.hasNoNewPrivileges;
  const setsUser = isHonoured && (mode & S_ISUID) !== 0;
  const setsGroup = isHonoured && (mode & S_ISGID) !== 0 && (mode & S_IXGRP) !== 0;
  return (setsUser ? uid : identity.euid) !== identity.uid ||
    (setsGroup ? gid : identity.egid) !== identity.gid;
}

/** Of a file that is no ELF file, or a malformed one, nothing: the kernel refuses it. */
function elfReason(file: ProgramFile, archs: readonly ShimArch[]): Uncovered | undefined {
  const start = file.read(0, ELF_HEADER_LEN);
  if (
    start.length < MIN_ELF_HEADER_LEN || String.fromCharCode(...start.subarray(0, 4)) !== "\x7fELF"
  ) {
    return undefined;
  }
  const header = new Uint8Array(ELF_HEADER_LEN); // what is missing is 0, as the kernel has it
  header.set(start);
  const view = viewOf(header);
  const kind = archs.map((arch) => ELF_KINDS[arch]).find(({ elfClass, machine }) =>
    header[4] === elfClass && view.getUint16(18, true) === machine
  );
  if (kind === undefined) return "other architecture";
  // ld.so itself, run by hand, needs no interpreter and loads LD_PRELOAD.
  if (view.getUint16(16, true) === ET_DYN && /\.so(\.[^/]*)?$/.test(file.path)) return undefined;
  return segmentsReason(file, view, kind.elfClass);
}

/** Where a segment is in the file, and how its parts are aligned there. */
interface Segment {
  type: number;
  offset: number;
  length: number;
  align: number;
}

/** Undefined too where the program headers cannot be read. */
function segmentsReason(
  file: ProgramFile,
  header: DataView,
  elfClass: 1 | 2,
): Uncovered | undefined {
  const is64 = elfClass === 2;
  const offset = is64 ? Number(header.getBigUint64(32, true)) : header.getUint32(28, true); // e_phoff
  const size = header.getUint16(is64 ? 54 : 42, true); // e_phentsize
  const count = header.getUint16(is64 ? 56 : 44, true); // e_phnum
  const isKnown = size === PROGRAM_HEADER_LENS[elfClass] && count <= MAX_SEGMENTS;
  if (!isKnown || !Number.isSafeInteger(offset)) return undefined;
  const segments = file.read(offset, size * count);
  if (segments.length < size * count) return undefined;
  const all = Array.from(
    { length: count },
    (_, i) => readSegment(viewOf(segments.subarray(i * size, (i + 1) * size)), is64),
  );
  const ofType = (type: number) => all.filter((segment) => segment.type === type);
  if (ofType(PT_INTERP).length === 0) return "static";
  return ofType(PT_NOTE).some((notes) => hasGoNote(file, notes)) ? "go" : undefined;
}

/** p_type, p_offset, p_filesz, p_align of Elf64_Phdr or Elf32_Phdr. */
function readSegment(view: DataView, is64: boolean): Segment {
  const word = (at64: number, at32: number) =>
    is64 ? Number(view.getBigUint64(at64, true)) : view.getUint32(at32, true);
  return {
    type: view.getUint32(0, true),
    offset: word(8, 4),
    length: word(32, 16),
    align: word(48, 28),
  };
}

/** Whether one of a segment's notes is Go's build id: such a program makes its system calls itself. */
function hasGoNote(file: ProgramFile, { offset: start, length, align: unit }: Segment): boolean {
  const wide = unit === 8 ? 8 : 4;
  const align = (offset: number) => Math.ceil(offset / wide) * wide;
  let at = 0;
  for (let i = 0; i < MAX_NOTES && at + NOTE_HEADER_LEN + 4 <= length; i++) {
    const bytes = file.read(start + at, NOTE_HEADER_LEN + 4);
    if (bytes.length < NOTE_HEADER_LEN + 4) return false;
    const [nameLength, descLength, type] = [0, 4, 8].map((n) => viewOf(bytes).getUint32(n, true));
    const name = String.fromCharCode(...bytes.subarray(NOTE_HEADER_LEN));
    if (type === GO_BUILD_ID && nameLength === 4 && name === "Go\0\0") return true;
    at = align(align(at + NOTE_HEADER_LEN + nameLength!) + descLength!);
  }
  return false;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

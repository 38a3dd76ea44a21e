/**
 * Whether the shim will be in a program: ld.so puts it into a dynamically linked program of a machine
 * that there is a shim for, if it gains no rights by being executed. Pure; the shim makes the same
 * judgement at every exec (shim/coverage.c). Source: elf(5), execve(2), ld.so(8)
 * "Secure-execution mode".
 */

import { ELF_KINDS, type ShimArch } from "./architecture.ts";

/** Why the shim will not be in a program; "hidden": its file is out of sight there (chroot). */
export type Uncovered = "static" | "set-id" | "other architecture" | "capabilities" | "hidden";

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
  const rest = withoutProxyVariables ? "nothing carries it" : "only the proxy variables carry it";
  return `${REASON_WORDS[reason]}; ${rest}`;
}

export const REASON_WORDS: Record<Uncovered, string> = {
  "static": "is statically linked",
  "set-id": "runs with another user's or group's rights",
  "other architecture": "is for another architecture",
  "capabilities": "has file capabilities",
  "hidden": "starts where the shim's file cannot be read",
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
  return hasInterpreter(file, view, kind.elfClass) === false ? "static" : undefined;
}

/** Undefined where the program headers cannot be read. */
function hasInterpreter(
  file: ProgramFile,
  header: DataView,
  elfClass: 1 | 2,
): boolean | undefined {
  const is64 = elfClass === 2;
  const offset = is64 ? Number(header.getBigUint64(32, true)) : header.getUint32(28, true); // e_phoff
  const size = header.getUint16(is64 ? 54 : 42, true); // e_phentsize
  const count = header.getUint16(is64 ? 56 : 44, true); // e_phnum
  const isKnown = size === PROGRAM_HEADER_LENS[elfClass] && count <= MAX_SEGMENTS;
  if (!isKnown || !Number.isSafeInteger(offset)) return undefined;
  const segments = file.read(offset, size * count);
  if (segments.length < size * count) return undefined;
  const view = viewOf(segments);
  for (let at = 0; at < segments.length; at += size) {
    if (view.getUint32(at, true) === PT_INTERP) return true;
  }
  return false;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

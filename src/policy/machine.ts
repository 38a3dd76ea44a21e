/**
 * What of a machine would hinder a run, or limit what it carries: facts in, findings out. Pure; the
 * facts are io/machine_facts.ts's to gather.
 */

import { type HostArch, RUNNABLE, type ShimArch } from "./architecture.ts";
import { REASON_WORDS, type Uncovered } from "./coverage.ts";

export interface Finding {
  /** "problem": something will not work; "note": something works otherwise than one might think. */
  level: "ok" | "note" | "problem";
  what: string;
  /** Absent where nothing is to be mended. */
  where?: string;
  fix?: string;
}

export interface MachineFacts {
  hostArch: HostArch;
  /** Those whose programs are given a shim here. */
  archs: readonly ShimArch[];
  /** Where the shim could be written, or why nowhere. */
  directory: { path: string } | { where: string; fix: string };
  /** Directories that were passed over, and why. */
  hindrances: readonly { path: string; hindrance: string }[];
  hasInet6: boolean;
  /** /proc/self/status; undefined where /proc cannot be read. */
  status: string | undefined;
  ptraceScope: number | undefined;
  /** The shells that the shim will not be in. */
  uncoveredShells: readonly { path: string; reason: Uncovered }[];
  /** LD_PRELOAD, and /etc/ld.so.preload: the words, and whether there is such a file. */
  preloads: readonly { path: string; from: "LD_PRELOAD" | "/etc/ld.so.preload"; exists: boolean }[];
  isInsideRun: boolean;
  /** Why connects cannot wait for their server's answer here. */
  pendingError: string | undefined;
  maxConnections: number;
}

/** Fewer are soon used up by a browser. */
const FEW_CONNECTIONS = 256;
const SOCKSIFIER = /^lib(tsocks|torsocks|proxychains|dsocks|socks)[^/]*$/i;

/** All findings, what is in order too. */
export function judgeMachine(facts: MachineFacts): Finding[] {
  return [
    ...judgeDirectories(facts),
    ...judgeProc(facts),
    ...facts.preloads.map(judgePreload),
    ...judgeRun(facts),
    ...judgeShells(facts),
    ...judgeArchs(facts),
    judgePending(facts),
    judgeInet6(facts),
    judgeDescriptors(facts),
  ];
}

function judgeDirectories({ directory, hindrances }: MachineFacts): Finding[] {
  const passedOver = hindrances.map(({ path, hindrance }): Finding => ({
    level: "note",
    what: `The shim cannot lie in ${path}: ${hindrance}`,
    where: path,
    fix: "none is needed where another directory will do; else set TMPDIR",
  }));
  const what = "No directory can hold the shim library";
  return "path" in directory
    ? [{ level: "ok", what: `The shim can lie in ${directory.path}` }, ...passedOver]
    : [{ level: "problem", what, ...directory }];
}

function judgeProc({ status, ptraceScope }: MachineFacts): Finding[] {
  if (status === undefined) {
    const what = "/proc cannot be read: what runs without the shim is not found out";
    return [{
      level: "problem",
      what,
      where: "/proc/self/status",
      fix: "mount -t proc proc /proc",
    }];
  }
  const scope = ptraceScope === undefined ? "" : ` (ptrace_scope is ${ptraceScope})`;
  const findings: Finding[] = [{ level: "ok", what: `ptrace is not needed${scope}` }];
  const isFiltered = /^Seccomp:\s*[12]$/m.test(status);
  const what = "A seccomp filter is on: system calls that it denies fail in programs too";
  const where = "Seccomp in /proc/self/status";
  const fix = "where a program fails, try it without this container or sandbox";
  findings.push(
    isFiltered ? { level: "note", what, where, fix } : { level: "ok", what: "No seccomp filter" },
  );
  return findings;
}

function judgePreload({ path, from, exists }: MachineFacts["preloads"][number]): Finding {
  const mend = from === "LD_PRELOAD"
    ? "unset LD_PRELOAD"
    : "take the line out of /etc/ld.so.preload";
  if (!exists) {
    const what = `A preloaded library is missing: ${path}; ld.so says so at each start`;
    return { level: "note", what, where: from, fix: mend };
  }
  if (SOCKSIFIER.test(path.split("/").at(-1)!)) {
    const what =
      `Every program here is preloaded with ${path}, tsocks itself too: its connections to the server go that way`;
    return { level: "problem", what, where: from, fix: mend };
  }
  const what = `Programs are preloaded with ${path}: it stays, behind the shim`;
  return { level: "note", what, where: from, fix: `where a program fails, ${mend}` };
}

function judgeRun({ isInsideRun }: MachineFacts): Finding[] {
  if (!isInsideRun) return [];
  const what = "This is inside of a tsocks run: what another one inside calls direct is direct";
  return [{ level: "note", what, where: "TSOCKS_CONTROL", fix: "run it outside, or mean it" }];
}

function judgeShells({ uncoveredShells }: MachineFacts): Finding[] {
  if (uncoveredShells.length === 0) return [{ level: "ok", what: "The shells can have the shim" }];
  return uncoveredShells.map(({ path, reason }): Finding => ({
    level: "note",
    what: `The shell ${REASON_WORDS[reason]}: it is not covered itself`,
    where: path,
    fix: "use a dynamically linked shell",
  }));
}

function judgeArchs({ hostArch, archs }: MachineFacts): Finding[] {
  const emulated = archs.filter((arch) => !RUNNABLE[hostArch].includes(arch));
  const carried: Finding = { level: "ok", what: `Programs are carried for ${archs.join(", ")}` };
  if (emulated.length > 0) {
    carried.what += `; for ${emulated.join(", ")}, which qemu runs, where they use glibc`;
  }
  if (hostArch !== "x86_64" || archs.includes("i386")) return [carried];
  const what = "32-bit programs (i386) are not carried, but called not covered";
  const where = "the shims in this tsocks, or a kernel that does not tell ld.so its platform";
  return [carried, { level: "note", what, where, fix: "compile tsocks where gcc has -m32" }];
}

function judgePending({ pendingError }: MachineFacts): Finding {
  if (pendingError === undefined) {
    return { level: "ok", what: "Non-blocking connects can wait for the server's answer" };
  }
  const what = "Non-blocking connects succeed before the server has answered, and fail later";
  const where = `this kernel or sandbox: ${pendingError}`;
  return { level: "note", what, where, fix: "run it on a Linux kernel without that sandbox" };
}

function judgeInet6({ hasInet6 }: MachineFacts): Finding {
  if (hasInet6) return { level: "ok", what: "IPv6 is there on loopback" };
  const what = "No IPv6 on loopback: programs cannot connect to IPv6 addresses";
  const fix = "sysctl -w net.ipv6.conf.lo.disable_ipv6=0, where IPv6 is wanted";
  return { level: "note", what, where: "/proc/net/if_inet6", fix };
}

function judgeDescriptors({ maxConnections }: MachineFacts): Finding {
  const what = `${maxConnections} connections at a time`;
  if (maxConnections >= FEW_CONNECTIONS) return { level: "ok", what };
  return {
    level: "note",
    what: `Only ${what}`,
    where: "the limit of open files (ulimit -n)",
    fix: "ulimit -n 4096",
  };
}

/**
 * OpenSSH at both ends: an sshd with keys of its own on a free loopback port, and `ssh -D` through it, which
 * is a SOCKS4 and SOCKS5 server. The user is the one who runs the tests.
 */

import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { copyFile, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { programPath } from "./needs.ts";
import { type Overlay, overlayHosts, overlayUsers, underOverlay } from "./overlay.ts";
import { type Running, start } from "./processes.ts";
import { type Daemon, disposingBoth, startOnFreePort } from "./socks_daemons.ts";
import { makeTempDir, type TempDir } from "./temp_dir.ts";

const DAEMON_TIMEOUT_MS = 120_000;

export interface Sshd extends Daemon {
  /** `ssh` and the options and user that log in here without a question; add host and command. */
  client: string[];
}

/** An sshd that lets the current user in with a key from its own directory; `names` as in DaemonOptions. */
export async function startSshd(options: { names?: string[] } = {}): Promise<Sshd> {
  const dir = await makeTempDir();
  for (const name of ["host_key", "user_key"]) makeKey(dir.file(name));
  await copyFile(dir.file("user_key.pub"), dir.file("authorized_keys"));
  const isRoot = process.getuid?.() === 0;
  // sshd insists on this directory, which Debian makes only when the service starts.
  if (isRoot) mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
  const overlay: Overlay = options.names === undefined ? {} : {
    ...await overlayHosts(dir, options.names),
    ...await overlayUsers(dir, "tsocks-unused", "*"),
  };
  await writeFile(dir.file("sshd.conf"), sshdConf(dir));
  const daemon = await startOnFreePort((port) => {
    const args = ["-D", "-e", "-f", dir.file("sshd.conf"), "-p", `${port}`];
    const [program = "", ...rest] = underOverlay(overlay, [programPath("sshd"), ...args]);
    return startLong(program, rest);
  });
  return { ...disposingBoth(daemon, dir), client: clientCommand(dir) };
}

/** `ssh -D` through an sshd of its own. */
export async function startSshSocks(options: { names?: string[] } = {}): Promise<Daemon> {
  await using stack = new AsyncDisposableStack();
  const sshd = stack.use(await startSshd(options));
  const [program = "", ...args] = sshd.client;
  const daemon = await startOnFreePort((port) => {
    const forward = ["-N", "-D", `127.0.0.1:${port}`, "-o", "ExitOnForwardFailure=yes"];
    return startLong(program, [...args, ...forward, "-p", `${sshd.port}`, "127.0.0.1"]);
  });
  return disposingBoth(daemon, stack.move());
}

function startLong(program: string, args: string[]): Running {
  return start(program, args, { timeoutMs: DAEMON_TIMEOUT_MS });
}

function makeKey(filePath: string): void {
  const args = ["-q", "-t", "ed25519", "-N", "", "-f", filePath];
  const done = spawnSync(programPath("ssh-keygen"), args, { encoding: "utf8" });
  if (done.status !== 0) throw new Error(`ssh-keygen: ${done.stderr}`);
}

function sshdConf(dir: TempDir): string {
  return [
    "ListenAddress 127.0.0.1",
    `HostKey ${dir.file("host_key")}`,
    `AuthorizedKeysFile ${dir.file("authorized_keys")}`,
    "PidFile none",
    "StrictModes no",
    "UsePAM no",
    "PermitRootLogin yes",
    "PasswordAuthentication no",
    "Subsystem sftp internal-sftp",
    "",
  ].join("\n");
}

function clientCommand(dir: TempDir): string[] {
  const options = {
    UserKnownHostsFile: "/dev/null",
    GlobalKnownHostsFile: "/dev/null",
    StrictHostKeyChecking: "no",
    IdentitiesOnly: "yes",
    BatchMode: "yes",
    LogLevel: "ERROR",
    User: userInfo().username,
  };
  const flags = Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  return [programPath("ssh"), "-F", "none", "-i", dir.file("user_key"), ...flags];
}

/** The real SOCKS servers of Debian's packages microsocks and dante-server, each on a free loopback port. */

import { spawnSync } from "node:child_process";
import { startServer } from "./local_servers.ts";
import { programPath } from "./needs.ts";
import { overlayHosts, overlayUsers, underOverlay } from "./overlay.ts";
import { type Running, start } from "./processes.ts";
import { makeTempDir } from "./temp_dir.ts";
import { canConnect, waitFor } from "./wait.ts";

export interface Daemon extends AsyncDisposable {
  port: number;
  pid: number;
}

export interface DaemonOptions {
  /** Names that the daemon resolves to 127.0.0.1, and nobody else does; needs "mount namespaces". */
  names?: string[];
  user?: string;
  password?: string;
}

const DAEMON_TIMEOUT_MS = 120_000;
const ATTEMPTS = 5;

/** A port for a daemon that must be told one. Another program may take it first: see `startOnFreePort`. */
async function findFreePort(): Promise<number> {
  await using server = await startServer(() => {});
  return server.port;
}

/** Starts a daemon on a port that is free at the time, and on another if it ends before it listens. */
export async function startOnFreePort(launch: (port: number) => Running): Promise<Daemon> {
  for (let attempt = 1;; attempt += 1) {
    const port = await findFreePort();
    const running = launch(port);
    const listens = async () => running.isOver || await canConnect(port);
    await waitFor(`${running.child.spawnargs.join(" ")} to listen`, listens);
    if (!running.isOver) {
      return {
        port,
        pid: running.pid,
        [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
      };
    }
    if (attempt === ATTEMPTS) throw new Error(`No start: ${running.stdout}${running.stderr}`);
  }
}

export async function startMicrosocks(options: DaemonOptions = {}): Promise<Daemon> {
  const dir = await makeTempDir();
  const overlay = options.names === undefined ? {} : await overlayHosts(dir, options.names);
  const login = options.user === undefined
    ? []
    : ["-u", options.user, "-P", options.password ?? ""];
  const daemon = await startOnFreePort((port) => {
    const args = ["-i", "127.0.0.1", "-p", `${port}`, ...login];
    return startDaemon(underOverlay(overlay, [programPath("microsocks"), ...args]));
  });
  return disposingBoth(daemon, dir);
}

/** danted; with a user it asks SOCKS5 for user and password (a system user in its eyes only) and takes no SOCKS4. */
export async function startDanted(options: DaemonOptions = {}): Promise<Daemon> {
  const dir = await makeTempDir();
  const overlay = {
    ...(options.names === undefined ? {} : await overlayHosts(dir, options.names)),
    ...(options.user === undefined
      ? {}
      : await overlayUsers(dir, options.user, hashPassword(options.password ?? ""))),
  };
  const daemon = await startOnFreePort((port) => {
    const confPath = dir.file(`danted-${port}.conf`);
    const write = `cat > ${confPath} && exec "$@"`;
    const command = [programPath("danted"), "-f", confPath, "-p", dir.file(`danted-${port}.pid`)];
    return startDaemon(
      underOverlay(overlay, ["sh", "-c", write, "sh", ...command]),
      dantedConf(port, options.user === undefined ? "none" : "username"),
    );
  });
  return disposingBoth(daemon, dir);
}

function dantedConf(port: number, method: string): string {
  const isRoot = process.getuid?.() === 0;
  return [
    "logoutput: stderr",
    `internal: 127.0.0.1 port = ${port}`,
    "external: 127.0.0.1",
    "clientmethod: none",
    `socksmethod: ${method}`,
    ...(isRoot ? ["user.privileged: root", "user.unprivileged: nobody"] : []),
    "client pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }",
    "socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 command: connect }",
    "",
  ].join("\n");
}

/** SHA-512 crypt(3). */
function hashPassword(password: string): string {
  const script = "import crypt,sys;print(crypt.crypt(sys.argv[1],'$6$tsockstests$'))";
  const args = ["-W", "ignore", "-c", script, password];
  const done = spawnSync(programPath("python3"), args, { encoding: "utf8" });
  if (done.status !== 0) throw new Error(`No password hash: ${done.stderr}`);
  return done.stdout.trim();
}

function startDaemon(command: string[], input = ""): Running {
  const [program = "", ...args] = command;
  return start(program, args, { input, timeoutMs: DAEMON_TIMEOUT_MS });
}

/** The daemon first, then what it used. */
export function disposingBoth(daemon: Daemon, under: AsyncDisposable): Daemon {
  return {
    ...daemon,
    async [Symbol.asyncDispose]() {
      await daemon[Symbol.asyncDispose]();
      await under[Symbol.asyncDispose]();
    },
  };
}

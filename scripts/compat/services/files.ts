/** Servers of files: ssh, rsync, git's own and FTP, each with `hello.txt`. */

import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { startSshd } from "../../../tests/helpers/ssh.ts";
import { start } from "../../../tests/helpers/processes.ts";
import { asNobody, KNOWN_ADDRESS, type Lab, LIFETIME_MS } from "../lab.ts";
import { makeGitRepository } from "./repositories.ts";

export const HELLO = "hello from the other side";

const RSYNC_PORT = 8730;
const GIT_PORT = 9418;
const FIRST_FTP_PORT = 50_000;
const FTP_PORTS = 10;

/** A directory that only the servers' side speaks of, open to all. */
function makeFolder(lab: Lab, name: string): string {
  const folder = lab.dir.file(name);
  mkdirSync(folder);
  chmodSync(folder, 0o777);
  writeFileSync(`${folder}/hello.txt`, `${HELLO}\n`);
  return folder;
}

export interface Ssh {
  /** `ssh` and options, to which a host and a command are added. */
  client: string[];
  /** The options alone: sftp and scp take them as well. */
  options: string[];
  folder: string;
}

export function startSsh(lab: Lab): Promise<Ssh> {
  return lab.once("ssh", async () => {
    const sshd = lab.own(await startSshd({ names: [] }));
    lab.route("ssh.example:22", sshd.port);
    return {
      client: sshd.client,
      options: sshd.client.slice(1),
      folder: makeFolder(lab, "ssh"),
    };
  });
}

/** `rsync://rsync.example/files/hello.txt`. */
export function startRsync(lab: Lab): Promise<unknown> {
  return lab.once("rsync", async () => {
    const conf = lab.dir.file("rsyncd.conf");
    writeFileSync(conf, `use chroot = no\n[files]\npath = ${makeFolder(lab, "rsync")}\n`);
    const daemon = ["rsync", "--daemon", "--no-detach", `--config=${conf}`];
    const where = ["--address=127.0.0.1", `--port=${RSYNC_PORT}`];
    lab.route("rsync.example:873", RSYNC_PORT);
    return await lab.startDaemon(asNobody([...daemon, ...where]), RSYNC_PORT);
  });
}

/** `git://git.example/repo.git`. */
export function startGitDaemon(lab: Lab): Promise<unknown> {
  return lab.once("git daemon", async () => {
    const repository = await makeGitRepository(lab);
    const base = repository.slice(0, repository.lastIndexOf("/"));
    const where = ["--listen=127.0.0.1", `--port=${GIT_PORT}`, `--base-path=${base}`];
    lab.route("git.example:9418", GIT_PORT);
    const safe = ["-c", "safe.directory=*"];
    return await lab.startDaemon(["git", ...safe, "daemon", "--export-all", ...where], GIT_PORT);
  });
}

const FTPD = `
import sys
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer
root, address, first, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
FTPHandler.authorizer = DummyAuthorizer()
FTPHandler.authorizer.add_anonymous(root, perm="elrw")
FTPHandler.masquerade_address = address
FTPHandler.passive_ports = range(first, first + count)
server = FTPServer(("127.0.0.1", 0), FTPHandler)
print("port", server.address[1], flush=True)
server.serve_forever()`;

/** `ftp.example`, anonymous; PASV names an address that only the SOCKS server knows. The folder served. */
export function startFtp(lab: Lab): Promise<string> {
  return lab.once("ftp", async () => {
    const folder = makeFolder(lab, "ftp");
    const args = [folder, KNOWN_ADDRESS, `${FIRST_FTP_PORT}`, `${FTP_PORTS}`];
    const [program = "", ...rest] = asNobody([
      "/usr/bin/python3",
      "-W",
      "ignore",
      "-c",
      FTPD,
      ...args,
    ]);
    const daemon = lab.own(start(program, rest, { timeoutMs: LIFETIME_MS }));
    const [, port] = await daemon.waitForOutput(/port (\d+)/);
    lab.route("ftp.example:21", Number(port));
    for (let at = FIRST_FTP_PORT; at < FIRST_FTP_PORT + FTP_PORTS; at += 1) {
      for (const host of ["ftp.example", KNOWN_ADDRESS]) lab.route(`${host}:${at}`, at);
    }
    return folder;
  });
}

/** Programs that move files: git, ssh and its family, rsync, FTP, apt and pip. */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { type Command, type Row, shell } from "../row.ts";
import {
  HELLO,
  type Ssh,
  startFtp,
  startGitDaemon,
  startRsync,
  startSsh,
} from "../services/files.ts";
import { makeAptRepository, makeGitRepository, makePythonIndex } from "../services/repositories.ts";

const GIT = { program: "git", packages: ["git"], isQuick: true } as const;
const SSHD = "openssh-server";
const SSH_ASKS = ["ssh.example:22"];
const FTP_ASKS = ["ftp.example:21"];
const QUICK_SSH = { packages: ["openssh-client", SSHD], asks: SSH_ASKS, isQuick: true } as const;

/** Clones into `clone` and shows the file. */
function clone(url: string, ...config: string[]): Command {
  const argv = ["git", ...config, "clone", "-q", url, "clone"];
  return { argv: shell('"$@" && cat clone/hello.txt', ...argv), prints: "hello from git" };
}

const sshWords = ({ client }: Ssh) => client.join(" ");

/** Gets hello.txt, and shows it. */
function getsFile(names: Omit<Row, "command">, argv: (ssh: Ssh) => string[], input = ""): Row {
  return {
    ...names,
    async command(lab) {
      const ssh = await startSsh(lab);
      return { argv: shell('"$@" && cat hello.txt', ...argv(ssh)), input, prints: HELLO };
    },
  };
}

function ftp(program: string, packageName: string, argv: string[], action = "FTP, passive"): Row {
  return {
    program,
    packages: [packageName, "python3-pyftpdlib"],
    action,
    asks: FTP_ASKS,
    async command(lab) {
      await startFtp(lab);
      return { argv, prints: HELLO };
    },
  };
}

const FTP_URL = "ftp://ftp.example/hello.txt";
const FTPLIB = `
import ftplib, sys
ftp = ftplib.FTP("ftp.example")
ftp.login()
ftp.retrbinary("RETR hello.txt", sys.stdout.buffer.write)`;

export const FILE_ROWS: Row[] = [
  {
    ...GIT,
    action: "clone over HTTP",
    asks: ["git.example:80"],
    async command(lab) {
      await makeGitRepository(lab);
      return clone("http://git.example/repo.git");
    },
  },
  {
    ...GIT,
    action: "clone over git://",
    asks: ["git.example:9418"],
    async command(lab) {
      await startGitDaemon(lab);
      return clone("git://git.example/repo.git");
    },
  },
  {
    ...GIT,
    packages: ["git", "openssh-client", SSHD],
    action: "clone over ssh",
    asks: SSH_ASKS,
    async command(lab) {
      const path = await makeGitRepository(lab);
      return clone(
        `ssh://ssh.example${path}`,
        "-c",
        `core.sshCommand=${sshWords(await startSsh(lab))}`,
      );
    },
  },
  {
    ...QUICK_SSH,
    program: "ssh",
    action: "a command",
    async command(lab) {
      const { client } = await startSsh(lab);
      return { argv: [...client, "ssh.example", "echo", "it is me"], prints: "it is me" };
    },
  },
  getsFile(
    { ...QUICK_SSH, program: "sftp", action: "get" },
    ({ options, folder }) => ["sftp", ...options, "-b", "-", `ssh.example:${folder}`],
    "get hello.txt\n",
  ),
  getsFile(
    { ...QUICK_SSH, program: "scp", action: "get" },
    ({ options, folder }) => ["scp", "-q", ...options, `ssh.example:${folder}/hello.txt`, "."],
  ),
  getsFile(
    {
      program: "rsync",
      packages: ["rsync", "openssh-client", SSHD],
      action: "over ssh",
      asks: SSH_ASKS,
    },
    (ssh) => ["rsync", "-e", sshWords(ssh), `ssh.example:${ssh.folder}/hello.txt`, "."],
  ),
  {
    program: "rsync",
    packages: ["rsync"],
    action: "rsync://",
    asks: ["rsync.example:873"],
    async command(lab) {
      await startRsync(lab);
      const argv = ["rsync", "rsync://rsync.example/files/hello.txt", "."];
      return { argv: shell('"$@" && cat hello.txt', ...argv), prints: HELLO };
    },
  },
  {
    program: "ftp (tnftp)",
    packages: ["tnftp", "python3-pyftpdlib"],
    action: "FTP, passive: get and put",
    asks: FTP_ASKS,
    async command(lab, dir) {
      const folder = await startFtp(lab);
      writeFileSync(dir.file("up.txt"), "up\n");
      return {
        argv: shell("tnftp -n -p && cat hello.txt"),
        input: "open ftp.example\nuser anonymous x@y\nget hello.txt\nput up.txt\nquit\n",
        prints: HELLO,
        check: () =>
          readFileSync(`${folder}/up.txt`, "utf8") === "up\n" ? undefined : "put has put nothing",
      };
    },
  },
  ftp("lftp", "lftp", ["lftp", "-c", `set net:max-retries 1; cat ${FTP_URL}`]),
  ftp("curl", "curl", ["curl", "-sS", FTP_URL]),
  ftp(
    "curl",
    "curl",
    ["curl", "-sS", "--disable-epsv", "--no-ftp-skip-pasv-ip", FTP_URL],
    "FTP, passive, to the address the server names",
  ),
  ftp("wget", "wget", ["wget", "-q", "-O", "-", FTP_URL]),
  ftp("python3 ftplib", "python3", ["/usr/bin/python3", "-c", FTPLIB]),
  {
    program: "apt-get",
    packages: ["apt"],
    action: "update, from a repository over HTTP, as user _apt",
    asks: ["apt.example:80"],
    isQuick: true,
    async command(lab, dir) {
      writeFileSync(dir.file("sources.list"), `${await makeAptRepository(lab)}\n`);
      for (const name of ["empty", "lists", "lists/partial", "cache"]) mkdirSync(dir.file(name));
      const settings = {
        "Dir::Etc::main": "/dev/null",
        "Dir::Etc::parts": dir.file("empty"),
        "Dir::Etc::sourcelist": dir.file("sources.list"),
        "Dir::Etc::sourceparts": dir.file("empty"),
        "Dir::State::lists": dir.file("lists"),
        "Dir::Cache": dir.file("cache"),
      };
      const lines = Object.entries(settings).map(([name, value]) => `${name} "${value}";\n`);
      writeFileSync(dir.file("apt.conf"), lines.join(""));
      return {
        argv: shell("apt-get -q update && apt-cache show tsocks-compat"),
        env: { APT_CONFIG: dir.file("apt.conf") },
        prints: "Package: tsocks-compat",
      };
    },
  },
  {
    program: "pip",
    packages: ["python3-pip"],
    action: "install from an index over HTTP",
    asks: ["pypi.example:80"],
    async command(lab) {
      const index = ["--index-url", await makePythonIndex(lab), "--trusted-host", "pypi.example"];
      const flags = ["-q", "--disable-pip-version-check", "--no-cache-dir", "--target", "lib"];
      const argv = [
        "/usr/bin/python3",
        "-m",
        "pip",
        "install",
        ...flags,
        ...index,
        "tsocks-compat",
      ];
      const show = "/usr/bin/python3 -c 'import tsocks_compat; print(tsocks_compat.word)'";
      return {
        argv: shell(`"$@" && PYTHONPATH=lib ${show}`, ...argv),
        prints: "hello from pip",
      };
    },
  },
];

/** What the web server offers to git, apt and pip: a repository each, made by hand in its directory. */

import { Buffer } from "node:buffer";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { crc32, deflateRawSync } from "node:zlib";
import type { Lab } from "../lab.ts";
import { startWeb } from "./web.ts";

function mustRun(program: string, ...args: string[]): void {
  const done = spawnSync(program, args, { encoding: "utf8" });
  if (done.status !== 0) throw new Error(`${program} ${args.join(" ")}: ${done.stderr}`);
}

/** A bare repository with one file, `hello.txt`, that a plain web server can serve (git-update-server-info(1)). Its path. */
export function makeGitRepository(lab: Lab): Promise<string> {
  return lab.once("git repository", async () => {
    const { root } = await startWeb(lab);
    const work = lab.dir.file("work");
    const bare = `${root}/repo.git`;
    const git = (...args: string[]) => mustRun("git", "-C", work, ...args);
    mkdirSync(work);
    writeFileSync(`${work}/hello.txt`, "hello from git\n");
    git("init", "-q");
    git("add", ".");
    git("-c", "user.name=T", "-c", "user.email=t@example.org", "commit", "-qm", "First");
    git("clone", "-q", "--bare", ".", bare);
    git("-C", bare, "update-server-info");
    return bare;
  });
}

/** A flat repository with one package, `tsocks-compat`, unsigned. Its line for sources.list(5). */
export function makeAptRepository(lab: Lab): Promise<string> {
  return lab.once("apt repository", async () => {
    const { root } = await startWeb(lab);
    const tree = lab.dir.file("package");
    const control = [
      "Package: tsocks-compat",
      "Version: 1.0",
      "Architecture: all",
      "Maintainer: Nobody <nobody@example.org>",
      "Description: nothing",
    ].join("\n");
    mkdirSync(`${tree}/DEBIAN`, { recursive: true });
    chmodSync(`${tree}/DEBIAN`, 0o755);
    writeFileSync(`${tree}/DEBIAN/control`, `${control}\n`);
    mkdirSync(`${root}/debian`);
    mustRun("dpkg-deb", "--build", "--root-owner-group", tree, `${root}/debian/package.deb`);
    const { length, hash } = describe(`${root}/debian/package.deb`);
    const entry = `${control}\nFilename: ./package.deb\nSize: ${length}\nSHA256: ${hash}\n`;
    writeFileSync(`${root}/debian/Packages`, entry);
    const index = describe(`${root}/debian/Packages`);
    const date = new Date().toUTCString().replace("GMT", "UTC");
    const release = `Date: ${date}\nSHA256:\n ${index.hash} ${index.length} Packages\n`;
    writeFileSync(`${root}/debian/Release`, release);
    return "deb [trusted=yes] http://apt.example/debian ./";
  });
}

function describe(filePath: string): { length: number; hash: string } {
  const bytes = readFileSync(filePath);
  return { length: bytes.length, hash: createHash("sha256").update(bytes).digest("hex") };
}

/** An index (PEP 503) with one wheel, `tsocks_compat`. Its address. */
export function makePythonIndex(lab: Lab): Promise<string> {
  return lab.once("python index", async () => {
    const { root } = await startWeb(lab);
    const wheel = "tsocks_compat-1.0-py3-none-any.whl";
    const info = "tsocks_compat-1.0.dist-info";
    const files = {
      "tsocks_compat.py": "word = 'hello from pip'\n",
      [`${info}/METADATA`]: "Metadata-Version: 2.1\nName: tsocks-compat\nVersion: 1.0\n",
      [`${info}/WHEEL`]: "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
      [`${info}/RECORD`]:
        `tsocks_compat.py,,\n${info}/METADATA,,\n${info}/WHEEL,,\n${info}/RECORD,,\n`,
    };
    const folder = `${root}/simple/tsocks-compat`;
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${folder}/${wheel}`, zip(files));
    writeFileSync(`${folder}/index.html`, `<!DOCTYPE html><a href="${wheel}">${wheel}</a>`);
    return "http://pypi.example/simple";
  });
}

/** A ZIP archive: a local header and its data for each file, the directory, its end (APPNOTE.TXT 4.3). */
function zip(files: Record<string, string>): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of Object.entries(files)) {
    const data = deflateRawSync(text);
    // version 20, no flags, deflate, no time, 1 January 1980, then sums and lengths
    const head = Buffer.alloc(26);
    [20, 0, 8, 0, 33].forEach((word, at) => head.writeUInt16LE(word, at * 2));
    [crc32(text), data.length, text.length].forEach((word, at) =>
      head.writeUInt32LE(word, 10 + at * 4)
    );
    head.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), head, Buffer.from(name), data]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    directory.push(
      Buffer.concat([Buffer.from("PK\x01\x02\x14\0"), head, tail, Buffer.from(name)]),
    );
    parts.push(local);
    offset += local.length;
  }
  const entries = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(directory.length, 8);
  end.writeUInt16LE(directory.length, 10);
  end.writeUInt32LE(entries.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, entries, end]);
}

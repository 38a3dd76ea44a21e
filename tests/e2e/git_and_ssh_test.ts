/** The two programs that people wrap most: git over HTTP, and the OpenSSH client. */

import assert from "node:assert/strict";
import { createReadStream, existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { startWebServer, type WebServer } from "../helpers/local_servers.ts";
import { needs } from "../helpers/needs.ts";
import { run } from "../helpers/processes.ts";
import { startReferenceServer } from "../helpers/reference_server.ts";
import { startSshd } from "../helpers/ssh.ts";
import { makeTempDir, type TempDir } from "../helpers/temp_dir.ts";
import { runTsocks } from "../helpers/tsocks.ts";

const IDENTITY = ["-c", "user.name=Test", "-c", "user.email=test@example.org"];

/** A bare repository with one commit, as files that a plain web server can serve (git-update-server-info(1)). */
async function makeRepository(dir: TempDir): Promise<void> {
  await mkdir(dir.file("work"));
  await writeFile(dir.file("work/hello.txt"), "hello from git\n");
  const git = async (...args: string[]) => {
    const done = await run("git", args, { cwd: dir.file("work"), env: { HOME: dir.path } });
    assert.equal(done.status, 0, done.stderr);
  };
  await git("init", "-q");
  await git("add", "hello.txt");
  await git(...IDENTITY, "commit", "-q", "-m", "First");
  await git("clone", "-q", "--bare", ".", dir.file("repo.git"));
  await git("-C", dir.file("repo.git"), "update-server-info");
}

function serveFiles(dir: TempDir): Promise<WebServer> {
  return startWebServer({
    answer: (request, response) => {
      const filePath = dir.file(new URL(request.url ?? "/", "http://x").pathname.slice(1));
      if (existsSync(filePath)) return void createReadStream(filePath).pipe(response);
      response.statusCode = 404;
      response.end();
    },
  });
}

for (const flags of [[], ["--no-env"]]) {
  test(["git clones over HTTP", ...flags].join(" "), needs("git"), async () => {
    await using dir = await makeTempDir();
    await makeRepository(dir);
    await using web = await serveFiles(dir);
    await using server = await startReferenceServer({ routes: { "git.example:80": web.port } });
    const clone = ["git", "clone", "-q", "http://git.example/repo.git", dir.file("clone")];
    const args = ["run", "--server", server.url(), ...flags, "--", ...clone];
    const startedAt = performance.now();
    const { status, stderr } = await runTsocks(args);
    assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
    // Five requests: a wait of a second in one of our answers would show.
    assert.ok(performance.now() - startedAt < 4_000, "the clone took 4 s or more");
    assert.equal(await readFile(dir.file("clone/hello.txt"), "utf8"), "hello from git\n");
  });
}

test(
  "ssh logs in to a machine behind the server",
  needs("ssh", "sshd", "a user who may log in"),
  async () => {
    await using sshd = await startSshd();
    await using server = await startReferenceServer({ routes: { "inner.example:22": sshd.port } });
    const command = [...sshd.client, "inner.example", "echo", "it is me"];
    const { status, stdout, stderr } = await runTsocks([
      "run",
      "--server",
      server.url(),
      ...command,
    ]);
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: "it is me\n", stderr: "" });
  },
);

test("an SSH banner in one packet with the server's reply is not lost", needs("bash"), async () => {
  await using web = await startWebServer();
  const routes = { "inner.example": web.port };
  await using server = await startReferenceServer({ routes, banner: "SSH-2.0-early_bird\r\n" });
  const script = 'exec 3<>/dev/tcp/inner.example/22; read -r line <&3; echo "$line"';
  const args = ["run", "--server", server.url(), "--", "bash", "-c", script];
  const { status, stdout } = await runTsocks(args);
  assert.deepEqual({ status, stdout }, { status: 0, stdout: "SSH-2.0-early_bird\r\n" });
});

/**
 * `deno task demo`: the main job on real parts, all on loopback. A web page behind a name that only
 * the SOCKS server knows; a program that has no idea of SOCKS; the page, and the log of the decision.
 */

import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import process from "node:process";

const URL = "http://hello.example/";
const BINARY = "dist/tsocks";

const page = createServer((_, response) => response.end("Hello from behind the SOCKS server\n"));
await new Promise<void>((resolve) => page.listen(0, "127.0.0.1", resolve));
const pagePort = (page.address() as AddressInfo).port;

const server = spawn(BINARY, [
  "serve",
  "--listen",
  "127.0.0.1:0",
  // Whatever this machine's own tsocks.conf says is no part of the demo.
  "--conf",
  "/dev/null",
  "--map",
  `hello.example:80=127.0.0.1:${pagePort}`,
], { stdio: ["ignore", "pipe", "inherit"] });
const [line] = await Array.fromAsync(firstLine());
const listening = line?.replace("listening on ", "");

const directory = mkdtempSync(join(tmpdir(), "tsocks-demo-"));
const logFile = join(directory, "log");
const program = chooseProgram();
const args = ["run", "--server", `socks5://${listening}`, "--", ...program];
console.log(`$ ${BINARY} ${args.join(" ")}`);
const child = spawn(BINARY, args, {
  stdio: "inherit",
  env: { ...process.env, TSOCKS_DEBUG: "1", TSOCKS_DEBUG_FILE: logFile },
});
const status = await new Promise<number>((resolve) =>
  child.on("exit", (code) => resolve(code ?? 1))
);
console.log(`\n$ cat $TSOCKS_DEBUG_FILE\n${readFileSync(logFile, "utf8").trimEnd()}`);

rmSync(directory, { recursive: true });
server.kill();
page.close();
page.closeAllConnections();
process.exitCode = status;

async function* firstLine(): AsyncGenerator<string> {
  for await (const text of createInterface({ input: server.stdout })) {
    yield text;
    return;
  }
}

/** curl, or the first other program of this machine that fetches a page. */
function chooseProgram(): string[] {
  const script = `fetch("${URL}").then((r) => r.text()).then((t) => process.stdout.write(t))`;
  const candidates = [
    ["curl", "-s", URL],
    ["wget", "-qO-", URL],
    [
      "python3",
      "-c",
      `import urllib.request as u;print(u.urlopen("${URL}").read().decode(),end="")`,
    ],
    ["node", "-e", script],
  ];
  const isThere = ([file = ""]: string[]) => spawnSync(file, ["--version"]).status === 0;
  return candidates.find(isThere) ?? candidates[3]!;
}

/** The web server of `*.example`, HTTP and HTTPS: pages, files that rows put there, and a certificate of its own authority. */

import { spawnSync } from "node:child_process";
import { createHash, createPublicKey } from "node:crypto";
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { join } from "node:path";
import type { Lab } from "../lab.ts";

export const PAGE = "Hello from web.example";
export const HTTP = "http://web.example/";
export const HTTPS = "https://web.example/";
/** Octets of the page `/big`. */
export const BIG_LENGTH = 5_000_000;

const NAMES = ["web.example", "cdn.example", "git.example", "apt.example", "pypi.example"];

export interface Web {
  /** Files in it are pages. */
  root: string;
  /** The certificate that a program must trust. */
  caPath: string;
  /** SHA-256 of the certificate's key, for chromium, which asks no file whom to trust. */
  keyHash: string;
  /** `HOST/PATH` of each request, for rows whose program writes nothing. */
  hits: string[];
}

/** Shows in the page what its script fetched from another name; synchronously, so that the page is complete only then. */
const SCRIPT_PAGE = `<!DOCTYPE html><title>Browser</title><p id="p">not yet</p><script>
function fetched(url) {
  const request = new XMLHttpRequest();
  request.open("GET", url, false);
  request.send();
  return request.responseText;
}
document.getElementById("p").textContent = "fetched " + fetched("http://cdn.example/data");
fetched("/done");
</script>`;

/** Two requests with a pause, for what a browser has learned from the answer to the first. */
const TWICE_PAGE = `<!DOCTYPE html><p id="p">not yet</p><script>
const fetched = (n) => fetch("/data?" + n).then((r) => r.text());
fetched(1).then(() => new Promise((done) => setTimeout(done, 500))).then(() => fetched(2)).then(() =>
  document.getElementById("p").textContent = "both pages");
</script>`;

const PAGES: Record<string, { type: string; text: string }> = {
  "/": { type: "text/html", text: `<p>${PAGE}</p>\n` },
  "/big": { type: "text/plain", text: "x".repeat(BIG_LENGTH) },
  "/data": { type: "text/plain", text: "data of cdn.example" },
  "/json": { type: "application/json", text: '{"word":"hello"}' },
  "/script": { type: "text/html", text: SCRIPT_PAGE },
  "/twice": { type: "text/html", text: TWICE_PAGE },
};

export function startWeb(lab: Lab): Promise<Web> {
  return lab.once("web", async () => {
    const root = lab.dir.file("www");
    mkdirSync(root);
    const hits: string[] = [];
    const answer = (request: IncomingMessage, response: ServerResponse) => {
      hits.push(`${request.headers.host}${request.url}`);
      sendPage(root, request, response);
    };
    const { key, cert, caPath } = makeCertificate(lab);
    const plain = await listen(lab, createServer(answer as RequestListener));
    const secure = await listen(lab, createTlsServer({ key, cert }, answer as RequestListener));
    for (const name of NAMES) {
      lab.route(`${name}:80`, plain);
      lab.route(`${name}:443`, secure);
    }
    const spki = createPublicKey(cert).export({ type: "spki", format: "der" });
    const keyHash = createHash("sha256").update(spki).digest("base64");
    return { root, caPath, keyHash, hits };
  });
}

function sendPage(root: string, request: IncomingMessage, response: ServerResponse): void {
  const { pathname } = new URL(request.url ?? "/", "http://x");
  const filePath = join(root, pathname.replace(/\/$/, "/index.html"));
  response.setHeader("access-control-allow-origin", "*");
  // QUIC is offered, but nobody is there: clients are to do without it
  response.setHeader("alt-svc", 'h3=":443"');
  const page = PAGES[pathname];
  if (page !== undefined) {
    response.setHeader("content-type", page.type);
    return void response.end(page.text);
  }
  if (existsSync(filePath) && statSync(filePath).isFile()) {
    response.setHeader("content-length", statSync(filePath).size);
    if (filePath.endsWith(".html")) response.setHeader("content-type", "text/html");
    return void createReadStream(filePath).pipe(response);
  }
  response.statusCode = 404;
  response.end();
}

async function listen(lab: Lab, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  lab.own({
    [Symbol.asyncDispose]: () => {
      server.close();
      (server as ReturnType<typeof createServer>).closeAllConnections();
      return Promise.resolve();
    },
  });
  return (server.address() as AddressInfo).port;
}

/** An authority, and a key for all the names that it signs. */
function makeCertificate(lab: Lab): { key: string; cert: string; caPath: string } {
  const openssl = (words: string) => {
    const options = { encoding: "utf8", cwd: lab.dir.path } as const;
    const done = spawnSync("openssl", words.split(" "), options);
    if (done.status !== 0) throw new Error(`openssl: ${done.stderr}`);
  };
  const request = "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj";
  const signing = "-x509 -addext keyUsage=critical,keyCertSign";
  openssl(`${request} /CN=Authority ${signing} -keyout ca.key -out ca`);
  openssl(`${request} /CN=web.example -keyout key -out csr`);
  const names = NAMES.map((name) => `DNS:${name}`).join(",");
  writeFileSync(lab.dir.file("ext"), `subjectAltName=${names}\n`);
  openssl("x509 -req -in csr -CA ca -CAkey ca.key -CAcreateserial -extfile ext -out cert");
  const read = (name: string) => readFileSync(lab.dir.file(name), "utf8");
  return { key: read("key"), cert: read("cert"), caPath: lab.dir.file("ca") };
}

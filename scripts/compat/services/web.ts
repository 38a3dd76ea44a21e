/** The web server of `*.example`, HTTP and HTTPS: pages, files that rows put there, and a certificate of its own authority. */

import { spawnSync } from "node:child_process";
import { Buffer } from "node:buffer";
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

const TWICE_PAGE = `<!DOCTYPE html><p id="p">not yet</p><script>
const fetched = (n) => fetch("/data?" + n).then((r) => r.text());
fetched(1).then(() => new Promise((done) => setTimeout(done, 500))).then(() => fetched(2)).then(() =>
  document.getElementById("p").textContent = "both pages");
</script>`;

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
  if (pathname === "/") return sendText(response, "text/html", `<p>${PAGE}</p>\n`);
  if (pathname === "/data") return sendText(response, "text/plain", "data of cdn.example");
  if (pathname === "/json") return sendText(response, "application/json", '{"word":"hello"}');
  if (pathname === "/twice") return sendText(response, "text/html", TWICE_PAGE);
  if (pathname === "/script") return sendText(response, "text/html", SCRIPT_PAGE);
  if (pathname === "/big") return void response.end(Buffer.alloc(BIG_LENGTH, "x"));
  if (existsSync(filePath) && statSync(filePath).isFile()) {
    response.setHeader("content-length", statSync(filePath).size);
    if (filePath.endsWith(".html")) response.setHeader("content-type", "text/html");
    return void createReadStream(filePath).pipe(response);
  }
  response.statusCode = 404;
  response.end();
}

function sendText(response: ServerResponse, type: string, text: string): void {
  response.setHeader("content-type", type);
  response.end(text);
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

function makeCertificate(lab: Lab): { key: string; cert: string; caPath: string } {
  const file = (name: string) => lab.dir.file(name);
  const openssl = (...args: string[]) => {
    const done = spawnSync("openssl", args, { encoding: "utf8" });
    if (done.status !== 0) throw new Error(`openssl: ${done.stderr}`);
  };
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const authority = ["-subj", "/CN=Authority", "-addext", "keyUsage=critical,keyCertSign"];
  openssl("req", "-x509", ...newKey, ...authority, "-keyout", file("ca.key"), "-out", file("ca"));
  openssl(
    ..."req -subj /CN=web.example".split(" "),
    ...newKey,
    "-keyout",
    file("key"),
    "-out",
    file("csr"),
  );
  writeFileSync(file("ext"), `subjectAltName=${NAMES.map((name) => `DNS:${name}`).join(",")}\n`);
  const signer = ["-CA", file("ca"), "-CAkey", file("ca.key"), "-CAcreateserial"];
  openssl(
    "x509",
    "-req",
    "-in",
    file("csr"),
    ...signer,
    "-extfile",
    file("ext"),
    "-out",
    file("cert"),
  );
  const read = (name: string) => readFileSync(file(name), "utf8");
  return { key: read("key"), cert: read("cert"), caPath: file("ca") };
}

/** Programs that fetch pages: command-line fetchers and text browsers. */

import { statSync } from "node:fs";
import type { Row } from "../row.ts";
import { BIG_LENGTH, HTTP, HTTPS, PAGE, startWeb } from "../services/web.ts";

const PLAIN = ["web.example:80"];
const SECURE = ["web.example:443"];
const PARALLEL = Array.from({ length: 20 }, (_, at) => `${HTTP}?${at}`);
const ALL_TWENTY = new RegExp(`(${PAGE}[^]*){20}`);

/** The page, by `argv` with what it needs to trust the certificate. */
function fetches(
  names: Omit<Row, "command" | "asks"> & { asks?: string[] },
  argv: (caPath: string) => string[],
): Row {
  return {
    asks: PLAIN,
    ...names,
    async command(lab) {
      const { caPath } = await startWeb(lab);
      return { argv: argv(caPath), prints: PAGE };
    },
  };
}

const CURL = { program: "curl", packages: ["curl"], isQuick: true } as const;
const WGET = { program: "wget", packages: ["wget"], isQuick: true } as const;
const VARIABLES = ", with the proxy variables";
const curl = (...args: string[]) => ["curl", "-sS", ...args];
const wget = (...args: string[]) => ["wget", "-q", "-O", "-", ...args];

export const WEB_ROWS: Row[] = [
  fetches({ ...CURL, action: "HTTP" }, () => curl(HTTP)),
  fetches({ ...CURL, action: "HTTPS", asks: SECURE }, (ca) => curl("--cacert", ca, HTTPS)),
  fetches({ ...CURL, action: `HTTP${VARIABLES}`, hasVariables: true }, () => curl(HTTP)),
  fetches(
    { ...CURL, action: `HTTPS${VARIABLES}`, asks: SECURE, hasVariables: true },
    (ca) => curl("--cacert", ca, HTTPS),
  ),
  {
    ...CURL,
    action: "20 pages over 20 connections at once",
    asks: PLAIN,
    async command(lab) {
      await startWeb(lab);
      const argv = curl("-Z", "--parallel-immediate", "--parallel-max", "20", ...PARALLEL);
      return { argv, prints: ALL_TWENTY };
    },
  },
  {
    ...CURL,
    action: "5 MB",
    asks: PLAIN,
    async command(lab, dir) {
      await startWeb(lab);
      const check = () => {
        const { size } = statSync(dir.file("big"));
        return size === BIG_LENGTH ? undefined : `${size} of ${BIG_LENGTH} octets`;
      };
      return { argv: curl("-o", dir.file("big"), `${HTTP}big`), check };
    },
  },
  fetches({ ...WGET, action: "HTTP" }, () => wget(HTTP)),
  fetches(
    { ...WGET, action: "HTTPS", asks: SECURE },
    (ca) => wget(`--ca-certificate=${ca}`, HTTPS),
  ),
  fetches({ ...WGET, action: `HTTP${VARIABLES}`, hasVariables: true }, () => wget(HTTP)),
  fetches(
    { ...WGET, action: `HTTPS${VARIABLES}`, asks: SECURE, hasVariables: true },
    (ca) => wget(`--ca-certificate=${ca}`, HTTPS),
  ),
  ...["--async-dns=false", "--async-dns=true"].map((flag): Row => ({
    program: "aria2c",
    packages: ["aria2"],
    action: flag.endsWith("true") ? "HTTP, with its own resolver (c-ares)" : `HTTP, ${flag}`,
    asks: PLAIN,
    async command(lab, dir) {
      await startWeb(lab);
      const argv = ["aria2c", "-q", flag, "--max-tries=1", "-d", dir.path, "-o", "page", HTTP];
      return { argv: ["/bin/sh", "-c", '"$@" && cat page', "sh", ...argv], prints: PAGE };
    },
  })),
  fetches({ program: "lynx", packages: ["lynx"], action: "HTTP" }, () => ["lynx", "-dump", HTTP]),
  fetches({ program: "w3m", packages: ["w3m"], action: "HTTP" }, () => ["w3m", "-dump", HTTP]),
  fetches(
    { program: "httpie", packages: ["httpie"], action: "HTTP" },
    () => ["http", "--ignore-stdin", "--body", HTTP],
  ),
  fetches(
    { program: "busybox wget", packages: ["busybox"], action: "HTTP" },
    () => ["busybox", "wget", "-q", "-O", "-", HTTP],
  ),
  fetches(
    { program: "lftp", packages: ["lftp"], action: "HTTP" },
    () => ["lftp", "-c", `set net:max-retries 1; cat ${HTTP}`],
  ),
  ...[true, false].map((hasVariables): Row => ({
    program: "rclone",
    packages: ["rclone"],
    action: `HTTP, a Go program${hasVariables ? VARIABLES : ""}`,
    asks: PLAIN,
    ...(hasVariables ? { hasVariables } : {}),
    async command(lab) {
      await startWeb(lab);
      const argv = ["rclone", "--retries", "1", "copyurl", "--stdout", `${HTTP}json`];
      return { argv, prints: '{"word":"hello"}' };
    },
  })),
  {
    program: "ab",
    packages: ["apache2-utils"],
    action: "200 requests, 20 at a time",
    asks: PLAIN,
    async command(lab) {
      await startWeb(lab);
      return {
        argv: ["ab", "-q", "-n", "200", "-c", "20", HTTP],
        prints: /Complete requests: +200\nFailed requests: +0/,
      };
    },
  },
];

/** The options that several verbs share, and the readers of their values. Pure. */

import { parsePort } from "../config/ports.ts";
import { type Given, type OptionSpec, type ServerOption, usage } from "./options.ts";

/** Where the configuration comes from. */
export interface ConfigOptions {
  conf: string | undefined;
  servers: ServerOption[];
  passwordFile: string | undefined;
}

/** What `run` and `serve` have in common. */
export interface CommonOptions extends ConfigOptions {
  connectTimeoutMs: number;
  debug: string | undefined;
  debugFile: string | undefined;
  logFormat: "text" | "json";
}

export const CONF: OptionSpec = {
  name: "conf",
  short: "f",
  value: "FILE",
  help:
    "read FILE; otherwise TSOCKS_CONF_FILE, ~/.tsocks.conf, /etc/tsocks.conf, /usr/local/etc/tsocks.conf (or .jsonc for each), the first there is",
};
export const PASSWORD_FILE: OptionSpec = {
  name: "password-file",
  value: "FILE",
  help: "the servers' password is the first line of FILE",
};
export const JSON_OPTION: OptionSpec = { name: "json", help: "write JSON, for programs" };

const SERVERS: readonly OptionSpec[] = [
  {
    name: "server",
    value: "URL",
    help:
      "socks4:// socks4a:// socks5:// or http://[USER:PASSWORD@]HOST[:PORT]; the default server, or with --reaches behind it one for these only",
  },
  {
    name: "reaches",
    value: "NET",
    help:
      "networks (10.0.0.0/8, 10.0.0.0:80-90/8) or names (*.corp.example) that the --server before it carries; repeatable, the last that matches wins",
  },
];

export const CONFIG_OPTIONS: readonly OptionSpec[] = [CONF, ...SERVERS, PASSWORD_FILE];

/** Less `--password-file`, which means another thing to each verb. */
export const COMMON_OPTIONS: readonly OptionSpec[] = [
  CONF,
  ...SERVERS,
  {
    name: "connect-timeout",
    value: "SEC",
    help: "until the destination is connected (10)",
  },
  {
    name: "debug",
    value: "N",
    help: "-1 nothing, 0 errors, 1 each decision, 2 each step (TSOCKS_DEBUG, 0)",
  },
  {
    name: "debug-file",
    value: "FILE",
    help: "append the log to FILE (TSOCKS_DEBUG_FILE; otherwise standard error)",
  },
  {
    name: "log-format",
    value: "FORMAT",
    choices: ["text", "json"],
    help: "text or json (text)",
  },
];

const DEFAULT_TIMEOUT_SECONDS = "10";
const MAX_TIMEOUT_SECONDS = 3600;

export function configOptions(given: Given): ConfigOptions {
  return {
    conf: given.text("conf"),
    servers: given.servers,
    passwordFile: given.text("password-file"),
  };
}

export function commonOptions(given: Given): CommonOptions {
  const timeout = given.text("connect-timeout") ?? DEFAULT_TIMEOUT_SECONDS;
  return {
    ...configOptions(given),
    connectTimeoutMs: readSeconds(timeout, "--connect-timeout") * 1000,
    debug: given.text("debug"),
    debugFile: given.text("debug-file"),
    logFormat: given.text("log-format") === "json" ? "json" : "text",
  };
}

export function readSeconds(word: string, option: string): number {
  const value = /^\d+(\.\d+)?$/.test(word) ? Number(word) : NaN;
  if (value > 0 && value <= MAX_TIMEOUT_SECONDS) return value;
  const fix = `seconds, more than 0 and at most ${MAX_TIMEOUT_SECONDS}`;
  throw usage(`Invalid timeout "${word}"`, option, fix);
}

/** `HOST:PORT` or `[IPV6]:PORT`. */
export function readEndpoint(word: string, option: string): { hostname: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:\[\]]+)):(\d{1,5})$/.exec(word);
  const hostname = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (hostname === undefined || port > 65535) {
    throw usage(`Not an address and port: "${word}"`, option, "ADDRESS:PORT, IPv6 in brackets");
  }
  return { hostname, port };
}

/** The same with the port left out, also of IPv6 without brackets: port 0 then. */
export function readHost(word: string, option: string): { hostname: string; port: number } {
  if (/^[^\[\]]*:[^\[\]]*:[^\[\]]*$/.test(word)) return { hostname: word, port: 0 };
  const [, bare] = /^\[([0-9a-fA-F:.]+)\]$/.exec(word) ?? /^([^:\[\]]+)$/.exec(word) ?? [];
  return bare === undefined ? readEndpoint(word, option) : { hostname: bare, port: 0 };
}

export function readPort(word: string, where: string): number {
  const port = parsePort(word);
  if (port !== undefined) return port;
  throw usage(`Invalid port "${word}"`, where, "a port between 1 and 65535");
}

/** @throws TsocksError USAGE where there are more operands than the verb takes */
export function atMost(count: number, { operands }: Given, where: string): string[] {
  if (operands.length <= count) return operands;
  throw usage("More arguments than expected", where, `${where} --help`);
}

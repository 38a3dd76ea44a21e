/**
 * argv → what to do. Pure: reads nothing, runs nothing. node:util parseArgs and not deno-std's,
 * because only its tokens keep the order of `--server` and the `--reaches` that belong to it.
 */

import { parseArgs, type ParseArgsConfig } from "node:util";
import { TsocksError } from "../errors.ts";
import { type ConvertOptions, parseConvert } from "./convert.ts";
import { parseDnsServer } from "../config/dns_server.ts";
import { type InitOptions, parseInit } from "./init.ts";
import { parseReload, type ReloadVerb } from "./reload.ts";
import type { DnsMode } from "../config/model.ts";
import { formatEndpoint, type IpAddress } from "../net/address.ts";

/** A `--server` and the `--reaches` behind it, as typed. */
export interface ServerOption {
  url: string;
  reaches: string[];
}

/** What `run` and `serve` have in common. */
export interface CommonOptions {
  conf: string | undefined;
  servers: ServerOption[];
  passwordFile: string | undefined;
  connectTimeoutMs: number;
  debug: string | undefined;
  debugFile: string | undefined;
  logFormat: "text" | "json";
}

export interface RunOptions extends CommonOptions {
  verb: "run";
  command: string[];
  withoutEnv: boolean;
  linger: boolean;
  /** `--udp`; undefined: as the configuration says. */
  udp: "refuse" | "direct" | undefined;
  /** `--dns` and `--dns-server`, in the same way. */
  dns: DnsMode | undefined;
  dnsServer: { address: IpAddress; port: number } | undefined;
  isStrict: boolean;
  withoutReexec: boolean;
}

export interface ServeOptions extends CommonOptions {
  verb: "serve";
  listen: { hostname: string; port: number };
  user: string | undefined;
  isOpen: boolean;
  /** `NAME:PORT` → where that is, both as given. */
  maps: { from: string; hostname: string; port: number }[];
}

export type Invocation =
  | RunOptions
  | ServeOptions
  | ConvertOptions
  | InitOptions
  | ReloadVerb
  | { verb: "help"; topic: string | undefined }
  | { verb: "version" };

type OptionTable = NonNullable<ParseArgsConfig["options"]>;
type Values = Record<string, string | boolean | (string | boolean)[] | undefined>;

const COMMON = {
  conf: { type: "string" },
  server: { type: "string", multiple: true },
  reaches: { type: "string", multiple: true },
  "password-file": { type: "string" },
  "connect-timeout": { type: "string" },
  debug: { type: "string" },
  "debug-file": { type: "string" },
  "log-format": { type: "string" },
  help: { type: "boolean", short: "h" },
} as const satisfies OptionTable;

const RUN = {
  ...COMMON,
  "no-env": { type: "boolean" },
  linger: { type: "boolean" },
  udp: { type: "string" },
  dns: { type: "string" },
  "dns-server": { type: "string" },
  strict: { type: "boolean" },
  "no-reexec": { type: "boolean" },
} as const satisfies OptionTable;

const SERVE = {
  ...COMMON,
  listen: { type: "string" },
  user: { type: "string" },
  open: { type: "boolean" },
  map: { type: "string", multiple: true },
} as const satisfies OptionTable;

const DEFAULT_TIMEOUT_SECONDS = "10";
const MAX_TIMEOUT_SECONDS = 3600;

/** @throws TsocksError USAGE */
export function parseCommandLine(argv: string[]): Invocation {
  const [first, ...rest] = argv;
  switch (first) {
    case undefined:
      throw usage("No command given", "tsocks", "tsocks run -- COMMAND [ARGS...]");
    case "run":
      return parseRun(rest);
    case "serve":
      return parseServe(rest);
    case "convert":
      return parseConvert(rest);
    case "init":
      return parseInit(rest);
    case "reload":
      return parseReload(rest);
    case "help":
      return { verb: "help", topic: rest[0] };
    case "-h":
    case "--help":
    case "-?":
      return { verb: "help", topic: undefined };
    case "--version":
    case "-V":
      return { verb: "version" };
  }
  if (first.startsWith("-") && first !== "--") {
    throw usage(
      `Unknown option "${first}"`,
      "tsocks",
      "options go behind the verb: tsocks run ...",
    );
  }
  // The old short form: tsocks COMMAND ARGS...
  return parseRun(first === "--" ? argv : ["--", ...argv]);
}

function parseRun(argv: string[]): Invocation {
  const { own, command } = splitCommand(argv, RUN);
  const { values, servers } = parseOptions(own, RUN, "run");
  if (values.help === true) return { verb: "help", topic: "run" };
  if (command.length === 0) {
    throw usage("No command given", "tsocks run", "tsocks run [OPTIONS] -- COMMAND [ARGS...]");
  }
  return {
    verb: "run",
    command,
    ...commonOptions(values, servers, "run"),
    withoutEnv: values["no-env"] === true,
    linger: values.linger === true,
    udp: udp(text(values.udp)),
    dns: dns(text(values.dns)),
    dnsServer: dnsServer(text(values["dns-server"])),
    isStrict: values.strict === true,
    withoutReexec: values["no-reexec"] === true,
  };
}

function parseServe(argv: string[]): Invocation {
  const { values, servers } = parseOptions(argv, SERVE, "serve");
  if (values.help === true) return { verb: "help", topic: "serve" };
  const listen = text(values.listen);
  if (listen === undefined) {
    throw usage("No address to listen on", "tsocks serve", "tsocks serve --listen 127.0.0.1:1080");
  }
  return {
    verb: "serve",
    ...commonOptions(values, servers, "serve"),
    listen: endpoint(listen, "--listen"),
    user: text(values.user),
    isOpen: values.open === true,
    maps: list(values.map).map(parseMap),
  };
}

/** `--debug -1` as `--debug=-1`: parseArgs takes -1 for an option. */
function joinNegative(argv: string[]): string[] {
  const at = argv.indexOf("--debug");
  if (at === -1 || !/^-\d+$/.test(argv[at + 1] ?? "")) return argv;
  return argv.toSpliced(at, 2, `--debug=${argv[at + 1]}`);
}

/** The child's arguments begin at the first word that is no option of ours, or behind `--`. */
function splitCommand(argv: string[], options: OptionTable): { own: string[]; command: string[] } {
  const { tokens } = parseArgs({
    args: argv,
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const stop = tokens.find((token) => token.kind !== "option");
  if (stop === undefined) return { own: argv, command: [] };
  const from = stop.kind === "option-terminator" ? stop.index + 1 : stop.index;
  return { own: argv.slice(0, stop.index), command: argv.slice(from) };
}

function parseOptions(
  args: string[],
  options: OptionTable,
  verb: string,
): { values: Values; servers: ServerOption[] } {
  try {
    const { values, tokens } = parseArgs({ args: joinNegative(args), options, tokens: true });
    const servers: ServerOption[] = [];
    for (const token of tokens) {
      if (token.kind !== "option" || token.value === undefined) continue;
      if (token.name === "server") servers.push({ url: token.value, reaches: [] });
      if (token.name === "reaches") attachReach(servers, token.value);
    }
    return { values: values as Values, servers };
  } catch (error) {
    if (error instanceof TsocksError) throw error;
    const what = (error as Error).message.split(/[.\n]/)[0] ?? "Bad option";
    throw usage(what, `tsocks ${verb}`, `tsocks ${verb} --help lists the options`);
  }
}

function attachReach(servers: ServerOption[], reach: string): void {
  const server = servers.at(-1);
  if (server === undefined) {
    const fix = "--server URL --reaches NETWORK";
    throw usage("--reaches has no server before it", `--reaches ${reach}`, fix);
  }
  server.reaches.push(reach);
}

function commonOptions(values: Values, servers: ServerOption[], verb: string): CommonOptions {
  const logFormat = text(values["log-format"]) ?? "text";
  if (logFormat !== "text" && logFormat !== "json") {
    throw usage(`Unknown log format "${logFormat}"`, `tsocks ${verb}`, "--log-format text or json");
  }
  return {
    conf: text(values.conf),
    servers,
    passwordFile: text(values["password-file"]),
    connectTimeoutMs: seconds(text(values["connect-timeout"]) ?? DEFAULT_TIMEOUT_SECONDS) * 1000,
    debug: text(values.debug),
    debugFile: text(values["debug-file"]),
    logFormat,
  };
}

function udp(word: string | undefined): RunOptions["udp"] {
  if (word === undefined || word === "refuse" || word === "direct") return word;
  throw usage(`Unknown way for UDP "${word}"`, "--udp", "--udp refuse or --udp direct");
}

function dns(word: string | undefined): RunOptions["dns"] {
  if (word === undefined || word === "remote" || word === "local" || word === "tcp") return word;
  throw usage(`Unknown way for names "${word}"`, "--dns", "--dns remote, local or tcp");
}

function dnsServer(word: string | undefined): RunOptions["dnsServer"] {
  const server = word === undefined ? undefined : parseDnsServer(word);
  if (word === undefined || server !== undefined) return server;
  throw usage(`Not a DNS server: "${word}"`, "--dns-server", "IP or IP:PORT, IPv6 in brackets");
}

function seconds(word: string): number {
  const value = /^\d+(\.\d+)?$/.test(word) ? Number(word) : NaN;
  if (value > 0 && value <= MAX_TIMEOUT_SECONDS) return value;
  const fix = `seconds, more than 0 and at most ${MAX_TIMEOUT_SECONDS}`;
  throw usage(`Invalid timeout "${word}"`, "--connect-timeout", fix);
}

/** `NAME:PORT=ADDR:PORT` */
function parseMap(word: string): { from: string; hostname: string; port: number } {
  const [from = "", to = ""] = word.split("=", 2);
  const source = endpoint(from, "--map");
  const name = formatEndpoint(source.hostname.toLowerCase(), source.port);
  return { from: name, ...endpoint(to, "--map") };
}

/** `HOST:PORT` or `[IPV6]:PORT`. */
function endpoint(word: string, option: string): { hostname: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:\[\]]+)):(\d{1,5})$/.exec(word);
  const hostname = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (hostname === undefined || port > 65535) {
    throw usage(`Not an address and port: "${word}"`, option, "ADDRESS:PORT, IPv6 in brackets");
  }
  return { hostname, port };
}

function text(value: Values[string]): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function list(value: Values[string]): string[] {
  return Array.isArray(value) ? value.filter((word) => typeof word === "string") : [];
}

function usage(what: string, where: string, fix: string): TsocksError {
  return new TsocksError("USAGE", what, { where, fix });
}

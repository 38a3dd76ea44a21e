/**
 * Reads what the command line, the environment and the configuration file say, and opens the log:
 * everything that is known before anything starts. The rules are config/'s; here are only the reads.
 */

import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { userInfo } from "node:os";
import process from "node:process";
import type { ServerOption } from "../cli/options.ts";
import { assembleConfig, hasNoWayOut } from "../config/assemble.ts";
import { formatDiagnostic } from "../config/diagnostic.ts";
import { formOf } from "../config/form.ts";
import { configCandidates } from "../config/locate.ts";
import type { Config, Diagnostic } from "../config/model.ts";
import { parseTsocksConf } from "../config/tsocks_conf.ts";
import { formatPlace, TsocksError } from "../errors.ts";
import { type IpAddress, isLoopback, isUnspecified } from "../net/address.ts";
import { DecisionLog, type LogLevel } from "./log.ts";

/** The parts of the environment that tsocks reads. */
export interface TsocksEnvironment {
  HOME?: string;
  TSOCKS_CONF_FILE?: string;
  TSOCKS_CONFFILE?: string;
  TSOCKS_USERNAME?: string;
  TSOCKS_PASSWORD?: string;
  TSOCKS_DEBUG?: string;
  TSOCKS_DEBUG_FILE?: string;
}

export interface ConfigSources {
  conf: string | undefined;
  servers: ServerOption[];
  /** The servers' password, read from `--password-file`. */
  password: string | undefined;
  env: TsocksEnvironment;
  /** Real and effective user differ: variables that name files are ignored. */
  isPrivileged: boolean;
}

/** A configuration file as it was found. */
export interface ConfigFile {
  filePath: string;
  text: string;
}

/**
 * The configuration with all that is wrong with it; for use only where no diagnostic is an error.
 * `file` is undefined where there is none.
 * @throws TsocksError CONFIG where the file cannot be read
 */
export async function readConfig(
  sources: ConfigSources,
): Promise<{ config: Config; diagnostics: Diagnostic[]; file: ConfigFile | undefined }> {
  const { env, servers } = sources;
  const file = findConfigFile(sources);
  const assembled = assembleConfig({
    file: file && await parseConfig(file),
    servers,
    env: { username: env.TSOCKS_USERNAME, password: env.TSOCKS_PASSWORD },
    passwordFromFile: sources.password,
    localUser: localUserName(),
  });
  return { ...assembled, file };
}

/**
 * The configuration, and the warnings to print.
 * @throws TsocksError CONFIG with every error of it
 */
export async function loadConfig(
  sources: ConfigSources,
): Promise<{ config: Config; warnings: string[] }> {
  const { config, diagnostics } = await readConfig(sources);
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === "error");
  if (errors.length > 0) throw configError(errors);
  const warnings = diagnostics.filter((diagnostic) => diagnostic.severity === "warning");
  return { config, warnings: warnings.map(formatDiagnostic) };
}

/** @throws TsocksError NO_SERVER, because then nothing could be carried and nothing may go direct */
export function requireServer(config: Config): void {
  if (!hasNoWayOut(config)) return;
  throw new TsocksError("NO_SERVER", "No SOCKS server is configured", {
    where: "tsocks.conf and the command line",
    fix:
      'write "server = ADDRESS" into tsocks.conf, or: tsocks run --server socks5://ADDRESS -- ...',
  });
}

/**
 * @throws TsocksError CONFIG for `dns = tcp` where only a name server on this machine is known: it
 * would look names up by itself, past every server
 */
export function requireDnsServer(config: Config, nameservers: IpAddress[]): void {
  const [first] = nameservers;
  if (config.dns.mode !== "tcp" || config.dnsServer !== undefined) return;
  if (first !== undefined && !isLoopback(first) && !isUnspecified(first)) return;
  throw new TsocksError(
    "CONFIG",
    "No DNS server for dns = tcp: /etc/resolv.conf names none but this machine",
    {
      where: config.dns.place === undefined ? "tsocks.conf" : formatPlace(config.dns.place),
      fix: 'write "dns_server = IP", or: --dns-server IP',
    },
  );
}

/** One error that prints as all of them: the first one's parts, and the rest behind. */
function configError(errors: Diagnostic[]): TsocksError {
  const [first, ...rest] = errors.map(formatDiagnostic);
  const error = new TsocksError("CONFIG", "The configuration has errors", {
    where: `${errors.length} of its lines`,
    fix: "mend these lines; nothing was started",
  });
  error.format = () => [first, ...rest].join("\n");
  return error;
}

function findConfigFile(sources: ConfigSources): ConfigFile | undefined {
  const { conf: confOption, env, isPrivileged } = sources;
  const candidates = configCandidates({ confOption, env, isPrivileged });
  for (const { filePath, isNamed, rival } of candidates) {
    // Servers on the command line make the usual files superfluous, but not one that was named.
    if (!isNamed && sources.servers.length > 0) continue;
    let text;
    try {
      text = readFileSync(filePath, "utf8");
    } catch (error) {
      const code = (error as { code?: string }).code;
      if (!isNamed && (code === "ENOENT" || code === "ENOTDIR")) continue;
      throw new TsocksError("CONFIG", `Cannot read the configuration: ${code ?? error}`, {
        where: filePath,
        fix: isNamed ? "check the name and the permissions" : "check its permissions, or remove it",
      });
    }
    if (rival !== undefined && existsSync(rival)) throw rivalError(filePath, rival);
    return { filePath, text };
  }
}

/** Either of tsocks's own forms. JSONC's parser is loaded only where it is needed. */
async function parseConfig({ filePath, text }: ConfigFile) {
  if (formOf(filePath, text) === "conf") return parseTsocksConf(text, filePath);
  const { parseTsocksJsonc } = await import("../config/tsocks_jsonc.ts");
  return parseTsocksJsonc(text, filePath);
}

/** Whoever edits the one that is not read would wonder, and connections would go the old way. */
function rivalError(filePath: string, rival: string): TsocksError {
  return new TsocksError("CONFIG", "Two configurations in one place", {
    where: `${filePath} and ${rival}`,
    fix: "remove one of them, or name one: --conf FILE",
  });
}

/** SOCKS 4's USERID when nothing else is given. An arbitrary uid has no passwd entry. */
export function localUserName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 0);
  }
}

/** The first line of a password file. @throws TsocksError CONFIG */
export function readPasswordFile(filePath: string): string {
  try {
    return readFileSync(filePath, "utf8").split(/\r?\n/, 1)[0] ?? "";
  } catch (error) {
    throw new TsocksError(
      "CONFIG",
      `Cannot read the password: ${(error as { code?: string }).code}`,
      {
        where: `${filePath} (--password-file)`,
        fix: "check the name and the permissions",
      },
    );
  }
}

export interface LogSources {
  debug: string | undefined;
  debugFile: string | undefined;
  format: "text" | "json";
  env: TsocksEnvironment;
  isPrivileged: boolean;
}

/**
 * Open the log on stderr or on the file asked for (0600, appended).
 * @throws TsocksError LOG where that file cannot be written
 */
export function openLog(sources: LogSources): { log: DecisionLog; close: () => void } {
  const level = logLevel(sources.debug ?? sources.env.TSOCKS_DEBUG);
  const fromEnv = sources.isPrivileged ? undefined : sources.env.TSOCKS_DEBUG_FILE;
  const filePath = sources.debugFile ?? fromEnv;
  if (!filePath) {
    return { log: new DecisionLog({ level, format: sources.format, fd: 2 }), close: () => {} };
  }
  try {
    const fd = openSync(filePath, "a", 0o600);
    return {
      log: new DecisionLog({ level, format: sources.format, fd }),
      close: () => closeSync(fd),
    };
  } catch (error) {
    const name = sources.debugFile === undefined ? "TSOCKS_DEBUG_FILE" : "--debug-file";
    throw new TsocksError("LOG", `Cannot write the log: ${(error as { code?: string }).code}`, {
      where: `${filePath} (${name})`,
      fix: "name a file in a directory that you may write, or leave it out for stderr",
    });
  }
}

/** As atoi(3) in tsocks 1.8: what is no number is 0. */
export function logLevel(text: string | undefined): LogLevel {
  const value = Number.parseInt(text ?? "0", 10) || 0;
  return value < 0 ? -1 : value >= 2 ? 2 : value === 1 ? 1 : 0;
}

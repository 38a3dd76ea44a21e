/** `tsocks init`: asks on the terminal, and writes a configuration that was not there before. */

import { existsSync, renameSync, writeFileSync } from "node:fs";
import process from "node:process";
import { type InitAnswers, initEntries, type InitOptions, initUsage } from "../cli/init.ts";
import { writeConf } from "../config/convert/write_conf.ts";
import { writeJsonc } from "../config/convert/write_jsonc.ts";
import { type ConfigForm, formOf } from "../config/form.ts";
import { configCandidates } from "../config/locate.ts";
import { Credentials, type Server } from "../config/model.ts";
import { parseNameRule, parseNetworkRule } from "../config/rules.ts";
import { parseServerUrl } from "../config/server_url.ts";
import type { Context } from "../context.ts";
import { TsocksError } from "../errors.ts";
import { Terminal } from "../io/terminal.ts";

const PLACE = { kind: "option", name: "--server" } as const;

/** Resolves to the exit status. @throws TsocksError */
export async function init(options: InitOptions, context: Context): Promise<number> {
  const { env, isPrivileged, print } = context;
  const filePath = options.filePath ?? defaultPath(env.HOME);
  const candidates = configCandidates({ env: { HOME: env.HOME }, isPrivileged });
  const rival = candidates.find((candidate) => candidate.filePath === filePath)?.rival;
  const taken = [filePath, rival].find((at) => at !== undefined && existsSync(at));
  if (taken !== undefined && (!options.isForced || taken === rival)) throw exists(taken);
  const url = options.servers.at(-1)?.url;
  const given = url === undefined ? undefined : readServer(url);
  if (!options.isYes && !process.stdin.isTTY) throw initUsage("There is no terminal to ask on");
  const answers = options.isYes && given !== undefined
    ? { server: given, locals: [], localNames: [] }
    : await askAll(given);
  const text = textOf(answers, formOf(filePath, ""), filePath);
  const mode = answers.server.credentials.hasPassword ? 0o600 : 0o644;
  write(filePath, text, { mode, isForced: options.isForced });
  print(`Wrote ${filePath}`);
  return 0;
}

function defaultPath(home: string | undefined): string {
  if (home) return `${home}/.tsocks.conf`;
  throw initUsage("There is no home directory: name a FILE");
}

/** @throws TsocksError USAGE */
function readServer(url: string): Server {
  const result = parseServerUrl(url, PLACE);
  if (result.ok) return result.server;
  const { message, fix } = result.diagnostic;
  throw new TsocksError("USAGE", message, { where: PLACE.name, fix });
}

async function askAll(given: Server | undefined): Promise<InitAnswers> {
  using terminal = new Terminal();
  const server = given ??
    await terminal.ask("Server (socks5://HOST:PORT, also socks4:, socks4a:, http:): ", readServer);
  const isComplete = given !== undefined || server.credentials.user !== "";
  const credentials = isComplete ? server.credentials : await askLogin(terminal, server);
  const locals = await terminal.ask(
    "Networks to connect to directly (10.0.0.0/8 ..., empty for none): ",
    (text) => words(text, (word) => parseNetworkRule(word, PLACE)),
  );
  const localNames = await terminal.ask(
    "Names to connect to directly (*.lan ..., empty for none): ",
    (text) => words(text, (word) => parseNameRule(word, PLACE)),
  );
  return { server: { ...server, credentials }, locals, localNames };
}

async function askLogin(terminal: Terminal, server: Server): Promise<Credentials> {
  const user = await terminal.ask("User name (empty for none): ", (text) => text);
  if (user === "" || server.type.startsWith("4")) return new Credentials(user, undefined);
  const password = await terminal.ask("Password (not shown): ", (text) => text, { isHidden: true });
  return new Credentials(user, password || undefined);
}

/** Words behind each other or commas, each judged. @throws TsocksError USAGE */
function words(
  text: string,
  judge: (word: string) => { ok: true } | { ok: false; message: string; fix: string },
): string[] {
  const all = text.split(/[\s,]+/).filter((word) => word !== "");
  for (const word of all) {
    const result = judge(word);
    if (!result.ok) {
      throw new TsocksError("USAGE", result.message, { where: word, fix: result.fix });
    }
  }
  return all;
}

/** @throws TsocksError USAGE for a password that tsocks.conf cannot hold */
function textOf(answers: InitAnswers, form: ConfigForm, filePath: string): string {
  const entries = initEntries(answers, form);
  if (form === "jsonc") return writeJsonc(entries);
  const { text, unwritable } = writeConf(entries);
  if (unwritable.length === 0) return text;
  throw new TsocksError("USAGE", "tsocks.conf has no quotes: user or password cannot be written", {
    where: filePath,
    fix: "name a FILE that ends in .jsonc",
  });
}

/** A new file always: one that is there has its own mode, or is a link. */
function write(filePath: string, text: string, options: { mode: number; isForced: boolean }): void {
  const { mode, isForced } = options;
  const fresh = isForced ? `${filePath}.${process.pid}` : filePath;
  try {
    writeFileSync(fresh, text, { mode, flag: "wx" });
    if (isForced) renameSync(fresh, filePath);
  } catch (error) {
    if ((error as { code?: string }).code === "EEXIST") throw exists(fresh);
    throw new TsocksError("CONFIG", `Cannot write it: ${(error as { code?: string }).code}`, {
      where: filePath,
      fix: "name a FILE in a directory that you may write",
    });
  }
}

function exists(filePath: string): TsocksError {
  return new TsocksError("CONFIG", "There is a configuration already", {
    where: filePath,
    fix: "--force writes over the same file; remove one of another form first",
  });
}

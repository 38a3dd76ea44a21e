/** `tsocks init`: its options and its help, and the commented configuration that it writes. Pure. */

import { parseArgs } from "node:util";
import type { Entry } from "../config/convert/entries.ts";
import type { ConfigForm } from "../config/form.ts";
import type { Server } from "../config/model.ts";
import { TsocksError } from "../errors.ts";

export interface InitOptions {
  verb: "init";
  /** Undefined: ~/.tsocks.conf */
  filePath: string | undefined;
  server: string | undefined;
  /** Ask nothing. */
  isYes: boolean;
  isForced: boolean;
}

/** What a configuration begins with. */
export interface InitAnswers {
  server: Server;
  /** Networks and names that are connected to directly, as written. */
  locals: string[];
  localNames: string[];
}

export const INIT_HELP = `Usage: tsocks init [OPTIONS] [FILE]

Asks for the server and what is local, and writes a commented configuration to FILE (~/.tsocks.conf;
JSON where its name ends in .jsonc). With a password in it, nobody else can read it (mode 0600).

  --server URL            socks4:// socks4a:// socks5:// or http://[USER:PASSWORD@]HOST[:PORT]
  --yes                   ask nothing; needs --server
  --force                 write over FILE if there is one`;

const OPTIONS = {
  server: { type: "string" },
  yes: { type: "boolean", short: "y" },
  force: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

/** @throws TsocksError USAGE */
export function parseInit(argv: string[]): InitOptions | { verb: "help"; topic: string } {
  const { values, positionals } = readArgs(argv);
  if (values.help === true) return { verb: "help", topic: "init" };
  if (positionals.length > 1) throw initUsage("One file at most");
  const isYes = values.yes === true;
  if (isYes && values.server === undefined) throw initUsage("--yes needs --server");
  const [filePath] = positionals;
  return { verb: "init", filePath, server: values.server, isYes, isForced: values.force === true };
}

function readArgs(args: string[]) {
  try {
    return parseArgs({ args, allowPositionals: true, options: OPTIONS });
  } catch (error) {
    throw initUsage((error as Error).message.split(/[.\n]/)[0] ?? "Bad option");
  }
}

export function initUsage(what: string): TsocksError {
  const fix = "tsocks init [--server URL --yes] [--force] [FILE]";
  return new TsocksError("USAGE", what, { where: "tsocks init", fix });
}

/** The configuration, with what else one may want to write as comments. */
export function initEntries(answers: InitAnswers, form: ConfigForm): Entry[] {
  const { server, locals, localNames } = answers;
  const { user } = server.credentials;
  const password = server.credentials.revealPassword();
  const example = form === "conf" ? confExample : jsoncExample;
  return [
    ...comments("What is connected to directly, past every server. Loopback always is."),
    ...(locals.length > 0 ? set("local", locals) : example("local", "10.0.0.0/8")),
    ...comments("Names that this machine resolves itself, and connects to directly."),
    ...(localNames.length > 0 ? set("local_name", localNames) : example("local_name", "*.lan")),
    { kind: "blank" },
    ...comments("The server that all else goes through; its type is 4, 4a, 5 or http."),
    ...set("server", [server.hostname]),
    ...set("server_port", [`${server.port}`]),
    ...set("server_type", [server.type]),
    ...(user === "" ? [] : set("default_user", [user])),
    ...(password === undefined ? [] : set("default_pass", [password])),
    { kind: "blank" },
    ...comments("Another server for some destinations: a path with server, reaches, reaches_name."),
    { kind: "blank" },
    ...comments("Datagrams, which no server carries: refuse, or direct past the servers."),
    ...set("udp", ["refuse"]),
    ...comments(
      "Who looks names up: remote (the server), local (this machine) or tcp (dns_server).",
    ),
    ...set("dns", ["remote"]),
  ];
}

function comments(...lines: string[]): Entry[] {
  return lines.map((line) => ({ kind: "comment", text: ` ${line}` }));
}

function set(name: string, values: string[]): Entry[] {
  const at = { line: 1, column: 1 };
  return values.map((value) => ({ kind: "assignment", name, value, at }));
}

function confExample(name: string, value: string): Entry[] {
  return comments(`${name} = ${value}`);
}

function jsoncExample(name: string, value: string): Entry[] {
  return comments(`"${name}": ["${value}"],`);
}

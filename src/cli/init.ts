/** `tsocks init`: its command line and its help, and the configuration that it writes. Doing it is src/verbs/init.ts. */

import type { Entry } from "../config/convert/entries.ts";
import type { ConfigForm } from "../config/form.ts";
import type { Server } from "../config/model.ts";
import type { TsocksError } from "../errors.ts";
import { type Given, type OptionSpec, type ServerOption, usage } from "./options.ts";
import type { Verb } from "./verb.ts";

export interface InitOptions {
  verb: "init";
  /** Undefined: ~/.tsocks.conf */
  filePath: string | undefined;
  /** One, or none. */
  servers: ServerOption[];
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

const SERVER: OptionSpec = {
  name: "server",
  value: "URL",
  help: "socks4:// socks4a:// socks5:// or http://[USER:PASSWORD@]HOST[:PORT]",
};

export const INIT: Verb<InitOptions> = {
  name: "init",
  summary: "ask a few questions, write a configuration",
  usage: "[OPTIONS] [FILE]",
  options: [
    SERVER,
    { name: "yes", short: "y", help: "ask nothing; needs --server" },
    { name: "force", help: "write over FILE if there is one" },
  ],
  notes: [
    "Asks for the server and what is local, and writes a commented configuration to FILE (~/.tsocks.conf; JSON where its name ends in .jsonc). With a password in it, nobody else can read it (mode 0600).",
    "Exit status: 0 written; 125 not.",
  ],
  examples: [
    ["tsocks init", "asks, and writes ~/.tsocks.conf"],
    ["tsocks init --yes --server socks5://10.1.4.253 ./tsocks.jsonc", "without a question"],
  ],
  read(given: Given): InitOptions {
    const { servers, operands: [filePath, ...more] } = given;
    if (more.length > 0) throw initUsage("One file at most");
    if (servers.length > 1) throw initUsage("One --server at most");
    const isYes = given.has("yes");
    if (isYes && servers.length === 0) throw initUsage("--yes needs --server");
    return { verb: "init", filePath, servers, isYes, isForced: given.has("force") };
  },
};

export function initUsage(what: string): TsocksError {
  return usage(what, "tsocks init", "tsocks init [--server URL --yes] [--force] [FILE]");
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

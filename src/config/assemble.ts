/**
 * One Config out of all its sources: the file, `--server` and `--reaches`, and the credentials that
 * come by variable, by file or from the local user. Reads none of them itself.
 */

import type { Place } from "../errors.ts";
import { type Failed, quoteValue } from "./diagnostic.ts";
import { emptyConfig } from "./empty_config.ts";
import { type Config, Credentials, type Diagnostic, type Path, type Server } from "./model.ts";
import { isNetworkText, parseNameRule, parseNetworkRule } from "./rules.ts";
import { parseServerUrl } from "./server_url.ts";

export interface AssembleInput {
  file?: { config: Config; diagnostics: Diagnostic[] } | undefined;
  /** Each `--server` with its `--reaches`. */
  servers: { url: string; reaches: string[] }[];
  /** TSOCKS_USERNAME and TSOCKS_PASSWORD; empty counts as unset. */
  env: { username?: string | undefined; password?: string | undefined };
  /** What `--password-file` holds. */
  passwordFromFile?: string | undefined;
  /** The last resort for a user name. */
  localUser: string;
}

type Login = { user: string | undefined; password: string | undefined };

/**
 * The file's configuration with the command line's on top: `--server` with `--reaches` is a path
 * behind the file's, so it wins; without, it replaces the file's default server.
 * `config` is for use only if no diagnostic is an error.
 */
export function assembleConfig(
  input: AssembleInput,
): { config: Config; diagnostics: Diagnostic[] } {
  const file = input.file ?? { config: emptyConfig(), diagnostics: [] };
  const config = { ...file.config, paths: file.config.paths.map((path) => ({ ...path })) };
  for (const path of config.paths) path.server &&= withFileLogin(path.server, input);
  config.defaultServer &&= withFileLogin(config.defaultServer, input);
  return { config, diagnostics: [...file.diagnostics, ...addServers(config, input)] };
}

/** No server anywhere and fallback off: every connection that is not local would be refused. */
export function hasNoWayOut(config: Config): boolean {
  const servers = [config.defaultServer, ...config.paths.map((path) => path.server)];
  return !config.fallback.isOn && servers.every((server) => server === undefined);
}

/** Put the servers of the command line into `config`; what is wrong with them comes back. */
function addServers(config: Config, input: AssembleInput): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  let hasDefault = false;
  input.servers.forEach(({ url, reaches }, at) => {
    const number = input.servers.length > 1 ? ` number ${at + 1}` : "";
    const place: Place = { kind: "option", name: `--server${number}` };
    const parsed = parseServerUrl(url, place);
    if (!parsed.ok) return diagnostics.push(parsed.diagnostic);
    const server = withUrlLogin(parsed.server, input);
    if (reaches.length > 0) return config.paths.push(readPath(server, reaches, diagnostics));
    if (hasDefault) diagnostics.push(secondDefault(place));
    hasDefault = true;
    config.defaultServer = server;
  });
  return diagnostics;
}

function readPath(server: Server, reaches: string[], diagnostics: Diagnostic[]): Path {
  const path: Path = { server, reaches: [], reachesNames: [], place: server.place };
  const place: Place = { kind: "option", name: "--reaches" };
  for (const text of reaches) {
    const complaint = addReach(path, text, place);
    if (complaint === undefined) continue;
    const message = complaint.message + quoteValue(text);
    diagnostics.push({ severity: "error", message, fix: complaint.fix, place });
  }
  return path;
}

function addReach(path: Path, text: string, place: Place): Failed | undefined {
  if (isNetworkText(text)) {
    const network = parseNetworkRule(text, place);
    if (!network.ok) return network;
    path.reaches.push(network.rule);
  } else {
    const name = parseNameRule(text, place);
    if (!name.ok) return name;
    path.reachesNames.push(name.rule);
  }
}

function secondDefault(place: Place): Diagnostic {
  const message = "Second server without --reaches: only one can be the default";
  return { severity: "error", message, fix: "give it --reaches NET, or remove it", place };
}

/** tsocks.conf(5): the environment beats the file, though the code of tsocks 1.8 had it otherwise. */
function withFileLogin(
  server: Server,
  { env, passwordFromFile, localUser }: AssembleInput,
): Server {
  const file = loginOf(server);
  const user = env.username || file.user || localUser;
  const password = passwordFromFile ?? (env.password || file.password);
  return { ...server, credentials: new Credentials(user, password) };
}

/** What the URL says is meant for this one server, so it beats all else. */
function withUrlLogin(server: Server, { env, passwordFromFile, localUser }: AssembleInput): Server {
  const url = loginOf(server);
  const user = url.user || env.username || localUser;
  const password = url.password ?? passwordFromFile ?? (env.password || undefined);
  return { ...server, credentials: new Credentials(user, password) };
}

function loginOf({ credentials }: Server): Login {
  return { user: credentials.user || undefined, password: credentials.revealPassword() };
}

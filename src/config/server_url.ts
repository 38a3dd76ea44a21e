/**
 * A server as a URL, as `--server` takes it: scheme, user information, host and port, and nothing
 * else. No complaint shows any part of the URL, since what looks like a host may be half a password.
 * Source: RFC 3986 §3.2; the schemes as curl(1) knows them.
 */

import type { Place } from "../errors.ts";
import { fail, type Failed } from "./diagnostic.ts";
import { Credentials, type Diagnostic, type Server, type ServerType } from "./model.ts";
import { parsePort } from "./ports.ts";
import { parseServerHost } from "./server_host.ts";

const FORM = "write socks5://[USER[:PASSWORD]@]HOST[:PORT]";

/** socks5h is curl's word for "the server resolves names", which ours always does. */
const SCHEMES: ReadonlyMap<string, { type: ServerType; defaultPort: number }> = new Map([
  ["socks4", { type: "4", defaultPort: 1080 }],
  ["socks4a", { type: "4a", defaultPort: 1080 }],
  ["socks5", { type: "5", defaultPort: 1080 }],
  ["socks5h", { type: "5", defaultPort: 1080 }],
  ["http", { type: "http", defaultPort: 8080 }],
]);

/**
 * `socks5://user:pass%20word@[2001:db8::1]:1080` → a Server whose user is empty and whose password
 * is undefined where the URL has none. A lone `/` behind it is taken, as people copy it so.
 */
export function parseServerUrl(
  text: string,
  place: Place,
): { ok: true; server: Server } | { ok: false; diagnostic: Diagnostic } {
  const result = readUrl(text);
  if (result.ok) return { ok: true, server: { ...result.server, place } };
  const { message, fix } = result;
  return { ok: false, diagnostic: { severity: "error", message, fix, place } };
}

type UrlResult = { ok: true; server: Omit<Server, "place"> } | Failed;

function readUrl(text: string): UrlResult {
  const [, scheme, rest = ""] = /^([A-Za-z0-9+.-]+):\/\/(.*?)\/?$/s.exec(text) ?? [];
  const known = SCHEMES.get(scheme?.toLowerCase() ?? "");
  if (known === undefined) {
    const schemes = [...SCHEMES.keys()].map((word) => `${word}://`).join(" ");
    return fail("Server URL without a known scheme", `begin with one of: ${schemes}`);
  }
  const [, userinfo, authority = ""] = /^(?:([^@]*)@)?(.*)$/s.exec(rest) ?? [];
  if (/[\/?#]/.test(rest) || authority.includes("@")) {
    const fix = `${FORM}, with / ? # @ in user or password as %2F %3F %23 %40`;
    return fail("Server URL with more than a host and a port", fix);
  }
  return readAuthority(known, userinfo, authority);
}

function readAuthority(
  known: { type: ServerType; defaultPort: number },
  userinfo: string | undefined,
  authority: string,
): UrlResult {
  const [, hostText = "", portText] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(authority) ?? [];
  const host = parseServerHost(hostText);
  if (!host.ok) return fail("Invalid host in server URL", `${FORM}, an IPv6 address in brackets`);
  const port = portText === undefined ? known.defaultPort : parsePort(portText);
  if (port === undefined) return fail("Invalid port in server URL", "write a port from 1 to 65535");
  const login = readUserinfo(userinfo ?? "");
  if (!login.ok) return login;
  if (login.credentials.hasPassword && known.type.startsWith("4")) {
    return fail("SOCKS4 has no password", "leave it out of the URL, or use socks5://");
  }
  const { credentials } = login;
  return { ok: true, server: { type: known.type, hostname: host.hostname, port, credentials } };
}

function readUserinfo(userinfo: string): { ok: true; credentials: Credentials } | Failed {
  const colon = userinfo.indexOf(":");
  const user = decode(colon === -1 ? userinfo : userinfo.slice(0, colon));
  const password = colon === -1 ? "" : decode(userinfo.slice(colon + 1));
  if (user === undefined || password === undefined) {
    const fix = "write % itself as %25, and only UTF-8 without control characters";
    return fail("Invalid user or password in server URL", fix);
  }
  return { ok: true, credentials: new Credentials(user, colon === -1 ? undefined : password) };
}

/** Percent-decoded UTF-8. A NUL would end SOCKS4's USERID early, and no login has control characters. */
function decode(text: string): string | undefined {
  try {
    const decoded = decodeURIComponent(text);
    // deno-lint-ignore no-control-regex
    return /[\0-\x1f\x7f]/.test(decoded) ? undefined : decoded;
  } catch {
    return undefined;
  }
}

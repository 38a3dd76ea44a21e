/**
 * An HTTP request as a proxy reads it: which of the request-target's four forms it has, where it
 * goes, and how it must be written to the origin. RFC 9112 §3, RFC 9110 §7. Bodies: http_body.ts.
 */

import type { Destination } from "../net/address.ts";
import { destinationFromText, parseAuthority } from "./destination.ts";
import { type BodyFraming, encodeFraming } from "./http_body.ts";
import { fieldMembers, fieldValues, type HttpField, type HttpHead } from "./http_head.ts";
import type { FailureCode } from "./machine.ts";
import { encodeLatin1 } from "./octets.ts";

export interface HttpRequest {
  method: string;
  target: string;
  version: string;
  fields: HttpField[];
}

/** Why a request is answered with `status` instead of being passed on. */
export interface HttpRefusal {
  status: number;
  code: FailureCode;
  /** One line of our own words, with nothing of the request in it. */
  text: string;
}

export type HttpTarget =
  | { kind: "connect"; destination: Destination }
  /** `hostText` as Host wants it; `path` in origin-form, or `*`. */
  | { kind: "absolute"; destination: Destination; hostText: string; path: string }
  | { kind: "refused"; refusal: HttpRefusal };

/** RFC 9112 §3; a method is a token (`VERSION-CONTROL`), and a long one is no method. */
const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}) ([^ ]+) (HTTP\/1\.[01])$/;

/** Method, target and version of HTTP/1.0 or 1.1; undefined where malformed. */
export function readRequest({ startLine, fields }: HttpHead): HttpRequest | undefined {
  const [, method, target, version] = REQUEST_LINE.exec(startLine) ?? [];
  if (method === undefined || target === undefined || version === undefined) return undefined;
  return { method, target, version, fields };
}

/** Which form the target has (RFC 9112 §3.2), and where it goes. */
export function readTarget({ method, target }: HttpRequest): HttpTarget {
  if (method === "CONNECT") return readAuthorityForm(target);
  if (target.startsWith("/") || target === "*") {
    return refuse(
      400,
      "this is a proxy, not a web server: name it in http_proxy or a proxy setting",
    );
  }
  const [, scheme, authority, path = ""] =
    /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)([^#]*)$/i.exec(target) ?? [];
  if (scheme === undefined || authority === undefined) {
    return refuse(400, "the request target is not a URL");
  }
  if (scheme.toLowerCase() !== "http") {
    return refuse(501, "only http:// URLs and CONNECT are possible here");
  }
  return readAbsoluteForm(method, authority, path);
}

function readAuthorityForm(target: string): HttpTarget {
  const destination = readHost(target, undefined);
  if (destination === undefined) return refuse(400, "CONNECT needs host:port");
  return { kind: "connect", destination };
}

function readAbsoluteForm(method: string, hostText: string, rawPath: string): HttpTarget {
  const destination = readHost(hostText, 80);
  if (destination === undefined) return refuse(400, "the URL has no valid host");
  // RFC 9112 §3.2.4: the last proxy turns an empty path of OPTIONS into asterisk-form.
  const isAsterisk = rawPath === "" && method === "OPTIONS";
  const path = rawPath.startsWith("/") ? rawPath : `/${rawPath}`;
  return { kind: "absolute", destination, hostText, path: isAsterisk ? "*" : path };
}

/** Undefined for userinfo too, which RFC 9110 §4.2.4 tells to refuse, and for what is not ASCII. */
function readHost(text: string, defaultPort: number | undefined): Destination | undefined {
  const authority = /^[\x21-\x7e]+$/.test(text) ? parseAuthority(text, defaultPort) : undefined;
  if (authority === undefined) return undefined;
  const destination = destinationFromText(authority.host, authority.port);
  return "failure" in destination ? undefined : destination;
}

function refuse(status: 400 | 501, text: string): HttpTarget {
  const code = status === 400 ? "PROTOCOL_ERROR" : "COMMAND_NOT_SUPPORTED";
  return { kind: "refused", refusal: { status, code, text } };
}

/**
 * Whether the connection is to become another protocol's, and so belongs to one origin for good.
 * `h2c` is left out: an origin may ignore it (RFC 9110 §7.8), and curl asks for it by habit.
 */
export function isUpgrade({ fields }: HttpRequest): boolean {
  const protocols = fieldMembers(fields, "upgrade");
  return protocols.length > 0 && !protocols.includes("h2c") &&
    fieldMembers(fields, "connection").includes("upgrade");
}

/** Hop-by-hop, and so not the origin's (RFC 9110 §7.6.1). */
const HOP_BY_HOP = new Set(["connection", "keep-alive", "te", "upgrade"]);
/** Ours to say, exactly once and as we understood them. */
const REWRITTEN = new Set(["host", "content-length", "transfer-encoding"]);

/**
 * The head in origin-form, Host from the URL. The origin is told to close, since what comes next
 * on the program's connection may be for another one.
 */
export function encodeOriginHead(
  request: HttpRequest,
  { hostText, path }: HttpTarget & { kind: "absolute" },
  framing: BodyFraming,
): Uint8Array {
  const named = new Set(fieldMembers(request.fields, "connection"));
  const kept = request.fields.filter(({ name }) => isForOrigin(name.toLowerCase(), named));
  const lines = [`${request.method} ${path} ${request.version}`, `Host: ${hostText}`];
  lines.push(...kept.map(({ name, value }) => `${name}: ${value}`), ...encodeFraming(framing));
  if (isUpgrade(request)) {
    const protocols = fieldValues(request.fields, "upgrade").join(", ");
    lines.push("Connection: Upgrade", `Upgrade: ${protocols}`);
  } else {
    lines.push("Connection: close");
  }
  return encodeLatin1(`${lines.join("\r\n")}\r\n\r\n`);
}

/** `named`: the fields that Connection names, hop-by-hop by that. */
function isForOrigin(name: string, named: ReadonlySet<string>): boolean {
  return !name.startsWith("proxy-") && !HOP_BY_HOP.has(name) && !REWRITTEN.has(name) &&
    !named.has(name);
}

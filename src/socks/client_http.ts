/**
 * HTTP CONNECT, the client's side (RFC 9110 §9.3.6), with Basic credentials (RFC 7617). Only the
 * status line of the answer is read; what stands behind the head of a 2xx is the destination's.
 */

import type { Credentials } from "../config/model.ts";
import { type Destination, formatEndpoint, formatIpAddress } from "../net/address.ts";
import { checkName } from "./destination.ts";
import { describeStranger, makeFailure } from "./failure.ts";
import { HeadReader, MAX_HEAD_OCTETS } from "./http_head.ts";
import type { ClientEvent, ClientMachine, Failure } from "./machine.ts";
import { decodeLossy, encodeBase64, encodeLatin1, encodeText } from "./octets.ts";
import { failureFromStatus } from "./reply.ts";

/**
 * Fails at once with NAME_TOO_LONG or NAME_NOT_FOUND for a name that cannot be sent, and
 * AUTHENTICATION_FAILED for a user name with a colon, which Basic cannot carry.
 */
export function createHttpClient(
  credentials: Credentials,
  destination: Destination,
): ClientMachine | { failure: Failure } {
  const failure = checkUser(credentials) ??
    (destination.kind === "name" ? checkName(destination.name) : undefined);
  if (failure !== undefined) return { failure };
  return new HttpClient(formatAuthority(destination), credentials);
}

function checkUser({ hasPassword, user }: Credentials): Failure | undefined {
  if (!hasPassword || !user.includes(":")) return undefined;
  const words = "a user name for HTTP has no colon (RFC 7617)";
  return makeFailure("AUTHENTICATION_FAILED", words);
}

function formatAuthority(destination: Destination): string {
  const host = destination.kind === "name"
    ? destination.name
    : formatIpAddress(destination.address);
  return formatEndpoint(host, destination.port);
}

class HttpClient implements ClientMachine {
  readonly #authority: string;
  readonly #credentials: Credentials;
  readonly #input = new HeadReader();
  #isDone = false;

  constructor(authority: string, credentials: Credentials) {
    this.#authority = authority;
    this.#credentials = credentials;
  }

  start(): Uint8Array {
    const lines = [`CONNECT ${this.#authority} HTTP/1.1`, `Host: ${this.#authority}`];
    const [token] = listSecrets(this.#credentials);
    if (token !== undefined) lines.push(`Proxy-Authorization: Basic ${token}`);
    return encodeText(`${lines.join("\r\n")}\r\n\r\n`);
  }

  receive(chunk: Uint8Array): ClientEvent[] {
    if (this.#isDone) throw new Error("receive() after the end of the handshake");
    let result = this.#input.read(chunk);
    while (typeof result === "object") {
      const events = this.#readHead(result.head);
      if (events !== undefined) return events;
      result = this.#input.read(NOTHING);
    }
    if (!startsLikeHttp(this.#input.view())) return this.#failStranger(this.#input.view());
    if (result === "incomplete") return [];
    return this.#failProtocol(`the answer's head is longer than ${MAX_HEAD_OCTETS} octets`);
  }

  /** Undefined for an interim answer (RFC 9110 §15.2), which another one follows. */
  #readHead(head: string): ClientEvent[] | undefined {
    const line = decodeLossy(encodeLatin1(head.split(/[\r\n]/, 1)[0] ?? ""));
    const digits = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(line)?.[1];
    if (digits === undefined) return this.#failStranger(encodeText(line));
    const status = Number(digits);
    if (status >= 100 && status < 200) return undefined;
    if (status >= 200 && status < 300) return this.#establish();
    const words = this.#isSecretIn(line) ? `HTTP status ${status}` : line;
    return this.#fail(failureFromStatus(status, words, this.#credentials.hasPassword));
  }

  /** Content-Length and Transfer-Encoding of a 2xx to CONNECT mean nothing (RFC 9110 §9.3.6). */
  #establish(): ClientEvent[] {
    this.#isDone = true;
    return [{ kind: "established", bound: undefined, rest: this.#input.takeRest() }];
  }

  /** `octets`: at least one, or none for an empty line. */
  #failStranger(octets: Uint8Array): ClientEvent[] {
    const isSafe = !this.#isSecretIn(decodeLossy(octets));
    const shown = octets.subarray(0, isSafe ? MAX_HEAD_OCTETS : 1);
    return this.#failProtocol(describeStranger(shown, "an HTTP server"));
  }

  /** A hostile or echoing server could lay our credentials into its answer, and so into the log. */
  #isSecretIn(text: string): boolean {
    return listSecrets(this.#credentials).some((secret) => text.includes(secret));
  }

  #failProtocol(detail: string): ClientEvent[] {
    return this.#fail(makeFailure("PROTOCOL_ERROR", detail));
  }

  #fail(failure: Failure): ClientEvent[] {
    this.#isDone = true;
    return [{ kind: "failed", failure }];
  }
}

/** The Base64 of `user:password` (RFC 7617 §2) and the password, where there is one. */
function listSecrets(credentials: Credentials): string[] {
  const password = credentials.revealPassword();
  if (password === undefined) return [];
  return [encodeBase64(encodeText(`${credentials.user}:${password}`)), password];
}

const NOTHING = new Uint8Array();
const HTTP_START = encodeText("HTTP/");

/** Whether `octets` begin as an HTTP answer does, as far as they go. */
function startsLikeHttp(octets: Uint8Array): boolean {
  return octets.subarray(0, HTTP_START.length).every((octet, at) => octet === HTTP_START[at]);
}

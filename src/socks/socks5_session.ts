/**
 * The first half of SOCKS5, which needs no destination: method selection (RFC 1928 §3) and
 * user/password (RFC 1929). A connection that has come through it can be kept and given a
 * destination later; the second half is client_socks5.ts.
 */

import type { Credentials } from "../config/model.ts";
import { describeStranger, hexOf, makeFailure } from "./failure.ts";
import type { Failure, FailureCode } from "./machine.ts";
import { concatOctets, encodeText, OctetBuffer } from "./octets.ts";
import {
  METHOD_NO_ACCEPTABLE_METHODS,
  METHOD_NO_AUTHENTICATION,
  METHOD_USERNAME_PASSWORD,
  STATUS_SUCCESS,
  VER_SOCKS5,
  VER_USERNAME_PASSWORD,
} from "./socks5_wire.ts";

/** After `ready` a request may be sent; `rest` is what came behind, for the request's machine. */
export type SessionEvent =
  | { kind: "send"; bytes: Uint8Array }
  | { kind: "ready"; rest: Uint8Array }
  | { kind: "failed"; failure: Failure };

/** One connection's way to the point where it takes a request. */
export class Socks5Session {
  readonly #credentials: Credentials;
  readonly #input = new OctetBuffer();
  #phase: "method" | "status" | "done" = "method";

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
  }

  /**
   * The greeting, 3 or 4 octets. Called once.
   *
   *   +-----+----------+----------+
   *   | VER | NMETHODS | METHODS  |
   *   +-----+----------+----------+
   *   |  1  |    1     | 1 to 255 |   // 1 + 1 + 1, or 1 + 1 + 2 with a password
   *   +-----+----------+----------+
   */
  start(): Uint8Array {
    const methods = this.#credentials.hasPassword
      ? [METHOD_NO_AUTHENTICATION, METHOD_USERNAME_PASSWORD]
      : [METHOD_NO_AUTHENTICATION];
    return new Uint8Array([VER_SOCKS5, methods.length, ...methods]);
  }

  /** Feed what arrived. After `ready` or `failed` it must not be called again. */
  receive(chunk: Uint8Array): SessionEvent[] {
    this.#input.append(chunk);
    switch (this.#phase) {
      case "method":
        return this.#receiveMethod();
      case "status":
        return this.#receiveStatus();
      case "done":
        throw new Error("receive() after the end of the session's start");
    }
  }

  #receiveMethod(): SessionEvent[] {
    const octets = this.#input.view();
    if (octets.length > 0 && octets[0] !== VER_SOCKS5) {
      return this.#fail("PROTOCOL_ERROR", describeStranger(octets, "a SOCKS5 server"));
    }
    if (octets.length < 2) return [];
    const [, method] = this.#input.take(2);
    switch (method) {
      case METHOD_NO_AUTHENTICATION:
        return this.#ready();
      case METHOD_USERNAME_PASSWORD:
        return this.#authenticate();
      case METHOD_NO_ACCEPTABLE_METHODS:
        return this.#fail("NO_ACCEPTABLE_METHODS", this.#describeOffer());
      default:
        return this.#fail("PROTOCOL_ERROR", `the server chose METHOD ${method}, not offered`);
    }
  }

  #describeOffer(): string {
    return this.#credentials.hasPassword
      ? "offered: no authentication, user name and password"
      : "offered: no authentication; the server may want a user name and password";
  }

  #authenticate(): SessionEvent[] {
    const passwd = this.#credentials.revealPassword();
    if (passwd === undefined) {
      return this.#fail("PROTOCOL_ERROR", "the server chose METHOD 2, not offered");
    }
    const bytes = encodeUserPassword(encodeText(this.#credentials.user), encodeText(passwd));
    if (bytes === undefined) {
      const words = "user name and password must have 1 to 255 octets each (RFC 1929)";
      return this.#fail("AUTHENTICATION_FAILED", words);
    }
    this.#phase = "status";
    return [{ kind: "send", bytes }, ...this.#receiveStatus()];
  }

  /** VER and STATUS (RFC 1929 §2). VER is not looked at, as in curl: STATUS alone decides. */
  #receiveStatus(): SessionEvent[] {
    if (this.#input.length < 2) return [];
    const [ver = 0, status = 0] = this.#input.take(2);
    if (status === STATUS_SUCCESS) return this.#ready();
    // Numbers only: an echoing server would show the password here.
    const words = `the server replied ${hexOf(new Uint8Array([ver, status]))}`;
    return this.#fail("AUTHENTICATION_FAILED", words);
  }

  #ready(): SessionEvent[] {
    this.#phase = "done";
    return [{ kind: "ready", rest: this.#input.takeAll() }];
  }

  #fail(code: FailureCode, detail: string): SessionEvent[] {
    this.#phase = "done";
    return [{ kind: "failed", failure: makeFailure(code, detail) }];
  }
}

/**
 * Undefined where a field is empty or too long for RFC 1929.
 *
 *   +-----+------+----------+------+----------+
 *   | VER | ULEN |  UNAME   | PLEN |  PASSWD  |
 *   +-----+------+----------+------+----------+
 *   |  1  |  1   | 1 to 255 |  1   | 1 to 255 |   // 3 + UNAME + PASSWD
 *   +-----+------+----------+------+----------+
 */
function encodeUserPassword(uname: Uint8Array, passwd: Uint8Array): Uint8Array | undefined {
  for (const { length } of [uname, passwd]) {
    if (length < 1 || length > 255) return undefined;
  }
  const ulen = new Uint8Array([VER_USERNAME_PASSWORD, uname.length]);
  return concatOctets(ulen, uname, new Uint8Array([passwd.length]), passwd);
}

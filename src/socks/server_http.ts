/**
 * The HTTP face, for programs that follow the proxy variables: CONNECT, and http:// requests in
 * absolute-form. One request per connection; Basic credentials (RFC 7617). Reading and rewriting
 * are http_request.ts's, bodies http_body.ts's.
 */

import { makeFailure } from "./failure.ts";
import { createBodyFilter, readFraming } from "./http_body.ts";
import { fieldValues, HeadReader, MAX_HEAD_OCTETS, parseHead } from "./http_head.ts";
import { encodeConnected, encodeRefusal } from "./http_reply.ts";
import {
  encodeOriginHead,
  type HttpRefusal,
  type HttpRequest,
  type HttpTarget,
  isUpgrade,
  readRequest,
  readTarget,
} from "./http_request.ts";
import type { Access, Failure, FailureCode, ServerEvent, ServerMachine } from "./machine.ts";
import { concatOctets, decodeBase64, decodeText } from "./octets.ts";
import { replyOf } from "./reply.ts";

/** Fails with a 400, 407 or 501 of its own; details hold nothing of the request. */
export class HttpServer implements ServerMachine {
  readonly #access: Access;
  readonly #input = new HeadReader();
  #phase: "head" | "connect" | "absolute" | "failed" = "head";

  constructor(access: Access) {
    this.#access = access;
  }

  receive(chunk: Uint8Array): ServerEvent[] {
    if (this.#phase !== "head") throw new Error("receive() after the request");
    const result = this.#input.read(chunk);
    if (result === "incomplete") return [];
    if (result === "too long") {
      return this.#refuse(malformed(`the head is longer than ${MAX_HEAD_OCTETS} octets`));
    }
    const head = parseHead(result.head);
    const request = head && readRequest(head);
    return request === undefined
      ? this.#refuse(malformed("the request is malformed"))
      : this.#receiveRequest(request);
  }

  /** A CONNECT is told; for absolute-form the origin's own answer is the answer. */
  accept(): Uint8Array {
    return this.#phase === "connect" ? encodeConnected() : new Uint8Array();
  }

  refuse({ code, detail }: Failure): Uint8Array {
    const { httpStatus, words } = replyOf(code);
    return encodeRefusal(httpStatus, detail === "" ? words : `${words}: ${detail}`);
  }

  #receiveRequest(request: HttpRequest): ServerEvent[] {
    const target = readTarget(request);
    if (target.kind === "refused") return this.#refuse(target.refusal);
    const refusal = this.#checkAuthorization(request);
    if (refusal !== undefined) return this.#refuse(refusal);
    return target.kind === "connect"
      ? this.#acceptConnect(target)
      : this.#acceptAbsolute(request, target);
  }

  #checkAuthorization({ fields }: HttpRequest): HttpRefusal | undefined {
    if (this.#access.isOpen) return undefined;
    const values = fieldValues(fields, "proxy-authorization");
    if (values.length === 0) {
      return { status: 407, code: "NO_ACCEPTABLE_METHODS", text: "user name and password needed" };
    }
    const [user, password] = readBasic(values) ?? [];
    if (user !== undefined && this.#access.check(user, password)) return undefined;
    return { status: 407, code: "AUTHENTICATION_FAILED", text: "wrong user name or password" };
  }

  #acceptConnect({ destination }: HttpTarget & { kind: "connect" }): ServerEvent[] {
    this.#phase = "connect";
    const rest = this.#input.takeRest();
    return [{ kind: "request", destination, rest, filter: undefined }];
  }

  #acceptAbsolute(request: HttpRequest, target: HttpTarget & { kind: "absolute" }): ServerEvent[] {
    const framing = readFraming(request.fields, request.version);
    if ("refusal" in framing) {
      const { status, text } = framing.refusal;
      return this.#refuse({ status, text, code: codeOf(status) });
    }
    this.#phase = "absolute";
    const head = encodeOriginHead(request, target, framing);
    const filter = isUpgrade(request) ? undefined : createBodyFilter(framing);
    const behind = this.#input.takeRest();
    const rest = concatOctets(head, filter === undefined ? behind : filter.take(behind).pass);
    return [{ kind: "request", destination: target.destination, rest, filter }];
  }

  #refuse({ status, code, text }: HttpRefusal): ServerEvent[] {
    this.#phase = "failed";
    const bytes = encodeRefusal(status, text);
    return [{ kind: "failed", bytes, failure: makeFailure(code, text) }];
  }
}

function malformed(text: string): HttpRefusal {
  return { status: 400, code: codeOf(400), text };
}

function codeOf(status: 400 | 501): FailureCode {
  return status === 400 ? "PROTOCOL_ERROR" : "COMMAND_NOT_SUPPORTED";
}

/** User and password of the one Proxy-Authorization (RFC 7617 §2); the first colon divides them. */
function readBasic(values: string[]): [user: string, password: string] | undefined {
  const [value = ""] = values;
  const [, token] = /^basic +([^ ]+)$/i.exec(value) ?? [];
  const octets = token === undefined || values.length > 1 ? undefined : decodeBase64(token);
  const text = octets && decodeText(octets);
  const colonAt = text?.indexOf(":") ?? -1;
  if (text === undefined || colonAt < 0) return undefined;
  return [text.slice(0, colonAt), text.slice(colonAt + 1)];
}

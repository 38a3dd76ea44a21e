import assert from "node:assert/strict";
import { test } from "node:test";
import type { Destination } from "../../../src/net/address.ts";
import type { Access, FailureCode } from "../../../src/socks/machine.ts";
import { HttpServer } from "../../../src/socks/server_http.ts";
import {
  addressOf,
  ascii,
  byOctet,
  CLOSED,
  nameOf,
  OPEN,
  runServer,
  show,
  testHandshake,
} from "./feeding.ts";

const BASIC = "Proxy-Authorization: Basic Ym9iOnMzY3JldA=="; // bob:s3cret

function head(...lines: string[]): string {
  return `${lines.join("\r\n")}\r\n\r\n`;
}

const CONNECTS: [string, Access, string, Destination][] = [
  [
    "HTTP server asked to CONNECT to a name",
    OPEN,
    head("CONNECT hello.example:443 HTTP/1.1", "Host: other.example"),
    nameOf("hello.example", 443),
  ],
  [
    "HTTP server asked to CONNECT to IPv6",
    OPEN,
    head("CONNECT [2001:db8::1]:22 HTTP/1.0"),
    addressOf("2001:db8::1", 22),
  ],
  [
    "HTTP server with a password asked to CONNECT",
    CLOSED,
    head("CONNECT 10.1.4.253:80 HTTP/1.1", "Content-Length: 7", BASIC),
    addressOf("10.1.4.253", 80),
  ],
];

for (const [name, access, text, destination] of CONNECTS) {
  const received = ascii(text);
  const feed = (chunks: Uint8Array[]) => runServer(new HttpServer(access), chunks);
  testHandshake(name, { feed, received, sent: new Uint8Array(), kind: "request" });
  test(`${name}, reads the destination`, () => {
    const { end } = feed([received]);
    assert(end?.kind === "request");
    assert.deepEqual(end.destination, destination);
    assert.equal(end.filter, undefined);
  });
}

interface Rewritten {
  what: string;
  received: string;
  destination?: Destination;
  passed: string;
}

const REWRITTEN: Rewritten[] = [
  {
    what: "a plain GET",
    received: head("GET http://hello.example/a?b=c HTTP/1.1", "Host: hello.example", "Accept: */*"),
    passed: head(
      "GET /a?b=c HTTP/1.1",
      "Host: hello.example",
      "Accept: */*",
      "Connection: close",
    ),
  },
  {
    what: "a Host that differs from the URL",
    received: head("GET http://hello.example:8080 HTTP/1.0", "Host: evil.example", "Host: worse"),
    destination: nameOf("hello.example", 8080),
    passed: head("GET / HTTP/1.0", "Host: hello.example:8080", "Connection: close"),
  },
  {
    what: "an upper-case scheme, IPv6 and only a query",
    received: head("GET HTTP://[::1]:81?q HTTP/1.1"),
    destination: addressOf("::1", 81),
    passed: head("GET /?q HTTP/1.1", "Host: [::1]:81", "Connection: close"),
  },
  {
    what: "hop-by-hop fields",
    received: head(
      "GET http://hello.example/ HTTP/1.1",
      "Proxy-Connection: keep-alive",
      "proxy-authorization: Basic eDp5",
      "Connection: keep-alive, X-Named , Host",
      "Keep-Alive: timeout=5",
      "TE: trailers",
      "x-named: dropped",
      "X-Kept:  \t blanks inside \t ",
    ),
    passed: head(
      "GET / HTTP/1.1",
      "Host: hello.example",
      "X-Kept: blanks inside",
      "Connection: close",
    ),
  },
  {
    what: "octets over X'7F' in path and value",
    received: head("GET http://hello.example/\xc3\xbc HTTP/1.1", "X-Name: \xc3\xbc\xa0"),
    passed: head(
      "GET /\xc3\xbc HTTP/1.1",
      "Host: hello.example",
      "X-Name: \xc3\xbc\xa0",
      "Connection: close",
    ),
  },
  {
    what: "OPTIONS of a whole server",
    received: head("OPTIONS http://hello.example HTTP/1.1"),
    passed: head("OPTIONS * HTTP/1.1", "Host: hello.example", "Connection: close"),
  },
  {
    what: "a body and the next request behind it",
    received: head("POST http://hello.example/ HTTP/1.1", "Content-Length: 5") +
      "12345" + head("GET http://evil.example/ HTTP/1.1"),
    passed: head(
      "POST / HTTP/1.1",
      "Host: hello.example",
      "Content-Length: 5",
      "Connection: close",
    ) + "12345",
  },
  {
    what: "the same length twice",
    received: head("POST http://hello.example/ HTTP/1.1", "Content-Length: 2, 2") + "12345",
    passed: head(
      "POST / HTTP/1.1",
      "Host: hello.example",
      "Content-Length: 2",
      "Connection: close",
    ) + "12",
  },
  {
    what: "a length that Connection tries to drop",
    received: head(
      "POST http://hello.example/ HTTP/1.1",
      "Content-Length: 2",
      "Connection: content-length",
    ) + "12345",
    passed: head(
      "POST / HTTP/1.1",
      "Host: hello.example",
      "Content-Length: 2",
      "Connection: close",
    ) + "12",
  },
  {
    what: "no body and what comes behind",
    received: head("GET http://hello.example/ HTTP/1.1") + "GET /smuggled HTTP/1.1\r\n\r\n",
    passed: head("GET / HTTP/1.1", "Host: hello.example", "Connection: close"),
  },
  {
    what: "a chunked body and what comes behind",
    received: head("POST http://hello.example/ HTTP/1.1", "transfer-encoding: Chunked") +
      "3\r\nabc\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n",
    passed: head(
      "POST / HTTP/1.1",
      "Host: hello.example",
      "Transfer-Encoding: chunked",
      "Connection: close",
    ) + "3\r\nabc\r\n0\r\n\r\n",
  },
  {
    what: "an upgrade to HTTP/2, which is not asked for",
    received: head(
      "GET http://hello.example/ HTTP/1.1",
      "Connection: Upgrade, HTTP2-Settings",
      "Upgrade: h2c",
      "HTTP2-Settings: AAMAAABk",
    ) + "x",
    passed: head("GET / HTTP/1.1", "Host: hello.example", "Connection: close"),
  },
];

for (const { what, received, destination, passed } of REWRITTEN) {
  test(`HTTP server rewrites ${what}`, () => {
    const octets = ascii(received);
    for (const chunks of [[octets], byOctet(octets)]) {
      const outcome = runServer(new HttpServer(OPEN), chunks);
      assert(outcome.end?.kind === "request");
      assert.deepEqual(outcome.end.destination, destination ?? nameOf("hello.example", 80));
      const { filter, rest } = outcome.end;
      assert(filter);
      const fedLater = outcome.rest.slice(rest.length);
      assert.equal(show(rest) + show(filter.take(fedLater).pass), passed);
      assert.equal(filter.take(ascii("more")).pass.length, 0);
    }
  });
}

test("HTTP server lets everything pass after an upgrade", () => {
  const received = head(
    "GET http://hello.example/chat HTTP/1.1",
    "Connection: keep-alive, upgrade",
    "Upgrade: WebSocket",
  ) + "frames";
  const { end, rest } = runServer(new HttpServer(OPEN), [ascii(received)]);
  assert(end?.kind === "request");
  assert.equal(end.filter, undefined);
  const passed = head(
    "GET /chat HTTP/1.1",
    "Host: hello.example",
    "Connection: Upgrade",
    "Upgrade: WebSocket",
  );
  assert.equal(show(rest), `${passed}frames`);
});

const POST = "POST http://hello.example/ HTTP/1.1";
const MALFORMED: [string, string][] = [
  ["a target that is no URL", head("GET hello HTTP/1.1")],
  ["CONNECT without port", head("CONNECT hello.example HTTP/1.1")],
  ["CONNECT with a URL", head("CONNECT http://hello.example:80/ HTTP/1.1")],
  ["CONNECT with a bad port", head("CONNECT hello.example:99999 HTTP/1.1")],
  ["a URL without host", head("GET http:///x HTTP/1.1")],
  ["a URL with a password", head("GET http://bob:s3cret@hello.example/ HTTP/1.1")],
  ["a URL with a fragment", head("GET http://hello.example/#x HTTP/1.1")],
  ["a URL whose host is not ASCII", head("GET http://\xc3\xbc.example/ HTTP/1.1")],
  ["a bad port", head("GET http://hello.example:/ HTTP/1.1")],
  ["no version", head("GET http://hello.example/")],
  ["HTTP/2", head("PRI * HTTP/2.0")],
  ["HTTP/1.2", head("GET http://hello.example/ HTTP/1.2")],
  ["two blanks", head("GET  http://hello.example/ HTTP/1.1")],
  ["a blank before the colon", head(POST, "Content-Length : 5")],
  ["a folded line", head(POST, "X: a", " b")],
  ["a line without colon", head(POST, "Content-Length 5")],
  ["an empty field name", head(POST, ": x")],
  ["X'00' in a value", head(POST, "X: a\0b")],
  ["a bare CR", head(POST, "X: a\rContent-Length: 5")],
  ["a bare LF", head(POST, "X: a\nContent-Length: 5")],
  ["bare LFs at the end", `${POST}\nX: a\n\n`],
  ["a mixed end", `${POST}\r\nX: a\n\r\n`],
  ["length and coding", head(POST, "Content-Length: 5", "Transfer-Encoding: chunked")],
  ["coding and length", head(POST, "transfer-encoding: chunked", "content-length: 0")],
  ["an empty coding and length", head(POST, "Transfer-Encoding:", "Content-Length: 5")],
  ["two lengths", head(POST, "Content-Length: 5", "Content-Length: 6")],
  ["two lengths in one line", head(POST, "Content-Length: 5, 6")],
  ["lengths that differ in form", head(POST, "Content-Length: 5", "Content-Length: 05")],
  ["a length with a sign", head(POST, "Content-Length: +5")],
  ["a negative length", head(POST, "Content-Length: -5")],
  ["a hexadecimal length", head(POST, "Content-Length: 0x5")],
  ["an empty length", head(POST, "Content-Length:")],
  ["a huge length", head(POST, "Content-Length: 99999999999999999999")],
  ["a coding in HTTP/1.0", head(POST.replace("1.1", "1.0"), "Transfer-Encoding: chunked")],
];

for (const [what, received] of MALFORMED) {
  test(`HTTP server answers 400 when sent ${what}`, () => {
    expectRefusal(OPEN, received, 400, "PROTOCOL_ERROR");
  });
}

const UNSUPPORTED: [string, string][] = [
  ["ftp://", head("GET ftp://hello.example/ HTTP/1.1")],
  ["https://", head("GET https://hello.example/ HTTP/1.1")],
  ["another coding", head(POST, "Transfer-Encoding: gzip, chunked")],
  ["chunked twice", head(POST, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked")],
  ["a coding that looks like chunked", head(POST, "Transfer-Encoding: xchunked")],
];

for (const [what, received] of UNSUPPORTED) {
  test(`HTTP server answers 501 when sent ${what}`, () => {
    expectRefusal(OPEN, received, 501, "COMMAND_NOT_SUPPORTED");
  });
}

const GET = "GET http://hello.example/ HTTP/1.1";
const UNAUTHORIZED: [string, string, FailureCode][] = [
  ["nothing", head(GET), "NO_ACCEPTABLE_METHODS"],
  ["nothing for CONNECT", head("CONNECT a.b:443 HTTP/1.1"), "NO_ACCEPTABLE_METHODS"],
  ["the origin's field", head(GET, BASIC.slice("Proxy-".length)), "NO_ACCEPTABLE_METHODS"],
  ["bob:wrong", head(GET, "Proxy-Authorization: Basic Ym9iOndyb25n"), "AUTHENTICATION_FAILED"],
  ["no colon", head(GET, "Proxy-Authorization: Basic Ym9i"), "AUTHENTICATION_FAILED"],
  ["no Base64", head(GET, "Proxy-Authorization: Basic ????"), "AUTHENTICATION_FAILED"],
  ["no UTF-8", head(GET, "Proxy-Authorization: Basic /zo6"), "AUTHENTICATION_FAILED"],
  ["another scheme", head(GET, "Proxy-Authorization: Bearer x"), "AUTHENTICATION_FAILED"],
  ["two fields", head(GET, BASIC, BASIC), "AUTHENTICATION_FAILED"],
];

for (const [what, received, code] of UNAUTHORIZED) {
  test(`HTTP server answers 407 when given ${what}`, () => {
    const answer = expectRefusal(CLOSED, received, 407, code);
    assert.match(answer, /\r\nProxy-Authenticate: Basic realm="tsocks"/);
  });
}

/** Fed whole and by octet; the answer's text. */
function expectRefusal(
  access: Access,
  received: string,
  status: number,
  code: FailureCode,
): string {
  let answer = "";
  for (const chunks of [[ascii(received)], byOctet(ascii(received))]) {
    const { end } = runServer(new HttpServer(access), chunks);
    assert(end?.kind === "failed");
    assert.equal(end.failure.code, code);
    assert.doesNotMatch(end.failure.detail, /s3cret|bob|evil|Ym9i/);
    answer = show(end.bytes);
    assert.match(answer, new RegExp(`^HTTP/1.1 ${status} [A-Z]`));
    assert.match(answer, /\r\nConnection: close\r\n/);
    const [, length, body = ""] = /\r\nContent-Length: (\d+)\r\n[^]*\r\n\r\n([^]*)$/.exec(answer)!;
    assert.equal(body.length, Number(length));
    assert.match(body, /^tsocks: [^\n]+\n$/);
  }
  return answer;
}

test("HTTP server tells a browser that this is a proxy", () => {
  for (const target of ["/", "/index.html", "*"]) {
    const answer = expectRefusal(OPEN, head(`GET ${target} HTTP/1.1`), 400, "PROTOCOL_ERROR");
    assert.match(answer, /this is a proxy, not a web server/);
  }
});

test("HTTP server answers 400 when the head is longer than 64 KiB", () => {
  const line = `X: ${"x".repeat(65_536)}`;
  expectRefusal(OPEN, head(GET, line), 400, "PROTOCOL_ERROR");
});

test("HTTP server reads a head full of blanks in no time", () => {
  const startedAt = performance.now();
  const { end } = runServer(new HttpServer(OPEN), [ascii(head(GET, `X: a${" ".repeat(65_000)}b`))]);
  assert.equal(end?.kind, "request");
  assert(performance.now() - startedAt < 1000);
});

test("HTTP server accepts a CONNECT with 200, and absolute-form with nothing", () => {
  const connect = new HttpServer(OPEN);
  connect.receive(ascii(head("CONNECT a.b:443 HTTP/1.1")));
  assert.equal(show(connect.accept()), head("HTTP/1.1 200 Connection established"));
  const absolute = new HttpServer(OPEN);
  absolute.receive(ascii(head(GET)));
  assert.equal(absolute.accept().length, 0);
});

test("HTTP server refuses with status and words of the failure", () => {
  const machine = new HttpServer(OPEN);
  const answer = show(machine.refuse({ code: "CONNECTION_REFUSED", detail: "by hello.example" }));
  assert.match(answer, /^HTTP\/1.1 502 Bad Gateway\r\n/);
  assert.match(answer, /\r\n\r\ntsocks: Connection refused: by hello.example\n$/);
  const policy = show(machine.refuse({ code: "REFUSED_BY_POLICY", detail: "" }));
  assert.match(policy, /^HTTP\/1.1 403 Forbidden\r\n[^]*\r\n\r\ntsocks: Refused by policy\n$/);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { Credentials } from "../../../src/config/model.ts";
import { createHttpClient } from "../../../src/socks/client_http.ts";
import type { FailureCode } from "../../../src/socks/machine.ts";
import {
  addressOf,
  ascii,
  byOctet,
  hex,
  nameOf,
  NO_PASSWORD,
  PASSWORD,
  runClient,
  testHandshake,
  unwrap,
} from "./feeding.ts";

const V4 = addressOf("10.1.4.253", 80);
const TOKEN = "Ym9iOnMzY3JldA=="; // bob:s3cret
const PLAIN = "CONNECT 10.1.4.253:80 HTTP/1.1\r\nHost: 10.1.4.253:80\r\n\r\n";

const ACCEPTED = [
  {
    name: "HTTP client to an address",
    credentials: NO_PASSWORD,
    destination: V4,
    received: "HTTP/1.1 200 Connection established\r\n\r\n",
    sent: PLAIN,
  },
  {
    name: "HTTP client with a password to a name",
    credentials: PASSWORD,
    destination: nameOf("hello.example", 443),
    received: "HTTP/1.0 200 OK\r\nVia: x\r\n\r\n",
    sent: "CONNECT hello.example:443 HTTP/1.1\r\nHost: hello.example:443\r\n" +
      `Proxy-Authorization: Basic ${TOKEN}\r\n\r\n`,
  },
  {
    name: "HTTP client to IPv6, whose answer wrongly has a Content-Length",
    credentials: NO_PASSWORD,
    destination: addressOf("2001:db8::1", 22),
    received: "HTTP/1.1 204 \r\nContent-Length: 5\r\n\r\n",
    sent: "CONNECT [2001:db8::1]:22 HTTP/1.1\r\nHost: [2001:db8::1]:22\r\n\r\n",
  },
  {
    name: "HTTP client that is told to wait first",
    credentials: NO_PASSWORD,
    destination: V4,
    received: "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200\r\n\r\n",
    sent: PLAIN,
  },
  {
    name: "HTTP client of a server that ends its lines with LF",
    credentials: NO_PASSWORD,
    destination: V4,
    received: "HTTP/1.1 200 OK\nA: b\n\n",
    sent: PLAIN,
  },
];

for (const { name, credentials, destination, received, sent } of ACCEPTED) {
  const feed = (chunks: Uint8Array[]) =>
    runClient(unwrap(createHttpClient(credentials, destination)), chunks);
  const vector = {
    feed,
    received: ascii(received),
    sent: ascii(sent),
    kind: "established" as const,
  };
  testHandshake(name, vector);
}

const REFUSED: [string, Credentials, FailureCode, RegExp][] = [
  ["HTTP/1.1 403 Forbidden by rule 7", NO_PASSWORD, "NOT_ALLOWED", /^HTTP\/1.1 403 .* rule 7$/],
  ["HTTP/1.1 407 Who?", NO_PASSWORD, "NO_ACCEPTABLE_METHODS", /407 Who\?$/],
  ["HTTP/1.1 407 Who?", PASSWORD, "AUTHENTICATION_FAILED", /407 Who\?$/],
  ["HTTP/1.1 502 Bad Gateway", NO_PASSWORD, "HOST_UNREACHABLE", /502 Bad Gateway$/],
  ["HTTP/1.1 503 Busy", NO_PASSWORD, "HOST_UNREACHABLE", /503 Busy$/],
  ["HTTP/1.1 504 Slow", NO_PASSWORD, "TTL_EXPIRED", /504 Slow$/],
  ["HTTP/1.1 500 \x1b[31mOops", NO_PASSWORD, "GENERAL_FAILURE", /500 \\x1b\[31mOops$/],
  ["HTTP/1.1 999 Odd", NO_PASSWORD, "GENERAL_FAILURE", /999 Odd$/],
  ["HTTP/2 200", NO_PASSWORD, "PROTOCOL_ERROR", /"HTTP\/2 200": not an HTTP server/],
  ["HTTP/1.1 20", NO_PASSWORD, "PROTOCOL_ERROR", /not an HTTP server/],
];

for (const [line, credentials, code, detail] of REFUSED) {
  const who = credentials.hasPassword ? "with" : "without";
  test(`HTTP client ${who} password fails with ${code} after ${JSON.stringify(line)}`, () => {
    const received = ascii(`${line}\r\nContent-Length: 3\r\n\r\nno\n`);
    for (const chunks of [[received], byOctet(received)]) {
      const { end } = runClient(unwrap(createHttpClient(credentials, V4)), chunks);
      assert(end?.kind === "failed");
      assert.equal(end.failure.code, code);
      assert.match(end.failure.detail, detail);
    }
  });
}

const STRANGERS: [Uint8Array, RegExp][] = [
  [hex("05 ff"), /X'05(FF)?': not an HTTP server; server_type = 5\?/],
  [hex("00 5b 00 00"), /server_type = 4\?/],
];

for (const [received, detail] of STRANGERS) {
  test(`HTTP client fails with PROTOCOL_ERROR when the answer matches ${detail}`, () => {
    for (const chunks of [[received], byOctet(received)]) {
      const { end } = runClient(unwrap(createHttpClient(NO_PASSWORD, V4)), chunks);
      assert(end?.kind === "failed");
      assert.equal(end.failure.code, "PROTOCOL_ERROR");
      assert.match(end.failure.detail, detail);
    }
  });
}

test("HTTP client fails when the head is longer than 64 KiB", () => {
  const received = ascii(`HTTP/1.1 200 OK\r\nA: ${"x".repeat(70_000)}\r\n\r\n`);
  for (const chunks of [[received], byOctet(received)]) {
    const { end } = runClient(unwrap(createHttpClient(NO_PASSWORD, V4)), chunks);
    assert(end?.kind === "failed");
    assert.equal(end.failure.code, "PROTOCOL_ERROR");
    assert.match(end.failure.detail, /longer than 65536/);
  }
});

test("HTTP client shows no credentials when the server sends them back", () => {
  const answers = [
    `CONNECT 10.1.4.253:80 HTTP/1.1\r\nProxy-Authorization: Basic ${TOKEN}\r\n\r\n`,
    `HTTP/1.1 403 Basic ${TOKEN}\r\n\r\n`,
    "HTTP/1.1 407 s3cret\r\n\r\n",
    `HTTP/1.1 x ${TOKEN}\r\n\r\n`,
    `Basic ${TOKEN}\r\n\r\n`,
  ];
  for (const answer of answers) {
    const { end } = runClient(unwrap(createHttpClient(PASSWORD, V4)), [ascii(answer)]);
    assert(end?.kind === "failed");
    assert.doesNotMatch(JSON.stringify(end), /s3cret|Ym9i/);
  }
});

test("createHttpClient() fails at once when something cannot be sent", () => {
  const cases = [
    [new Credentials("a:b", "x"), V4, "AUTHENTICATION_FAILED"],
    [NO_PASSWORD, nameOf("a\r\nX: y", 80), "NAME_NOT_FOUND"],
    [NO_PASSWORD, nameOf("x".repeat(256), 80), "NAME_TOO_LONG"],
  ] as const;
  for (const [credentials, destination, code] of cases) {
    const machine = createHttpClient(credentials, destination);
    assert("failure" in machine);
    assert.equal(machine.failure.code, code);
  }
});

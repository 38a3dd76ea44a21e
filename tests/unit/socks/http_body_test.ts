import assert from "node:assert/strict";
import { test } from "node:test";
import { createBodyFilter, encodeFraming, readFraming } from "../../../src/socks/http_body.ts";
import { ascii, byOctet, show } from "./feeding.ts";

test("readFraming() finds no body when no field speaks of one", () => {
  const framing = readFraming([{ name: "Accept", value: "*/*" }], "HTTP/1.1");
  assert.deepEqual(framing, { kind: "length", contentLength: undefined });
});

test("encodeFraming() says what readFraming() understood, in one line", () => {
  assert.deepEqual(encodeFraming({ kind: "length", contentLength: undefined }), []);
  assert.deepEqual(encodeFraming({ kind: "length", contentLength: 0 }), ["Content-Length: 0"]);
  assert.deepEqual(encodeFraming({ kind: "chunked" }), ["Transfer-Encoding: chunked"]);
});

test("createBodyFilter() passes exactly Content-Length octets", () => {
  for (const chunks of [[ascii("12345678")], byOctet(ascii("12345678"))]) {
    const filter = createBodyFilter({ kind: "length", contentLength: 5 });
    const results = chunks.map((chunk) => filter.take(chunk));
    assert.equal(results.map(({ pass }) => show(pass)).join(""), "12345");
    assert.equal(results.at(-1)?.isOver, true);
  }
});

test("createBodyFilter() is over at once when there is no body", () => {
  const filter = createBodyFilter({ kind: "length", contentLength: undefined });
  assert.deepEqual(filter.take(ascii("x")), { pass: new Uint8Array(), isOver: true });
});

import assert from "node:assert/strict";
import test from "node:test";
import { Credentials, type Server } from "../../../src/config/model.ts";
import { explainFailure } from "../../../src/policy/explain.ts";

const SERVER: Server = {
  type: "5",
  hostname: "10.1.4.253",
  port: 1080,
  credentials: new Credentials("bob", "geheim"),
  place: { kind: "file", filePath: "/etc/tsocks.conf", line: 14, column: 1 },
};

test("explainFailure() says what, where and how to mend it in three lines", () => {
  const failure = { code: "SERVER_REFUSED" as const, detail: "ECONNREFUSED" };
  const lines = explainFailure(failure, SERVER, "a.example:80")!.split("\n");
  assert.equal(lines.length, 3);
  assert.match(lines[0]!, /^tsocks: Cannot connect to the SOCKS server/);
  assert.equal(lines[1], "  at socks5://10.1.4.253:1080 (/etc/tsocks.conf:14)");
  assert.match(lines[2]!, /^ {2}fix: /);
});

test("explainFailure() is silent when the destination failed and the server did its job", () => {
  const failure = { code: "CONNECTION_REFUSED" as const, detail: "" };
  assert.equal(explainFailure(failure, SERVER, "a.example:80"), undefined);
});

test("explainFailure() names the destination that the policy refused", () => {
  const failure = { code: "REFUSED_BY_POLICY" as const, detail: "no path reaches it" };
  assert.match(
    explainFailure(failure, undefined, "a.example:80")!,
    /a\.example:80 refused: no path/,
  );
});

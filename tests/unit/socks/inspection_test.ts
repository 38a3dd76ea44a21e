import assert from "node:assert/strict";
import { test } from "node:test";
import {
  judgeCommand,
  judgeHttp,
  judgeReach,
  judgeSocks4a,
  judgeSocks5,
  judgeVersion,
  type Verdict,
} from "../../../src/socks/inspection.ts";
import type { FailureCode } from "../../../src/socks/machine.ts";

type Is = Verdict["is"];
const JUDGES = { judgeVersion, judgeSocks4a, judgeHttp, judgeCommand, judgeReach };

/** What was answered → what each judge says, in the order of JUDGES. */
const ROWS: [FailureCode | undefined, Is, Is, Is, Is, Is][] = [
  [undefined, "yes", "yes", "yes", "yes", "yes"],
  ["CONNECTION_REFUSED", "yes", "unknown", "yes", "unknown", "yes"],
  ["GENERAL_FAILURE", "yes", "unknown", "no", "unknown", "unknown"],
  ["NOT_ALLOWED", "yes", "unknown", "yes", "unknown", "unknown"],
  ["HOST_UNREACHABLE", "yes", "unknown", "yes", "unknown", "unknown"],
  ["COMMAND_NOT_SUPPORTED", "yes", "unknown", "yes", "no", "unknown"],
  ["ADDRESS_TYPE_NOT_SUPPORTED", "yes", "unknown", "yes", "unknown", "no"],
  ["NO_ACCEPTABLE_METHODS", "yes", "unknown", "yes", "unknown", "unknown"],
  ["AUTHENTICATION_FAILED", "yes", "unknown", "yes", "unknown", "unknown"],
  ["PROTOCOL_ERROR", "no", "no", "no", "unknown", "unknown"],
  ["SERVER_CLOSED", "no", "no", "no", "no", "unknown"],
  ["SERVER_TIMEOUT", "unknown", "unknown", "unknown", "unknown", "unknown"],
];

for (const [code, ...expected] of ROWS) {
  Object.entries(JUDGES).forEach(([name, judge], at) => {
    test(`${name}() says ${expected[at]} for ${code ?? "what is granted"}`, () => {
      assert.equal(judge(code && { code, detail: "" }).is, expected[at]);
    });
  });
}

test("judgeSocks5() takes one answer in SOCKS 5 for enough", () => {
  const answer = (code: FailureCode) => ({ code, detail: "" });
  assert.equal(judgeSocks5(undefined, answer("PROTOCOL_ERROR")).is, "yes");
  assert.equal(judgeSocks5(answer("NO_ACCEPTABLE_METHODS"), undefined).is, "yes");
  assert.equal(judgeSocks5(answer("PROTOCOL_ERROR"), answer("PROTOCOL_ERROR")).is, "no");
  assert.equal(judgeSocks5(answer("SERVER_TIMEOUT"), answer("SERVER_TIMEOUT")).is, "unknown");
});

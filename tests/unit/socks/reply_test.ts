import assert from "node:assert/strict";
import { test } from "node:test";
import type { FailureCode } from "../../../src/socks/machine.ts";
import {
  errnoNameOf,
  errnoOf,
  failureFromCd,
  failureFromRep,
  failureFromStatus,
  replyOf,
  wordsOf,
} from "../../../src/socks/reply.ts";

type Row = [FailureCode, string, number, number, number, number, string];

const ROWS: Row[] = [
  ["GENERAL_FAILURE", "ECONNABORTED", 103, 1, 91, 502, "General SOCKS server failure"],
  ["NOT_ALLOWED", "EACCES", 13, 2, 91, 403, "Connection not allowed by ruleset"],
  ["NETWORK_UNREACHABLE", "ENETUNREACH", 101, 3, 91, 502, "Network unreachable"],
  ["HOST_UNREACHABLE", "EHOSTUNREACH", 113, 4, 91, 502, "Host unreachable"],
  ["CONNECTION_REFUSED", "ECONNREFUSED", 111, 5, 91, 502, "Connection refused"],
  ["TTL_EXPIRED", "ETIMEDOUT", 110, 6, 91, 504, "TTL expired"],
  ["COMMAND_NOT_SUPPORTED", "EOPNOTSUPP", 95, 7, 91, 501, "Command not supported"],
  ["ADDRESS_TYPE_NOT_SUPPORTED", "EAFNOSUPPORT", 97, 8, 91, 502, "Address type not supported"],
  ["NO_ACCEPTABLE_METHODS", "EACCES", 13, 2, 91, 502, "No acceptable methods"],
  ["AUTHENTICATION_FAILED", "EACCES", 13, 2, 93, 502, "Authentication failed"],
  ["PROTOCOL_ERROR", "EPROTO", 71, 1, 91, 502, "Protocol error"],
  ["SERVER_CLOSED", "ECONNABORTED", 103, 1, 91, 502, "Server closed the connection"],
  ["SERVER_REFUSED", "ECONNREFUSED", 111, 5, 91, 502, "Server refused the connection"],
  ["SERVER_UNREACHABLE", "EHOSTUNREACH", 113, 4, 91, 502, "Server unreachable"],
  ["SERVER_TIMEOUT", "ETIMEDOUT", 110, 6, 91, 504, "Server did not answer in time"],
  ["NAME_NOT_FOUND", "EHOSTUNREACH", 113, 4, 91, 502, "Name not found"],
  ["NAME_TOO_LONG", "EHOSTUNREACH", 113, 4, 91, 502, "Name too long"],
  ["OUT_OF_DESCRIPTORS", "ENFILE", 23, 1, 91, 503, "Too many open connections"],
  ["REFUSED_BY_POLICY", "EACCES", 13, 2, 91, 403, "Refused by policy"],
];

for (const [code, errnoName, errno, rep, cd, httpStatus, words] of ROWS) {
  test(`replyOf(${code}) is ${errnoName}, REP ${rep}, CD ${cd}, ${httpStatus}`, () => {
    assert.deepEqual(replyOf(code), { errnoName, errno, rep, cd, httpStatus, words });
    assert.equal(errnoNameOf(code), errnoName);
    assert.equal(errnoOf(code), errno);
    assert.equal(wordsOf(code), words);
  });
}

const REPS: [number, FailureCode][] = [
  [1, "GENERAL_FAILURE"],
  [2, "NOT_ALLOWED"],
  [3, "NETWORK_UNREACHABLE"],
  [4, "HOST_UNREACHABLE"],
  [5, "CONNECTION_REFUSED"],
  [6, "TTL_EXPIRED"],
  [7, "COMMAND_NOT_SUPPORTED"],
  [8, "ADDRESS_TYPE_NOT_SUPPORTED"],
];

for (const [rep, code] of REPS) {
  test(`failureFromRep(${rep}) is ${code}, and back`, () => {
    assert.equal(failureFromRep(rep).code, code);
    assert.equal(replyOf(code).rep, rep);
  });
}

test("failureFromRep() is a general failure with its number when REP is unassigned", () => {
  for (const rep of [9, 0xf0, 255]) {
    const failure = failureFromRep(rep);
    assert.equal(failure.code, "GENERAL_FAILURE");
    assert.match(failure.detail, new RegExp(`REP ${rep}$`));
  }
});

const CDS: [number, FailureCode][] = [
  [91, "CONNECTION_REFUSED"],
  [92, "AUTHENTICATION_FAILED"],
  [93, "AUTHENTICATION_FAILED"],
  [0, "GENERAL_FAILURE"],
  [94, "GENERAL_FAILURE"],
];

for (const [cd, code] of CDS) {
  test(`failureFromCd(${cd}) is ${code}`, () => {
    const failure = failureFromCd(cd);
    assert.equal(failure.code, code);
    assert.match(failure.detail, new RegExp(`CD ${cd}\\b`));
  });
}

const STATUSES: [number, boolean, FailureCode][] = [
  [403, false, "NOT_ALLOWED"],
  [407, false, "NO_ACCEPTABLE_METHODS"],
  [407, true, "AUTHENTICATION_FAILED"],
  [502, false, "HOST_UNREACHABLE"],
  [503, true, "HOST_UNREACHABLE"],
  [504, false, "TTL_EXPIRED"],
  [301, false, "GENERAL_FAILURE"],
  [500, false, "GENERAL_FAILURE"],
];

for (const [status, sentCredentials, code] of STATUSES) {
  const who = sentCredentials ? "with" : "without";
  test(`failureFromStatus(${status}) is ${code} ${who} credentials`, () => {
    const words = `HTTP/1.1 ${status} Some words`;
    assert.deepEqual(failureFromStatus(status, words, sentCredentials), { code, detail: words });
  });
}

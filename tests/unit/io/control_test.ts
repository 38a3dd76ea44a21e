import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { listenControl } from "../../../src/io/control.ts";
import { DecisionLog } from "../../../src/io/log.ts";
import type { ControlRequest } from "../../../src/shim/control.ts";

const TOKEN = Uint8Array.from({ length: 16 }, (_, i) => i);

/** RESOLVE of "x", octet by octet as control.h draws it. */
function resolveRequest(token: Uint8Array): Uint8Array {
  return Uint8Array.of(0x54, 0x53, 1, 2, 0, 0, 0, 7, ...token, 0, 2, 0, 0x78);
}

/** Sends `pieces` one after the other; what came back until the end of the connection. */
async function converse(
  pieces: Uint8Array[],
  answer: (request: ControlRequest, signal: AbortSignal) => Promise<{ status: "libc" }>,
): Promise<number[]> {
  const directory = mkdtempSync(join(tmpdir(), "tsocks-test-"));
  const filePath = join(directory, "control");
  const log = new DecisionLog({ level: -1, format: "text", fd: 2 });
  const listener = await listenControl(filePath, { token: TOKEN, answer, log });
  try {
    assert.equal(statSync(filePath).mode & 0o777, 0o666);
    const socket = connect(filePath);
    const seen: number[] = [];
    socket.on("data", (chunk: Uint8Array) => seen.push(...chunk));
    socket.on("error", () => {});
    const closed = new Promise((resolve) => socket.on("close", resolve));
    for (const piece of pieces) {
      await new Promise((resolve) => socket.write(piece, resolve));
    }
    await closed;
    return seen;
  } finally {
    listener.close();
    rmSync(directory, { recursive: true });
  }
}

function answerLibc(asked: ControlRequest[]) {
  return (request: ControlRequest) => {
    asked.push(request);
    return Promise.resolve({ status: "libc" as const });
  };
}

const LIBC_ANSWER = [4, 0, 0, 0, 0, 0, 0, 0];

test("listenControl() answers a request with the token, whole or octet by octet", async () => {
  const asked: ControlRequest[] = [];
  const request = resolveRequest(TOKEN);
  assert.deepEqual(await converse([request], answerLibc(asked)), LIBC_ANSWER);
  const octets = [...request].map((octet) => Uint8Array.of(octet));
  assert.deepEqual(await converse(octets, answerLibc(asked)), LIBC_ANSWER);
  assert.deepEqual(asked.map((a) => a.op === "resolve" && a.name), ["x", "x"]);
});

test("listenControl() closes without a word on a wrong token and on garbage", async () => {
  const asked: ControlRequest[] = [];
  const wrong = TOKEN.map((octet) => octet ^ 1);
  const messages = [
    resolveRequest(wrong),
    new TextEncoder().encode("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    new Uint8Array(100_000),
  ];
  for (const message of messages) {
    assert.deepEqual(await converse([message], answerLibc(asked)), []);
  }
  assert.deepEqual(asked, []);
});

test("listenControl() tells the answerer when the program gives up", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const directory = mkdtempSync(join(tmpdir(), "tsocks-test-"));
  const log = new DecisionLog({ level: -1, format: "text", fd: 2 });
  const listener = await listenControl(join(directory, "control"), {
    token: TOKEN,
    log,
    answer: (_, signal) => {
      signal.addEventListener("abort", () => resolve());
      asking.destroy();
      return new Promise(() => {});
    },
  });
  const asking = connect(join(directory, "control"));
  asking.write(resolveRequest(TOKEN));
  await promise;
  listener.close();
  rmSync(directory, { recursive: true });
});

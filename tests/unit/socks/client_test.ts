import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "../../../src/socks/client.ts";
import { addressOf, ascii, hex, NO_PASSWORD, unwrap } from "./feeding.ts";

const FIRST_OCTETS = [
  ["4", hex("04")],
  ["4a", hex("04")],
  ["5", hex("05")],
  ["http", ascii("C")],
] as const;

for (const [type, first] of FIRST_OCTETS) {
  test(`createClient() speaks the protocol of server_type = ${type}`, () => {
    const destination = addressOf("10.1.4.253", 80);
    const machine = unwrap(createClient({ type, credentials: NO_PASSWORD, destination }));
    assert.deepEqual(machine.start().slice(0, 1), first);
  });
}

test("createClient() hands on why the protocol cannot ask for a destination", () => {
  const destination = addressOf("::1", 80);
  const machine = createClient({ type: "4", credentials: NO_PASSWORD, destination });
  assert("failure" in machine);
  assert.equal(machine.failure.code, "ADDRESS_TYPE_NOT_SUPPORTED");
});

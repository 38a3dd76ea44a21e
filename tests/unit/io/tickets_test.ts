import assert from "node:assert/strict";
import test from "node:test";
import {
  Peers,
  type Reservation,
  TICKET_LENGTH,
  TICKET_MARK,
  Tickets,
} from "../../../src/io/tickets.ts";

function reservation(): Reservation {
  return {
    attempt: {} as Reservation["attempt"],
    dialled: new Promise(() => {}),
    abandon: () => {},
    endpoint: { bytes: Uint8Array.of(192, 0, 2, 1), port: 80 },
  };
}

test("a ticket is good once, and only the one that was issued", () => {
  const tickets = new Tickets();
  const mine = reservation();
  const ticket = tickets.issue(mine);
  assert.equal(ticket.length, TICKET_LENGTH);
  assert.equal(ticket[0], TICKET_MARK);
  const forged = Uint8Array.from(ticket);
  forged[16]! ^= 1;
  assert.equal(tickets.redeem(forged), undefined);
  assert.equal(tickets.redeem(ticket), mine);
  assert.equal(tickets.redeem(ticket), undefined);
});

test("no two tickets are alike", () => {
  const tickets = new Tickets();
  const seen = new Set<string>();
  for (let i = 0; i < 1000; i++) seen.add(tickets.issue(reservation()).join());
  assert.equal(seen.size, 1000);
});

function connection(port: number, remote = "127.0.0.1") {
  return { local: { address: "127.0.0.1", port }, remote: { address: remote, port: 9 } };
}

test("connections from one port are told apart by where they go", async () => {
  const peers = new Peers();
  const [one, other] = [80, 81].map((port) => ({ bytes: Uint8Array.of(192, 0, 2, 1), port }));
  peers.remember(connection(4000), one!);
  peers.remember(connection(4000, "127.0.0.2"), other!);
  assert.equal(await peers.find(connection(4000)), one);
  assert.equal(await peers.find(connection(4000, "127.0.0.2")), other);
});

test("find() waits for a ticket that is on its way, and no longer", async () => {
  const peers = new Peers();
  const endpoint = { bytes: Uint8Array.of(192, 0, 2, 1), port: 80 };
  const asking = peers.find(connection(4000));
  setImmediate(() => peers.remember(connection(4000), endpoint));
  assert.equal(await asking, endpoint);
  assert.equal(await peers.find(connection(4001)), null);
  peers.remember(connection(4002), null);
  assert.equal(await peers.find(connection(4002)), null);
});

test("find() forgets a closed connection, whose port may be another's", async () => {
  const peers = new Peers();
  peers.remember(connection(4000), { bytes: new Uint8Array(16), port: 80 });
  peers.forget(connection(4000));
  assert.equal(await peers.find(connection(4000)), null);
});

import assert from "node:assert/strict";
import test from "node:test";
import { type Libc, openLibc } from "../../../src/io/libc.ts";
import { SilentPort } from "../../../src/io/silent_port.ts";
import { parseIpAddress } from "../../../src/net/address.ts";

const LOOPBACK = parseIpAddress("127.0.0.1")!;
const EADDRNOTAVAIL = 99;

test("accept() has no descriptor where the connection could not be begun", async () => {
  const libc = await openLibc();
  const open = new Set<number>();
  const withOldConnection: Libc = {
    ...libc,
    socket: (...kind) => {
      const fd = libc.socket(...kind);
      open.add(fd);
      return fd;
    },
    close: (fd) => {
      open.delete(fd);
      return libc.close(fd);
    },
    connect: () => -1,
    errno: () => EADDRNOTAVAIL,
  };
  const [port] = SilentPort.open(withOldConnection, [LOOPBACK]);
  assert.equal(port!.accept({ ip: LOOPBACK, port: 9 }), undefined);
  port!.close();
  assert.equal(open.size, 0);
});

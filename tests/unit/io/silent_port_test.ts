import assert from "node:assert/strict";
import test from "node:test";
import {
  AF_INET,
  encodeSockaddr,
  type Libc,
  openLibc,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
} from "../../../src/io/libc.ts";
import { SilentPort } from "../../../src/io/silent_port.ts";
import { SocketDiagnosis } from "../../../src/io/sock_diag.ts";
import { parseIpAddress } from "../../../src/net/address.ts";

const LOOPBACK = parseIpAddress("127.0.0.1")!;
const EADDRNOTAVAIL = 99;
const SO_REUSEADDR = 2;
const SO_COOKIE = 57;

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
  assert.equal(port!.accept({ ip: LOOPBACK, port: 9 }, () => true), undefined);
  port!.close();
  assert.equal(open.size, 0);
});

function openSocket(libc: Libc): number {
  const fd = libc.socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  libc.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, Uint8Array.of(1, 0, 0, 0), 4);
  return fd;
}

/** A socket of a program's that waits at `port`; bound first, as the kernel may give one port to several that are not. */
function startToWait(libc: Libc, port: SilentPort) {
  const fd = openSocket(libc);
  const any = encodeSockaddr(LOOPBACK, 0);
  libc.bind(fd, any, any.length);
  const to = encodeSockaddr(LOOPBACK, port.address.port);
  libc.connect(fd, to, to.length);
  const own = new Uint8Array(28);
  libc.getsockname(fd, own, Uint32Array.of(own.length));
  const cookie = new Uint8Array(8);
  libc.getsockopt(fd, SOL_SOCKET, SO_COOKIE, cookie, Uint32Array.of(8));
  const view = new DataView(cookie.buffer);
  const local = { bytes: LOOPBACK.bytes, port: new DataView(own.buffer).getUint16(2) };
  const remote = { bytes: LOOPBACK.bytes, port: port.address.port };
  return { fd, connection: { local, remote, cookie: view.getBigUint64(0, true) } };
}

for (const ending of ["accept", "reset"] as const) {
  test(`${ending}() gives nothing to a listener that has the port by now`, async () => {
    const libc = await openLibc();
    let beforeConnect = () => {};
    const connect: Libc["connect"] = (...call) => {
      beforeConnect();
      return libc.connect(...call);
    };
    const [port] = SilentPort.open({ ...libc, connect }, [LOOPBACK]);
    const diagnosis = new SocketDiagnosis(libc);
    const { fd, connection } = startToWait(libc, port!);
    const to = { ip: LOOPBACK, port: connection.local.port };
    const listener = openSocket(libc);
    beforeConnect = () => {
      beforeConnect = () => {};
      libc.close(fd);
      const sockaddr = encodeSockaddr(LOOPBACK, to.port);
      assert.equal(libc.bind(listener, sockaddr, sockaddr.length), 0);
      assert.equal(libc.listen(listener, 1), 0);
    };
    assert.equal(diagnosis.isConnecting(connection), true);
    if (ending === "reset") port!.reset(to);
    else assert.equal(port!.accept(to, () => diagnosis.isThere(connection)), undefined);
    const isReadable = libc.poll(Int32Array.of(listener, 1), 1n, 50) === 1;
    assert.equal(isReadable, ending === "accept"); // a connection, closed without a word
    libc.close(listener);
    port!.close();
    diagnosis.close();
  });
}

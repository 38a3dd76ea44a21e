/**
 * The non-blocking connects that wait for their server's verdict. The program's socket is in
 * SYN-SENT toward a silent port (silent_port.ts) until then; it becomes writable with the
 * connection, or fails with the true errno, which the shim asks for.
 */

import type { Socket } from "node:net";
import { formatIpAddress, parseIpAddress } from "../net/address.ts";
import { CTL_BRAIN_ADDRESSES, type RawEndpoint, type WaitingSocket } from "../shim/control.ts";
import { errnoOf } from "../socks/reply.ts";
import type { DialResult } from "./dial.ts";
import {
  encodeSockaddr,
  intOption,
  type Libc,
  openLibc,
  openTcpSocket,
  SO_ERROR,
  SOL_SOCKET,
} from "./libc.ts";
import { adoptSocket } from "./runtime.ts";
import { SilentPort } from "./silent_port.ts";
import { SocketDiagnosis } from "./sock_diag.ts";
import type { Connection, Reservation } from "./tickets.ts";

/** Takes the other end of a program's socket, connected and paused; what is behind it was dialled. */
export type Carrier = (
  socket: Socket,
  connection: Connection,
  reservation: Reservation,
  dialled: DialResult & { ok: true },
) => Promise<void>;

interface Wait {
  waiting: WaitingSocket;
  port: SilentPort;
  reservation: Reservation;
  /** Set once it has failed, until its socket knows. */
  errno?: number | undefined;
}

/** How soon an attempt is given up whose socket the program has closed. */
const WATCH_INTERVAL_MS = 250;
/** Verdicts that no program asks for are forgotten, the oldest first; more than connects fail at once. */
const MAX_VERDICTS = 65536;
/** errno.h */
const ENETDOWN = 100;
const ECONNRESET = 104;
/** From a port that the program bound, only one connection goes to each address. */
const LOOPBACK_V4 = Array.from(
  { length: CTL_BRAIN_ADDRESSES },
  (_, i) => parseIpAddress(`127.0.0.${i + 1}`)!,
);
const LOOPBACK_V6 = [parseIpAddress("::1")!];

/** What it takes, once it is known that the kernel can do it. */
interface Means {
  diagnosis: SocketDiagnosis;
  /** On 127.0.0.1 and the addresses that follow it. */
  v4: SilentPort[];
  /** On ::1, or none. */
  v6: SilentPort[];
}

export class PendingConnects {
  readonly #carry: Carrier;
  readonly #hasInet6: boolean;
  readonly #waits = new Set<Wait>();
  readonly #verdicts = new Map<string, number>();
  #means: Means | undefined;
  #opening: Promise<Error | undefined> | undefined;
  #watcher: NodeJS.Timeout | undefined;

  constructor(carry: Carrier, hasInet6: boolean) {
    this.#carry = carry;
    this.#hasInet6 = hasInet6;
  }

  /** To be called before all else. An Error, with the reason, where this kernel cannot do it (gVisor, a sandbox). */
  open(): Promise<Error | undefined> {
    return this.#opening ??= openMeans(this.#hasInet6).then((means) => {
      this.#means = means;
      return undefined;
    }, (error: Error) => error);
  }

  /** Where a program's socket is to connect to, in order to wait. */
  endpointFor({ isInet6 }: { isInet6: boolean }): RawEndpoint {
    const { v4, v6 } = this.#means!;
    const [first] = isInet6 && v6.length > 0 ? v6 : v4;
    const { ip, port } = first!.address;
    return { bytes: ip.bytes, port };
  }

  /** The program's socket waits from now on: give it the verdict, or give up what it has given up. */
  begin(waiting: WaitingSocket, reservation: Reservation): void {
    const { v4, v6 } = this.#means!;
    const ports = waiting.local.address.version === 6 ? v6 : v4;
    const port = ports.find((one) => this.#isWaiting({ waiting, port: one }));
    if (port === undefined) return reservation.abandon();
    this.#verdicts.delete(keyOf(waiting));
    const wait = { waiting, port, reservation };
    this.#keep(wait);
    reservation.dialled.then((result) => {
      if (this.#waits.delete(wait)) this.#settle(wait, result);
      else if (result.ok) result.socket.resetAndDestroy();
    });
  }

  /** The errno of a connect that failed here, told once; undefined where it did not. */
  takeVerdict(waiting: WaitingSocket): number | undefined {
    const key = keyOf(waiting);
    const verdict = this.#verdicts.get(key);
    this.#verdicts.delete(key);
    return verdict;
  }

  /** Gives up what no program waits for any more: at once, in the place of the next look. */
  giveUpAbandoned(): void {
    for (const wait of this.#waits) {
      if (this.#isWaiting(wait)) continue;
      if (wait.errno === undefined) wait.reservation.abandon();
      else this.#waits.delete(wait);
    }
  }

  /** Fails what still waits. */
  close(): void {
    for (const wait of [...this.#waits]) {
      wait.reservation.abandon();
      if (this.#isWaiting(wait)) this.#fail(wait, ENETDOWN);
    }
    clearInterval(this.#watcher);
    this.#waits.clear();
    if (this.#means !== undefined) closeMeans(this.#means);
  }

  #keep(wait: Wait): void {
    this.#waits.add(wait);
    this.#watcher ??= setInterval(() => this.#watch(), WATCH_INTERVAL_MS).unref();
  }

  #settle(wait: Wait, result: DialResult): void {
    if (!this.#isWaiting(wait)) {
      if (result.ok) result.socket.resetAndDestroy();
      return;
    }
    if (!result.ok) return this.#fail(wait, errnoOf(result.failure.code));
    const { waiting: { local }, port, reservation } = wait;
    // Only to the very socket that the shim told of: its port could be another's by now.
    const isThere = () => this.#means!.diagnosis.isThere(connectionOf(wait));
    const fd = port.accept({ ip: local.address, port: local.port }, isThere);
    if (fd === undefined) {
      result.socket.resetAndDestroy();
      if (this.#isWaiting(wait)) this.#fail(wait, ENETDOWN);
      return;
    }
    const remote = port.address;
    const connection = {
      local: { address: formatIpAddress(local.address), port: local.port },
      remote: { address: formatIpAddress(remote.ip), port: remote.port },
    };
    void this.#carry(adoptSocket(fd), connection, reservation, result);
  }

  #fail(wait: Wait, errno: number): void {
    this.#verdicts.set(keyOf(wait.waiting), errno);
    if (this.#verdicts.size > MAX_VERDICTS) {
      this.#verdicts.delete(this.#verdicts.keys().next().value!);
    }
    this.#reset(wait);
    // Without a free descriptor, or above the kernel's own limits, it is tried again.
    if (this.#isWaiting(wait)) this.#keep({ ...wait, errno });
  }

  #reset({ waiting: { local }, port }: Wait): void {
    port.reset({ ip: local.address, port: local.port });
  }

  #watch(): void {
    this.giveUpAbandoned();
    for (const wait of this.#waits) {
      if (wait.errno !== undefined) this.#reset(wait);
    }
    if (this.#waits.size > 0) return;
    clearInterval(this.#watcher);
    this.#watcher = undefined;
  }

  #isWaiting(wait: Pick<Wait, "waiting" | "port">): boolean {
    return this.#means!.diagnosis.isConnecting(connectionOf(wait));
  }
}

/** As the program's socket sees it. */
function connectionOf({ waiting: { cookie, local }, port }: Pick<Wait, "waiting" | "port">) {
  const { ip, port: remotePort } = port.address;
  return {
    local: { bytes: local.address.bytes, port: local.port },
    remote: { bytes: ip.bytes, port: remotePort },
    cookie,
  };
}

async function openMeans(hasInet6: boolean): Promise<Means> {
  const libc = await openLibc();
  const diagnosis = new SocketDiagnosis(libc);
  const means: Means = { diagnosis, v4: [], v6: [] };
  try {
    means.v4 = SilentPort.open(libc, LOOPBACK_V4);
    if (hasInet6) means.v6 = SilentPort.open(libc, LOOPBACK_V6);
    tryOut(libc, diagnosis, means.v4[0]!);
    return means;
  } catch (error) {
    closeMeans(means);
    throw error;
  }
}

function closeMeans({ diagnosis, v4, v6 }: Means): void {
  for (const port of [...v4, ...v6]) port.close();
  diagnosis.close();
}

/** One socket of our own connected, and one reset. @throws Error where that does not work */
function tryOut(libc: Libc, diagnosis: SocketDiagnosis, silent: SilentPort): void {
  const { ip, port } = silent.address;
  for (const expected of [0, ECONNRESET]) {
    const fd = openTcpSocket(libc, ip.version);
    try {
      const to = encodeSockaddr(ip, port);
      libc.connect(fd, to, to.length);
      const own = new Uint8Array(28);
      libc.getsockname(fd, own, Uint32Array.of(own.length));
      const address = { ip, port: new DataView(own.buffer).getUint16(2) };
      const local = { bytes: ip.bytes, port: address.port };
      const remote = { bytes: ip.bytes, port };
      if (!diagnosis.isConnecting({ local, remote, cookie: 0n })) {
        throw new Error("a waiting socket cannot be found");
      }
      if (expected === 0) libc.close(silent.accept(address, () => true) ?? -1);
      else silent.reset(address);
      const error = intOption(libc, fd, SOL_SOCKET, SO_ERROR);
      if (error !== expected) throw new Error(`errno ${error} in the place of ${expected}`);
    } finally {
      libc.close(fd);
    }
  }
}

/** Of a socket that failed the kernel still tells the port, no longer the address. */
function keyOf({ cookie, local }: WaitingSocket): string {
  return cookie === 0n ? `port ${local.port}` : `${cookie}`;
}

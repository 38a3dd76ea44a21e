/**
 * The non-blocking connects that wait for their server's verdict. The program's socket is in
 * SYN-SENT toward a silent port (silent_port.ts) until then; it becomes writable with the
 * connection, or fails with the true errno, which the shim asks for.
 */

import type { Socket } from "node:net";
import { formatIpAddress, parseIpAddress } from "../net/address.ts";
import type { RawEndpoint, WaitingSocket } from "../shim/control.ts";
import { errnoOf } from "../socks/reply.ts";
import type { DialResult } from "./dial.ts";
import {
  AF_INET,
  encodeSockaddr,
  intOption,
  type Libc,
  openLibc,
  SO_ERROR,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
} from "./libc.ts";
import { adoptSocket } from "./runtime.ts";
import { SilentPort } from "./silent_port.ts";
import { SocketDiagnosis } from "./sock_diag.ts";
import type { Reservation } from "./tickets.ts";

/** Takes the other end of a program's socket, connected and paused; what is behind it was dialled. */
export type Carrier = (
  socket: Socket,
  from: { address: string; port: number },
  reservation: Reservation,
  dialled: DialResult & { ok: true },
) => void;

interface Wait {
  waiting: WaitingSocket;
  port: SilentPort;
  reservation: Reservation;
}

/** How soon an attempt is given up whose socket the program has closed. */
const WATCH_INTERVAL_MS = 250;
/** Verdicts that no program asks for are forgotten, the oldest first. */
const MAX_VERDICTS = 4096;
const ECONNRESET = 104;
const LOOPBACK_V4 = parseIpAddress("127.0.0.1")!;
const LOOPBACK_V6 = parseIpAddress("::1")!;

export class PendingConnects {
  readonly #diagnosis: SocketDiagnosis;
  readonly #v4: SilentPort;
  readonly #v6: SilentPort | undefined;
  readonly #carry: Carrier;
  readonly #waits = new Set<Wait>();
  readonly #verdicts = new Map<string, number>();
  #watcher: NodeJS.Timeout | undefined;

  private constructor(libc: Libc, carry: Carrier, hasInet6: boolean) {
    this.#carry = carry;
    this.#diagnosis = new SocketDiagnosis(libc);
    this.#v4 = SilentPort.open(libc, LOOPBACK_V4);
    this.#v6 = hasInet6 ? SilentPort.open(libc, LOOPBACK_V6) : undefined;
  }

  /** Tries out that this kernel can do it. Rejects where it cannot (gVisor, a sandbox), with the reason. */
  static async open(carry: Carrier, hasInet6: boolean): Promise<PendingConnects> {
    const libc = await openLibc();
    const pending = new PendingConnects(libc, carry, hasInet6);
    try {
      pending.#tryOut(libc);
      return pending;
    } catch (error) {
      pending.close();
      throw error;
    }
  }

  /** Where a program's socket is to connect to, in order to wait. */
  endpointFor({ isInet6 }: { isInet6: boolean }): RawEndpoint {
    const { ip, port } = (isInet6 && this.#v6 || this.#v4).address;
    return { bytes: ip.bytes, port };
  }

  /** The program's socket waits from now on: give it the verdict, or give up what it has given up. */
  begin(waiting: WaitingSocket, reservation: Reservation): void {
    const port = waiting.local.address.version === 6 ? this.#v6 : this.#v4;
    if (port === undefined) return reservation.abandon();
    const wait = { waiting, port, reservation };
    this.#waits.add(wait);
    this.#watcher ??= setInterval(() => this.#watch(), WATCH_INTERVAL_MS).unref();
    reservation.dialled.then((result) => {
      this.#waits.delete(wait);
      this.#settle(wait, result);
    });
  }

  /** The errno of a connect that failed here, told once; undefined where it did not. */
  takeVerdict(waiting: WaitingSocket): number | undefined {
    const key = keyOf(waiting);
    const verdict = this.#verdicts.get(key);
    this.#verdicts.delete(key);
    return verdict;
  }

  close(): void {
    clearInterval(this.#watcher);
    this.#v4.close();
    this.#v6?.close();
    this.#diagnosis.close();
  }

  #settle(wait: Wait, result: DialResult): void {
    const { waiting: { local }, port, reservation } = wait;
    const isWaiting = this.#isWaiting(wait);
    if (!result.ok) {
      if (isWaiting) this.#fail(wait, errnoOf(result.failure.code));
      return;
    }
    // Only to the very socket that the shim told of: its port may be another's by now.
    const to = { ip: local.address, port: local.port };
    const fd = isWaiting ? port.accept(to) : undefined;
    if (fd === undefined) return void result.socket.resetAndDestroy();
    const from = { address: formatIpAddress(local.address), port: local.port };
    this.#carry(adoptSocket(fd), from, reservation, result);
  }

  #fail({ waiting, port }: Wait, errno: number): void {
    this.#verdicts.set(keyOf(waiting), errno);
    if (this.#verdicts.size > MAX_VERDICTS) {
      this.#verdicts.delete(this.#verdicts.keys().next().value!);
    }
    port.reset({ ip: waiting.local.address, port: waiting.local.port });
  }

  #watch(): void {
    for (const wait of this.#waits) {
      if (!this.#isWaiting(wait)) wait.reservation.abandon();
    }
    if (this.#waits.size > 0) return;
    clearInterval(this.#watcher);
    this.#watcher = undefined;
  }

  #isWaiting({ waiting: { cookie, local }, port }: Wait): boolean {
    const { ip, port: remotePort } = port.address;
    return this.#diagnosis.isConnecting({
      local: { bytes: local.address.bytes, port: local.port },
      remote: { bytes: ip.bytes, port: remotePort },
      cookie,
    });
  }

  /** One socket of our own connected, and one reset. @throws Error */
  #tryOut(libc: Libc): void {
    for (const expected of [0, ECONNRESET]) {
      const fd = libc.socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      try {
        const to = encodeSockaddr(LOOPBACK_V4, this.#v4.address.port);
        libc.connect(fd, to, to.length);
        const own = new Uint8Array(28);
        libc.getsockname(fd, own, Uint32Array.of(own.length));
        const address = { ip: LOOPBACK_V4, port: new DataView(own.buffer).getUint16(2) };
        const local = { bytes: LOOPBACK_V4.bytes, port: address.port };
        const remote = { bytes: LOOPBACK_V4.bytes, port: this.#v4.address.port };
        if (!this.#diagnosis.isConnecting({ local, remote, cookie: 0n })) {
          throw new Error("a waiting socket cannot be found");
        }
        if (expected === 0) libc.close(this.#v4.accept(address) ?? -1);
        else this.#v4.reset(address);
        const error = intOption(libc, fd, SOL_SOCKET, SO_ERROR);
        if (error !== expected) throw new Error(`errno ${error} in the place of ${expected}`);
      } finally {
        libc.close(fd);
      }
    }
  }
}

/** Of a socket that failed the kernel still tells the port, no longer the address. */
function keyOf({ cookie, local }: WaitingSocket): string {
  return cookie === 0n ? `port ${local.port}` : `${cookie}`;
}

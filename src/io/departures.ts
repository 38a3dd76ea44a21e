/**
 * Whether the program at the other end of a relayed connection has closed its socket. From here
 * that looks like a half-close until something is written; this machine's kernel knows (sock_diag.ts).
 */

import type { Socket } from "node:net";
import { parseIpAddress } from "../net/address.ts";
import { openLibc } from "./libc.ts";
import { type Connection, SocketDiagnosis } from "./sock_diag.ts";

export class Departures {
  #diagnosis: Promise<void> | SocketDiagnosis | undefined;

  /** The question about the socket that `socket`, ours, is connected to; no where that cannot be found out. */
  watch(socket: Socket): () => boolean {
    this.#diagnosis ??= this.#open();
    const connection = seenFromThere(socket);
    return () => {
      if (connection === undefined || !(this.#diagnosis instanceof SocketDiagnosis)) return false;
      return this.#diagnosis.isClosed(connection);
    };
  }

  async #open(): Promise<void> {
    try {
      this.#diagnosis = new SocketDiagnosis(await openLibc());
    } catch {
      // A kernel or sandbox without it: such connections end with the destination.
    }
  }
}

function seenFromThere(socket: Socket): Connection | undefined {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  const there = parseIpAddress(remoteAddress ?? "");
  const here = parseIpAddress(localAddress ?? "");
  if (!there || !here || remotePort === undefined || localPort === undefined) return undefined;
  const local = { bytes: there.bytes, port: remotePort };
  return { local, remote: { bytes: here.bytes, port: localPort }, cookie: 0n };
}

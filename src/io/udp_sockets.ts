/**
 * The UDP sockets of this machine (of our network namespace) by /proc/net/udp: which ones a datagram
 * on loopback may be from. Source: proc(5).
 */

import { readFile } from "node:fs/promises";
import { parseIpAddress } from "../net/address.ts";

/** A UDP socket as proc(5) has it: its own address in words of 32 bits of this machine's order. */
interface LocalSocket {
  address: string;
  inode: bigint;
}

/** By their ports. */
export type UdpSockets = Map<number, LocalSocket[]>;

/** All there are: the second column is ADDRESS:PORT, the tenth the inode, 0 of a closed one. */
export async function readUdpSockets(): Promise<UdpSockets> {
  const sockets: UdpSockets = new Map();
  for (const file of ["/proc/net/udp", "/proc/net/udp6"]) {
    const text = await readFile(file, "latin1").catch(() => "");
    for (const row of text.split("\n").slice(1, -1)) {
      const columns = row.trim().split(/\s+/);
      const [address = "", hexPort = ""] = columns[1]?.split(":") ?? [];
      if (!/^[1-9]\d*$/.test(columns[9] ?? "")) continue;
      const port = parseInt(hexPort, 16);
      const known = sockets.get(port) ?? [];
      sockets.set(port, [...known, { address, inode: BigInt(columns[9]!) }]);
    }
  }
  return sockets;
}

/** Of the sockets that a datagram with this source may be from. */
export function inodesOf(
  sockets: UdpSockets,
  { address, port }: { address: string; port: number },
): bigint[] {
  const forms = localForms(address);
  const found = (sockets.get(port) ?? []).filter((socket) => forms.includes(socket.address));
  return found.map(({ inode }) => inode);
}

const ANY = "00000000";
const MAPPED = "0000000000000000FFFF0000";

/** As proc(5) writes the own address of a socket that sends from `text`, if it is bound to it, or to any. */
function localForms(text: string): string[] {
  const address = parseIpAddress(text);
  if (address === undefined) return [];
  // Both our machines are little-endian.
  const words = Buffer.from(address.bytes).swap32().toString("hex").toUpperCase();
  return address.version === 4
    ? [words, ANY, MAPPED + words, ANY.repeat(4)]
    : [words, ANY.repeat(4)];
}

/**
 * Asks the kernel whether one socket is still connecting, or closed. Source: sock_diag(7), which
 * the owner's rights do not matter to.
 */

import { AF_INET, AF_INET6, type Libc, SOCK_CLOEXEC, SOCK_NONBLOCK } from "./libc.ts";

/** A connection as the program's socket sees it; addresses of 4 or 16 octets, both of one length. */
export interface Connection {
  local: { bytes: Uint8Array; port: number };
  remote: { bytes: Uint8Array; port: number };
  /** SO_COOKIE, or 0: any. */
  cookie: bigint;
}

/** linux/netlink.h, linux/sock_diag.h, linux/inet_diag.h, netinet/in.h, net/tcp_states.h */
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const NLM_F_REQUEST = 1;
const NLMSG_ERROR = 2;
const NLMSG_HEADER_LENGTH = 16;
const INODE_AT = NLMSG_HEADER_LENGTH + 4 + 48 + 16; // struct inet_diag_msg: idiag_inode
const REQUEST_LENGTH = 72; // struct nlmsghdr, struct inet_diag_req_v2
const ANSWER_LENGTH = 256;
const NO_COOKIE = 0xffff_ffff_ffff_ffffn;
const IPPROTO_TCP = 6;
const ENOENT = 2;
const TCP_SYN_SENT = 2;
const TCP_SYN_RECV = 3;

export class SocketDiagnosis {
  readonly #libc: Libc;
  readonly #fd: number;

  /** @throws Error where the kernel has no such socket family */
  constructor(libc: Libc) {
    this.#libc = libc;
    this.#fd = libc.socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (this.#fd < 0) throw new Error(`netlink socket: errno ${libc.errno()}`);
  }

  /** Whether exactly this socket is in SYN-SENT or SYN-RECEIVED. */
  isConnecting(connection: Connection): boolean {
    const answer = this.#ask(connection);
    const state = answer?.getUint8(NLMSG_HEADER_LENGTH + 1);
    const isFound = answer?.getUint16(4, true) === SOCK_DIAG_BY_FAMILY;
    return isFound && (state === TCP_SYN_SENT || state === TCP_SYN_RECV);
  }

  /** Whether exactly this socket is there, in whatever state. */
  isThere(connection: Connection): boolean {
    return this.#ask(connection)?.getUint16(4, true) === SOCK_DIAG_BY_FAMILY;
  }

  /** Whether no process has this socket any more, though the kernel may still be ending it. */
  isClosed(connection: Connection): boolean {
    const answer = this.#ask(connection);
    const type = answer?.getUint16(4, true);
    if (type === NLMSG_ERROR) return answer?.getInt32(NLMSG_HEADER_LENGTH, true) === -ENOENT;
    return type === SOCK_DIAG_BY_FAMILY && answer?.getUint32(INODE_AT, true) === 0;
  }

  /** A message that begins with a struct nlmsghdr; undefined where there is none. */
  #ask(connection: Connection): DataView | undefined {
    const request = encodeRequest(connection);
    if (Number(this.#libc.send(this.#fd, request, BigInt(request.length), 0)) < 0) return undefined;
    const answer = new Uint8Array(ANSWER_LENGTH);
    const length = Number(this.#libc.recv(this.#fd, answer, BigInt(answer.length), 0));
    return length < NLMSG_HEADER_LENGTH + 4 ? undefined : new DataView(answer.buffer);
  }

  close(): void {
    this.#libc.close(this.#fd);
  }
}

/** The header's integers are in host order (little-endian on our machines), ports in network order. */
function encodeRequest({ local, remote, cookie }: Connection): Uint8Array {
  const bytes = new Uint8Array(REQUEST_LENGTH);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, REQUEST_LENGTH, true);
  view.setUint16(4, SOCK_DIAG_BY_FAMILY, true);
  view.setUint16(6, NLM_F_REQUEST, true);
  bytes[16] = local.bytes.length === 4 ? AF_INET : AF_INET6;
  bytes[17] = IPPROTO_TCP;
  view.setUint32(20, 0xffff_ffff); // any state
  view.setUint16(24, local.port);
  view.setUint16(26, remote.port);
  bytes.set(local.bytes, 28);
  bytes.set(remote.bytes, 44);
  view.setBigUint64(64, cookie === 0n ? NO_COOKIE : cookie, true);
  return bytes;
}

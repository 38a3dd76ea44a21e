/**
 * SOCKS 4 and 4a, the client's side: one request, one reply of 8 octets. The password is never
 * sent, SOCKS4 having no place for one. Sources: see socks4_wire.ts.
 */

import type { Credentials } from "../config/model.ts";
import type { Destination } from "../net/address.ts";
import { checkName } from "./destination.ts";
import { describeStranger, makeFailure } from "./failure.ts";
import type { ClientEvent, ClientMachine, Failure } from "./machine.ts";
import { concatOctets, encodeText, encodeUint16 } from "./octets.ts";
import { OneReplyClient } from "./one_reply.ts";
import { failureFromCd } from "./reply.ts";
import { announcesName, CD_CONNECT, CD_GRANTED, VN_REPLY, VN_SOCKS4 } from "./socks4_wire.ts";

const REPLY_LENGTH = 8;
const MAX_USERID_OCTETS = 255;

/**
 * Fails at once with ADDRESS_TYPE_NOT_SUPPORTED for what the version cannot carry (IPv6; a name in
 * version 4), NAME_TOO_LONG or NAME_NOT_FOUND for a name that cannot be sent, and
 * AUTHENTICATION_FAILED for a user name that cannot be a USERID.
 */
export function createSocks4Client(
  type: "4" | "4a",
  credentials: Credentials,
  destination: Destination,
): ClientMachine | { failure: Failure } {
  const failure = checkUserid(credentials.user) ??
    (destination.kind === "name" ? checkNameFor(type, destination.name) : checkIp(destination));
  if (failure !== undefined) return { failure };
  return new Socks4Client(encodeRequest(credentials.user, destination));
}

function checkUserid(user: string): Failure | undefined {
  if (!user.includes("\0") && encodeText(user).length <= MAX_USERID_OCTETS) return undefined;
  const words = "a SOCKS4 user name has at most 255 octets and no X'00'";
  return makeFailure("AUTHENTICATION_FAILED", words);
}

function checkNameFor(type: "4" | "4a", name: string): Failure | undefined {
  if (type === "4a") return checkName(name);
  const words = "SOCKS4 takes no names; server_type = 4a or 5 does";
  return makeFailure("ADDRESS_TYPE_NOT_SUPPORTED", words);
}

function checkIp({ address }: Destination & { kind: "address" }): Failure | undefined {
  if (address.version === 6) {
    const words = "SOCKS4 takes no IPv6 addresses; server_type = 5 does";
    return makeFailure("ADDRESS_TYPE_NOT_SUPPORTED", words);
  }
  if (announcesName(address.bytes)) {
    const words = "SOCKS4 takes no address of 0.0.0.0/24";
    return makeFailure("ADDRESS_TYPE_NOT_SUPPORTED", words);
  }
}

class Socks4Client extends OneReplyClient {
  protected override readReply(): ClientEvent[] {
    const [vn, cd] = this.input.view();
    if (vn !== undefined && vn !== VN_REPLY) {
      const detail = describeStranger(this.input.view(), "a SOCKS4 server");
      return this.fail(makeFailure("PROTOCOL_ERROR", detail));
    }
    if (cd === undefined) return [];
    // Of a refusal the first two octets tell all, and some servers send no more.
    if (cd !== CD_GRANTED) return this.fail(failureFromCd(cd));
    if (this.input.length < REPLY_LENGTH) return [];
    this.input.take(REPLY_LENGTH);
    return this.establish(undefined);
  }
}

/**
 * A name (4a) stands behind USERID, with DSTIP 0.0.0.1.
 *
 *   +----+----+---------+-------+----------+------+ +----------+------+
 *   | VN | CD | DSTPORT | DSTIP |  USERID  | NULL | |   NAME   | NULL |
 *   +----+----+---------+-------+----------+------+ +----------+------+
 *   | 1  | 1  |    2    |   4   | Variable |  1   | | Variable |  1   |   // 9 + USERID (+ NAME + 1)
 *   +----+----+---------+-------+----------+------+ +----------+------+
 */
function encodeRequest(user: string, destination: Destination): Uint8Array {
  const dstPort = encodeUint16(destination.port);
  const header = concatOctets(new Uint8Array([VN_SOCKS4, CD_CONNECT]), dstPort);
  const userid = encodeText(`${user}\0`);
  return destination.kind === "name"
    ? concatOctets(header, NAME_FOLLOWS, userid, encodeText(`${destination.name}\0`))
    : concatOctets(header, destination.address.bytes, userid);
}

const NAME_FOLLOWS = new Uint8Array([0, 0, 0, 1]);

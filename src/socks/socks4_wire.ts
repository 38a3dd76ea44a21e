/**
 * SOCKS4 on the wire: constants and the reply. Source: "SOCKS: A protocol for TCP proxy across
 * firewalls" (Ying-Da Lee, NEC) and "SOCKS 4A: A Simple Extension to SOCKS 4 Protocol".
 */

export const VN_SOCKS4 = 0x04;
/** The reply's version is that of the reply code. */
export const VN_REPLY = 0x00;
export const CD_CONNECT = 0x01;
export const CD_GRANTED = 90;

/** DSTIP 0.0.0.x with x ≠ 0 announces a name behind the USERID (SOCKS 4A). */
export function announcesName(dstIp: Uint8Array): boolean {
  return dstIp[0] === 0 && dstIp[1] === 0 && dstIp[2] === 0 && dstIp[3] !== 0;
}

/**
 * DSTPORT and DSTIP of a reply to CONNECT are ignored by clients and sent as zero.
 *
 *   +----+----+---------+-------+
 *   | VN | CD | DSTPORT | DSTIP |
 *   +----+----+---------+-------+
 *   | 1  | 1  |    2    |   4   |   // 1 + 1 + 2 + 4 = 8
 *   +----+----+---------+-------+
 */
export function encodeReply(cd: number): Uint8Array {
  return new Uint8Array([VN_REPLY, cd, 0, 0, 0, 0, 0, 0]);
}

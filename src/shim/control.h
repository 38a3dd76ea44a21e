/*
 * The control protocol between shim and brain: this comment is its one specification.
 * Encoded and decoded by control.c on this side and by control.ts on the other;
 * tests/unit/shim/control_test.ts compares the constants below with those of control.ts.
 *
 * A stream connection on the Unix socket carries one request and one answer. All
 * integers are in network order (COOKIE too). Where the brain closes without an answer, the shim
 * fails the call (closed, never direct).
 *
 * Request (26 octets and a body):
 *
 *   +-------+-----+----+-----+-------+------+--------+
 *   | MAGIC | VER | OP | PID | TOKEN | BLEN |  BODY  |
 *   +-------+-----+----+-----+-------+------+--------+
 *   |   2   |  1  | 1  |  4  |  16   |  2   | BLEN   |   // 2+1+1+4+16+2 = 26
 *   +-------+-----+----+-----+-------+------+--------+
 *
 *   CONNECT  BODY = FLAGS(1) ENDPOINT     may this socket connect to ENDPOINT?
 *            FLAGS bit 0: the socket is non-blocking, answer at once
 *            FLAGS bit 1: ENDPOINT is IPv6, and not v4-mapped: the answer's should be so too
 *            FLAGS bit 2: it is not TCP: may datagrams go there? Answered at once, and never FORWARD
 *            FLAGS bit 3, with bit 2: it has PORT 53, and the socket's inode, INODE(8), follows
 *            FLAGS bit 4: it is Multipath TCP: never PENDING
 *   RESOLVE  BODY = FAMILY(1) NAME(1-1024) what may getaddrinfo be told? FAMILY 0, 4 or 6
 *   PEER     BODY = ENDPOINT ENDPOINT     whither goes the relayed connection that has
 *                                         this local address and this remote one?
 *   REVERSE  BODY = ENDPOINT (PORT 0)     what is the name of this address?
 *   QUERY    BODY = MESSAGE(1-1025)       what does DNS say? MESSAGE is a query (RFC 1035)
 *   SOURCE   BODY = ENDPOINT              which name server does this answer of DNS come from?
 *
 *   SOCKET   BODY = DOMAIN(2) TYPE(2) PROTOCOL(2)   may there be a socket of this kind, whose
 *            destinations the shim does not see? DIRECT or FAIL
 *
 *   VERDICT  BODY = COOKIE(8) ENDPOINT    the connect of the socket with this SO_COOKIE (0: none
 *            could be had) and this local address was reset: why? FAIL, or DIRECT: not by the brain
 *
 *   RELOAD   no BODY; not from a shim     read the configuration again: DIRECT, or MESSAGE: what hinders it
 *
 *   EXECUTE  BODY = REASON(1) PATH(0-255) a program that the shim will not be in is about to
 *            be executed: may it? REASON is CTL_REASON_*, PATH the end of the program's path.
 *            (HIDDEN: ld.so would not find the shim's file there. GO: the shim will be in it, and passed
 *            by. UNSEEN: it is started in another directory, and may be covered.)
 *
 *   ENDPOINT is FAMILY(1) PORT(2) ADDRESS(4 or 16): 7 octets for FAMILY 4, 19 for 6.
 *
 * Answer (8 octets and a body):
 *
 *   +--------+----------+-------+------+--------+
 *   | STATUS | RESERVED | ERROR | BLEN |  BODY  |
 *   +--------+----------+-------+------+--------+
 *   |   1    |    1     |   4   |  2   | BLEN   |     // 1+1+4+2 = 8
 *   +--------+----------+-------+------+--------+
 *
 *   DIRECT   connect (EXECUTE: execute) as if there were no shim
 *   FORWARD  BODY = ENDPOINT TICKET(17)   connect there and send the 17 octets first
 *   PENDING  BODY = ENDPOINT              connect there, which starts and does not end before the
 *            server's verdict; then send STARTED = COOKIE(8) ENDPOINT, the socket's SO_COOKIE and
 *            its local address, on this same connection, which ends with it. Instead of 127.0.0.1,
 *            here as in FORWARD, to one of the addresses that follow it, CTL_BRAIN_ADDRESSES in all
 *   FAIL     ERROR, 1-4095, is an errno (CONNECT, SOCKET, VERDICT, EXECUTE) or an EAI_ code without its
 *            sign (RESOLVE: EAI_NONAME, which is -2, goes as 2; REVERSE and QUERY alike);
 *            PEER and SOURCE have no use for it and may send 0
 *   LIBC     resolve as if there were no shim
 *   ADDRESS  BODY = text of an address, to be resolved in the name's place
 *   PEER     BODY = ENDPOINT
 *   NAME     BODY = NAME(1-255)           the name of a reserved address
 *   MESSAGE  BODY = MESSAGE(1-65535)      an answer of DNS (RELOAD: text)
 *   REDIRECT BODY = ENDPOINT              datagrams for this name server go there: to an address
 *            of 127.83.53.0/24, or to ::1 with a PORT of 53000-53255 (io/dns_faces.ts)
 *
 * TSOCKS_CONTROL in the environment is TOKEN (32 hexadecimal digits) ':' PORT4 ':' PORT6 ':' PATH,
 * or TOKEN '+' FLAGS ':' ..., FLAGS being capital letters (E: exec leaves environments alone; U:
 * datagrams go direct unasked, but for those to the addresses that stand for names, 198.18.0.0/15
 * and fd74:736f:636b:7300::/64); the two ports being those of the forwarder on 127.0.0.1 and ::1 in
 * decimal (PORT6 is 0 where the machine has no ::1), and PATH the Unix socket.
 */
#ifndef TSOCKS_CONTROL_H
#define TSOCKS_CONTROL_H

#define CTL_MAGIC_0 0x54
#define CTL_MAGIC_1 0x53
#define CTL_VERSION 1

#define CTL_OP_CONNECT 1
#define CTL_OP_RESOLVE 2
#define CTL_OP_PEER 3
#define CTL_OP_REVERSE 4
#define CTL_OP_EXECUTE 6
#define CTL_OP_VERDICT 7
#define CTL_OP_QUERY 9
#define CTL_OP_SOURCE 10
#define CTL_OP_SOCKET 16
#define CTL_OP_RELOAD 17

#define CTL_FLAG_NONBLOCKING 1
#define CTL_FLAG_INET6 2
#define CTL_FLAG_DATAGRAM 4
#define CTL_FLAG_INODE 8
#define CTL_FLAG_MULTIPATH 16

#define CTL_REASON_STATIC 1
#define CTL_REASON_SET_ID 2
#define CTL_REASON_OTHER_ARCHITECTURE 3
#define CTL_REASON_CAPABILITIES 4
#define CTL_REASON_HIDDEN 5
#define CTL_REASON_GO 6
#define CTL_REASON_UNSEEN 7

#define CTL_STATUS_DIRECT 1
#define CTL_STATUS_FORWARD 2
#define CTL_STATUS_FAIL 3
#define CTL_STATUS_LIBC 4
#define CTL_STATUS_ADDRESS 5
#define CTL_STATUS_PEER 6
#define CTL_STATUS_NAME 7
#define CTL_STATUS_PENDING 8
#define CTL_STATUS_MESSAGE 9
#define CTL_STATUS_REDIRECT 10

#define CTL_TOKEN_LEN 16
#define CTL_TICKET_LEN 17
#define CTL_COOKIE_LEN 8
#define CTL_MAX_STARTED_LEN 27
#define CTL_REQUEST_HEADER_LEN 26
#define CTL_ANSWER_HEADER_LEN 8
#define CTL_MAX_NAME_LEN 1024
#define CTL_MAX_HOST_NAME_LEN 255
#define CTL_MAX_ANSWER_BODY_LEN 256
#define CTL_MAX_PATH_LEN 255
#define CTL_BRAIN_ADDRESSES 4

/* The low octet of each port that PENDING sends to: getpeername(2) knows relayed sockets by it. */
#define CTL_PENDING_PORT_MARK 0x53

#endif

/**
 * Kinds of sockets by their numbers in socket(2), for the log: `socket(AF_INET,SOCK_RAW,ICMP)`.
 * Source: the kernel's linux/socket.h, net.h and in.h. Pure.
 */

const DOMAINS: Record<number, string> = {
  2: "AF_INET",
  10: "AF_INET6",
  17: "AF_PACKET",
  21: "AF_RDS",
  29: "AF_CAN",
  30: "AF_TIPC",
  31: "AF_BLUETOOTH",
  40: "AF_VSOCK",
  43: "AF_SMC",
  44: "AF_XDP",
};

const TYPES: Record<number, string> = {
  1: "SOCK_STREAM",
  2: "SOCK_DGRAM",
  3: "SOCK_RAW",
  4: "SOCK_RDM",
  5: "SOCK_SEQPACKET",
  6: "SOCK_DCCP",
  10: "SOCK_PACKET",
};

/** Of AF_INET and AF_INET6. */
const PROTOCOLS: Record<number, string> = {
  1: "ICMP",
  6: "TCP",
  17: "UDP",
  33: "DCCP",
  58: "ICMPV6",
  115: "L2TP",
  132: "SCTP",
  255: "RAW",
  256: "SMC",
};

/** A word without blanks; numbers where there is no name. */
export function formatSocketKind(domain: number, type: number, protocol: number): string {
  const isInet = domain === 2 || domain === 10;
  const words = [
    DOMAINS[domain] ?? domain,
    TYPES[type] ?? type,
    (isInet ? PROTOCOLS[protocol] : undefined) ?? protocol,
  ];
  return `socket(${words.join(",")})`;
}

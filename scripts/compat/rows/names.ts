/** Programs that ask for names: through libc, and with packets of their own to a name server. */

import type { Row } from "../row.ts";

const RESERVED = /\b198\.1[89]\.\d+\.\d+\b/;

function asks(program: string, packageName: string, action: string, argv: string[]): Row {
  return {
    program,
    packages: [packageName],
    action,
    asks: [],
    command: () => ({ argv, prints: RESERVED }),
  };
}

const NAME = "web.example";

export const NAME_ROWS: Row[] = [
  { ...asks("getent", "libc-bin", "ahosts", ["getent", "ahosts", NAME]), isQuick: true },
  asks("dig", "bind9-dnsutils", "an A record", ["dig", "+short", "+tries=1", "+time=2", NAME]),
  asks("dig", "bind9-dnsutils", "an A record over TCP", [
    "dig",
    "+tcp",
    "+short",
    "+tries=1",
    "+time=2",
    NAME,
  ]),
  asks("nslookup", "bind9-dnsutils", "a name", ["nslookup", "-timeout=2", NAME]),
  asks("host", "bind9-host", "a name", ["host", "-t", "A", "-W", "2", NAME]),
];

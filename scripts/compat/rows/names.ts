/** Programs that ask for names: through libc, and with packets of their own to a name server. */

import { writeFileSync } from "node:fs";
import { NAME_SERVER } from "../lab.ts";
import type { Row } from "../row.ts";
import { startNameServer } from "../services/talk.ts";

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
  {
    program: "dig",
    packages: ["bind9-dnsutils"],
    action: "an MX record, with dns_server",
    asks: [`${NAME_SERVER}:53`],
    async command(lab, dir) {
      await startNameServer(lab);
      writeFileSync(dir.file("tsocks.conf"), `dns_server = ${NAME_SERVER}\n`);
      return {
        argv: ["dig", "+short", "+tries=1", "+time=2", NAME, "MX"],
        env: { TSOCKS_CONF_FILE: dir.file("tsocks.conf") },
        prints: "10 mail.web.example.",
      };
    },
  },
  asks("nslookup", "bind9-dnsutils", "a name", ["nslookup", "-timeout=2", NAME]),
  asks("host", "bind9-host", "a name", ["host", "-t", "A", "-W", "2", NAME]),
];

/** Who is measured: nothing at all, ours, and the rivals of Debian's packages, each with a configuration file of its own. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram } from "../debian_packages.ts";
import { localAddress } from "./measures.ts";

export interface Contender {
  name: string;
  /** What stands before the measuring program. */
  wrapper: string[];
  env: Record<string, string>;
  /** Where the measuring program connects: the server answers for every address behind it. */
  address: string;
  port: number;
}

/** TEST-NET-3: none of them takes it for local, and nothing answers there. */
const BEHIND_SERVER = { address: "203.0.113.1", port: 80 };

/** The contenders that this machine has, for the server on `port`; files go into `directory`. */
export function makeContenders(binary: string, port: number, directory: string): Contender[] {
  const conf = (name: string, text: string) => {
    const filePath = join(directory, `${name}-${port}.conf`);
    writeFileSync(filePath, text);
    return filePath;
  };
  const local = `local = ${localAddress()}/255.255.255.255\n`;
  const server = ["--conf", conf("ours", local), "--server", `socks5://127.0.0.1:${port}`];
  const ours = [binary, "run", ...server, "--no-env", "--"];
  const contenders: Contender[] = [
    { name: "direct", wrapper: [], env: {}, address: "127.0.0.1", port },
    { name: "ours", wrapper: ours, env: {}, ...BEHIND_SERVER },
  ];
  if (findProgram("/usr/bin/tsocks") !== undefined) {
    const text = `server = 127.0.0.1\nserver_port = ${port}\nserver_type = 5\n${local}`;
    const env = { TSOCKS_CONF_FILE: conf("tsocks", text) };
    contenders.push({ name: "tsocks 1.8", wrapper: ["/usr/bin/tsocks"], env, ...BEHIND_SERVER });
  }
  if (findProgram("proxychains4") !== undefined) {
    const localNet = `localnet ${localAddress()}/255.255.255.255\n`;
    const text = `strict_chain\nquiet_mode\n${localNet}[ProxyList]\nsocks5 127.0.0.1 ${port}\n`;
    const wrapper = ["proxychains4", "-q", "-f", conf("proxychains", text)];
    contenders.push({ name: "proxychains4", wrapper, env: {}, ...BEHIND_SERVER });
  }
  if (findProgram("torsocks") !== undefined) {
    const text = `TorAddress 127.0.0.1\nTorPort ${port}\nAllowOutboundLocalhost 1\n`;
    const env = { TORSOCKS_CONF_FILE: conf("torsocks", text), TORSOCKS_LOG_LEVEL: "1" };
    contenders.push({ name: "torsocks", wrapper: ["torsocks"], env, ...BEHIND_SERVER });
  }
  return contenders;
}

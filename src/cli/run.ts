/** `tsocks run`: its command line and its help. What it does is src/run.ts. */

import { parseDnsServer } from "../config/dns_server.ts";
import type { DnsMode } from "../config/model.ts";
import type { IpAddress } from "../net/address.ts";
import {
  COMMON_OPTIONS,
  type CommonOptions,
  commonOptions,
  PASSWORD_FILE,
} from "./common_options.ts";
import { type Given, usage } from "./options.ts";
import type { Verb } from "./verb.ts";

export interface RunOptions extends CommonOptions {
  verb: "run";
  command: string[];
  /** In the short form: the verb that its first word may be a slip of. */
  meantVerb: string | undefined;
  withoutEnv: boolean;
  linger: boolean;
  /** `--udp`; undefined: as the configuration says. */
  udp: "refuse" | "direct" | undefined;
  /** `--dns` and `--dns-server`, in the same way. */
  dns: DnsMode | undefined;
  dnsServer: { address: IpAddress; port: number } | undefined;
  isStrict: boolean;
  withoutReexec: boolean;
}

export const RUN: Verb<RunOptions> = {
  name: "run",
  summary: "run COMMAND through the configured server",
  usage: "[OPTIONS] -- COMMAND [ARGS...]",
  endsAtOperand: true,
  options: [
    PASSWORD_FILE,
    {
      name: "no-env",
      help: "leave HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY as they are",
    },
    {
      name: "udp",
      value: "WAY",
      choices: ["refuse", "direct"],
      help: "refuse, or direct: let datagrams past the servers, which carry none (refuse)",
    },
    {
      name: "dns",
      value: "WAY",
      choices: ["remote", "local", "tcp"],
      help:
        "who looks names up: remote (the server), local (this machine: it tells them), tcp (a DNS server, through the SOCKS server) (remote)",
    },
    {
      name: "dns-server",
      value: "IP[:PORT]",
      help: "the DNS server, for dns = tcp and for records other than addresses",
    },
    {
      name: "strict",
      help: "refuse programs that the shim cannot be in (static, set-user-id ...)",
    },
    {
      name: "no-reexec",
      help: "leave the environment alone of what a program starts without the shim",
    },
    {
      name: "linger",
      help: "let connections of the child's own children finish after its end",
    },
    ...COMMON_OPTIONS,
  ],
  notes: [
    "tsocks COMMAND [ARGS...] is the same, in short. A verb's name wins over a command that is called like it: tsocks run -- route -n.",
    "Exit status: the command's own; 128+N where signal N ended it; 127 not found; 126 not executable; 125 tsocks itself failed, and nothing was started, or --strict ended a command without the shim.",
  ],
  examples: [
    ["tsocks run -- curl http://example.com/", "through the server of tsocks.conf"],
    ["tsocks run --server socks5://127.0.0.1:1080 -- git fetch", "without a file"],
    ["tsocks run --debug 1 -- ssh host.example", "and say where each connection goes"],
  ],
  read(given: Given): RunOptions {
    const command = given.operands;
    if (command.length === 0) {
      throw usage("No command given", "tsocks run", "tsocks run [OPTIONS] -- COMMAND [ARGS...]");
    }
    return {
      verb: "run",
      command,
      meantVerb: undefined,
      ...commonOptions(given),
      withoutEnv: given.has("no-env"),
      linger: given.has("linger"),
      udp: given.text("udp") as RunOptions["udp"],
      dns: given.text("dns") as RunOptions["dns"],
      dnsServer: readDnsServer(given.text("dns-server")),
      isStrict: given.has("strict"),
      withoutReexec: given.has("no-reexec"),
    };
  },
};

function readDnsServer(word: string | undefined): RunOptions["dnsServer"] {
  const server = word === undefined ? undefined : parseDnsServer(word);
  if (word === undefined || server !== undefined) return server;
  throw usage(`Not a DNS server: "${word}"`, "--dns-server", "IP or IP:PORT, IPv6 in brackets");
}

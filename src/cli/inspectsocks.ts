/** `tsocks inspectsocks`: its command line and its help. What it does is src/verbs/inspectsocks.ts. */

import {
  atMost,
  JSON_OPTION,
  PASSWORD_FILE,
  readEndpoint,
  readPort,
  readSeconds,
} from "./common_options.ts";
import { type Given, usage } from "./options.ts";
import type { Verb } from "./verb.ts";

export interface InspectsocksOptions {
  verb: "inspectsocks";
  hostname: string;
  port: number;
  /** A name for the server to resolve, and a port there; undefined: `localhost`, and its own port. */
  to: { hostname: string; port: number } | undefined;
  user: string | undefined;
  passwordFile: string | undefined;
  timeoutMs: number;
  isJson: boolean;
}

const DEFAULT_PORT = "1080";
const DEFAULT_TIMEOUT_SECONDS = "5";

export const INSPECTSOCKS: Verb<InspectsocksOptions> = {
  name: "inspectsocks",
  summary: "what a server speaks: versions, authentication, names, IPv6, UDP",
  usage: "HOST [PORT] [OPTIONS]",
  options: [
    { name: "user", value: "NAME", help: "the user name (TSOCKS_USERNAME)" },
    {
      ...PASSWORD_FILE,
      help: "the password is the first line of FILE (otherwise TSOCKS_PASSWORD)",
    },
    {
      name: "to",
      short: "t",
      value: "NAME:PORT",
      help:
        "the destination by which names are tried; otherwise localhost, and the port of the server itself",
    },
    { name: "timeout", value: "SEC", help: "for each of two rounds of questions (5)" },
    JSON_OPTION,
  ],
  notes: [
    "The port is 1080 where none is given. The server is asked, each time by a connection of its own, to connect to itself; that it refuses to do so is an answer too. Some servers log each of these connections.",
    "Exit status: 0 it speaks SOCKS or HTTP CONNECT; 1 it does not, or cannot be reached; 125 the command line is wrong.",
  ],
  examples: [
    ["tsocks inspectsocks 10.1.4.253", "port 1080"],
    ["tsocks inspectsocks proxy.example 8080 -t example.com:443", "and a name to resolve there"],
    ["tsocks inspectsocks 10.1.4.253 --user me --password-file FILE", "with a password"],
  ],
  read(given: Given): InspectsocksOptions {
    const [host, port = DEFAULT_PORT] = atMost(2, given, "tsocks inspectsocks");
    if (host === undefined) {
      throw usage("No server given", "tsocks inspectsocks", "tsocks inspectsocks HOST [PORT]");
    }
    const to = given.text("to");
    const timeout = given.text("timeout") ?? DEFAULT_TIMEOUT_SECONDS;
    return {
      verb: "inspectsocks",
      hostname: host.replace(/^\[(.*)\]$/, "$1"),
      port: readPort(port, "tsocks inspectsocks"),
      to: to === undefined ? undefined : readEndpoint(to, "-t"),
      user: given.text("user"),
      passwordFile: given.text("password-file"),
      timeoutMs: readSeconds(timeout, "--timeout") * 1000,
      isJson: given.has("json"),
    };
  },
};

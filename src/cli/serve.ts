/** `tsocks serve`: its command line and its help. What it does is src/serve.ts. */

import { formatEndpoint } from "../net/address.ts";
import {
  atMost,
  COMMON_OPTIONS,
  type CommonOptions,
  commonOptions,
  readEndpoint,
} from "./common_options.ts";
import { type Given, usage } from "./options.ts";
import type { Verb } from "./verb.ts";

export interface ServeOptions extends CommonOptions {
  verb: "serve";
  listen: { hostname: string; port: number };
  user: string | undefined;
  isOpen: boolean;
  /** `NAME:PORT` → where that is, both as given. */
  maps: { from: string; hostname: string; port: number }[];
}

export const SERVE: Verb<ServeOptions> = {
  name: "serve",
  summary: "a SOCKS 4/4a/5 and HTTP server",
  usage: "--listen ADDR:PORT [OPTIONS]",
  options: [
    {
      name: "listen",
      value: "ADDR:PORT",
      help: 'port 0 takes a free one; prints "listening on ADDR:PORT"',
    },
    { name: "user", value: "NAME", help: "clients must give this user name," },
    { name: "password-file", value: "FILE", help: "and the first line of FILE as password" },
    { name: "open", help: "allow an address beyond loopback without a password" },
    {
      name: "map",
      value: "NAME:PORT=ADDR:PORT",
      help: "connect to ADDR:PORT where a client asks for NAME:PORT; repeatable",
    },
    ...COMMON_OPTIONS,
  ],
  notes: [
    "With no server configured it connects directly. SIGHUP has it read the configuration again; it ends at SIGTERM or SIGINT, or when its terminal hangs up.",
  ],
  examples: [
    ["tsocks serve --listen 127.0.0.1:1080", "for the programs of this machine"],
    [
      "tsocks serve --listen 0.0.0.0:1080 --user me --password-file FILE",
      "for others, who must know the password",
    ],
  ],
  read(given: Given): ServeOptions {
    const listen = given.text("listen");
    atMost(0, given, "tsocks serve");
    if (listen === undefined) {
      throw usage(
        "No address to listen on",
        "tsocks serve",
        "tsocks serve --listen 127.0.0.1:1080",
      );
    }
    return {
      verb: "serve",
      ...commonOptions(given),
      listen: readEndpoint(listen, "--listen"),
      user: given.text("user"),
      isOpen: given.has("open"),
      maps: given.list("map").map(readMap),
    };
  },
};

/** `NAME:PORT=ADDR:PORT` */
function readMap(word: string): ServeOptions["maps"][number] {
  const [from = "", to = ""] = word.split("=", 2);
  const source = readEndpoint(from, "--map");
  const name = formatEndpoint(source.hostname.toLowerCase(), source.port);
  return { from: name, ...readEndpoint(to, "--map") };
}

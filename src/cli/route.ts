/** `tsocks route`: its command line and its help. What it does is src/verbs/route.ts. */

import {
  CONFIG_OPTIONS,
  type ConfigOptions,
  configOptions,
  JSON_OPTION,
  readEndpoint,
} from "./common_options.ts";
import { type Given, usage } from "./options.ts";
import type { Verb } from "./verb.ts";

export interface RouteOptions extends ConfigOptions {
  verb: "route";
  destinations: { hostname: string; port: number }[];
  isJson: boolean;
}

export const ROUTE: Verb<RouteOptions> = {
  name: "route",
  summary: "where a connection would go, and by which line",
  usage: "HOST:PORT... [OPTIONS]",
  options: [...CONFIG_OPTIONS, JSON_OPTION],
  notes: [
    "Nothing is connected to, and a name server is asked only for names that this machine must resolve (local_name, or where no server takes names). Of such a name each address is told.",
    "Exit status: 0 all of them lead somewhere; 1 one is refused, or has no address; 125 the command line or the configuration is wrong.",
  ],
  examples: [
    ["tsocks route example.com:443 10.0.0.1:22 [2001:db8::1]:80", "by the usual configuration"],
    ["tsocks route --json example.com:443 | jq -r .[].server", "for a script"],
  ],
  read(given: Given): RouteOptions {
    if (given.operands.length === 0) {
      throw usage("No destination given", "tsocks route", "tsocks route HOST:PORT...");
    }
    return {
      verb: "route",
      ...configOptions(given),
      destinations: given.operands.map((word) => readEndpoint(word, "tsocks route")),
      isJson: given.has("json"),
    };
  },
};

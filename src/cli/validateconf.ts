/** `tsocks validateconf`: its command line and its help. What it does is src/verbs/validateconf.ts. */

import {
  atMost,
  CONFIG_OPTIONS,
  type ConfigOptions,
  configOptions,
  readHost,
} from "./common_options.ts";
import type { Given } from "./options.ts";
import type { Verb } from "./verb.ts";

export interface ValidateconfOptions extends ConfigOptions {
  verb: "validateconf";
  /** `-t`; port 0 where it has none. */
  to: { hostname: string; port: number } | undefined;
}

export const VALIDATECONF: Verb<ValidateconfOptions> = {
  name: "validateconf",
  summary: "what is wrong with a configuration, and what it says",
  usage: "[-f FILE] [-t HOST[:PORT]] [OPTIONS]",
  options: [
    ...CONFIG_OPTIONS,
    {
      name: "to",
      short: "t",
      value: "HOST[:PORT]",
      help:
        "say too where a connection there would go, and by which line; without a port, only rules for all ports apply",
    },
  ],
  notes: [
    "Every problem is shown with its line, on standard error; what the configuration means, on standard output. The first row of the table that matches a destination is the one that counts. Passwords are never shown.",
    "Exit status: 0 valid, also with warnings; 1 errors, no server, or a file that cannot be read; 125 the command line is wrong.",
  ],
  examples: [
    ["tsocks validateconf", "the configuration that tsocks run would use"],
    ["tsocks validateconf -f ./tsocks.conf -t www.corp.example:443", "another one, and a route"],
  ],
  read(given: Given): ValidateconfOptions {
    atMost(0, given, "tsocks validateconf");
    const to = given.text("to");
    return {
      verb: "validateconf",
      ...configOptions(given),
      to: to === undefined ? undefined : readHost(to, "-t"),
    };
  },
};

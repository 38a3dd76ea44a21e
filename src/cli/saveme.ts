/** `tsocks saveme`: its command line and its help. What it does is src/verbs/saveme.ts. */

import { atMost } from "./common_options.ts";
import type { Given } from "./options.ts";
import type { Verb } from "./verb.ts";

export interface SavemeOptions {
  verb: "saveme";
}

export const SAVEME: Verb<SavemeOptions> = {
  name: "saveme",
  summary: "take libtsocks out of /etc/ld.so.preload",
  usage: "",
  options: [],
  notes: [
    "Other entries stay as they are; a file without any is removed. It works where the library is missing or its functions fail. Where it crashes each program at its start, it crashes this one too: then remove the file from a rescue system, or with a statically linked shell.",
    "Exit status: 0 no entry of tsocks's is left; 1 it could not be taken out; 125 the command line is wrong.",
  ],
  examples: [["tsocks saveme", "as root"]],
  read(given: Given): SavemeOptions {
    atMost(0, given, "tsocks saveme");
    return { verb: "saveme" };
  },
};

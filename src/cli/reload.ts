/** `tsocks reload`: its command line and its help. What it does is src/verbs/reload.ts. */

import { type Given, usage } from "./options.ts";
import type { Verb } from "./verb.ts";

export interface ReloadOptions {
  verb: "reload";
  pid: number | undefined;
}

export const RELOAD: Verb<ReloadOptions> = {
  name: "reload",
  summary: "have running ones read their configuration again",
  usage: "[PID]",
  options: [],
  notes: [
    "Has your running `tsocks run` read its configuration again: the one that is PID or an ancestor of PID, or all of them. Connections that there are go on.",
    "Exit status: 0 done; 1 a configuration has errors, which are told: the old one stays; 125 the command line is wrong, or no running tsocks was found.",
  ],
  examples: [
    ["tsocks reload", "all of yours"],
    ["tsocks reload 4711", "the one that process 4711 runs in"],
  ],
  read({ operands: [word, ...more] }: Given): ReloadOptions {
    if (more.length > 0 || word !== undefined && !/^[1-9]\d{0,9}$/.test(word)) {
      throw usage("Not a process number", "tsocks reload", "tsocks reload [PID]");
    }
    return { verb: "reload", pid: word === undefined ? undefined : Number(word) };
  },
};

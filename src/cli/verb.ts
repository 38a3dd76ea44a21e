/**
 * What a verb is: its words for the help, its options, and how what was given becomes what is done.
 * One file per verb beside this one, all of them in the table of verbs.ts. Doing it is the edge's:
 * src/run.ts and src/verbs/.
 */

import type { Given, Grammar } from "./options.ts";

export interface Verb<Options extends { verb: string }> extends Grammar {
  name: Options["verb"];
  /** One line for the overview. */
  summary: string;
  /** Behind `tsocks NAME`. */
  usage: string;
  /** What else the help says: paragraphs. */
  notes: readonly string[];
  /** Command lines, each with what it does. */
  examples: readonly (readonly [commandLine: string, what: string])[];
  /** @throws TsocksError USAGE */
  read(given: Given): Options;
}

/** argv → what to do, by the table of verbs. Pure. */

import { suggestWord } from "../config/suggest.ts";
import { didYouMean, readOptions, usage } from "./options.ts";
import { RUN } from "./run.ts";
import { findVerb, VERB_NAMES, type VerbOptions } from "./verbs.ts";

export type Invocation =
  | VerbOptions
  | { verb: "help"; topic: string | undefined }
  | { verb: "version" };

/** @throws TsocksError USAGE */
export function parseCommandLine(argv: string[]): Invocation {
  const [first, ...rest] = argv;
  const verb = findVerb(first);
  if (verb !== undefined) {
    const given = readOptions(verb, rest);
    return given.has("help") ? { verb: "help", topic: verb.name } : verb.read(given);
  }
  switch (first) {
    case undefined:
      throw usage("No command given", "tsocks", "tsocks run -- COMMAND [ARGS...]");
    case "help":
      return { verb: "help", topic: readTopic(rest[0]) };
    case "-h":
    case "--help":
    case "-?":
      return { verb: "help", topic: undefined };
    case "--version":
    case "-V":
      return { verb: "version" };
    case "--":
      return RUN.read(readOptions(RUN, argv));
  }
  if (first.startsWith("-")) {
    const what = `Unknown option "${first}"`;
    throw usage(what, "tsocks", "options go behind the verb: tsocks run ...");
  }
  // The old short form: tsocks COMMAND ARGS...
  const options = RUN.read(readOptions(RUN, ["--", ...argv]));
  return { ...options, meantVerb: suggestWord(first, VERB_NAMES) };
}

function readTopic(topic: string | undefined): string | undefined {
  if (topic === undefined || findVerb(topic) !== undefined) return topic;
  const what = `No help on "${topic}"${didYouMean(topic, VERB_NAMES)}`;
  throw usage(what, "tsocks help", `tsocks help ${VERB_NAMES.slice(0, -1).join(", ")}`);
}

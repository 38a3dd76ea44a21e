/** `tsocks convert`: its command line and its help. What it does is src/verbs/convert.ts. */

import { type Given, usage } from "./options.ts";
import type { Verb } from "./verb.ts";

const SOURCES = ["tsocks", "jsonc", "proxychains", "torsocks"] as const;
const FORMS = ["conf", "jsonc"] as const;

export interface ConvertOptions {
  verb: "convert";
  filePath: string;
  /** Undefined: as the file's name and words say. */
  from: (typeof SOURCES)[number] | undefined;
  /** Undefined: the other one of tsocks's own forms, tsocks.conf for a foreign file. */
  to: (typeof FORMS)[number] | undefined;
  isLossy: boolean;
}

export const CONVERT: Verb<ConvertOptions> = {
  name: "convert",
  summary: "tsocks.conf, proxychains.conf ... in another form",
  usage: "[OPTIONS] FILE",
  options: [
    {
      name: "to",
      value: "FORM",
      choices: FORMS,
      help: "conf or jsonc (of tsocks.conf jsonc, of all others conf)",
    },
    {
      name: "from",
      value: "KIND",
      choices: SOURCES,
      help: "tsocks, jsonc, proxychains or torsocks (by the file's name and content)",
    },
    {
      name: "lossy",
      help: "write all the same, with a comment for what is not converted; status 0",
    },
  ],
  notes: [
    "Writes a tsocks.conf, tsocks.jsonc, proxychains.conf or torsocks.conf in another form to standard output, passwords too. What cannot be said there is told on standard error; then nothing is written.",
    "Exit status: 0 written; 1 FILE has errors, or something would be lost; 125 the command line is wrong, or FILE cannot be read.",
  ],
  examples: [
    ["tsocks convert /etc/proxychains4.conf", "as a tsocks.conf"],
    ["tsocks convert --to jsonc ./tsocks.conf", "as a tsocks.jsonc"],
  ],
  read(given: Given): ConvertOptions {
    const [filePath, ...more] = given.operands;
    if (filePath === undefined || more.length > 0) {
      const fix = "tsocks convert [--from KIND] [--to conf|jsonc] [--lossy] FILE";
      throw usage("One file is needed", "tsocks convert", fix);
    }
    return {
      verb: "convert",
      filePath,
      from: given.text("from") as ConvertOptions["from"],
      to: given.text("to") as ConvertOptions["to"],
      isLossy: given.has("lossy"),
    };
  },
};

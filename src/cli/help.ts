/** The help texts, from the table of verbs. Pure. */

import { HELP, type OptionSpec } from "./options.ts";
import type { Verb } from "./verb.ts";
import { findVerb, type VerbOptions, VERBS } from "./verbs.ts";
import { VERSION } from "./version.ts";

const WIDTH = 100;
const OPTION_COLUMN = 26;

/** The help on a verb, or the overview. */
export function helpText(topic: string | undefined): string {
  const verb = findVerb(topic);
  return verb === undefined ? overview() : verbHelp(verb);
}

function overview(): string {
  const rows = [
    ...VERBS.map(({ name, usage, summary }) =>
      [`tsocks ${name} ${usage}`.trimEnd(), summary] as const
    ),
    ["tsocks COMMAND [ARGS...]", "run, in short; but a verb's name is the verb"] as const,
    ["tsocks help VERB", "its options, with examples"] as const,
    ["tsocks --version", ""] as const,
  ];
  const width = Math.max(...rows.map(([left]) => left.length)) + 3;
  return [
    `tsocks ${VERSION}: run a program through a SOCKS server`,
    "",
    ...rows.map(([left, right]) => `  ${left.padEnd(width)}${right}`.trimEnd()),
    "",
    "Example:",
    "  tsocks run --server socks5://127.0.0.1:1080 -- curl http://example.com/",
  ].join("\n");
}

function verbHelp(verb: Verb<VerbOptions>): string {
  return [
    `Usage: tsocks ${verb.name} ${verb.usage}`.trimEnd(),
    "",
    ...[...verb.options, HELP].map(optionHelp),
    ...verb.notes.flatMap((note) => ["", ...wrap(note, WIDTH)]),
    "",
    "Examples:",
    ...verb.examples.flatMap(([line, what]) => [`  # ${what}`, `  ${line}`]),
  ].join("\n");
}

function optionHelp({ name, short, value, help }: OptionSpec): string {
  const left = `  ${short === undefined ? "" : `-${short}, `}--${name}${value ? ` ${value}` : ""}`;
  const [first = "", ...rest] = wrap(help, WIDTH - OPTION_COLUMN);
  const indent = "\n" + " ".repeat(OPTION_COLUMN);
  const head = left.length < OPTION_COLUMN ? left.padEnd(OPTION_COLUMN) : `${left}${indent}`;
  return `${head}${[first, ...rest].join(indent)}`;
}

/** `text` in lines of at most `width` characters, where its words allow. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const joined = `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && joined.length <= width) lines[lines.length - 1] = joined;
    else lines.push(word);
  }
  return lines;
}

/**
 * What a verb's options are, and argv read by them. Pure: reads nothing, runs nothing. node:util
 * parseArgs and not deno-std's, because only its tokens keep the order of `--server` and the
 * `--reaches` that belong to it; not strict, because its complaints differ between runtimes and
 * suggest nothing.
 */

import { parseArgs, type ParseArgsConfig } from "node:util";
import { suggestWord } from "../config/suggest.ts";
import { TsocksError } from "../errors.ts";

/** One option, for parsing, help and completion alike. */
export interface OptionSpec {
  readonly name: string;
  readonly short?: string;
  /** What stands for its value in the help; absent for a flag. */
  readonly value?: string;
  /** The only values that there are. */
  readonly choices?: readonly string[];
  readonly help: string;
}

/** A `--server` and the `--reaches` behind it, as typed. */
export interface ServerOption {
  url: string;
  reaches: string[];
}

/** What was given on a command line. */
export interface Given {
  /** The last value of an option. */
  text(name: string): string | undefined;
  /** All its values. */
  list(name: string): string[];
  has(name: string): boolean;
  servers: ServerOption[];
  /** What is no option. */
  operands: string[];
}

export interface Grammar {
  name: string;
  options: readonly OptionSpec[];
  /** Options end at the first word that is none: the rest is a command with options of its own. */
  endsAtOperand?: true;
}

export const HELP: OptionSpec = { name: "help", short: "h", help: "show this help" };

/** @throws TsocksError USAGE */
export function readOptions(grammar: Grammar, argv: string[]): Given {
  const specs = [...grammar.options, HELP];
  const { own, operands } = splitOperands(grammar, specs, argv);
  const values: { name: string; value: string | undefined }[] = [];
  const servers: ServerOption[] = [];
  for (const token of tokenize(specs, own)) {
    if (token.kind === "positional") operands.push(token.value);
    if (token.kind !== "option") continue;
    const spec = specs.find(({ name }) => name === token.name);
    if (spec === undefined) throw unknownOption(grammar.name, specs, token.rawName);
    checkValue(spec, token, grammar.name);
    const { name, value } = token;
    values.push({ name, value });
    if (name === "server") servers.push({ url: value!, reaches: [] });
    if (name === "reaches") attachReach(servers, value!);
  }
  const list = (wanted: string) =>
    values.flatMap(({ name, value }) => name === wanted && value !== undefined ? [value] : []);
  return {
    list,
    text: (name) => list(name).at(-1),
    has: (wanted) => values.some(({ name }) => name === wanted),
    servers,
    operands,
  };
}

/** What is wrong with a command line. */
export function usage(what: string, where: string, fix: string): TsocksError {
  return new TsocksError("USAGE", what, { where, fix });
}

/** `: did you mean "WORD"` behind a complaint, or nothing. */
export function didYouMean(typed: string, words: readonly string[]): string {
  const meant = suggestWord(typed, words);
  return meant === undefined ? "" : `: did you mean "${meant}"`;
}

function tokenize(specs: readonly OptionSpec[], args: string[]) {
  const options: NonNullable<ParseArgsConfig["options"]> = {};
  for (const { name, short, value } of specs) {
    const type = value === undefined ? "boolean" : "string";
    options[name] = { type, multiple: true, ...(short === undefined ? {} : { short }) };
  }
  return parseArgs({ args, options, strict: false, allowPositionals: true, tokens: true }).tokens;
}

function splitOperands(
  { endsAtOperand }: Grammar,
  specs: readonly OptionSpec[],
  argv: string[],
): { own: string[]; operands: string[] } {
  if (endsAtOperand === undefined) return { own: argv, operands: [] };
  const stop = tokenize(specs, argv).find((token) => token.kind !== "option");
  if (stop === undefined) return { own: argv, operands: [] };
  const from = stop.kind === "option-terminator" ? stop.index + 1 : stop.index;
  return { own: argv.slice(0, stop.index), operands: argv.slice(from) };
}

type OptionToken = { rawName: string; value: string | undefined; inlineValue: boolean | undefined };

function checkValue(spec: OptionSpec, { rawName, value, inlineValue }: OptionToken, verb: string) {
  const where = `tsocks ${verb}`;
  if (spec.value === undefined) {
    if (value === undefined) return;
    throw usage(`Option ${rawName} takes no value`, where, `write ${rawName} alone`);
  }
  // `--debug -1` is a value; another word with a hyphen is the next option.
  const isOption = inlineValue !== true && /^-./.test(value ?? "") && !/^-\d+$/.test(value ?? "");
  if (value === undefined || isOption) {
    throw usage(`Option ${rawName} has no value`, where, `${rawName} ${spec.value}`);
  }
  if (spec.choices === undefined || spec.choices.includes(value)) return;
  const fix = `${rawName} ${spec.choices.join(" or ")}`;
  throw usage(`Unknown value "${value}"${didYouMean(value, spec.choices)}`, rawName, fix);
}

/** Its value, which may be a password, is not repeated. */
function unknownOption(verb: string, specs: readonly OptionSpec[], rawName: string): TsocksError {
  const question = didYouMean(rawName, specs.map(({ name }) => `--${name}`));
  const fix = `tsocks ${verb} --help lists the options`;
  return usage(`Unknown option "${rawName}"${question}`, `tsocks ${verb}`, fix);
}

function attachReach(servers: ServerOption[], reach: string): void {
  const server = servers.at(-1);
  if (server === undefined) {
    const fix = "--server URL --reaches NETWORK";
    throw usage("--reaches has no server before it", `--reaches ${reach}`, fix);
  }
  server.reaches.push(reach);
}

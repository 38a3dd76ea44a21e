/**
 * A complaint about a configuration with its line shown and a caret under its column. What may be a
 * password is not shown: the line may be read by others, or end in a bug report. Pure.
 */

import { formatDiagnostic, quoteValue } from "../config/diagnostic.ts";
import { formOf } from "../config/form.ts";
import type { Diagnostic } from "../config/model.ts";
import { suggestWord } from "../config/suggest.ts";
import { DIRECTIVES } from "../config/tsocks_conf.ts";
import { escapeControls } from "../socks/failure.ts";
import { jsoncLine } from "./jsonc_line.ts";

const MASK = "********";
const MAX_SHOWN_CHARS = 80;

/** What, where, how to mend it, and between them the line; of `fileText` where the place is in it. */
export function showDiagnostic(diagnostic: Diagnostic, fileText: string | undefined): string {
  const message = formatDiagnostic(diagnostic);
  const { place } = diagnostic;
  if (place.kind !== "file" || fileText === undefined) return message;
  const text = fileText.replace(/^\ufeff/, "");
  const isJsonc = formOf(place.filePath, fileText) === "jsonc";
  const { line, column } = isJsonc ? showJsonc(text, place) : showConf(text, place);
  const [what = "", where = "", ...fix] = message.split("\n");
  const number = `${place.line}`;
  const caret = `${" ".repeat(number.length + column)}^`;
  const shown = line.slice(0, MAX_SHOWN_CHARS);
  return [what, where, `  ${number} | ${shown}`, `     ${caret}`, ...fix].join("\n");
}

interface Shown {
  line: string;
  /** From 0. */
  column: number;
}

function showConf(text: string, place: { line: number; column: number }): Shown {
  const line = text.split("\n")[place.line - 1] ?? "";
  const column = showable(line.slice(0, place.column - 1)).length;
  return { line: showable(maskLine(line)), column };
}

/** Masks may stand before the caret too, and are not as long as what they stand for. */
function showJsonc(text: string, place: { line: number; column: number }): Shown {
  const pieces = jsoncLine(text, place.line)
    .map(({ start, shown }) => ({ start, shown: showable(shown) }));
  const before = pieces.filter(({ start }) => start < place.column - 1);
  const join = (some: typeof pieces) => some.map(({ shown }) => shown).join("");
  return { line: join(pieces).trimEnd(), column: join(before).length };
}

function showable(text: string): string {
  return escapeControls(plain(text));
}

/** Blanks of one column each, so that the caret stands where it should. */
function plain(text: string): string {
  return text.replaceAll("\t", " ");
}

/** A line of tsocks.conf less its comment, with `********` for all that could be a secret, or stand beside one. */
export function maskLine(line: string): string {
  const text = line.replace(/\r+$/, "").replace(/(^|[ \t])#.*$/s, "$1").replace(/[ \t]+$/, "");
  const [, indent = "", name = "", equals = "", value = ""] =
    /^([ \t]*)([^ \t={]*)([ \t]*=?[ \t]*)(.*)$/s.exec(text) ?? [];
  if (name + value === "") return text;
  if (!isShowable(name)) return indent + MASK;
  // An unknown directive's value may be a misspelt one's password, and quoteValue() knows other signs.
  const isKnown = DIRECTIVES.includes(name) && name !== "default_pass";
  const isSafe = isKnown && quoteValue(value) !== "" && !/\s/.test(value);
  const isNothing = value === "" || value === "{";
  return indent + name + equals + (isSafe || isNothing ? value : MASK);
}

/** A word of the configuration's language, or nearly one; any other may be half a password. */
function isShowable(name: string): boolean {
  return /^(path|\})$/.test(name) || suggestWord(name, DIRECTIVES) !== undefined;
}

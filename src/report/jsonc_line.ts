/**
 * One line of a tsocks.jsonc as it may be shown, though the file be broken: known keys, the values
 * that are right behind one, and signs. All else may be a password, and is `********`. Pure.
 */

import { createScanner } from "jsonc-parser";
import { quoteValue } from "../config/diagnostic.ts";
import { FILE_KEYS, LISTS, PATH_KEYS } from "../config/jsonc_directives.ts";
import { suggestWord } from "../config/suggest.ts";

const MASK = "********";
const KEYS = [...new Set([...FILE_KEYS, ...PATH_KEYS])];
/** Of `path` no value is shown that is not behind a key of its own. */
const WITH_SHOWN_VALUE = new Set(KEYS.filter((key) => key !== "default_pass" && key !== "path"));
/** A word, a sign or blanks: where it begins in the line, from 0, and what is shown of it. */
export interface Piece {
  start: number;
  shown: string;
}

interface Token {
  kind: "sign" | "string" | "word" | "comment" | "blank";
  start: number;
  end: number;
  raw: string;
  value: string;
  isBroken: boolean;
}

/** `line` from 1. A string that does not end makes all quotes of its line doubtful: then nothing is shown. */
export function jsoncLine(text: string, line: number): Piece[] {
  const ends = [...text.matchAll(/\r\n|\r|\n/g)];
  const previous = ends[line - 2];
  if (line > 1 && previous === undefined) return [];
  const from = previous === undefined ? 0 : previous.index + previous[0].length;
  const to = ends[line - 1]?.index ?? text.length;
  const all = scan(text);
  const here = all.filter(({ start, end }) => start < to && end > from);
  if (here.some(({ isBroken }) => isBroken)) return [{ start: 0, shown: MASK }];
  const shown = showAll(all.filter(({ start }) => start < to), all);
  return here.map((token) => ({
    start: Math.max(token.start - from, 0),
    shown: token.kind === "blank" ? token.raw : shown.get(token) ?? "",
  }));
}

function scan(text: string): Token[] {
  const scanner = createScanner(text, false);
  const tokens: Token[] = [];
  for (scanner.scan(); scanner.getTokenOffset() < text.length; scanner.scan()) {
    const start = scanner.getTokenOffset();
    const end = start + scanner.getTokenLength();
    const raw = text.slice(start, end);
    const kind = kindOf(raw);
    const isBroken = kind === "string" && scanner.getTokenError() !== 0;
    tokens.push({ kind, start, end, raw, value: scanner.getTokenValue(), isBroken });
  }
  return tokens;
}

function kindOf(raw: string): Token["kind"] {
  if (/^[{}\[\],:]$/.test(raw)) return "sign";
  if (raw.startsWith('"')) return "string";
  if (/^\/[/*]/.test(raw)) return "comment";
  return /^\s/.test(raw) ? "blank" : "word";
}

/** What is shown of each token but blanks; comments are not. */
function showAll(tokens: Token[], all: Token[]): Map<Token, string> {
  const isMeant = ({ kind }: Token) => kind !== "blank" && kind !== "comment";
  const meant = all.filter(isMeant);
  const next = new Map(meant.map((token, at) => [token, meant[at + 1]]));
  const shown = new Map<Token, string>();
  let key: string | undefined;
  let before: string | undefined;
  for (const token of tokens.filter(isMeant)) {
    const { kind, raw, value } = token;
    if (kind === "sign") {
      shown.set(token, raw);
      if (raw !== ":" && !isOfList(key, raw)) key = undefined;
    } else if (next.get(token)?.raw === ":") {
      key = value;
      shown.set(token, suggestWord(value, KEYS) === undefined ? MASK : raw);
    } else {
      // A key among the values: the value of another one, or `:` is missing.
      if (suggestWord(value, KEYS) !== undefined) key = undefined;
      shown.set(token, isShowable(token, key, before) ? raw : MASK);
      if (key !== undefined && !LISTS.has(key)) key = undefined;
    }
    before = raw;
  }
  return shown;
}

function isOfList(key: string | undefined, sign: string): boolean {
  return key !== undefined && LISTS.has(key) && /^[[,]$/.test(sign);
}

/** Behind `:`, or `[` and `,` of a list, and none that complaints do not quote. */
function isShowable({ kind, raw, value }: Token, key = "", before = ""): boolean {
  const isValue = kind === "string" || /^(true|false|null|-?[\d.]+)$/.test(raw);
  const isRight = before === ":" || isOfList(key, before);
  const isSafe = quoteValue(value) !== "" && !/\s/.test(value);
  return isValue && isRight && isSafe && WITH_SHOWN_VALUE.has(key);
}

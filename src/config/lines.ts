/**
 * The grammar of tsocks.conf(5), line by line, without knowing any directive: `name = value`,
 * `path {` and `}`. Kinder in form than tsocks 1.8: blanks around `=` and before `{` are optional,
 * CRLF and a last line without newline are read whole.
 * What it complains about is never quoted, since a malformed line may hold a password.
 */

import type { Complaint } from "./diagnostic.ts";

/** `line` and `column` count from 1, columns in UTF-16 units. */
export interface Position {
  line: number;
  column: number;
}

export type Assignment = Position & {
  kind: "assignment";
  name: string;
  /** Not empty; in tsocks.conf without blanks. */
  value: string;
  valueAt: Position;
};

export type Statement =
  | Assignment
  | (Position & { kind: "open" | "close" })
  | (Position & Complaint & { kind: "malformed" });

/** The statements of a file; blank lines and comments give none. */
export function readStatements(text: string): Statement[] {
  const lines = text.replace(/^\ufeff/, "").split("\n");
  return lines.map((line, at) => readLine(line, at + 1)).filter((it) => it !== undefined);
}

function readLine(rawLine: string, line: number): Statement | undefined {
  // A word that starts with # ends the line; a # inside a word belongs to it (passwords have them).
  const text = rawLine.replace(/\r+$/, "").replace(/(^|[ \t])#.*$/s, "$1").replace(/[ \t]+$/, "");
  const column = /^[ \t]*/.exec(text)![0].length + 1;
  const body = text.slice(column - 1);
  if (body === "") return undefined;
  const position = { line, column };
  if (/^path[ \t]*\{$/.test(body)) return { kind: "open", ...position };
  if (body === "}") return { kind: "close", ...position };
  return readAssignment(body, position) ?? { kind: "malformed", ...position, ...complain(body) };
}

function readAssignment(body: string, position: Position): Assignment | undefined {
  // Only the first = divides: a password may start with one.
  const match = /^([^ \t=]+)([ \t]*=[ \t]*)([^ \t]+)$/.exec(body);
  if (match === null || body.includes("\0") || /^(path|\})$/.test(match[1]!)) return undefined;
  const [, name = "", equals = "", value = ""] = match;
  const column = position.column + name.length + equals.length;
  return { kind: "assignment", ...position, name, value, valueAt: { ...position, column } };
}

function complain(body: string): Complaint {
  const rows: [RegExp, string, string][] = [
    [/\0/, "Line holds a NUL character", "remove it"],
    [/^path\b/, "Malformed path", "write 'path {' alone on its line"],
    [/^\}/, "Malformed end of a path", "write '}' alone on its line"],
    [/^[^ \t=]+[ \t]*=$/, "Directive without a value", "write NAME = VALUE"],
    [/^[^ \t=]+[ \t]*=/, "More than one word behind '='", "write one word, and # before a comment"],
    [/^/, "Line is not a directive", "write NAME = VALUE, or # before a comment"],
  ];
  const [, message, fix] = rows.find(([pattern]) => pattern.test(body))!;
  return { message, fix };
}

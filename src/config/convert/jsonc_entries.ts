/** From tsocks.jsonc to entries, with its comments. Load it only for such a file (see tsocks_jsonc.ts). */

import { visit } from "jsonc-parser";
import { valueText } from "../jsonc_directives.ts";
import type { Entry } from "./entries.ts";

/** The entries of a tsocks.jsonc that has no errors. */
export function jsoncEntries(fileText: string): Entry[] {
  const text = fileText.replace(/^\ufeff/, "");
  const entries: Entry[] = [];
  let key = "";
  let depth = 0;
  /** The line of the last thing of any kind, and of the last entry. */
  let lastLine = 0;
  let entryLine = -1;
  const pass = (line: number) => {
    if (line > lastLine + 1) entries.push({ kind: "blank" });
    lastLine = line;
  };
  const push = (entry: Entry, line: number) => {
    pass(line);
    entries.push(entry);
    entryLine = line;
  };
  visit(text, {
    onComment(offset, length, line) {
      const written = text.slice(offset, offset + length);
      const comments = commentLines(written);
      const last = entries.at(-1);
      const isBehind = line === entryLine && comments.length === 1;
      if (isBehind && last !== undefined && "comment" in last && last.comment === undefined) {
        last.comment = comments[0];
      } else comments.forEach((words, at) => push({ kind: "comment", text: words }, line + at));
      lastLine = line + [...written.matchAll(/\r\n|\r|\n/g)].length;
    },
    onObjectBegin(_offset, _length, line) {
      if (++depth === 2) push({ kind: "open", comment: undefined }, line);
    },
    onObjectEnd(_offset, _length, line) {
      if (depth-- === 2) push({ kind: "close", comment: undefined }, line);
    },
    onArrayBegin: (_offset, _length, line) => pass(line),
    onArrayEnd: (_offset, _length, line) => pass(line),
    onObjectProperty(name, _offset, _length, line) {
      pass(line);
      key = name;
    },
    onLiteralValue(literal, _offset, _length, line, character) {
      const value = valueText(key, literal) ?? "";
      const at = { line: line + 1, column: character + 1 };
      push({ kind: "assignment", name: key, value, comment: undefined, at }, line);
    },
  }, { allowTrailingComma: true });
  return entries;
}

function commentLines(comment: string): string[] {
  if (comment.startsWith("//")) return [comment.slice(2).trimEnd()];
  const lines = comment.slice(2, -2).split(/\r\n|\r|\n/);
  const words = lines.map((line, at) => (at === 0 ? line : line.replace(/^\s*\*?/, "")).trimEnd());
  return words.filter((line, at) => line !== "" || at > 0 && at < words.length - 1);
}

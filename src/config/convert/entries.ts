/**
 * A configuration as it is converted: line by line, with its comments, in no form. From tsocks.conf
 * here; what had no meaning there (a second `server`) becomes a comment, so that it is not lost.
 */

import { type Position, readStatements } from "../lines.ts";
import { SETTINGS } from "../settings.ts";
import { OF_FILE } from "../tsocks_conf.ts";

/** `text` is a comment without its mark, of one line. */
export type Entry =
  | { kind: "blank" }
  | { kind: "comment"; text: string }
  | { kind: "open" | "close"; comment?: string | undefined }
  | Setting;

/** `name = value`, in normal form; `at` is where it was written. */
export interface Setting {
  kind: "assignment";
  name: string;
  value: string;
  comment?: string | undefined;
  at: Position;
}

/** The entries of a tsocks.conf that has no errors. */
export function confEntries(text: string): Entry[] {
  let seen = { file: new Set<string>(), path: undefined as Set<string> | undefined };
  // Not trimEnd(): U+2028 may be the end of a password.
  return text.replace(/^\ufeff|[ \t\r\n]+$/g, "").split("\n").map((line, index): Entry => {
    const comment = /(?:^|[ \t])#(.*)$/s.exec(line)?.[1]?.trimEnd();
    const [statement] = readStatements(line);
    if (statement === undefined || statement.kind === "malformed") {
      return comment === undefined ? { kind: "blank" } : { kind: "comment", text: comment };
    }
    if (statement.kind !== "assignment") {
      seen = { ...seen, path: statement.kind === "open" ? new Set() : undefined };
      return { kind: statement.kind, comment };
    }
    const { name } = statement;
    const block = OF_FILE.has(name) ? seen.file : seen.path ?? seen.file;
    const isRepeated = SETTINGS.has(name) && block.has(name);
    block.add(name);
    if (isRepeated || name.startsWith("reaches") && seen.path === undefined) {
      return { kind: "comment", text: ` ignored: ${line.trim()}` };
    }
    const read = SETTINGS.get(name)?.(statement.value);
    const value = read?.ok ? read.value : statement.value;
    const at = { line: index + 1, column: statement.column };
    return { kind: "assignment", name, value, comment, at };
  });
}

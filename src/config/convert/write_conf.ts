/** From entries to the text of a tsocks.conf. */

import { readStatements } from "../lines.ts";
import type { Entry, Setting } from "./entries.ts";

/** `unwritable` are those that tsocks.conf has no way to say: it has no quotes. A comment tells of each. */
export function writeConf(entries: Entry[]): { text: string; unwritable: Setting[] } {
  const unwritable: Setting[] = [];
  let indent = "";
  const lines = entries.map((entry) => {
    switch (entry.kind) {
      case "blank":
        return "";
      case "comment":
        return indent + comment(entry.text);
      case "open":
        indent = "  ";
        return `path {${behind(entry)}`;
      case "close":
        indent = "";
        return `}${behind(entry)}`;
      case "assignment":
        if (entry.name === "$schema") return comment(` $schema: ${entry.value}`);
        if (isWritable(entry)) return `${indent}${entry.name} = ${entry.value}${behind(entry)}`;
        unwritable.push(entry);
        return `${indent}# ${entry.name} is left out: its value cannot be written here`;
    }
  });
  return { text: lines.join("\n") + "\n", unwritable };
}

function isWritable({ name, value }: Setting): boolean {
  const [read, ...more] = readStatements(`${name} = ${value}`);
  return more.length === 0 && read?.kind === "assignment" && read.value === value;
}

function behind(entry: { comment?: string | undefined }): string {
  return entry.comment === undefined ? "" : `  ${comment(entry.comment)}`;
}

function comment(text: string): string {
  return `#${text.replace(/[\r\n]/g, " ")}`;
}

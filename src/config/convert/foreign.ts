/**
 * What reading another tool's configuration gives: entries, and what has no like in tsocks. Such a
 * line stays as a comment; whoever chose it hears that it does nothing any more.
 */

import type { Position } from "../lines.ts";
import type { Diagnostic } from "../model.ts";
import type { Entry } from "./entries.ts";

/** One line and its words; `words[0]` is the directive. */
export interface ForeignLine extends Position {
  text: string;
  words: string[];
}

export class ForeignFile {
  readonly entries: Entry[] = [];
  readonly diagnostics: Diagnostic[] = [];
  readonly #filePath: string;

  constructor(filePath: string) {
    this.#filePath = filePath;
  }

  /** Blank lines and comments are taken here, the others by `takeLine`. */
  read(text: string, takeLine: (line: ForeignLine) => void): void {
    text.replace(/^\ufeff|[ \t\r\n]+$/g, "").split(/\r?\n/).forEach((raw, index) => {
      const body = raw.replace(/^[ \t]+|[ \t]+$/g, "");
      if (body === "") return this.entries.push({ kind: "blank" });
      if (body.startsWith("#")) return this.entries.push({ kind: "comment", text: body.slice(1) });
      const column = raw.indexOf(body) + 1;
      takeLine({ line: index + 1, column, text: body, words: body.split(/[ \t]+/) });
    });
  }

  set({ line, column }: Position, name: string, value: string): void {
    this.entries.push({ kind: "assignment", name, value, at: { line, column } });
  }

  /** `error`: its meaning is lost; `warning`: it is what tsocks does anyway, or nearly. */
  leaveOut(
    line: ForeignLine,
    severity: Diagnostic["severity"],
    message: string,
    fix: string,
  ): void {
    this.entries.push({ kind: "comment", text: ` not converted: ${line.text}` });
    this.complain(line, severity, message, fix);
  }

  complain(
    { line, column }: Position,
    severity: Diagnostic["severity"],
    message: string,
    fix: string,
  ): void {
    const place = { kind: "file", filePath: this.#filePath, line, column } as const;
    this.diagnostics.push({ severity, message, fix, place });
  }
}

/**
 * One configuration into another form. Pure. What cannot be said there is never dropped in silence:
 * it is a diagnostic of severity `error`, and a comment in the text.
 */

import { type ConfigForm, formOf } from "../form.ts";
import type { Diagnostic } from "../model.ts";
import { interpretStatements, parseTsocksConf } from "../tsocks_conf.ts";
import { parseTsocksJsonc } from "../tsocks_jsonc.ts";
import { confEntries, type Entry } from "./entries.ts";
import type { ForeignFile } from "./foreign.ts";
import { jsoncEntries } from "./jsonc_entries.ts";
import { readProxychains } from "./proxychains.ts";
import { readTorsocks, TORSOCKS_WORDS } from "./torsocks.ts";
import { writeConf } from "./write_conf.ts";
import { writeJsonc } from "./write_jsonc.ts";

export type SourceForm = "tsocks" | "jsonc" | "proxychains" | "torsocks";

export interface Conversion {
  /** Undefined where the source has errors of its own. */
  text: string | undefined;
  /** The source's warnings and errors, and what the text does not say (`error`). */
  diagnostics: Diagnostic[];
}

/** By the name, and where that says nothing by the words in it. */
export function guessSource(filePath: string, text: string): SourceForm {
  const name = filePath.split("/").at(-1) ?? "";
  if (/proxychains/i.test(name)) return "proxychains";
  if (/torsocks/i.test(name)) return "torsocks";
  if (formOf(filePath, text) === "jsonc") return "jsonc";
  if (/^\s*\[ProxyList\]/m.test(text)) return "proxychains";
  const words = new RegExp(`^[ \\t]*(${TORSOCKS_WORDS.join("|")})[ \\t]`, "m");
  return words.test(text) ? "torsocks" : "tsocks";
}

export function convert(
  text: string,
  filePath: string,
  { from, to }: { from: SourceForm; to: ConfigForm },
): Conversion {
  const { entries, diagnostics, isBroken } = readSource(text, filePath, from);
  if (isBroken) return { text: undefined, diagnostics };
  const tidy = withoutSpareBlanks(entries);
  if (to === "jsonc") return { text: writeJsonc(tidy), diagnostics };
  const written = writeConf(tidy);
  const losses = written.unwritable.map(({ name, at }): Diagnostic => ({
    severity: "error",
    message: `tsocks.conf cannot hold this ${name}: it has no quotes`,
    fix: "keep tsocks.jsonc, or use a value without blanks that does not begin with #",
    place: { kind: "file", filePath, ...at },
  }));
  return { text: written.text, diagnostics: [...diagnostics, ...losses] };
}

interface Source {
  entries: Entry[];
  diagnostics: Diagnostic[];
  isBroken: boolean;
}

function readSource(text: string, filePath: string, from: SourceForm): Source {
  switch (from) {
    case "tsocks":
      return ownSource(parseTsocksConf(text, filePath), () => confEntries(text));
    case "jsonc":
      return ownSource(parseTsocksJsonc(text, filePath), () => jsoncEntries(text));
    case "proxychains":
      return foreignSource(readProxychains(text, filePath), filePath);
    case "torsocks":
      return foreignSource(readTorsocks(text, filePath), filePath);
  }
}

function ownSource({ diagnostics }: { diagnostics: Diagnostic[] }, read: () => Entry[]): Source {
  const isBroken = diagnostics.some(({ severity }) => severity === "error");
  return { entries: isBroken ? [] : read(), diagnostics, isBroken };
}

/** Its values are judged as ours are, at their places in its file. */
function foreignSource({ entries, diagnostics }: ForeignFile, filePath: string): Source {
  const settings = entries.filter((entry) => entry.kind === "assignment");
  const statements = settings.map(({ at, ...setting }) => ({ ...setting, ...at, valueAt: at }));
  const judged = interpretStatements(statements, filePath, { isStrict: false }).diagnostics;
  const isBroken = judged.some(({ severity }) => severity === "error");
  return { entries, diagnostics: [...diagnostics, ...judged], isBroken };
}

/** One blank line where there were several, and none at the beginning. */
function withoutSpareBlanks(entries: Entry[]): Entry[] {
  const isBlank = (entry: Entry | undefined) => entry === undefined || entry.kind === "blank";
  return entries.filter((entry, at) => !isBlank(entry) || !isBlank(entries[at - 1]));
}

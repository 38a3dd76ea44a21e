/** `tsocks convert`: reads one file, writes the other form to standard output. */

import { readFileSync } from "node:fs";
import type { ConvertOptions } from "../cli/convert.ts";
import { convert as convertText, guessSource } from "../config/convert/convert.ts";
import { formatDiagnostic } from "../config/diagnostic.ts";
import type { Context } from "../context.ts";
import { TsocksError } from "../errors.ts";

const STATUS_LOST = 1;

/** Resolves to the exit status: 1 where the file has errors, or something would be lost. */
export function convert(options: ConvertOptions, { print, warn }: Context): Promise<number> {
  const { filePath, isLossy } = options;
  const source = read(filePath);
  const from = options.from ?? guessSource(filePath, source);
  const to = options.to ?? (from === "tsocks" ? "jsonc" : "conf");
  const { text, diagnostics } = convertText(source, filePath, { from, to });
  const isLoss = diagnostics.some(({ severity }) => severity === "error");
  const isWritten = text !== undefined && (isLossy || !isLoss);
  for (const diagnostic of diagnostics) {
    warn(formatDiagnostic(isWritten ? { ...diagnostic, severity: "warning" } : diagnostic));
  }
  if (!isWritten) return Promise.resolve(STATUS_LOST);
  print(text.replace(/\n$/, ""));
  return Promise.resolve(0);
}

function read(filePath: string): string {
  try {
    return readFileSync(filePath, "utf8");
  } catch (error) {
    throw new TsocksError("CONFIG", `Cannot read it: ${(error as { code?: string }).code}`, {
      where: filePath,
      fix: "check the name and the permissions",
    });
  }
}

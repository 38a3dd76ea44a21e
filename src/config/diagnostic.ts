/**
 * How a complaint about a configuration is made and printed. Complaints never quote what may be a
 * secret: see quoteValue().
 */

import { formatMessage } from "../errors.ts";
import { escapeText } from "../net/printable.ts";
import type { Diagnostic } from "./model.ts";

/** What is wrong with a text and how to mend it; whoever knows the place makes a Diagnostic of it. */
export interface Complaint {
  message: string;
  fix: string;
}

/** The result of reading a text that may be wrong. */
export type Failed = { ok: false } & Complaint;

const MAX_QUOTED_BYTES = 80;

export function fail(message: string, fix: string): Failed {
  return { ok: false, message, fix };
}

/**
 * `: 'VALUE'` to stand behind a message, or nothing where the value may hold a password: a URL with
 * user information, or a line run together with `default_pass`.
 */
export function quoteValue(value: string): string {
  return /[@=]|pass/i.test(value) ? "" : `: '${escapeText(value, MAX_QUOTED_BYTES)}'`;
}

/** Three lines as of every message, with the column too: `at /etc/tsocks.conf:14:9`. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { place } = diagnostic;
  const where = place.kind === "file"
    ? `${place.filePath}:${place.line}:${place.column}`
    : place.name;
  const prefix = diagnostic.severity === "warning" ? "warning: " : "";
  return formatMessage(prefix + diagnostic.message, where, diagnostic.fix);
}

/**
 * Host names and the patterns that rules match them by. A name is compared as text, in lower case
 * and without the root's dot; it is never resolved here.
 * Source: RFC 1123 §2.1 and RFC 1035 §2.3.4 (63 octets a label, 253 characters in all).
 */

import { isLegacyNumeric } from "./legacy_numeric.ts";

const MAX_NAME_LENGTH = 253;
/** Letters, digits, hyphens inside; underscores too, since real names have them. */
const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;

export type PatternResult =
  | { ok: true; pattern: string }
  | { ok: false; message: string; fix: string };

/** ASCII lower case, one trailing dot off. */
export function normalizeName(name: string): string {
  const lowered = name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return lowered.endsWith(".") ? lowered.slice(0, -1) : lowered;
}

/** A host name in form: not empty, not numeric (its last label holds a letter), labels as RFC 1123. */
export function isHostname(name: string): boolean {
  const normalized = normalizeName(name);
  const labels = normalized.split(".");
  // A name that ends in a number is an address gone wrong: 10.0.0.256, 1.2.3.
  const isNumeric = /^([0-9]+|0x[0-9a-f]*)$/.test(labels.at(-1)!) || isLegacyNumeric(normalized);
  return !isNumeric && normalized.length <= MAX_NAME_LENGTH &&
    labels.every((label) => LABEL.test(label));
}

/**
 * Whether `name` (any case) is meant by `pattern` (as parsePattern() gives it): `host.example` is
 * that name alone, `*.example` all names below `example` at any depth but not itself, `*` every name.
 */
export function matchesPattern(name: string, pattern: string): boolean {
  if (pattern === "*") return true;
  const normalized = normalizeName(name);
  if (!pattern.startsWith("*.")) return normalized === pattern;
  const suffix = pattern.slice(1);
  return normalized.length > suffix.length && normalized.endsWith(suffix);
}

/** `host.example`, `*.example` or `*` → the same, normalised; or why not. */
export function parsePattern(text: string): PatternResult {
  if (text === "*") return { ok: true, pattern: text };
  const base = text.startsWith("*.") ? text.slice(2) : text;
  if (isHostname(base)) return { ok: true, pattern: normalizeName(text) };
  return { ok: false, message: "Invalid name pattern", fix: patternFix(text) };
}

function patternFix(text: string): string {
  if (/^\.[^.]/.test(text) && isHostname(text.slice(1))) {
    return `write *${text} for the names below it`;
  }
  return "write a name (host.example), all names below one (*.example), or * for every name";
}

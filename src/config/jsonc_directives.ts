/**
 * The keys of tsocks.jsonc: tsocks.conf's directives, each where it may stand and of which JSON type.
 * schema/tsocks.schema.json says the same to editors; a test compares them.
 */

import { SETTINGS } from "./settings.ts";
import { OF_FILE } from "./tsocks_conf.ts";

/** Those that tsocks.conf repeats: here a list of strings. */
export const LISTS: ReadonlySet<string> = new Set([
  "local",
  "local_name",
  "reaches",
  "reaches_name",
]);

const OF_SERVER = [...SETTINGS.keys()].filter((name) => !OF_FILE.has(name));

/** `path` is a list of objects; `$schema` is for the editor. */
export const FILE_KEYS = ["$schema", "local", "local_name", ...OF_SERVER, "path", ...OF_FILE];
export const PATH_KEYS = [...OF_SERVER, "reaches", "reaches_name"];

/** A key's value as tsocks.conf writes it, or undefined where it is of another type. */
export function valueText(key: string, value: unknown): string | undefined {
  switch (key) {
    case "server_port":
      return Number.isInteger(value) ? `${value}` : undefined;
    case "server_type":
      return typeof value === "string" || Number.isInteger(value) ? `${value}` : undefined;
    case "fallback":
      return typeof value === "boolean" ? (value ? "yes" : "no") : undefined;
    default:
      return typeof value === "string" ? value : undefined;
  }
}

/** The other way: JSON for a value in tsocks.conf's normal form. */
export function valueJson(key: string, value: string): string {
  if (key === "fallback") return `${value === "yes"}`;
  const isNumber = key === "server_port" || key === "server_type" && /^[45]$/.test(value);
  return isNumber ? value : JSON.stringify(value);
}

/** What to write for a key, for people. */
export function valueForm(key: string): string {
  if (LISTS.has(key)) return `write "${key}": ["...", "..."]`;
  if (key === "path") return 'write "path": [{ ... }, { ... }]';
  if (key === "fallback") return 'write "fallback": true or false';
  if (key === "server_port") return 'write "server_port": 1080, without quotes';
  if (key === "server_type") return 'write "server_type": 4, "4a", 5 or "http"';
  return `write "${key}": "..."`;
}

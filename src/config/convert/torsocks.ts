/** torsocks.conf(5): the server, and directives that say what tsocks always or never does. */

import type { Diagnostic } from "../model.ts";
import { ForeignFile, type ForeignLine } from "./foreign.ts";

/** Directive of torsocks → ours. */
const SETTINGS: ReadonlyMap<string, string> = new Map([
  ["TorAddress", "server"],
  ["TorPort", "server_port"],
  ["SOCKS5Username", "default_user"],
  ["SOCKS5Password", "default_pass"],
]);

const DEFAULTS = [["TorAddress", "server", "127.0.0.1"], ["TorPort", "server_port", "9050"]];

/** Directive → the value that is what tsocks always does, and what that is. */
const ALWAYS: ReadonlyMap<string, [string, string]> = new Map([
  ["OnionAddrRange", ["127.42.42.0/24", "names always get addresses of 198.18.0.0/15"]],
  ["AllowInbound", ["1", "programs always accept connections"]],
  ["AllowOutboundLocalhost", ["2", "loopback is always reached directly, by TCP and UDP"]],
  ["IsolatePID", ["0", "all programs use the same user name"]],
  ["EnableIPv6", ["1", "IPv6 is always carried"]],
]);

export const TORSOCKS_WORDS = [...SETTINGS.keys(), ...ALWAYS.keys()];

export function readTorsocks(text: string, filePath: string): ForeignFile {
  const file = new ForeignFile(filePath);
  const start = { line: 1, column: 1 };
  file.read(text, (line) => takeLine(file, line));
  file.set(start, "server_type", "5");
  for (const [word, name, value] of DEFAULTS) {
    if (!new RegExp(`^[ \\t]*${word}\\b`, "m").test(text)) file.set(start, name!, value!);
  }
  return file;
}

function takeLine(file: ForeignFile, line: ForeignLine): void {
  const [word = "", value = ""] = line.words;
  const name = SETTINGS.get(word);
  if (name !== undefined && value !== "") return file.set(line, name, value);
  const [likeOurs, words] = ALWAYS.get(word) ?? [];
  if (words === undefined) {
    return file.leaveOut(line, "error", "Unknown directive", "remove it, or put # before it");
  }
  const severity: Diagnostic["severity"] = value === likeOurs ? "warning" : "error";
  file.leaveOut(line, severity, `${word}: ${words}`, "remove it");
}

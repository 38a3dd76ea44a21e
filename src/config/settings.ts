/**
 * The directives that may stand once in each context, and how each one's value is read. What tsocks
 * 1.8 read without a word keeps its meaning, with a warning where it is likely not what was meant.
 * Source: tsocks.conf(5); what 1.8 does with odd numbers was measured with Debian's validateconf.
 */

import { readLegacyNumeric } from "../net/legacy_numeric.ts";
import { type Complaint, fail, type Failed } from "./diagnostic.ts";
import { parseDnsServer } from "./dns_server.ts";
import { parsePort } from "./ports.ts";
import { parseServerHost } from "./server_host.ts";

export type SettingResult = { ok: true; value: string; warning?: Complaint } | Failed;

/** Directive → reader of its value; the value comes back in its one normal form. */
export const SETTINGS: ReadonlyMap<string, (text: string) => SettingResult> = new Map([
  ["server", readServer],
  ["server_port", readPort],
  ["server_type", readType],
  ["default_user", readVerbatim],
  ["default_pass", readVerbatim],
  ["fallback", readFallback],
  ["udp", readUdp],
  ["dns", readDns],
  ["dns_server", readDnsServer],
]);

const USE_OTHER_DIRECTIVES =
  "write its host here, and the rest in server_port, server_type, default_user and default_pass";

function readServer(text: string): SettingResult {
  const host = parseServerHost(text);
  if (host.ok) return { ok: true, value: host.hostname };
  if (text.includes("://")) return fail("URL in server", USE_OTHER_DIRECTIVES);
  const [, name = "", port = ""] = /^(.+):([0-9]+)$/.exec(text) ?? [];
  if (port !== "" && parseServerHost(name).ok) {
    return fail("Port in server", `write server = ${name} and server_port = ${port}`);
  }
  return readLegacyServer(text) ?? host;
}

/** tsocks 1.8 gave the value to inet_addr(3): 127.1 is 127.0.0.1, and 010.1.1.1 is 8.1.1.1. */
function readLegacyServer(text: string): SettingResult | undefined {
  const value = readLegacyNumeric(text)?.join(".");
  if (value === undefined) return undefined;
  const warning = { message: `Server is read as ${value}`, fix: `write server = ${value}` };
  return { ok: true, value, warning };
}

function readPort(text: string): SettingResult {
  const invalid = fail("Invalid server port", "write a port between 1 and 65535");
  return readNumber(text, (digits) => parsePort(digits) !== undefined, invalid);
}

function readType(text: string): SettingResult {
  if (text === "4a" || text === "http") return { ok: true, value: text };
  const invalid = fail("Invalid server type", "write 4, 4a, 5 or http");
  return readNumber(text, (digits) => digits === "4" || digits === "5", invalid);
}

/** tsocks 1.8 read as far as the digits went, and leading zeros too. */
function readNumber(
  text: string,
  isValid: (digits: string) => boolean,
  invalid: Failed,
): SettingResult {
  const value = /^0*([0-9]{1,5})(?![0-9])/.exec(text)?.[1];
  if (value === undefined || !isValid(value)) return invalid;
  if (value === text) return { ok: true, value };
  return {
    ok: true,
    value,
    warning: { message: `Value is read as ${value}`, fix: `write ${value}` },
  };
}

function readVerbatim(text: string): SettingResult {
  return { ok: true, value: text };
}

/** Exactly `yes` switches it on; in doubt nothing goes direct. */
function readFallback(text: string): SettingResult {
  if (text === "yes" || text === "no") return { ok: true, value: text };
  const warning = {
    message: "Fallback is neither yes nor no: it means no",
    fix: "write yes or no",
  };
  return { ok: true, value: "no", warning };
}

function readUdp(text: string): SettingResult {
  if (text === "refuse" || text === "direct") return { ok: true, value: text };
  return fail("Invalid udp", "write refuse or direct");
}

function readDns(text: string): SettingResult {
  if (text === "remote" || text === "local" || text === "tcp") return { ok: true, value: text };
  return fail("Invalid dns", "write remote, local or tcp");
}

function readDnsServer(text: string): SettingResult {
  if (parseDnsServer(text) !== undefined) return { ok: true, value: text };
  return fail(
    "Invalid dns_server",
    "write an IP address, or IP:PORT, IPv6 with a port in brackets",
  );
}

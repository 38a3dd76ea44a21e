/**
 * The two kinds of rule, each with optional ports: a network (`local`, `reaches`, `--reaches`) and a
 * name pattern (`local_name`, `reaches_name`, `--reaches`).
 * Source: tsocks.conf(5), IP[:startport[-endport]]/Subnet; brackets around IPv6 as in RFC 3986 §3.2.2.
 */

import type { Place } from "../errors.ts";
import { parsePattern } from "../net/hostname.ts";
import { parseSubnet } from "../net/subnet.ts";
import { fail, type Failed } from "./diagnostic.ts";
import type { NameRule, NetworkRule } from "./model.ts";
import { anyPort, parsePortRange } from "./ports.ts";

/** `10.0.0.0:80-90/255.0.0.0`, `10.0.0.0/8`, `10.1.2.3:80`, `2001:db8::/32`, `[2001:db8::]:80/32`. */
export function parseNetworkRule(
  text: string,
  place: Place,
): { ok: true; rule: NetworkRule } | Failed {
  const parts = splitNetwork(text);
  if (parts === undefined) {
    return fail("Invalid network", "write IP[:PORT[-PORT]]/MASK, an IPv6 address in brackets");
  }
  const network = parseSubnet(parts.network);
  if (!network.ok) return network;
  const range = readPorts(parts.ports);
  if (!range.ok) return range;
  return { ok: true, rule: { subnet: network.subnet, ports: range.ports, text, place } };
}

/** `host.example`, `*.example`, `*`, each with `:PORT` or `:FIRST-LAST` or without. */
export function parseNameRule(text: string, place: Place): { ok: true; rule: NameRule } | Failed {
  const colon = text.indexOf(":");
  const pattern = parsePattern(colon === -1 ? text : text.slice(0, colon));
  if (!pattern.ok) return pattern;
  const range = readPorts(colon === -1 ? undefined : text.slice(colon + 1));
  if (!range.ok) return range;
  return { ok: true, rule: { pattern: pattern.pattern, ports: range.ports, text, place } };
}

/** Whether a text that may be either is meant as a network: it has a mask, or looks like an address. */
export function isNetworkText(text: string): boolean {
  return /^\[|\/|:.*:|^[0-9.]+(:|$)/.test(text);
}

function readPorts(text: string | undefined): ReturnType<typeof parsePortRange> {
  return text === undefined ? { ok: true, ports: anyPort() } : parsePortRange(text);
}

/** Take `:PORT[-PORT]` out of the middle; a bare IPv6 address has colons of its own and no ports. */
function splitNetwork(text: string): { network: string; ports: string | undefined } | undefined {
  const [, head = "", mask = ""] = /^([^/]*)(.*)$/s.exec(text) ?? [];
  if (/:.*:/.test(head) && !head.startsWith("[")) return { network: text, ports: undefined };
  const match = /^(?:\[([^\]]*:[^\]]*)\]|([^\[\]:]*))(?::(.*))?$/s.exec(head);
  if (match === null) return undefined;
  return { network: (match[1] ?? match[2] ?? "") + mask, ports: match[3] };
}

/** The configuration that says nothing: only what is always local. */

import type { Config, NetworkRule } from "./model.ts";
import { parseNetworkRule } from "./rules.ts";

/** tsocks 1.8 adds the first to every file; the second is its like for IPv6. */
const BUILT_IN_LOCALS = ["127.0.0.0/255.0.0.0", "::1/128"];

/** A new Config, for its caller to fill: built-in locals, no server, fallback off, datagrams refused, names to the server. */
export function emptyConfig(): Config {
  return {
    locals: BUILT_IN_LOCALS.map(builtInLocal),
    localNames: [],
    paths: [],
    defaultServer: undefined,
    fallback: { isOn: false, place: undefined },
    udp: { isDirect: false, place: undefined },
    dns: { mode: "remote", place: undefined },
    dnsServer: undefined,
  };
}

function builtInLocal(text: string): NetworkRule {
  const result = parseNetworkRule(text, { kind: "option", name: "built in" });
  if (!result.ok) throw new Error(`Built-in local: ${result.message}`);
  return result.rule;
}

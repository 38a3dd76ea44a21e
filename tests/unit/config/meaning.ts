/** What a configuration says, without where and how it was written: to compare two of them. */

import type { Config, NameRule, NetworkRule, Server } from "../../../src/config/model.ts";
import { formatSubnet } from "../../../src/net/subnet.ts";

export function meaningOf(config: Config): unknown {
  const { locals, localNames, paths, defaultServer, fallback, udp, dns, dnsServer } = config;
  return {
    locals: locals.map(networkOf),
    localNames: localNames.map(nameOf),
    paths: paths.map(({ server, reaches, reachesNames }) => ({
      server: serverOf(server),
      reaches: reaches.map(networkOf),
      reachesNames: reachesNames.map(nameOf),
    })),
    defaultServer: serverOf(defaultServer),
    settings: [fallback.isOn, udp.isDirect, dns.mode, dnsServer?.address, dnsServer?.port],
  };
}

function networkOf({ subnet, ports }: NetworkRule): unknown {
  return [formatSubnet(subnet), ports.first, ports.last];
}

function nameOf({ pattern, ports }: NameRule): unknown {
  return [pattern, ports.first, ports.last];
}

function serverOf(server: Server | undefined): unknown {
  if (server === undefined) return undefined;
  const { type, hostname, port, credentials } = server;
  return [type, hostname, port, credentials.user, credentials.revealPassword()];
}

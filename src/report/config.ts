/**
 * A configuration as tables: where each destination goes, the first row from the top that matches,
 * and the servers. Passwords are never in it. Pure.
 */

import { type Config, formatServer, type Path, type Server } from "../config/model.ts";
import { formatPlace, type Place } from "../errors.ts";
import { formatEndpoint, formatIpAddress, parseIpAddress } from "../net/address.ts";
import { isLocal } from "../policy/decide.ts";
import { alignColumns } from "./table.ts";

type Row = [what: string, goes: string, by: string];

/** Both tables, and notes on what tsocks 1.8 would have done otherwise. */
export function showConfig(config: Config): string {
  const servers = serversOf(config);
  const serverRows = servers.length === 0 ? [] : [
    "",
    ...alignColumns([["SERVER", "USER", "PASSWORD", "NAMES", "BY"], ...servers.map(serverRow)]),
  ];
  const rules = [["DESTINATION", "GOES", "BY"], ...ruleRows(config), ...otherRows(config)];
  return [...alignColumns(rules), ...serverRows, ...serverNotes(config)].join("\n");
}

/** In the order of policy/decide.ts. */
function ruleRows(config: Config): Row[] {
  const local = (
    name: string,
    rule: { text: string; place: Place },
  ): Row => [rule.text, "direct", by(name, rule.place)];
  return [
    ...config.locals.map((rule) => local("local", rule)),
    ...config.localNames.map((rule) => local("local_name", rule)),
    ...config.paths.toReversed().flatMap(pathRows),
    restRow(config),
  ];
}

function pathRows(path: Path): Row[] {
  const goes = path.server === undefined
    ? "refused: its path has no server"
    : formatServer(path.server);
  return [
    ...path.reaches.map(({ text, place }): Row => [text, goes, by("reaches", place)]),
    ...path.reachesNames.map(({ text, place }): Row => [text, goes, by("reaches_name", place)]),
  ];
}

function restRow({ defaultServer, fallback }: Config): Row {
  const what = "all else";
  if (defaultServer !== undefined) {
    return [what, formatServer(defaultServer), by("default server", defaultServer.place)];
  }
  if (fallback.isOn) return [what, "direct", by("fallback = yes", fallback.place)];
  return [what, "refused", "no default server"];
}

function otherRows({ udp, dns, dnsServer }: Config): Row[] {
  const udpWord = udp.isDirect ? "direct" : "refuse";
  const rows: Row[] = [
    [
      "datagrams to all else",
      udp.isDirect ? "direct" : "refused",
      by(`udp = ${udpWord}`, udp.place),
    ],
    ["look-ups of names", DNS_WORDS[dns.mode], by(`dns = ${dns.mode}`, dns.place)],
  ];
  if (dnsServer !== undefined) {
    const at = formatEndpoint(formatIpAddress(dnsServer.address), dnsServer.port);
    rows.push(["records of other kinds", at, by("dns_server", dnsServer.place)]);
  }
  return rows;
}

const DNS_WORDS = {
  remote: "to the server, where it takes names",
  local: "this machine's resolver",
  tcp: "to a DNS server, through the SOCKS server",
};

function by(word: string, place: Place | undefined): string {
  if (place === undefined) return `${word}, the default`;
  return `${word} (${formatPlace(place)})`;
}

function serversOf(config: Config): Server[] {
  return [...config.paths.toReversed().map((path) => path.server), config.defaultServer]
    .filter((server) => server !== undefined);
}

function serverRow(server: Server): string[] {
  const { credentials, type, place } = server;
  const password = credentials.hasPassword ? "********" : "-";
  const takesPassword = type === "5" || type === "http";
  return [
    formatServer(server),
    credentials.user || "-",
    takesPassword ? password : "none in SOCKS4",
    type === "4" ? "resolved here" : "resolved there",
    formatPlace(place),
  ];
}

/** tsocks 1.8 refused to use them. */
function serverNotes(config: Config): string[] {
  const outside = serversOf(config).filter(({ hostname, port }) => {
    const address = parseIpAddress(hostname);
    return address !== undefined && !isLocal(config, { kind: "address", address, port });
  });
  const names = [...new Set(outside.map(formatServer))];
  const words = "is in no local network: tsocks 1.8 refused such a server, this one uses it";
  return names.length === 0 ? [] : ["", ...names.map((name) => `  note: ${name} ${words}`)];
}

/** What a server speaks, as a table. Pure. */

import { detailOf, type Inspection, type Verdict } from "../socks/inspection.ts";
import { alignColumns } from "./table.ts";

export function showInspection(inspection: Inspection): string {
  const { server, versions, methods, features, connectMs, requestMs, failure } = inspection;
  if (failure !== undefined) return `${server}: ${detailOf(failure)}`;
  const row = (label: string, { is, detail }: Verdict) => [label, is, detail];
  const offered = methods.filter(({ isOffered }) => isOffered);
  const methodRows = offered.map(({ number, name }) => ["  authentication", `X'0${number}'`, name]);
  const isFive = versions.socks5.is === "yes";
  const noMethod = isFive && offered.length === 0
    ? [["  authentication", "none", "of the assigned methods"]]
    : [];
  const rows = [
    row("SOCKS 4", versions.socks4),
    row("SOCKS 4a", versions.socks4a),
    row("SOCKS 5", versions.socks5),
    ...methodRows,
    ...noMethod,
    ...(isFive
      ? [row("  UDP ASSOCIATE", features.udpAssociate), row("  BIND", features.bind)]
      : []),
    row("HTTP CONNECT", versions.http),
    row("names resolved there", features.names),
    row("IPv6 addresses", features.ipv6),
    ["TCP connection", formatMs(connectMs), ""],
    ["a whole request", formatMs(requestMs), ""],
  ];
  const hint = "-t NAME:PORT tries names by a destination that the server may connect to";
  const hints = features.names.is === "unknown" ? ["", `  ${hint}`] : [];
  return [server, ...alignColumns(rows), ...hints].join("\n");
}

function formatMs(ms: number | undefined): string {
  return ms === undefined ? "-" : `${ms.toFixed(1)} ms`;
}

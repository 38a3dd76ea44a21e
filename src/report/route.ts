/** Where a destination would go and by which line, for people and for programs. Pure. */

import { formatServer } from "../config/model.ts";
import { type Decision, formatReason } from "../policy/decide.ts";
import type { NameTreatment } from "../policy/names.ts";
import { alignColumns } from "./table.ts";

/** What a program would meet that connects there. */
export interface Preview {
  /** `hello.example:80`; port 0 where none was asked for. */
  destination: string;
  /** Who resolves its name; undefined for an address. */
  treatment: NameTreatment | undefined;
  /** What this machine resolved it to. */
  address: string | undefined;
  /** Undefined where nothing is decided without an address. */
  decision: Decision | undefined;
  /** Why it would fail before any packet. */
  failure: string | undefined;
}

/** Whether a connection would be tried. */
export function leadsSomewhere({ decision, failure }: Preview): boolean {
  return decision !== undefined && decision.action !== "refuse" && failure === undefined;
}

export function showRoute(preview: Preview): string {
  const { destination, treatment, address, decision, failure } = preview;
  const rows: [string, string | undefined][] = [
    ["decision", decision === undefined ? "none" : DECISION_WORDS[decision.action]],
    ["server", serverOf(decision)],
    ["reason", decision && formatReason(decision.reason)],
    ["name", treatment && TREATMENT_WORDS[treatment]],
    ["address", address],
    ["fails", failure],
  ];
  const shown = rows.filter((row): row is [string, string] => row[1] !== undefined);
  return [destination, ...alignColumns(shown)].join("\n");
}

/** One object; `file` and `line` where a line of a file decided, null for what there is not. */
export function routeJson({ destination, treatment, address, decision, failure }: Preview) {
  const place = decision?.reason.place;
  const isFile = place?.kind === "file";
  return {
    destination,
    decision: decision?.action ?? null,
    server: serverOf(decision) ?? null,
    reason: decision?.reason.text ?? null,
    file: isFile ? place.filePath : null,
    line: isFile ? place.line : null,
    option: place?.kind === "option" ? place.name : null,
    name: treatment ?? null,
    address: address ?? null,
    failure: failure ?? null,
  };
}

function serverOf(decision: Decision | undefined): string | undefined {
  return decision?.action === "forward" ? formatServer(decision.server) : undefined;
}

const DECISION_WORDS: Record<Decision["action"], string> = {
  direct: "direct: no server carries it",
  forward: "forward: the server carries it",
  refuse: "refuse: the program's connect fails",
  answer: "answer: tsocks speaks in the name server's place",
};

const TREATMENT_WORDS: Record<NameTreatment, string> = {
  numeric: "the text of an address",
  localhost: "loopback, by its name alone",
  hosts: "/etc/hosts has it",
  libc: "resolved by this machine",
  tcp: "resolved by a DNS server, through the SOCKS server (dns = tcp)",
  local: "resolved by this machine (local_name)",
  server: "resolved by the server",
  invalid: "no name at all",
};

/**
 * One context of tsocks.conf(5), the file's own or that of a `path { }`: what was set in it and what
 * that makes when it ends. Nothing is inherited from one to the other, as in tsocks 1.8.
 */

import type { Place } from "../errors.ts";
import type { Complaint } from "./diagnostic.ts";
import { Credentials, type NameRule, type NetworkRule, type Server } from "./model.ts";
import type { ServerType } from "./model.ts";

/** Where a path begins or a value stands, in its file. */
export type FilePlace = Extract<Place, { kind: "file" }>;

export interface Setting {
  /** In normal form, as settings.ts gives it. */
  value: string;
  place: FilePlace;
}

export interface Block {
  /** Undefined for the file's own context. */
  pathPlace: FilePlace | undefined;
  /** Each directive that was met, right or wrong, by the place of its first. */
  seen: Map<string, FilePlace>;
  settings: Map<string, Setting>;
  reaches: NetworkRule[];
  reachesNames: NameRule[];
}

const DEFAULT_PORT = "1080";
const DEFAULT_TYPE = "4";

export function newBlock(pathPlace: FilePlace | undefined): Block {
  return { pathPlace, seen: new Map(), settings: new Map(), reaches: [], reachesNames: [] };
}

/** The server of a block, undefined without `server`. An absent user name is empty. */
export function serverOf(block: Block): Server | undefined {
  const server = block.settings.get("server");
  if (server === undefined) return undefined;
  const valueOf = (name: string) => block.settings.get(name)?.value;
  return {
    type: (valueOf("server_type") ?? DEFAULT_TYPE) as ServerType,
    hostname: server.value,
    port: Number(valueOf("server_port") ?? DEFAULT_PORT),
    credentials: new Credentials(valueOf("default_user") ?? "", valueOf("default_pass")),
    place: server.place,
  };
}

/** What is odd about a block as a whole, each with its place. */
export function blockWarnings(block: Block): (Complaint & { place: FilePlace })[] {
  return [...passwordWarnings(block), ...pathWarnings(block)];
}

function passwordWarnings(block: Block): (Complaint & { place: FilePlace })[] {
  const place = block.seen.get("default_pass");
  if (place === undefined) return [];
  const type = serverOf(block)?.type;
  if (type === "4" || type === "4a") {
    const message = "SOCKS4 has no password: default_pass is not sent";
    return [{ message, fix: "write server_type = 5 if the server speaks it", place }];
  }
  if (block.seen.has("default_user")) return [];
  const message = "Password without a user: the local user's name is sent";
  return [{ message, fix: "write default_user = NAME", place }];
}

function pathWarnings(block: Block): (Complaint & { place: FilePlace })[] {
  const { pathPlace: place, seen } = block;
  const warnings = [];
  if (place !== undefined && !seen.has("server")) {
    const message = "Path without a server: what it reaches is refused";
    warnings.push({ message, fix: "write server = HOST in it", place });
  }
  if (place !== undefined && !seen.has("reaches") && !seen.has("reaches_name")) {
    const message = "Path reaches nothing: it is never used";
    warnings.push({ message, fix: "write reaches = IP/MASK or reaches_name = NAME in it", place });
  }
  return warnings;
}

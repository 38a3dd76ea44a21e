/**
 * Where a program would come that connects to a destination: its look-up of the name and its
 * connect, through the same router as in a run, up to the point where something would be dialled.
 */

import { systemLookup, watchHostsFile, watchNameservers } from "../io/resolver.ts";
import { Router } from "../io/router.ts";
import type { Config } from "../config/model.ts";
import {
  type Destination,
  formatDestination,
  formatIpAddress,
  type IpAddress,
  parseIpAddress,
} from "../net/address.ts";
import type { NameTreatment } from "../policy/names.ts";
import { ReservedNames } from "../policy/reserved_names.ts";
import type { Preview } from "../report/route.ts";
import { createClient } from "../socks/client.ts";
import { wordsOf } from "../socks/reply.ts";

export function createRouter(config: Config): Router {
  return new Router({
    config,
    names: new ReservedNames(),
    hosts: watchHostsFile(),
    lookup: systemLookup,
    lookupByTcp: () => Promise.resolve(undefined),
    nameservers: watchNameservers(),
    maps: new Map(),
  });
}

/** One for an address or a name that the server resolves, one for each address of another name. */
export async function previewRoutes(
  router: Router,
  { hostname, port }: { hostname: string; port: number },
): Promise<Preview[]> {
  const address = parseIpAddress(hostname);
  if (address !== undefined) {
    return [await previewAddress(router, { kind: "address", address, port }, undefined)];
  }
  const destination = formatDestination({ kind: "name", name: hostname, port });
  const treatment = router.treatmentOf(hostname);
  const addresses = await resolve(router, hostname, treatment);
  if (addresses.length === 0) {
    const failure = treatment === "tcp"
      ? "it depends on the address, which only the DNS server knows: ask for that address"
      : wordsOf("NAME_NOT_FOUND");
    return [{ destination, treatment, address: undefined, decision: undefined, failure }];
  }
  // Both reserved addresses stand for the name.
  if (treatment === "server") addresses.length = 1;
  const previews = addresses.map(async (one) => {
    const preview = await previewAddress(
      router,
      { kind: "address", address: one, port },
      treatment,
    );
    const told = treatment === "server" ? undefined : formatIpAddress(one);
    return { ...preview, destination, address: told };
  });
  return await Promise.all(previews);
}

async function resolve(
  router: Router,
  name: string,
  treatment: NameTreatment,
): Promise<IpAddress[]> {
  if (treatment === "tcp") return [];
  const found = await router.resolve(name, 0);
  return [...(found === "libc" ? await systemLookup(name) : found) ?? []];
}

async function previewAddress(
  router: Router,
  asked: Destination & { kind: "address" },
  treatment: NameTreatment | undefined,
): Promise<Preview> {
  const route = router.answersDns(asked) ? router.routeDns(asked) : await router.route(asked);
  const { decision, target, failure } = route;
  const known = { destination: route.label, treatment, address: undefined, decision };
  if (decision.action !== "forward") return { ...known, failure: undefined };
  const { type, credentials } = decision.server;
  // SOCKS 4 takes no names, whoever resolves others.
  if (type === "4" && treatment === "server") known.treatment = "libc";
  const client = createClient({ type, credentials, destination: target });
  const problem = failure ?? ("failure" in client ? client.failure : undefined);
  return { ...known, failure: problem && `${wordsOf(problem.code)}: ${problem.detail}` };
}

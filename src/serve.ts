/**
 * `tsocks serve`: the forwarder alone, as a SOCKS 4/4a/5 and HTTP server. With a server configured
 * it goes on through that one; with none it connects directly.
 */

import type { ServeOptions } from "./cli/serve.ts";
import { hasNoWayOut } from "./config/assemble.ts";
import type { Config } from "./config/model.ts";
import type { Context } from "./context.ts";
import { TsocksError } from "./errors.ts";
import { OPEN_ACCESS, secretAccess } from "./io/access.ts";
import { Connector } from "./io/connector.ts";
import { Forwarder } from "./io/forwarder.ts";
import { maxConnections } from "./io/limits.ts";
import { systemLookup, watchHostsFile } from "./io/resolver.ts";
import { createReloader } from "./io/reload.ts";
import { Router } from "./io/router.ts";
import { loadConfig, openLog, readPasswordFile, requireServer } from "./io/settings.ts";
import { untilToldToEnd } from "./io/signals.ts";
import { formatEndpoint, isLoopback, parseIpAddress } from "./net/address.ts";
import type { Access } from "./socks/machine.ts";

/** Serves until it is told to stop; resolves to the exit status. @throws TsocksError */
export async function serve(options: ServeOptions, context: Context): Promise<number> {
  const { env, isPrivileged } = context;
  const access = chooseAccess(options);
  const { debug, debugFile, logFormat: format } = options;
  const { config, warnings, isDirect } = await loadServed(options, context);
  const { log, close: closeLog } = openLog({ debug, debugFile, format, env, isPrivileged });
  if (log.wants(0)) warnings.forEach(context.warn);
  const reload = createReloader({
    ...{ config, log, warn: context.warn },
    load: () => loadServed(options, context, { needsServer: !isDirect }),
    isUdpDirectForGood: false,
  });
  const router = new Router({
    config,
    names: undefined,
    hosts: watchHostsFile(),
    lookup: systemLookup,
    lookupByTcp: () => Promise.resolve(undefined),
    nameservers: () => [],
    maps: new Map(options.maps.map(({ from, ...to }) => [from, to])),
  });
  const connector = new Connector({
    router,
    log,
    timeoutMs: options.connectTimeoutMs,
    maxConnections: maxConnections(),
    answerDns: () => ({
      ok: false,
      failure: { code: "GENERAL_FAILURE", detail: "no name server" },
    }),
  });
  const forwarder = new Forwarder({
    connector,
    log,
    access,
    shim: undefined,
    maxUnheard: maxConnections(),
  });
  try {
    const { hostname, port } = options.listen;
    const bound = await forwarder.listen(hostname, port).catch((error) => {
      throw listenError(options.listen, error);
    });
    const toldToEnd = untilToldToEnd(() => void reload());
    context.print(`listening on ${formatEndpoint(bound.address, bound.port)}`);
    await toldToEnd;
    return 0;
  } finally {
    forwarder.close();
    closeLog();
  }
}

/** Who began with a server does not go direct because its file was emptied. @throws TsocksError */
async function loadServed(
  { conf, servers }: ServeOptions,
  { env, isPrivileged }: Context,
  { needsServer } = { needsServer: false },
) {
  const loaded = await loadConfig({ conf, servers, password: undefined, env, isPrivileged });
  // Programs' own look-ups are `run`'s to answer.
  const served = { ...loaded.config, dns: { mode: "remote" as const, place: undefined } };
  if (needsServer) requireServer(served);
  const isDirect = hasNoWayOut(served);
  return { config: isDirect ? directConfig(served) : served, warnings: loaded.warnings, isDirect };
}

/** A password, or loopback, or `--open`: never an open relay by accident. */
function chooseAccess(options: ServeOptions): Access {
  const { user, passwordFile, listen, isOpen } = options;
  if ((user === undefined) !== (passwordFile === undefined)) {
    throw new TsocksError("USAGE", "--user and --password-file go together", {
      where: "tsocks serve",
      fix: "--user NAME --password-file FILE",
    });
  }
  if (user !== undefined && passwordFile !== undefined) {
    return secretAccess(user, readPasswordFile(passwordFile), { acceptsUserId: false });
  }
  const address = parseIpAddress(listen.hostname);
  const isPrivate = listen.hostname === "localhost" || address !== undefined && isLoopback(address);
  if (isPrivate || isOpen) return OPEN_ACCESS;
  throw new TsocksError("USAGE", "Without a password anyone could use this server", {
    where: `--listen ${listen.hostname}`,
    fix: "--user NAME --password-file FILE, or listen on 127.0.0.1, or say --open",
  });
}

function directConfig(config: Config): Config {
  const place = { kind: "option" as const, name: "tsocks serve without a server" };
  return { ...config, fallback: { isOn: true, place } };
}

function listenError(listen: ServeOptions["listen"], error: unknown): TsocksError {
  return new TsocksError("LISTEN", `Cannot listen: ${(error as { code?: string }).code}`, {
    where: formatEndpoint(listen.hostname, listen.port),
    fix: "choose an address of this machine and a free port",
    cause: error,
  });
}

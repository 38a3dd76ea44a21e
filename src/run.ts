/**
 * `tsocks run`: the life of one run, from the configuration to the child's exit status. Each step
 * is one line; what it does is in the file it names.
 */

import { randomBytes } from "node:crypto";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  childEnvironment,
  type ChildEnvironmentOptions,
  FACE_USER,
} from "./cli/child_environment.ts";
import type { RunOptions } from "./cli/run.ts";
import type { Config } from "./config/model.ts";
import type { Context } from "./context.ts";
import { formatMessage } from "./errors.ts";
import { secretAccess } from "./io/access.ts";
import { createAnswerer } from "./io/answers.ts";
import { runChild, STATUS_NOT_FOUND } from "./io/child.ts";
import { Connector } from "./io/connector.ts";
import { listenControl } from "./io/control.ts";
import { Departures } from "./io/departures.ts";
import { openDnsConnection } from "./io/dns_connection.ts";
import { DnsFaces } from "./io/dns_faces.ts";
import { DnsUpstream } from "./io/dns_upstream.ts";
import { Forwarder } from "./io/forwarder.ts";
import { maxConnections } from "./io/limits.ts";
import { NameServer } from "./io/name_server.ts";
import { PendingConnects } from "./io/pending.ts";
import { checkCoverage, findMistypedVerb } from "./io/preflight.ts";
import { systemLookup, systemReverse, watchHostsFile, watchNameservers } from "./io/resolver.ts";
import { createReloader } from "./io/reload.ts";
import { Router } from "./io/router.ts";
import { candidateDirectories, createRunDirectory, type RunDirectory } from "./io/run_directory.ts";
import {
  loadConfig,
  openLog,
  readPasswordFile,
  requireDnsServer,
  requireServer,
} from "./io/settings.ts";
import { chooseShims } from "./io/shims.ts";
import { reloadAtHangUp, SignalForwarding, untilToldToEnd } from "./io/signals.ts";
import { Peers, Tickets } from "./io/tickets.ts";
import { warmUp } from "./io/warm_up.ts";
import { CoverageWatch } from "./io/watch.ts";
import type { IpAddress } from "./net/address.ts";
import { RUNNABLE } from "./policy/architecture.ts";
import { ReservedNames } from "./policy/reserved_names.ts";
import { CTL_BRAIN_ADDRESSES } from "./shim/control.ts";
import { HOST_ARCH, SHIMS } from "./shim/embedded.ts";

const CLOSING_GRACE_MS = 50;
const CUTTING_GRACE_MS = 1000;
const REMOVAL_ATTEMPTS = 4;
const PREPARE_AFTER_MS = 2;
const LISTEN_ATTEMPTS = 8;
const UDP_OPTION = { kind: "option", name: "--udp" } as const;
const DNS_OPTION = { kind: "option", name: "--dns" } as const;
const DNS_SERVER_OPTION = { kind: "option", name: "--dns-server" } as const;

/** Runs the command; resolves to the exit status. @throws TsocksError before the child starts */
export async function run(options: RunOptions, context: Context): Promise<number> {
  const { env, isPrivileged } = context;
  const mistyped = findMistypedVerb(options, env);
  if (mistyped !== undefined) {
    context.warn(mistyped.format());
    return STATUS_NOT_FOUND;
  }
  const nameservers = watchNameservers();
  // Once: a pipe (`--password-file <(...)`) would be empty the second time.
  const password = options.passwordFile && readPasswordFile(options.passwordFile);
  const load = () => loadRunConfig(options, { ...context, password, nameservers });
  const { config, warnings } = await load();
  const { debug, debugFile, logFormat: format } = options;
  const { log, close: closeLog } = openLog({ debug, debugFile, format, env, isPrivileged });
  if (log.wants(0)) warnings.forEach(context.warn);
  const coverage = { isStrict: options.isStrict, withoutProxyVariables: options.withoutEnv };
  const shims = chooseShims(HOST_ARCH, SHIMS);
  const archs = RUNNABLE[HOST_ARCH].filter((arch) => shims.includes(arch));
  const preflight = checkCoverage(options.command, { env, archs, ...coverage });
  if (preflight.warning !== undefined && log.wants(0)) context.warn(preflight.warning);

  const reload = createReloader({
    ...{ config, load, log, warn: context.warn },
    isUdpDirectForGood: config.udp.isDirect,
  });

  const token = randomBytes(16);
  const secret = token.toString("hex");
  const tickets = new Tickets();
  const peers = new Peers();
  const departures = new Departures();
  const router = new Router({
    config,
    names: new ReservedNames(),
    hosts: watchHostsFile(),
    lookup: systemLookup,
    lookupByTcp: (name, family) => upstream.lookup(name, family),
    nameservers,
    maps: new Map(),
  });
  const timeoutMs = options.connectTimeoutMs;
  const connector: Connector = new Connector({
    router,
    log,
    timeoutMs,
    answerDns: (asker) => {
      const socket = openDnsConnection((message) => nameServer.answer(message, asker));
      return { ok: true, socket, rest: new Uint8Array() };
    },
    maxConnections: maxConnections(),
  });
  const upstream = new DnsUpstream({ config, nameservers, connector, timeoutMs });
  const nameServer = new NameServer({
    router,
    upstream,
    lookup: systemLookup,
    reverse: systemReverse,
    log,
  });
  const faces = new DnsFaces((message, asker) => nameServer.answerDatagram(message, asker));
  const access = secretAccess(FACE_USER, secret, { acceptsUserId: true });
  const forwarder = new Forwarder({
    connector,
    log,
    access,
    shim: { tickets, peers, departures },
    maxUnheard: maxConnections(),
  });
  const signals = new SignalForwarding();
  const stopReloading = reloadAtHangUp(() => void reload());
  const directory = createRunDirectory(
    candidateDirectories(env),
    shims.map((arch) => [arch, Uint8Array.fromBase64(SHIMS[arch]!)]),
  );
  try {
    const ports = await listenOnLoopback(forwarder);
    const pending = new PendingConnects(forwarder.carry.bind(forwarder), ports.v6 !== 0);
    const answer = createAnswerer({
      ...{ connector, router, log, tickets, peers, ports, pending, coverage },
      ...{ nameServer, faces, reload },
    });
    const control = await listenControl(directory.controlPath, { token, answer, log });
    // Neither the child's start nor its first connect waits for this, nor a child that is done at once.
    const preparing = setTimeout(() => {
      pending.open();
      warmUp(directory.controlPath, token);
    }, PREPARE_AFTER_MS);
    const watch = new CoverageWatch({ program: preflight.covered, log, ...directory, ...coverage });
    const end = await runChild(
      options.command,
      childEnvironment({
        base: env,
        config,
        ...directory,
        token: secret,
        ports,
        withoutProxyVariables: options.withoutEnv,
        withoutReexec: options.withoutReexec,
      }),
      signals,
      watch,
    );
    if (end.error !== undefined) context.warn(end.error.format());
    else if (options.linger) await Promise.race([connector.idle(), untilToldToEnd()]);
    clearTimeout(preparing);
    control.close();
    pending.giveUpAbandoned();
    await finishConnections(connector, forwarder);
    pending.close();
    if (watch.error !== undefined) throw watch.error;
    return end.status;
  } finally {
    forwarder.close();
    faces.close();
    if (!await removeDirectory(directory)) {
      log.explain(survivorMessage(dirname(directory.shimPath)));
    }
    closeLog();
    signals.stop();
    stopReloading();
  }
}

/** The file, the command line on top of it, and what a run needs. @throws TsocksError */
async function loadRunConfig(
  options: RunOptions,
  { env, isPrivileged, password, nameservers }: Context & {
    password: string | undefined;
    nameservers: () => IpAddress[];
  },
): Promise<{ config: Config; warnings: string[] }> {
  const { conf, servers, udp, dns, dnsServer } = options;
  const loaded = await loadConfig({ conf, servers, password, env, isPrivileged });
  const { config } = loaded;
  if (udp !== undefined) config.udp = { isDirect: udp === "direct", place: UDP_OPTION };
  if (dns !== undefined) config.dns = { mode: dns, place: DNS_OPTION };
  if (dnsServer !== undefined) config.dnsServer = { ...dnsServer, place: DNS_SERVER_OPTION };
  requireServer(config);
  requireDnsServer(config, nameservers());
  return loaded;
}

/** What was just cut off may need a moment to end. False where something lives on. */
async function removeDirectory(directory: RunDirectory): Promise<boolean> {
  for (let attempt = 0; attempt < REMOVAL_ATTEMPTS; attempt++) {
    if (directory.remove()) return true;
    await delay(CLOSING_GRACE_MS);
  }
  return directory.remove();
}

function survivorMessage(directory: string): string {
  return formatMessage(
    "warning: Programs outlive the command, and connect to nothing from now on",
    `${directory}, which stays so that what they start is covered too`,
    "end them and remove the directory; --linger lets open connections finish",
  );
}

/** What the child had just closed ends by itself, what others still hold is cut; both get their log line. */
async function finishConnections(connector: Connector, forwarder: Forwarder): Promise<void> {
  await Promise.race([connector.idle(), delay(CLOSING_GRACE_MS)]);
  connector.markEnding();
  forwarder.close();
  await Promise.race([connector.idle(), delay(CUTTING_GRACE_MS)]);
}

/** 127.0.0.1 always, ::1 where the machine has it. */
async function listenOnLoopback(forwarder: Forwarder): Promise<ChildEnvironmentOptions["ports"]> {
  const v4 = await listenOnSpareAddresses(forwarder);
  const v6 = await forwarder.listen("::1", 0).then(({ port }) => port, () => 0);
  return { v4, v6 };
}

/**
 * The shim also connects to the addresses behind 127.0.0.1, and must not meet another's listener
 * there: a port that is taken on one of them will not do. Where they do not exist nobody connects.
 */
async function listenOnSpareAddresses(forwarder: Forwarder): Promise<number> {
  const spare = Array.from({ length: CTL_BRAIN_ADDRESSES - 1 }, (_, i) => `127.0.0.${i + 2}`);
  for (let attempt = 1;; attempt++) {
    const { port } = await forwarder.listen("127.0.0.1", 0);
    try {
      await Promise.all(spare.map((address) => forwarder.listen(address, port)));
      return port;
    } catch (error) {
      if ((error as { code?: string }).code !== "EADDRINUSE") return port;
      if (attempt === LISTEN_ATTEMPTS) throw error;
    }
  }
}

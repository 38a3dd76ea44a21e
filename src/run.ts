/**
 * `tsocks run`: the life of one run, from the configuration to the child's exit status. Each step
 * is one line; what it does is in the file it names.
 */

import { randomBytes } from "node:crypto";
import { dirname } from "node:path";
import { setTimeout } from "node:timers/promises";
import {
  childEnvironment,
  type ChildEnvironmentOptions,
  FACE_USER,
} from "./cli/child_environment.ts";
import type { RunOptions } from "./cli/options.ts";
import { formatMessage } from "./errors.ts";
import { secretAccess } from "./io/access.ts";
import { createAnswerer } from "./io/answers.ts";
import { runChild } from "./io/child.ts";
import { Connector } from "./io/connector.ts";
import { listenControl } from "./io/control.ts";
import { Departures } from "./io/departures.ts";
import { Forwarder } from "./io/forwarder.ts";
import { maxConnections } from "./io/limits.ts";
import { PendingConnects } from "./io/pending.ts";
import { checkCoverage } from "./io/preflight.ts";
import { systemLookup, watchHostsFile } from "./io/resolver.ts";
import { Router } from "./io/router.ts";
import { candidateDirectories, createRunDirectory, type RunDirectory } from "./io/run_directory.ts";
import { loadConfig, openLog, readPasswordFile, requireServer } from "./io/settings.ts";
import { chooseShims } from "./io/shims.ts";
import { SignalForwarding, untilToldToEnd } from "./io/signals.ts";
import { Peers, Tickets } from "./io/tickets.ts";
import { CoverageWatch } from "./io/watch.ts";
import { RUNNABLE } from "./policy/architecture.ts";
import { ReservedNames } from "./policy/reserved_names.ts";
import { CTL_FORWARDER_ADDRESSES } from "./shim/control.ts";
import { HOST_ARCH, SHIMS } from "./shim/embedded.ts";

const CLOSING_GRACE_MS = 50;
const CUTTING_GRACE_MS = 1000;
const REMOVAL_ATTEMPTS = 4;
const LISTEN_ATTEMPTS = 4;
const UDP_OPTION = { kind: "option", name: "--udp" } as const;

export interface RunContext {
  env: Record<string, string>;
  isPrivileged: boolean;
  /** Where warnings go: standard error. */
  warn: (message: string) => void;
}

/** Runs the command; resolves to the exit status. @throws TsocksError before the child starts */
export async function run(options: RunOptions, context: RunContext): Promise<number> {
  const { env, isPrivileged } = context;
  const password = options.passwordFile && readPasswordFile(options.passwordFile);
  const { config, warnings } = loadConfig({
    conf: options.conf,
    servers: options.servers,
    password,
    env,
    isPrivileged,
  });
  if (options.udp !== undefined) {
    config.udp = { isDirect: options.udp === "direct", place: UDP_OPTION };
  }
  requireServer(config);
  const { debug, debugFile, logFormat: format } = options;
  const { log, close: closeLog } = openLog({ debug, debugFile, format, env, isPrivileged });
  if (log.wants(0)) warnings.forEach(context.warn);
  const coverage = { isStrict: options.isStrict, withoutProxyVariables: options.withoutEnv };
  const shims = chooseShims(HOST_ARCH, SHIMS);
  const archs = RUNNABLE[HOST_ARCH].filter((arch) => shims.includes(arch));
  const preflight = checkCoverage(options.command, { env, archs, ...coverage });
  if (preflight.warning !== undefined && log.wants(0)) context.warn(preflight.warning);

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
    maps: new Map(),
  });
  const connector = new Connector({
    router,
    log,
    timeoutMs: options.connectTimeoutMs,
    maxConnections: maxConnections(),
  });
  const access = secretAccess(FACE_USER, secret, { acceptsUserId: true });
  const forwarder = new Forwarder({ connector, log, access, shim: { tickets, peers, departures } });
  const signals = new SignalForwarding();
  const directory = createRunDirectory(
    candidateDirectories(env),
    shims.map((arch) => [arch, Uint8Array.fromBase64(SHIMS[arch]!)]),
  );
  try {
    const ports = await listenOnLoopback(forwarder);
    const pending = new PendingConnects(forwarder.carry.bind(forwarder), ports.v6 !== 0);
    const answer = createAnswerer({
      connector,
      router,
      log,
      tickets,
      peers,
      ports,
      pending,
      coverage,
    });
    const control = await listenControl(directory.controlPath, { token, answer, log });
    // Once the child is started, so that neither its start nor its first connect waits for it.
    setImmediate(() => pending.open());
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
    control.close();
    pending.giveUpAbandoned();
    await finishConnections(connector, forwarder);
    pending.close();
    if (watch.error !== undefined) throw watch.error;
    return end.status;
  } finally {
    forwarder.close();
    if (!await removeDirectory(directory)) {
      log.explain(survivorMessage(dirname(directory.shimPath)));
    }
    closeLog();
    signals.stop();
  }
}

/** What was just cut off may need a moment to end. False where something lives on. */
async function removeDirectory(directory: RunDirectory): Promise<boolean> {
  for (let attempt = 0; attempt < REMOVAL_ATTEMPTS; attempt++) {
    if (directory.remove()) return true;
    await setTimeout(CLOSING_GRACE_MS);
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
  await Promise.race([connector.idle(), setTimeout(CLOSING_GRACE_MS)]);
  connector.markEnding();
  forwarder.close();
  await Promise.race([connector.idle(), setTimeout(CUTTING_GRACE_MS)]);
}

/** 127.0.0.1 always, ::1 where the machine has it. */
async function listenOnLoopback(forwarder: Forwarder): Promise<ChildEnvironmentOptions["ports"]> {
  const v4 = await listenOnSpareAddresses(forwarder);
  const v6 = await forwarder.listen("::1", 0).then(({ port }) => port, () => 0);
  return { v4, v6 };
}

/**
 * The shim also connects to the addresses behind 127.0.0.1, and must not meet another's listener
 * there. Where each port fails they do not exist, and nobody can connect to them.
 */
async function listenOnSpareAddresses(forwarder: Forwarder): Promise<number> {
  const spare = Array.from({ length: CTL_FORWARDER_ADDRESSES - 1 }, (_, i) => `127.0.0.${i + 2}`);
  for (let attempt = 1;; attempt++) {
    const { port } = await forwarder.listen("127.0.0.1", 0);
    const listening = spare.map((address) => forwarder.listen(address, port));
    const isAll = await Promise.all(listening).then(() => true, () => false);
    if (isAll || attempt === LISTEN_ATTEMPTS) return port;
  }
}

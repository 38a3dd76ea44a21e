/**
 * argv and environment → exit status. The only file that reads process.argv and process.env, and
 * the only exit.
 */

import { writeSync } from "node:fs";
import process from "node:process";
import { type Invocation, parseCommandLine } from "./cli/command_line.ts";
import type { ServerOption } from "./cli/options.ts";
import type { VerbOptions } from "./cli/verbs.ts";
import { VERSION } from "./cli/version.ts";
import type { Context } from "./context.ts";
import { formatMessage, TsocksError } from "./errors.ts";
import { STATUS_OWN_FAILURE } from "./io/child.ts";
import { hideFromProc, typedSecrets } from "./io/hide_secrets.ts";

async function main(): Promise<number> {
  try {
    return await perform(parseCommandLine(process.argv.slice(2)));
  } catch (error) {
    if (!(error instanceof TsocksError)) throw error;
    warn(error.format());
    return STATUS_OWN_FAILURE;
  }
}

/** What each verb of the table does, loaded when it is asked for: `run` does not pay for the others. */
const ACTIONS: {
  [Name in VerbOptions["verb"]]: () => Promise<Action<Extract<VerbOptions, { verb: Name }>>>;
} = {
  run: async () => (await import("./run.ts")).run,
  serve: async () => (await import("./serve.ts")).serve,
  validateconf: async () => (await import("./verbs/validateconf.ts")).validateconf,
  route: async () => (await import("./verbs/route.ts")).route,
  inspectsocks: async () => (await import("./verbs/inspectsocks.ts")).inspectsocks,
  doctor: async () => (await import("./verbs/doctor.ts")).doctor,
  saveme: async () => (await import("./verbs/saveme.ts")).saveme,
  init: async () => (await import("./verbs/init.ts")).init,
  convert: async () => (await import("./verbs/convert.ts")).convert,
  reload: async () => (await import("./verbs/reload.ts")).reload,
};

type Action<Options> = (options: Options, context: Context) => Promise<number>;

async function perform(invocation: Invocation): Promise<number> {
  switch (invocation.verb) {
    case "help":
      print((await import("./cli/help.ts")).helpText(invocation.topic));
      return 0;
    case "version":
      print(`tsocks ${VERSION}`);
      return 0;
    default: {
      const context = takeContext("servers" in invocation ? invocation.servers : []);
      const act = await ACTIONS[invocation.verb]() as Action<VerbOptions>;
      return await act(invocation, context);
    }
  }
}

/** ps(1), and through /proc the child, would show them. */
function hideSecrets(servers: ServerOption[]): void {
  const isHidden = hideFromProc({
    args: typedSecrets(servers.map(({ url }) => url)),
    env: [process.env.TSOCKS_PASSWORD ?? ""],
  });
  if (isHidden) return;
  const what = "warning: A password stays visible in the process list";
  warn(formatMessage(what, "/proc/self/mem, which cannot be written", "use --password-file"));
}

/** Reads the environment, and then blots the secrets: Deno reads it where we blot. */
function takeContext(servers: ServerOption[]): Context {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined) env[name] = value;
  }
  // environ(7) cannot be trusted to name files for a program with another user's rights.
  const isPrivileged = process.getuid?.() !== process.geteuid?.();
  hideSecrets(servers);
  return { env, isPrivileged, warn, print };
}

function print(line: string): void {
  write(1, line);
}

function warn(message: string): void {
  write(2, message);
}

/** Whoever closed our output or filled its disk does not want to be told. */
function write(fd: number, line: string): void {
  try {
    writeSync(fd, line + "\n");
  } catch {
    // See above.
  }
}

/** A fault of ours must not take the program's other connections with it. */
function reportFault(fault: unknown): void {
  const { message, stack } = fault instanceof Error ? fault : new Error(String(fault));
  warn(formatMessage(`Internal error: ${message}`, stack ?? "unknown", "please report it"));
}

process.on("uncaughtException", reportFault);
process.on("unhandledRejection", reportFault);

process.exit(await main());

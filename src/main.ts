/**
 * argv and environment → exit status. The only file that reads process.argv and process.env, and
 * the only exit.
 */

import { writeSync } from "node:fs";
import process from "node:process";
import { helpText, VERSION } from "./cli/help.ts";
import { type Invocation, parseCommandLine, type ServerOption } from "./cli/options.ts";
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

async function perform(invocation: Invocation): Promise<number> {
  switch (invocation.verb) {
    case "help":
      print(helpText(invocation.topic));
      return 0;
    case "version":
      print(`tsocks ${VERSION}`);
      return 0;
    case "run": {
      const context = takeContext(invocation.servers);
      const { run } = await import("./run.ts");
      return await run(invocation, context);
    }
    case "serve": {
      const context = takeContext(invocation.servers);
      const { serve } = await import("./serve.ts");
      return await serve(invocation, { ...context, print });
    }
    case "init": {
      const { env, isPrivileged } = takeContext(
        invocation.server === undefined ? [] : [{ url: invocation.server, reaches: [] }],
      );
      const { init } = await import("./init.ts");
      return await init(invocation, { env, isPrivileged, print });
    }
    case "reload": {
      const { reload } = await import("./reload.ts");
      return await reload(invocation, { warn });
    }
    case "convert": {
      const { convert } = await import("./convert.ts");
      return convert(invocation, { print, warn });
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
function takeContext(servers: ServerOption[]) {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined) env[name] = value;
  }
  // environ(7) cannot be trusted to name files for a program with another user's rights.
  const isPrivileged = process.getuid?.() !== process.geteuid?.();
  hideSecrets(servers);
  return { env, isPrivileged, warn };
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

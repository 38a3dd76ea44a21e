/**
 * argv and environment → exit status. The only file that reads process.argv and process.env, and
 * the only exit.
 */

import { writeSync } from "node:fs";
import process from "node:process";
import { helpText, VERSION } from "./cli/help.ts";
import { type Invocation, parseCommandLine } from "./cli/options.ts";
import { formatMessage, TsocksError } from "./errors.ts";
import { STATUS_OWN_FAILURE } from "./io/child.ts";
import { hideArguments, typedSecrets } from "./io/hide_argument.ts";

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
      hideArguments(typedSecrets(invocation.servers.map(({ url }) => url)));
      const { run } = await import("./run.ts");
      return await run(invocation, context());
    }
    case "serve": {
      hideArguments(typedSecrets(invocation.servers.map(({ url }) => url)));
      const { serve } = await import("./serve.ts");
      return await serve(invocation, { ...context(), print });
    }
  }
}

function context() {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined) env[name] = value;
  }
  // environ(7) cannot be trusted to name files for a program with another user's rights.
  const isPrivileged = process.getuid?.() !== process.geteuid?.();
  return { env, isPrivileged, warn };
}

function print(line: string): void {
  writeSync(1, line + "\n");
}

function warn(message: string): void {
  writeSync(2, message + "\n");
}

/** A fault of ours must not take the program's other connections with it. */
process.on("uncaughtException", (error) => {
  warn(
    formatMessage(`Internal error: ${error.message}`, error.stack ?? "unknown", "please report it"),
  );
});

process.exit(await main());

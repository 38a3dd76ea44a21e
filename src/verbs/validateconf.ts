/** `tsocks validateconf`: all that is wrong with a configuration, and what it means. Starts and connects nothing. */

import type { ValidateconfOptions } from "../cli/validateconf.ts";
import type { Context } from "../context.ts";
import { TsocksError } from "../errors.ts";
import { watchNameservers } from "../io/resolver.ts";
import { readConfig, readPasswordFile, requireDnsServer, requireServer } from "../io/settings.ts";
import { showConfig } from "../report/config.ts";
import { showDiagnostic } from "../report/diagnostic.ts";
import { showRoute } from "../report/route.ts";
import { countWords } from "../report/table.ts";
import { createRouter, previewRoutes } from "./preview.ts";

const STATUS_INVALID = 1;

/** Resolves to the exit status. */
export async function validateconf(
  options: ValidateconfOptions,
  context: Context,
): Promise<number> {
  try {
    return await check(options, context);
  } catch (error) {
    if (!(error instanceof TsocksError)) throw error;
    context.warn(error.format());
    return STATUS_INVALID;
  }
}

/** @throws TsocksError for what is wrong with the configuration as a whole */
async function check(options: ValidateconfOptions, context: Context): Promise<number> {
  const { print, warn, env, isPrivileged } = context;
  const { conf, servers, passwordFile, to } = options;
  const password = passwordFile && readPasswordFile(passwordFile);
  const { config, diagnostics, file } = await readConfig({
    conf,
    servers,
    password,
    env,
    isPrivileged,
  });
  for (const one of diagnostics) warn(showDiagnostic(one, file?.text));
  const name = file?.filePath ?? "no configuration file";
  const count = (wanted: string) =>
    diagnostics.filter(({ severity }) => severity === wanted).length;
  const [errors, warnings] = [count("error"), count("warning")];
  const warned = warnings === 0 ? "" : `, ${countWords(warnings, "warning")}`;
  if (errors > 0) {
    print(`${name}: ${countWords(errors, "error")}${warned}`);
    return STATUS_INVALID;
  }
  requireServer(config);
  requireDnsServer(config, watchNameservers()());
  print(`${name}: valid${warned}\n\n${showConfig(config)}`);
  if (to === undefined) return 0;
  for (const preview of await previewRoutes(createRouter(config), to)) {
    print(`\n${showRoute(preview)}`);
  }
  return 0;
}

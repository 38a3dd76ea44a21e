/** `tsocks inspectsocks`: what a server speaks. */

import type { InspectsocksOptions } from "../cli/inspectsocks.ts";
import { Credentials } from "../config/model.ts";
import type { Context } from "../context.ts";
import { inspect } from "../io/inspect.ts";
import { localUserName, readPasswordFile } from "../io/settings.ts";
import { showInspection } from "../report/inspection.ts";
import { speaksAny } from "../socks/inspection.ts";

const STATUS_NOT_SOCKS = 1;

/** Resolves to the exit status. @throws TsocksError where the password cannot be read */
export async function inspectsocks(
  options: InspectsocksOptions,
  { env, print }: Context,
): Promise<number> {
  const { hostname, port, passwordFile, timeoutMs } = options;
  const password = passwordFile === undefined
    ? env.TSOCKS_PASSWORD || undefined
    : readPasswordFile(passwordFile);
  const user = options.user || env.TSOCKS_USERNAME || localUserName();
  const inspection = await inspect({
    hostname,
    port,
    credentials: new Credentials(user, password),
    named: options.to ?? { hostname: "localhost", port },
    timeoutMs,
  });
  print(options.isJson ? JSON.stringify(inspection, null, 2) : showInspection(inspection));
  return speaksAny(inspection) ? 0 : STATUS_NOT_SOCKS;
}

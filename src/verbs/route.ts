/** `tsocks route`: where connections would go, and why. Connects to nothing. */

import type { RouteOptions } from "../cli/route.ts";
import type { Context } from "../context.ts";
import { loadConfig, readPasswordFile, requireServer } from "../io/settings.ts";
import { leadsSomewhere, routeJson, showRoute } from "../report/route.ts";
import { createRouter, previewRoutes } from "./preview.ts";

const STATUS_NOWHERE = 1;

/** Resolves to the exit status. @throws TsocksError where there is no valid configuration */
export async function route(options: RouteOptions, context: Context): Promise<number> {
  const { env, isPrivileged, print, warn } = context;
  const { conf, servers, passwordFile } = options;
  const password = passwordFile && readPasswordFile(passwordFile);
  const { config, warnings } = await loadConfig({ conf, servers, password, env, isPrivileged });
  warnings.forEach(warn);
  requireServer(config);
  const router = createRouter(config);
  const found = await Promise.all(options.destinations.map((one) => previewRoutes(router, one)));
  const previews = found.flat();
  if (options.isJson) print(JSON.stringify(previews.map(routeJson), null, 2));
  else print(previews.map(showRoute).join("\n\n"));
  return previews.every(leadsSomewhere) ? 0 : STATUS_NOWHERE;
}

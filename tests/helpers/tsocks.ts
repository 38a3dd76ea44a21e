/** The built binary as a user runs it, with a home directory of its own that must be empty again at the end. */

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Finished, type Running, start, type StartOptions } from "./processes.ts";
import { makeTempDir, type TempDir } from "./temp_dir.ts";

/** `dist/tsocks`, built by `deno task test`. TSOCKS_BINARY names another for one run. */
export const TSOCKS = process.env["TSOCKS_BINARY"] ??
  fileURLToPath(new URL("../../dist/tsocks", import.meta.url));

/** Runs `tsocks ARGS` to its end: HOME and TMPDIR are fresh, the rest of the environment is clean. */
export async function runTsocks(args: string[], options: StartOptions = {}): Promise<Finished> {
  await using home = await makeTempDir();
  await using tsocks = startTsocks(args, home, options);
  return await tsocks.finished;
}

/** Starts it in a home directory of the caller's, who ends it. */
export function startTsocks(args: string[], home: TempDir, options: StartOptions = {}): Running {
  if (!existsSync(TSOCKS)) throw new Error(`No ${TSOCKS}: run deno task compile`);
  const env = { HOME: home.path, TMPDIR: home.path, ...options.env };
  return start(TSOCKS, args, { ...options, env });
}

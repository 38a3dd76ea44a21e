/** `tsocks reload`: tells running ones to read their configuration again. */

import type { ReloadOptions } from "../cli/reload.ts";
import type { Context } from "../context.ts";
import { TsocksError } from "../errors.ts";
import { askToReload, findRunning } from "../io/running.ts";

/** Resolves to the exit status: 1 where one of them keeps its old configuration. @throws TsocksError */
export async function reload({ pid }: ReloadOptions, { warn }: Context): Promise<number> {
  const answers = await Promise.all(findRunning(pid).map(askToReload));
  const heard = answers.filter((answer) => answer !== undefined);
  if (heard.length === 0) {
    throw new TsocksError("USAGE", "No running tsocks of yours was found", {
      where: pid === undefined ? "/proc" : `process ${pid}`,
      fix: "give the number of a tsocks run, or of a program in it; tsocks serve takes kill -HUP",
    });
  }
  const hindrances = heard.filter((answer) => answer !== "");
  hindrances.forEach(warn);
  return hindrances.length === 0 ? 0 : 1;
}

/** `tsocks reload`: its arguments and its help. Pure. */

import { TsocksError } from "../errors.ts";

export interface ReloadVerb {
  verb: "reload";
  pid: number | undefined;
}

export const RELOAD_HELP = `Usage: tsocks reload [PID]

Has your running \`tsocks run\` read its configuration again: the one that is PID or an ancestor of PID,
or all of them. Connections that there are go on. A configuration with errors is told, the old one
stays, and the status is 1.`;

/** @throws TsocksError USAGE */
export function parseReload(argv: string[]): ReloadVerb | { verb: "help"; topic: string } {
  const [word, ...more] = argv;
  if (word === "--help" || word === "-h") return { verb: "help", topic: "reload" };
  const pid = word === undefined ? undefined : Number(word);
  if (more.length === 0 && (pid === undefined || /^[1-9]\d{0,9}$/.test(word!))) {
    return { verb: "reload", pid };
  }
  throw new TsocksError("USAGE", "Not a process number", {
    where: "tsocks reload",
    fix: "tsocks reload [PID]",
  });
}

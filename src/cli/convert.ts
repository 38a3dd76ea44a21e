/** `tsocks convert`: its options and its help. Pure. */

import { parseArgs } from "node:util";
import { TsocksError } from "../errors.ts";

export const SOURCES = ["tsocks", "jsonc", "proxychains", "torsocks"] as const;

export interface ConvertOptions {
  verb: "convert";
  filePath: string;
  /** Undefined: as the file's name and words say. */
  from: (typeof SOURCES)[number] | undefined;
  /** Undefined: the other one of tsocks's own forms, tsocks.conf for a foreign file. */
  to: "conf" | "jsonc" | undefined;
  isLossy: boolean;
}

export const CONVERT_HELP = `Usage: tsocks convert [OPTIONS] FILE

Writes a tsocks.conf, tsocks.jsonc, proxychains.conf or torsocks.conf in another form to standard output.
What cannot be said there is told on standard error; then nothing is written, and the status is 1.

  --to FORM               conf or jsonc (of tsocks.conf jsonc, of all others conf)
  --from KIND             tsocks, jsonc, proxychains or torsocks (by the file's name and content)
  --lossy                 write all the same, with a comment for what is not converted; status 0

Example:
  tsocks convert /etc/proxychains4.conf > ~/.tsocks.conf`;

/** @throws TsocksError USAGE */
export function parseConvert(argv: string[]): ConvertOptions | { verb: "help"; topic: string } {
  const { values, positionals } = readArgs(argv);
  if (values.help === true) return { verb: "help", topic: "convert" };
  const [filePath, ...more] = positionals;
  if (filePath === undefined || more.length > 0) throw usage("One file is needed");
  const from = SOURCES.find((word) => word === values.from);
  const to = (["conf", "jsonc"] as const).find((word) => word === values.to);
  if (from !== values.from) throw usage(`Unknown form "${values.from}" for --from`);
  if (to !== values.to) throw usage(`Unknown form "${values.to}" for --to`);
  return { verb: "convert", filePath, from, to, isLossy: values.lossy === true };
}

function readArgs(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        from: { type: "string" },
        to: { type: "string" },
        lossy: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw usage((error as Error).message.split(/[.\n]/)[0] ?? "Bad option");
  }
}

function usage(what: string): TsocksError {
  const fix = "tsocks convert [--from KIND] [--to conf|jsonc] [--lossy] FILE";
  return new TsocksError("USAGE", what, { where: "tsocks convert", fix });
}

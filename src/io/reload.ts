/**
 * The configuration read again while connections live: those that there are go on as they were
 * decided, the next is decided by the new file. Where that one is not good the old one stays, whole.
 */

import type { Config } from "../config/model.ts";
import { formatPlace, TsocksError } from "../errors.ts";
import { type DecisionLog, UNKNOWN_ASKER } from "./log.ts";

export interface ReloadOptions {
  /** The one in use, which everybody holds: its content is replaced. */
  config: Config;
  /** As at the start, with all its checks. @throws TsocksError */
  load: () => Promise<{ config: Config; warnings: string[] }>;
  /** Programs were told at their start that datagrams go direct, and will not ask. */
  isUdpDirectForGood: boolean;
  log: DecisionLog;
  warn: (message: string) => void;
}

/** Reads the configuration again; resolves to what hinders it, undefined where the new one is in force. */
export function createReloader(options: ReloadOptions): () => Promise<string | undefined> {
  const { log, warn } = options;
  const tell = (text: string, errno?: string) => {
    const entry = { asker: UNKNOWN_ASKER, destination: "-", server: "-", text };
    log.write({ action: "RELOAD", ...entry, ...(errno === undefined ? {} : { errno }) });
  };
  return async () => {
    try {
      const { config, warnings } = await options.load();
      if (options.isUdpDirectForGood && !config.udp.isDirect) throw udpError(config);
      Object.assign(options.config, config);
      if (log.wants(0)) warnings.forEach(warn);
      tell("the configuration was read again");
    } catch (error) {
      if (!(error instanceof TsocksError)) throw error;
      const message = error.format();
      if (log.wants(0)) warn(message);
      tell("the configuration stays as it was", "EINVAL");
      return message;
    }
  };
}

function udpError({ udp: { place } }: Config): TsocksError {
  const what = "Datagrams go direct, and cannot be refused while the command runs";
  return new TsocksError("CONFIG", what, {
    where: place === undefined ? "udp = refuse, the default" : formatPlace(place),
    fix: "write udp = direct, or start the command again",
  });
}

/**
 * Where a configuration file may be, in order; looking is the caller's. A file that was named is the
 * only candidate: another one in its place would send connections elsewhere than was asked.
 * Source: tsocks(8). Its page says TSOCKS_CONFFILE, its code reads TSOCKS_CONF_FILE: both work.
 */

export interface ConfigCandidate {
  filePath: string;
  /** Named by option or variable: then it must exist. */
  isNamed: boolean;
  namedBy?: string;
  /** The other form in the same place: where both exist it is not clear which one is meant. */
  rival?: string;
}

export interface LocateOptions {
  /** The value of `--conf`. */
  confOption?: string | undefined;
  env: {
    TSOCKS_CONF_FILE?: string | undefined;
    TSOCKS_CONFFILE?: string | undefined;
    HOME?: string | undefined;
  };
  /** The real and the effective user differ: then no variable is believed, HOME among them. */
  isPrivileged: boolean;
}

const SYSTEM_FILES = ["/etc/tsocks", "/usr/local/etc/tsocks"];

/** One named file, or the usual places in both forms, first found first. Empty variables count as unset. */
export function configCandidates(options: LocateOptions): ConfigCandidate[] {
  const env = options.isPrivileged ? {} : options.env;
  const named: [string, string | undefined][] = [
    ["--conf", options.confOption],
    ["TSOCKS_CONF_FILE", env.TSOCKS_CONF_FILE || undefined],
    ["TSOCKS_CONFFILE", env.TSOCKS_CONFFILE || undefined],
  ];
  for (const [namedBy, filePath] of named) {
    if (filePath !== undefined) return [{ filePath, isNamed: true, namedBy }];
  }
  const home = env.HOME ? [`${env.HOME}/.tsocks`] : [];
  return [...home, ...SYSTEM_FILES].flatMap((stem) => [
    { filePath: `${stem}.conf`, isNamed: false, rival: `${stem}.jsonc` },
    { filePath: `${stem}.jsonc`, isNamed: false, rival: `${stem}.conf` },
  ]);
}

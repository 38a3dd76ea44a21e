/**
 * The one error type of tsocks and the place a configured thing was written.
 * Callers match `code`, never text; the message is three short lines: what, where, how to mend it.
 */

/** Where something was said: a line of a file, or an option or variable by name. */
export type Place =
  | { kind: "file"; filePath: string; line: number; column: number }
  | { kind: "option"; name: string };

/** `/etc/tsocks.conf:14` or `--server`; one word wherever the file's name is one. */
export function formatPlace(place: Place): string {
  switch (place.kind) {
    case "file":
      return `${place.filePath}:${place.line}`;
    case "option":
      return place.name;
  }
}

export type TsocksErrorCode =
  | "USAGE"
  | "CONFIG"
  | "NO_SERVER"
  | "SHIM"
  | "LISTEN"
  | "UNCOVERED"
  | "LOG"
  | "SPAWN";

/** An expected failure of tsocks itself; its message never holds a secret. */
export class TsocksError extends Error {
  readonly code: TsocksErrorCode;
  readonly where: string;
  readonly fix: string;

  constructor(
    code: TsocksErrorCode,
    what: string,
    options: { where: string; fix: string; cause?: unknown },
  ) {
    super(what, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "TsocksError";
    this.code = code;
    this.where = options.where;
    this.fix = options.fix;
  }

  /** What, where, how to mend it: three lines, no newline at the end. */
  format(): string {
    return formatMessage(this.message, this.where, this.fix);
  }
}

/** The three-line form of every message a user sees; user information of a URL is not in it. */
export function formatMessage(what: string, where: string, fix: string): string {
  return `tsocks: ${what}\n  at ${where}\n  fix: ${fix}`.replace(/\/\/\S*@/g, "//[redacted]@");
}

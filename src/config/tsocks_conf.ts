/**
 * tsocks.conf(5): text in, Config and all its diagnostics out. Every file that tsocks 1.8 accepted
 * keeps its meaning; what it complained about and ignored is an error here, since going on without
 * the line leaks. Grammar in lines.ts, values in settings.ts and rules.ts, contexts in block.ts.
 */

import { type Block, blockWarnings, type FilePlace, newBlock, serverOf } from "./block.ts";
import { type Complaint, fail, type Failed, quoteValue } from "./diagnostic.ts";
import { parseDnsServer } from "./dns_server.ts";
import { emptyConfig } from "./empty_config.ts";
import { type Assignment, type Position, readStatements, type Statement } from "./lines.ts";
import type { Config, Diagnostic, DnsMode, NameRule, NetworkRule } from "./model.ts";
import { parseNameRule, parseNetworkRule } from "./rules.ts";
import { SETTINGS } from "./settings.ts";
import { suggestWord } from "./suggest.ts";

export const DIRECTIVES: readonly string[] = [
  ...SETTINGS.keys(),
  "local",
  "local_name",
  "reaches",
  "reaches_name",
];

/** Debian's fallback is one for the file, wherever it stands; the others have no server. */
export const OF_FILE = new Set(["fallback", "udp", "dns", "dns_server"]);

/**
 * Read a whole file; never throws. `config` is for use only if no diagnostic is an error.
 * A server without `default_user` has the empty user name.
 */
export function parseTsocksConf(
  text: string,
  filePath: string,
): { config: Config; diagnostics: Diagnostic[] } {
  return interpretStatements(readStatements(text), filePath, { isStrict: false });
}

/** What statements mean, whichever form they were written in; `isStrict`: what 1.8 was kind to is an error. */
export function interpretStatements(
  statements: Statement[],
  filePath: string,
  options: { isStrict: boolean },
): { config: Config; diagnostics: Diagnostic[] } {
  const reader = new ConfReader(filePath, options.isStrict);
  for (const statement of statements) reader.take(statement);
  return reader.finish();
}

class ConfReader {
  readonly #filePath: string;
  readonly #isStrict: boolean;
  readonly #config = emptyConfig();
  readonly #diagnostics: Diagnostic[] = [];
  readonly #defaults = newBlock(undefined);
  #path: Block | undefined;

  constructor(filePath: string, isStrict: boolean) {
    this.#filePath = filePath;
    this.#isStrict = isStrict;
  }

  take(statement: Statement): void {
    switch (statement.kind) {
      case "assignment":
        return this.#assign(statement);
      case "open":
        return this.#openPath(this.#placeOf(statement));
      case "close":
        return this.#closePath(this.#placeOf(statement));
      case "malformed":
        return this.#report("error", statement, this.#placeOf(statement));
    }
  }

  finish(): { config: Config; diagnostics: Diagnostic[] } {
    const unclosed = this.#path?.pathPlace;
    if (unclosed !== undefined) {
      const fix = "write '}' alone on the line behind the path's last";
      this.#report("error", { message: "Path is not closed", fix }, unclosed);
    }
    this.#endPath();
    this.#warnAbout(this.#defaults);
    this.#config.defaultServer = serverOf(this.#defaults);
    return { config: this.#config, diagnostics: this.#diagnostics.sort(byPosition) };
  }

  #openPath(place: FilePlace): void {
    if (this.#path !== undefined) {
      const fix = "write '}' before it; paths cannot be nested";
      this.#report("error", { message: "Path inside a path", fix }, place);
      this.#endPath();
    }
    this.#path = newBlock(place);
  }

  #closePath(place: FilePlace): void {
    if (this.#path === undefined) {
      const fix = "remove it, or write 'path {' above it";
      this.#report("error", { message: "'}' without a path", fix }, place);
    }
    this.#endPath();
  }

  #endPath(): void {
    const block = this.#path;
    this.#path = undefined;
    if (block?.pathPlace === undefined) return;
    this.#warnAbout(block);
    const { reaches, reachesNames, pathPlace: place } = block;
    this.#config.paths.push({ server: serverOf(block), reaches, reachesNames, place });
  }

  #assign(item: Assignment): void {
    const block = OF_FILE.has(item.name) ? this.#defaults : this.#path ?? this.#defaults;
    const firstPlace = block.seen.get(item.name);
    if (firstPlace === undefined) block.seen.set(item.name, this.#placeOf(item));
    if (SETTINGS.has(item.name)) return this.#set(block, item, firstPlace);
    switch (item.name) {
      case "local":
      case "local_name":
        return this.#addLocal(item);
      case "reaches":
      case "reaches_name":
        return this.#addReach(block, item);
      default:
        return this.#report("error", unknownDirective(item.name), this.#placeOf(item));
    }
  }

  /** The first wins, as in tsocks 1.8. */
  #set(block: Block, item: Assignment, firstPlace: FilePlace | undefined): void {
    if (firstPlace !== undefined) {
      const message = `Second '${item.name}' is ignored: the first is on line ${firstPlace.line}`;
      return this.#report("warning", { message, fix: "remove one of them" }, this.#placeOf(item));
    }
    const place = this.#valuePlaceOf(item);
    const result = SETTINGS.get(item.name)!(item.value);
    if (!result.ok) return this.#reportValue("error", result, item);
    const severity = this.#isStrict ? "error" : "warning";
    if (result.warning !== undefined) this.#reportValue(severity, result.warning, item);
    block.settings.set(item.name, { value: result.value, place });
    if (item.name === "fallback") this.#config.fallback = { isOn: result.value === "yes", place };
    if (item.name === "udp") this.#config.udp = { isDirect: result.value === "direct", place };
    if (item.name === "dns") this.#config.dns = { mode: result.value as DnsMode, place };
    if (item.name === "dns_server") {
      this.#config.dnsServer = { ...parseDnsServer(result.value)!, place };
    }
  }

  #addLocal(item: Assignment): void {
    if (this.#path !== undefined) {
      const complaint = { message: `'${item.name}' inside a path`, fix: "move it out of the path" };
      return this.#report("error", complaint, this.#placeOf(item));
    }
    this.#addRule(item, this.#config.locals, this.#config.localNames);
  }

  #addReach(block: Block, item: Assignment): void {
    this.#addRule(item, block.reaches, block.reachesNames);
    if (block.pathPlace !== undefined) return;
    const message = `'${item.name}' outside a path is ignored`;
    this.#report("warning", { message, fix: "move it into a path" }, this.#placeOf(item));
  }

  #addRule(item: Assignment, networks: NetworkRule[], names: NameRule[]): void {
    const place = this.#valuePlaceOf(item);
    if (item.name.endsWith("_name")) {
      const result = parseNameRule(item.value, place);
      if (result.ok) names.push(result.rule);
      else this.#reportValue("error", orOtherDirective(item, result), item);
    } else {
      const result = parseNetworkRule(item.value, place);
      if (result.ok) networks.push(result.rule);
      else this.#reportValue("error", orOtherDirective(item, result), item);
    }
  }

  #warnAbout(block: Block): void {
    for (const warning of blockWarnings(block)) this.#report("warning", warning, warning.place);
  }

  #reportValue(severity: Diagnostic["severity"], complaint: Complaint, item: Assignment): void {
    const message = complaint.message + quoteValue(item.value);
    this.#report(severity, { message, fix: complaint.fix }, this.#valuePlaceOf(item));
  }

  #report(severity: Diagnostic["severity"], complaint: Complaint, place: FilePlace): void {
    this.#diagnostics.push({ severity, message: complaint.message, fix: complaint.fix, place });
  }

  #placeOf({ line, column }: Position): FilePlace {
    return { kind: "file", filePath: this.#filePath, line, column };
  }

  #valuePlaceOf(item: Assignment): FilePlace {
    return this.#placeOf(item.valueAt);
  }
}

/** Only a slip of a known word is named, and that word at that: any other may be half a password. */
function unknownDirective(name: string): Failed {
  const meant = suggestWord(name, DIRECTIVES);
  if (meant !== undefined) {
    return fail(`Unknown directive: did you mean '${meant}'`, `write ${meant}`);
  }
  return fail("Unknown directive", `write one of: ${DIRECTIVES.join(", ")}`);
}

/** A name in `local` or `reaches`, or a network in their `_name`: the other directive is meant. */
function orOtherDirective(item: Assignment, complaint: Failed): Complaint {
  const place = { kind: "option", name: "" } as const;
  const isName = item.name.endsWith("_name");
  const other = isName ? item.name.slice(0, -"_name".length) : `${item.name}_name`;
  const fits = isName ? parseNetworkRule(item.value, place) : parseNameRule(item.value, place);
  return fits.ok ? { ...complaint, fix: `write it in ${other}` } : complaint;
}

function byPosition(a: Diagnostic, b: Diagnostic): number {
  if (a.place.kind !== "file" || b.place.kind !== "file") return 0;
  return a.place.line - b.place.line || a.place.column - b.place.column;
}

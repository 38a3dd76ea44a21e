/**
 * tsocks.jsonc: the same configuration as JSON with comments and trailing commas. It becomes the same
 * statements as tsocks.conf, with its own places, and these mean the same; only what is written wrong
 * is judged here. Stricter than tsocks.conf, having no old files to be kind to. No value is quoted
 * before a rule has read it, since it may be a password.
 * Load it only for such a file: the parser costs the start some milliseconds.
 */

import { type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import { type Complaint, fail } from "./diagnostic.ts";
import { FILE_KEYS, LISTS, PATH_KEYS, valueForm, valueText } from "./jsonc_directives.ts";
import type { Position, Statement } from "./lines.ts";
import type { Config, Diagnostic } from "./model.ts";
import { suggestWord } from "./suggest.ts";
import { interpretStatements } from "./tsocks_conf.ts";

/** Read a whole file; never throws. `config` is for use only if no diagnostic is an error. */
export function parseTsocksJsonc(
  text: string,
  filePath: string,
): { config: Config; diagnostics: Diagnostic[] } {
  const statements = new JsoncReader(text.replace(/^\ufeff/, "")).read();
  const { config, diagnostics } = interpretStatements(statements, filePath, { isStrict: true });
  return { config, diagnostics: diagnostics.map((it) => ({ ...it, fix: asJson(it.fix) })) };
}

/** The remedies that both forms share are written as tsocks.conf has it: `server_type = 5`. */
function asJson(fix: string): string {
  return fix.replace(/\b([a-z]+(?:_[a-z]+)*) = ([^\s,]+)/g, (_, key: string, value: string) => {
    const json = /^\d+$/.test(value) ? value : `"${value}"`;
    return `"${key}": ${LISTS.has(key) ? `[${json}]` : json}`;
  });
}

class JsoncReader {
  readonly #text: string;
  readonly #lineStarts: number[];
  readonly #statements: Statement[] = [];

  constructor(text: string) {
    this.#text = text;
    this.#lineStarts = [0, ...text.matchAll(/\r\n|\r|\n/g).map((end) => end.index + end[0].length)];
  }

  read(): Statement[] {
    const errors: ParseError[] = [];
    const root = this.#parse(errors);
    // What else is in a tree with holes would be guesses.
    for (const { error, offset } of errors) {
      this.#complain(SYNTAX[printParseErrorCode(error)] ?? SYNTAX["InvalidSymbol"]!, offset);
    }
    if (errors.length > 0) return this.#statements;
    if (root?.type === "object") this.#readObject(root, FILE_KEYS, PATH_KEYS);
    else this.#complain(fail("File is not a JSON object", "write { ... } around it"), 0);
    return this.#statements;
  }

  #parse(errors: ParseError[]): Node | undefined {
    try {
      return parseTree(this.#text, errors, { allowTrailingComma: true });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      errors.length = 0; // the stack is full
    }
  }

  /** `others` are the keys that would be right in the other context. */
  #readObject(node: Node, keys: string[], others: string[]): void {
    const seen = new Map<string, Node>();
    for (const { children: [keyNode, valueNode] = [] } of node.children ?? []) {
      if (keyNode === undefined || valueNode === undefined) continue;
      const key = String(keyNode.value);
      const first = seen.get(key);
      seen.set(key, keyNode);
      if (!keys.includes(key)) this.#complain(unknownKey(key, keys, others), keyNode.offset);
      else if (first !== undefined) {
        const { line } = this.#positionAt(first.offset);
        const message = `Second '${key}': the first is on line ${line}`;
        this.#complain(fail(message, "remove one of them"), keyNode.offset);
      } else this.#readValue(key, keyNode, valueNode);
    }
  }

  #readValue(key: string, keyNode: Node, node: Node): void {
    if (key === "path") return this.#readPaths(node);
    if (!LISTS.has(key)) return this.#assign(key, keyNode, node);
    if (node.type !== "array") return this.#complainOfType(key, node);
    for (const item of node.children ?? []) this.#assign(key, item, item);
  }

  #readPaths(node: Node): void {
    if (node.type !== "array") return this.#complainOfType("path", node);
    for (const item of node.children ?? []) {
      if (item.type !== "object") {
        this.#complainOfType("path", item);
        continue;
      }
      this.#statements.push({ kind: "open", ...this.#positionAt(item.offset) });
      this.#readObject(item, PATH_KEYS, FILE_KEYS);
      this.#statements.push({ kind: "close", ...this.#positionAt(item.offset + item.length - 1) });
    }
  }

  #assign(key: string, at: Node, node: Node): void {
    const value = valueText(key, node.value);
    if (value === undefined) return this.#complainOfType(key, node);
    const complaint = complainOfText(key, value);
    if (complaint !== undefined) return this.#complain(complaint, node.offset);
    if (key === "$schema") return;
    const valueAt = this.#positionAt(node.offset);
    const position = this.#positionAt(at.offset);
    this.#statements.push({ kind: "assignment", ...position, name: key, value, valueAt });
  }

  #complainOfType(key: string, node: Node): void {
    const message = `'${key}' holds ${TYPE_WORDS[node.type]}`;
    this.#complain(fail(message, valueForm(key)), node.offset);
  }

  #complain({ message, fix }: Complaint, offset: number): void {
    this.#statements.push({ kind: "malformed", ...this.#positionAt(offset), message, fix });
  }

  #positionAt(offset: number): Position {
    const after = this.#lineStarts.findIndex((start) => start > offset);
    const line = after === -1 ? this.#lineStarts.length : after;
    return { line, column: offset - this.#lineStarts[line - 1]! + 1 };
  }
}

const TYPE_WORDS: Record<Node["type"], string> = {
  object: "an object",
  array: "a list",
  property: "a property",
  string: "a string",
  number: "a number that is not allowed here",
  boolean: "true or false",
  null: "null",
};

/** Only a slip of a known word is named, and that word at that: any other may be half a password. */
function unknownKey(key: string, keys: string[], others: string[]): Complaint {
  if (others.includes(key)) {
    const isOfPath = key.startsWith("reaches");
    const where = isOfPath ? "outside" : "inside";
    return fail(`'${key}' ${where} a path`, `move it ${isOfPath ? "into a" : "out of the"} path`);
  }
  const meant = suggestWord(key, keys);
  return meant === undefined
    ? fail("Unknown key", `write one of: ${keys.join(", ")}`)
    : fail(`Unknown key: did you mean '${meant}'`, `write "${meant}"`);
}

function complainOfText(key: string, value: string): Complaint | undefined {
  if (value === "") return fail(`'${key}' is empty`, "leave it out, or give it a value");
  // deno-lint-ignore no-control-regex
  if (!/[\0-\x1f\x7f]/.test(value) && value.isWellFormed()) return undefined;
  return fail(`'${key}' holds a control character or half a character`, "remove it");
}

const SYNTAX: Record<string, Complaint> = {
  InvalidSymbol: fail("Not a word of JSON", 'write "..." around text'),
  InvalidNumberFormat: fail("Invalid number", 'write digits only, or "..." around text'),
  PropertyNameExpected: fail("A key is missing", 'write "KEY": VALUE'),
  ValueExpected: fail("A value is missing", 'write "KEY": VALUE'),
  ColonExpected: fail("A colon is missing", 'write "KEY": VALUE'),
  CommaExpected: fail("A comma is missing", "write , behind what stands before it"),
  CloseBraceExpected: fail("An object is not closed", "write } behind its last key"),
  CloseBracketExpected: fail("A list is not closed", "write ] behind its last value"),
  EndOfFileExpected: fail("Text behind the end of the object", "remove it, or move it into { }"),
  InvalidCommentToken: fail("Invalid comment", "write // or /* */"),
  UnexpectedEndOfComment: fail("A comment is not closed", "write */ at its end"),
  UnexpectedEndOfString: fail("A string is not closed", 'write " at its end'),
  UnexpectedEndOfNumber: fail("Invalid number", "write digits only"),
  InvalidUnicode: fail("Invalid \\u in a string", "write four hexadecimal digits behind it"),
  InvalidEscapeCharacter: fail("Invalid \\ in a string", "write \\\\ for a backslash itself"),
  InvalidCharacter: fail("Control character in a string", "remove it"),
};

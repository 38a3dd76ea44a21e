/**
 * From entries to the text of a tsocks.jsonc. What tsocks.conf repeats (`local`, `path { }`) becomes
 * one list where its first stood, each with the comments above and behind it.
 */

import { LISTS, valueJson } from "../jsonc_directives.ts";
import { OF_FILE } from "../tsocks_conf.ts";
import type { Entry } from "./entries.ts";

/** Comments and blank lines above something, as they are written. */
type Above = string[];

interface Item {
  above: Above;
  value: string | Context;
  behind: string;
}

interface Context {
  keys: Map<string, Item[]>;
  /** What stands above its end. */
  tail: Above;
}

const MAX_LINE_LENGTH = 100;

export function writeJsonc(entries: Entry[]): string {
  const root = newContext();
  let current = root;
  let above: Above = [];
  const take = () => above.splice(0);
  const add = (context: Context, key: string, item: Item) =>
    context.keys.set(key, [...context.keys.get(key) ?? [], item]);
  for (const entry of entries) {
    switch (entry.kind) {
      case "blank":
        above.push("");
        break;
      case "comment":
        above.push(comment(entry.text));
        break;
      case "open":
        current = newContext();
        add(root, "path", { above: take(), value: current, behind: "" });
        if (entry.comment !== undefined) above.push(comment(entry.comment));
        break;
      case "close":
        current.tail = take();
        current = root;
        if (entry.comment !== undefined) above = [comment(entry.comment)];
        break;
      case "assignment": {
        const behind = entry.comment === undefined ? "" : ` ${comment(entry.comment)}`;
        const value = valueJson(entry.name, entry.value);
        // Debian's fallback may stand in a path, and is the file's all the same.
        const context = OF_FILE.has(entry.name) ? root : current;
        add(context, entry.name, { above: take(), value, behind });
      }
    }
  }
  root.tail = take();
  return ["{", ...contextLines(root).map(indent), "}"].join("\n") + "\n";
}

function newContext(): Context {
  return { keys: new Map(), tail: [] };
}

function contextLines({ keys, tail }: Context): string[] {
  const last = keys.size - 1;
  const lines = [...keys].flatMap(([key, items], at) => keyLines(key, items, at < last ? "," : ""));
  return [...lines, ...tail.filter((line) => line !== "")];
}

function keyLines(key: string, items: Item[], comma: string): string[] {
  const { above, value, behind } = items[0]!;
  const head = `${JSON.stringify(key)}: `;
  if (!LISTS.has(key) && key !== "path") return [...above, `${head}${value}${comma}${behind}`];
  const short = `${head}[${items.map((item) => item.value).join(", ")}]${comma}`;
  const isPlain = items.every(({ value }) => typeof value === "string") &&
    items.slice(1).every((item) => item.above.every((line) => line === "")) &&
    items.slice(0, -1).every((item) => item.behind === "");
  if (isPlain && short.length < MAX_LINE_LENGTH) return [...above, short + items.at(-1)!.behind];
  const lines = items.flatMap((item, at) => itemLines(item, at > 0, at < items.length - 1));
  return [...above, `${head}[`, ...lines.map(indent), `]${comma}`];
}

function itemLines({ above, value, behind }: Item, hasAbove: boolean, isFollowed: boolean) {
  const comma = isFollowed ? "," : "";
  const lines = hasAbove ? above.filter((line) => line !== "") : [];
  if (typeof value === "string") return [...lines, value + comma + behind];
  return [...lines, "{", ...contextLines(value).map(indent), `}${comma}`];
}

function indent(line: string): string {
  return line === "" ? "" : `  ${line}`;
}

function comment(text: string): string {
  return `//${text.replace(/[\r\n]/g, " ")}`;
}

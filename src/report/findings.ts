/** Findings for people: one line each, and where and how to mend below what is not in order. Pure. */

import { escapeControls } from "../socks/failure.ts";
import type { Finding } from "../policy/machine.ts";
import { countWords } from "./table.ts";

const WIDTH = 9;

export function showFindings(findings: readonly Finding[]): string {
  const count = (level: Finding["level"]) => findings.filter((one) => one.level === level).length;
  const sum = `${countWords(count("problem"), "problem")}, ${countWords(count("note"), "note")}`;
  return [...findings.map(showFinding), "", sum].join("\n");
}

function showFinding({ level, what, where, fix }: Finding): string {
  const below = [where && `at ${where}`, fix && `fix: ${fix}`].filter((line) => line);
  const lines = [`${level.padEnd(WIDTH)}${what}`, ...below.map((line) => " ".repeat(WIDTH) + line)];
  return lines.map((line) => escapeControls(line!)).join("\n");
}

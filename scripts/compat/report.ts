/** COMPATIBILITY.md: from results to text, and back to what it says of each row. Pure. */

import { nameOf, type Result, type Row } from "./row.ts";

const INTRODUCTION = `# Compatibility

What real programs do under \`tsocks run\`. Each runs where the only way out is a wire to a SOCKS server, without the
proxy variables (\`--no-env\`) unless its row says otherwise. A row **works** where the program's work succeeded, the
SOCKS server was asked for the destination, by its name where the program had one, and no packet went anywhere else: a counter at the far end of
the wire looks at each. Versions are those of Debian's packages.

Repeat it, as root on Debian: \`deno task compat\` (\`deno task compat git ssh\`: some rows; \`--present\`: install nothing).
`;

/** `lines`: what each row is to say, by its name; rows without one are left out. */
export function formatReport(
  rows: Row[],
  lines: Map<string, string[]>,
  machine: string,
): string {
  const known = rows.map((row) => lines.get(nameOf(row))).filter((line) => line !== undefined);
  const count = (word: string) => known.filter(([, , , result]) => result?.startsWith(word)).length;
  const sum = `${count("works")} of ${known.length} work, ${count("fails")} fail, ${
    count("not")
  } were not installed.`;
  const table = [["program", "version", "what was done", "result", "seconds"], Array(5).fill("-")];
  const text = [...table, ...known].map((cells) => `| ${cells.map(escapeCell).join(" | ")} |`).join(
    "\n",
  );
  return `${INTRODUCTION}\n${machine}: ${sum}\n\n${text}\n`;
}

/** A row's cells. */
export function formatLine(row: Row, { verdict, seconds, version, reason }: Result): string[] {
  const result = reason === "" ? verdict : `${verdict}: ${reason}`;
  return [
    row.program,
    version,
    row.action,
    result,
    seconds === undefined ? "" : seconds.toFixed(1),
  ];
}

/** The cells of each row in `report`, by the row's name. */
export function parseReport(report: string): Map<string, string[]> {
  const lines = report.split("\n").filter((line) => /^\| (?!program |-)/.test(line));
  return new Map(lines.map((line) => {
    const cells = line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => unescapeCell(cell.trim()));
    const [program = "", , action = ""] = cells;
    return [nameOf({ program, action }), cells];
  }));
}

/** Whether a row's cells say that it works. */
export function saysWorks(cells: string[] | undefined): boolean {
  return cells?.[3] === "works";
}

/** Markdown's and HTML's own signs are signs here. */
function escapeCell(cell: string): string {
  return cell.replaceAll("|", "\\|").replaceAll("<", "&lt;");
}

function unescapeCell(cell: string): string {
  return cell.replaceAll("\\|", "|").replaceAll("&lt;", "<");
}

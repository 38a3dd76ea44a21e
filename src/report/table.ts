/** Columns for people to read. Pure. */

const GAP = "   ";

/** Each row as a line, its columns aligned, no blanks at the end; cells have no control characters. */
export function alignColumns(rows: readonly (readonly string[])[], indent = "  "): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, at) => widths[at] = Math.max(widths[at] ?? 0, cell.length));
  }
  return rows.map((row) =>
    (indent + row.map((cell, at) => cell.padEnd(widths[at]!)).join(GAP)).trimEnd()
  );
}

/** `1 error`, `2 errors`. */
export function countWords(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** From runs to figures: medians with their spread, the ratio to the best rival, and the table. Pure. */

import type { Measure } from "./measures.ts";

/** What one contender's runs of one measure came to. */
export interface Figure {
  contender: string;
  runs: number[];
  median: number | undefined;
  /** Why runs failed, each reason once. */
  failures: string[];
}

export interface Row {
  measure: Measure;
  figures: Figure[];
  bestRival: string | undefined;
  /** Above 1 ours is better than the best rival, whichever way the unit counts. */
  ratio: number | undefined;
}

export function summarize(contender: string, results: (number | string)[]): Figure {
  const runs = results.filter((result) => typeof result === "number").sort((a, b) => a - b);
  const failures = [...new Set(results.filter((result) => typeof result === "string"))];
  return { contender, runs, median: median(runs), failures };
}

function median(sorted: number[]): number | undefined {
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}

export function makeRow(measure: Measure, figures: Figure[]): Row {
  const ours = figures.find(({ contender }) => contender === "ours")?.median;
  const better = (a: number, b: number) => measure.isMoreBetter ? b - a : a - b;
  const [best] = figures
    .filter(({ contender, median }) =>
      !["direct", "ours"].includes(contender) && median !== undefined
    )
    .sort((a, b) => better(a.median ?? 0, b.median ?? 0));
  if (ours === undefined || best?.median === undefined) {
    return { measure, figures, bestRival: undefined, ratio: undefined };
  }
  const ratio = measure.isMoreBetter ? ours / best.median : best.median / ours;
  return { measure, figures, bestRival: best.contender, ratio };
}

/** One block a measure: a line for each contender, then the ratio. */
export function formatRow({ measure, figures, bestRival, ratio }: Row): string {
  const lines = figures.map(({ contender, runs, median, failures }) => {
    const words = failures.length === 0 ? "" : `  failed: ${failures.join("; ")}`;
    if (median === undefined) return `  ${contender.padEnd(13)}${"-".padStart(10)}${words}`;
    const spread = `${format(runs[0])} to ${format(runs.at(-1))}`;
    return `  ${contender.padEnd(13)}${format(median).padStart(10)}  (${spread})${words}`;
  });
  const verdict = ratio === undefined
    ? "  no ratio"
    : `  ratio to the best rival (${bestRival}): ${ratio.toFixed(2)}`;
  return [`${measure.name}, ${measure.unit}`, ...lines, verdict].join("\n");
}

function format(figure: number | undefined): string {
  return figure === undefined ? "-" : figure.toFixed(figure < 100 ? 2 : 0);
}

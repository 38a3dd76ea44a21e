/** Which known word a mistyped one was meant to be. */

const MAX_DISTANCE = 2;

/** The nearest of `words`, at most two slips away and not wholly different, else undefined. */
export function suggestWord(typed: string, words: readonly string[]): string | undefined {
  // A long text is no slip of a word, and the distance costs length × length.
  if (typed.length > 40) return undefined;
  const lowered = normalize(typed);
  const ranked = words.map((word) => ({ word, distance: editDistance(lowered, normalize(word)) }))
    .filter(({ word, distance }) => distance <= Math.min(MAX_DISTANCE, word.length / 2));
  return ranked.sort((a, b) => a.distance - b.distance)[0]?.word;
}

function normalize(word: string): string {
  return word.toLowerCase().replaceAll("-", "_");
}

/** Levenshtein's: how many letters to insert, delete or replace. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

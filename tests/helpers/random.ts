/** Chance that is the same on every run and every machine. */

/** Returns a function that gives an integer from 0 to `below` - 1: xorshift32, seeded with anything but 0. */
export function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

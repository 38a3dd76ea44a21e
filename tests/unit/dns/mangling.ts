/** Queries of DNS, and a way to spoil messages that is the same on every run. */

/** mulberry32 */
export function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const octets = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const HEADER = "\x12\x34\x01\0\0\x01\0\0\0\0\0";
const QUESTION = "\x05hello\x07example\0\0\x01\0\x01";
export const QUERIES = [
  octets(`${HEADER}\0${QUESTION}`),
  octets(`${HEADER}\x01${QUESTION}\0\0\x29\x10\0\0\0\x80\0\0\0`),
  octets(`${HEADER}\0\x011\x010\x0218\x03198\x07in-addr\x04arpa\0\0\x0c\0\x01`),
  octets(`${HEADER}\0${"\x3f".padEnd(64, "a").repeat(3)}\x3d${"b".repeat(61)}\0\0\x01\0\x01`),
];

/** Some octets changed, and now and then the end cut off or doubled. */
export function mangle(random: (below: number) => number, seed: Uint8Array): Uint8Array {
  const length = random(8) === 0 ? random(seed.length + 1) : seed.length;
  const bytes = random(16) === 0 ? Uint8Array.from([...seed, ...seed]) : seed.slice(0, length);
  for (let changes = random(4); changes > 0 && bytes.length > 0; changes--) {
    bytes[random(bytes.length)] = random(2) === 0 ? random(256) : [0, 0xc0, 0xff, 63][random(4)]!;
  }
  return bytes;
}

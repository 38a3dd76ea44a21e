/**
 * Text that a program gave, and its octets again: UTF-8, and where a name's octets are none, each
 * that is not ASCII as a lone surrogate, U+DC80 to U+DCFF (as Python's surrogateescape), so that a
 * server gets the octets that the program wrote.
 */

const LONE = 0xdc00;

/** The octets of `text`. Lengths on the wire are lengths of this. */
export function encodeText(text: string): Uint8Array {
  const encoder = new TextEncoder();
  if (text.isWellFormed()) return encoder.encode(text);
  return Uint8Array.from(
    Array.from(text, (char) => {
      const code = char.charCodeAt(0);
      const isOctet = char.length === 1 && code >= LONE + 0x80 && code <= LONE + 0xff;
      return isOctet ? [code - LONE] : [...encoder.encode(char)];
    }).flat(),
  );
}

/** Loses nothing: encodeText() gives the octets back. */
export function decodeAnyText(octets: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(octets);
  } catch {
    const codes = Array.from(octets, (octet) => octet < 0x80 ? octet : LONE + octet);
    return String.fromCharCode(...codes);
  }
}

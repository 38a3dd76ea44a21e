/**
 * The numeric texts of inet_aton(3) that are not dotted decimal: `127.1`, `0x7f.1`, `017700000001`.
 * libc reads them as addresses, so they must never be taken for names; nothing else here reads them.
 * Source: POSIX inet_addr(), glibc and musl inet_aton as getaddrinfo(3) uses it (nothing may follow).
 */

/** The four octets that inet_aton(3) reads, or undefined. */
export function readLegacyNumeric(text: string): Uint8Array | undefined {
  const values = text.split(".").map(parsePart);
  const last = values.pop();
  if (last === undefined || values.length > 3) return undefined;
  // The last part fills all octets that are left: 127.1 is 127.0.0.1.
  if (!(last < 256 ** (4 - values.length)) || !values.every((value) => value! <= 255)) {
    return undefined;
  }
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, last);
  values.forEach((value, at) => bytes[at] = value!);
  return bytes;
}

/** True for anything that inet_aton(3) takes, the strict form too. */
export function isLegacyNumeric(text: string): boolean {
  return readLegacyNumeric(text) !== undefined;
}

/** As strtoul(3) with base 0: hexadecimal, octal or decimal. */
function parsePart(part: string): number | undefined {
  if (/^0x[0-9a-f]+$/i.test(part)) return parseInt(part.slice(2), 16);
  if (/^0[0-7]*$/.test(part)) return parseInt(part, 8);
  return /^[1-9][0-9]*$/.test(part) ? parseInt(part, 10) : undefined;
}

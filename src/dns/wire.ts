/**
 * The parts of DNS messages: names as labels, records, words of 16 bits. Every length is checked
 * before it is used, and no pointer is followed. Pure. Source: RFC 1035 §3.1, §3.2.1, §4.1.4.
 */

export const HEADER_LEN = 12;
const MAX_NAME_LEN = 255; // RFC 1035 §2.3.4, with the lengths and the root
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export interface ResourceRecord {
  type: number;
  class: number;
  ttl: number;
  data: Uint8Array;
  end: number;
}

/** NAME TYPE(2) CLASS(2) TTL(4) RDLENGTH(2) RDATA */
export function readRecord(bytes: Uint8Array, at: number): ResourceRecord | undefined {
  const fixed = skipName(bytes, at);
  if (fixed === undefined || fixed + 10 > bytes.length) return undefined;
  const view = viewOf(bytes);
  const start = fixed + 10;
  const end = start + view.getUint16(fixed + 8);
  if (end > bytes.length) return undefined;
  return {
    type: view.getUint16(fixed),
    class: view.getUint16(fixed + 2),
    ttl: view.getUint32(fixed + 4),
    data: bytes.subarray(start, end),
    end,
  };
}

/** `hello.example` → its labels with the root, 1–255 octets; undefined where it does not fit. */
export function encodeName(name: string): Uint8Array | undefined {
  const text = name.endsWith(".") ? name.slice(0, -1) : name;
  const labels = text === "" ? [] : text.split(".").map((label) => new TextEncoder().encode(label));
  if (labels.some((label) => label.length < 1 || label.length > 63)) return undefined;
  const octets = labels.flatMap((label) => [label.length, ...label]);
  return octets.length < MAX_NAME_LEN ? Uint8Array.from([...octets, 0]) : undefined;
}

/** A dot within a label, or what is not UTF-8, is no text that a server can be told. */
export function decodeName(octets: Uint8Array): string | undefined {
  const labels: string[] = [];
  for (let at = 0; octets[at] !== 0; at += 1 + octets[at]!) {
    const label = octets.subarray(at + 1, at + 1 + octets[at]!);
    try {
      labels.push(UTF8.decode(label));
    } catch {
      return undefined;
    }
    if (label.includes(0x2e)) return undefined;
  }
  return labels.join(".");
}

/** Where the name at `at` ends: behind the root, or behind a pointer, which is not followed. */
export function skipName(
  bytes: Uint8Array,
  at: number,
  { mayPoint } = { mayPoint: true },
): number | undefined {
  const start = at;
  for (;;) {
    const length = bytes[at];
    if (length === undefined || at - start >= MAX_NAME_LEN) return undefined;
    if (length === 0) return at + 1;
    if (length >= 0xc0) return mayPoint && at + 1 < bytes.length ? at + 2 : undefined;
    if (length > 63) return undefined;
    at += 1 + length;
  }
}

export function octetsOf(word: number): number[] {
  return [word >> 8 & 255, word & 255];
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** What a file is that has no message in it, from its first bytes, in words. */

const MAGIC: readonly (readonly [readonly number[], string])[] = [
  [[0x1f, 0x8b], 'a gzip archive; unpack it first (gunzip)'],
  [[0x50, 0x4b, 0x03, 0x04], 'a zip archive or office document; unpack it first'],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], 'an xz archive; unpack it first'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'a zstd archive; unpack it first'],
  [[0x42, 0x5a, 0x68], 'a bzip2 archive; unpack it first'],
  [[0x89, 0x50, 0x4e, 0x47], 'a picture (PNG)'],
  [[0xff, 0xd8, 0xff], 'a picture (JPEG)'],
  [[0x25, 0x50, 0x44, 0x46], 'a PDF document'],
  [[0x7f, 0x45, 0x4c, 0x46], 'a program'],
  [[0xd4, 0xc3, 0xb2, 0xa1], 'a network capture (pcap); only the bytes of the serial line can be read'],
  [[0x0a, 0x0d, 0x0d, 0x0a], 'a network capture (pcapng); only the bytes of the serial line can be read'],
];

export interface Sniffed {
  /** The meter protocol that it looks like. */
  readonly protocol?: string;
  readonly words: string;
}

/** `head`: the first bytes of the file; `decoded`: the same with hex text made bytes. */
export function sniff(head: Uint8Array, decoded: Uint8Array = head): Sniffed | undefined {
  if (head.length === 0) return { words: 'it is empty' };
  for (const [magic, words] of MAGIC)
    if (magic.every((byte, i) => head[i] === byte)) return { words: `it is ${words}` };
  const text = latin(decoded);
  if (/^[\s\0]*\/[A-Za-z]{3}[^\r\n]*\r?\n/.test(text) && /\d-\d{1,2}:\d{1,3}\.\d{1,3}\.\d{1,3}\S*\(/.test(text))
    return { protocol: 'P1', words: 'it looks like a P1 telegram' };
  if (
    /(^|[\r\n])\/[A-Za-z]{3}[0-9A-I][^\r\n]*\r?\n/.test(text) ||
    (/[0-9FCLP]{1,3}\.\d{1,2}(\.\d{1,3})?(\*\d+)?\([^)]*\)/.test(text) &&
      (decoded.includes(0x02) || /!|\)\r?\n/.test(text)))
  )
    return { protocol: 'IEC 62056-21', words: 'it looks like an IEC 62056-21 readout (optical port)' };
  if (decoded[0] === 0x68 && decoded[1] === decoded[2] && decoded[3] === 0x68) {
    const ci = decoded[6] ?? 0;
    if (ci >= 0x50) return { protocol: 'M-Bus', words: 'it looks like a wired M-Bus frame' };
  }
  if (head !== decoded && decoded[1] === 0x44 && decoded.length > 10)
    return { protocol: 'wireless M-Bus', words: 'it looks like a wireless M-Bus telegram' };
  if (/^\s*[{[]/.test(latin(head))) return { words: 'it is JSON, not the bytes of a meter' };
  if (/^\s*</.test(latin(head))) return { words: 'it is XML or a web page' };
  if (/^[\t\r\n\x20-\x7e\u00a0-\u00ff]*$/.test(latin(head))) {
    const digits = latin(head).replace(/[^0-9a-fA-F]/g, '').length;
    return {
      words:
        head === decoded
          ? 'it is text, but no hex text of bytes'
          : `it is hex text (${digits} digits at its beginning), but no frame of a meter is in it`,
    };
  }
  return undefined;
}

function latin(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 4096)).toString('latin1');
}

/**
 * PNG (ISO/IEC 15948) of a grey picture with few levels: colour type 0 where the levels are all that a bit depth has (2, 4, 16,
 * 256), else a palette (colour type 3) of just these greys. And the same levels as plain packed bits for screens that decode nothing.
 */
import { crc32, deflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** Bits that hold a level. */
export function bitsOf(greys: number): 1 | 2 | 4 | 8 {
  return greys <= 2 ? 1 : greys <= 4 ? 2 : greys <= 16 ? 4 : 8;
}

/** Levels packed row by row, most significant bits first, each row filled up to a whole byte. */
export function packLevels(levels: Uint8Array, width: number, height: number, bits: 1 | 2 | 4 | 8): Buffer {
  const stride = Math.ceil((width * bits) / 8);
  const packed = Buffer.alloc(stride * height);
  const perByte = 8 / bits;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const at = y * stride + Math.floor(x / perByte);
      packed[at] = (packed[at] as number) | ((levels[y * width + x] as number) << (8 - bits - (x % perByte) * bits));
    }
  return packed;
}

function chunk(type: string, data: Buffer): Buffer {
  const whole = Buffer.alloc(12 + data.length);
  whole.writeUInt32BE(data.length, 0);
  whole.write(type, 4, 'latin1');
  data.copy(whole, 8);
  whole.writeUInt32BE(crc32(whole.subarray(4, 8 + data.length)), 8 + data.length);
  return whole;
}

export function encodePng(levels: Uint8Array, width: number, height: number, greys: number): Buffer {
  const bits = bitsOf(greys);
  const full = greys === 1 << bits;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = bits;
  header[9] = full ? 0 : 3;
  const packed = packLevels(levels, width, height, bits);
  const stride = packed.length / height;
  const rows = Buffer.alloc((stride + 1) * height);
  for (let y = 0; y < height; y++) packed.copy(rows, y * (stride + 1) + 1, y * stride, (y + 1) * stride);
  const palette = Buffer.alloc(full ? 0 : greys * 3);
  for (let i = 0; i < palette.length; i++) palette[i] = Math.round((Math.floor(i / 3) * 255) / (greys - 1));
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    ...(full ? [] : [chunk('PLTE', palette)]),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

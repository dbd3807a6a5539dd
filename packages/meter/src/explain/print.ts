/** Explained bytes for a terminal: offset, bytes, what they are. */
import { toHex } from '@amiable/bytes';
import type { Layer } from './layers.ts';

/** Bytes that a line shows. */
const SHOWN = 16;

/** Each field with its bytes, in order; of a long field the beginning. Ends with a line end. */
export function layersText(layers: readonly Layer[]): string {
  const lines: string[] = [];
  for (const layer of layers) {
    lines.push(`${layer.name}, ${layer.bytes.length} bytes`);
    for (const { offset, length, path, text } of layer.fields) {
      const shown = toHex(layer.bytes.subarray(offset, offset + Math.min(length, SHOWN)), ' ');
      lines.push(
        `${String(offset).padStart(5)}  ${`${shown}${length > SHOWN ? ' …' : ''}`.padEnd(50)} ${path}: ${text}`,
      );
    }
  }
  return `${lines.join('\n')}\n`;
}

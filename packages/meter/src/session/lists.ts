/** Lists of attributes in requests that fit into what the server takes. */
import type { AttributeDescriptor } from '@amiable/dlms';
import type { SessionOptions } from './types.ts';

/** Tag, choice, invoke id, number of elements. */
const HEAD = 8;
/** Class, logical name, attribute, and whether there is a selection; with one, its selector. */
const ELEMENT = 11;
/** Security header, tag, system titles and lengths of the longest common form. */
const PROTECTION = 64;
const SIGNATURE = 160;
/** Servers bound the length of lists, and say so by refusing the whole. */
const MOST = 64;

export function chunksThatFit(
  attributes: readonly AttributeDescriptor[],
  maxPduSize: number,
  { security }: Pick<SessionOptions, 'security'>,
): AttributeDescriptor[][] {
  const protection = (security ? PROTECTION : 0) + (security?.send?.signed ? SIGNATURE : 0);
  const room = maxPduSize === 0 ? Number.POSITIVE_INFINITY : maxPduSize - HEAD - protection;
  const chunks: AttributeDescriptor[][] = [];
  let chunk: AttributeDescriptor[] = [];
  let size = 0;
  for (const attribute of attributes) {
    const own = ELEMENT + (attribute.access?.parameters.length ?? 0);
    if (chunk.length === MOST || (chunk.length > 0 && size + own > room)) {
      chunks.push(chunk);
      chunk = [];
      size = 0;
    }
    chunk.push(attribute);
    size += own;
  }
  if (chunk.length > 0) chunks.push(chunk);
  return chunks;
}

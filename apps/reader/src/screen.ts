/** Messages in the form that stdout wants; bytes explained where asked for. */
import { toHex } from '@amiable/bytes';
import type { KeyRing } from '@amiable/dlms';
import { nodeCrypto } from '@amiable/io';
import { type Message, messageToJson } from '@amiable/model';
import type { OutputForm } from './options.ts';
import { messageText } from './text.ts';
import { messageThesis } from './thesis.ts';

export function printed(m: Message, form: OutputForm, { raw, mac }: { raw: boolean; mac: string }): string {
  switch (form) {
    case 'none':
      return '';
    case 'text':
      return messageText(m, { raw });
    case 'json':
      return `${messageToJson(m, { raw })}\n`;
    case 'thesis':
      return `${messageThesis(m, mac)}\n`;
  }
}

/** Each field with its bytes, in order; long fields are cut. */
export async function explained(m: Message, keys: KeyRing): Promise<string> {
  if (!m.raw) return '';
  const { explainHan } = await import('@amiable/meter');
  const lines: string[] = [];
  for (const layer of explainHan(m.raw, { keys, crypto: nodeCrypto })) {
    lines.push(`${layer.name}, ${layer.bytes.length} bytes`);
    for (const { offset, length, path, text } of layer.fields) {
      const shown = toHex(layer.bytes.subarray(offset, offset + Math.min(length, 16)), ' ');
      lines.push(`${String(offset).padStart(5)}  ${`${shown}${length > 16 ? ' …' : ''}`.padEnd(50)} ${path}: ${text}`);
    }
  }
  return `${lines.join('\n')}\n\n`;
}

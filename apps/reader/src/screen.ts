/** Messages in the form that stdout wants; bytes explained where asked for. */
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

/** Each field with its bytes, in order. */
export async function explained(m: Message, keys: KeyRing): Promise<string> {
  if (!m.raw) return '';
  const { explainMessage, layersText } = await import('@amiable/meter');
  return `${layersText(explainMessage(m.raw, { protocol: m.protocol, keys, crypto: nodeCrypto }))}\n`;
}

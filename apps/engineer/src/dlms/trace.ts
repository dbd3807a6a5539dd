/**
 * `--trace`: every APDU of a session on stderr, both ways, byte by byte or as XML-like text; ciphered ones with what is
 * inside of them.
 */
import { DecodeError } from '@amiable/bytes';
import { apduText, excerpt } from '@amiable/dlms';
import { nodeCrypto } from '@amiable/io';
import {
  type ExplainedPart,
  type ExplainKeys,
  explainConversation,
  layersText,
  type SessionTrace,
} from '@amiable/meter';
import type { SecuritySettings } from './settings.ts';

export function createTrace(
  form: 'bytes' | 'xml',
  security: SecuritySettings | undefined,
  write: (text: string) => void,
): (trace: SessionTrace) => void {
  const conversation = explainConversation({
    kind: 'apdu',
    ...(security && { keys: keysOf(security), crypto: nodeCrypto }),
  });
  // What the session itself opened needs no keys any more.
  const opened = explainConversation({ kind: 'apdu' });
  return ({ direction, time, apdu, plain }) => {
    const stamp = new Date(time).toISOString().slice(11, 23);
    const arrow = direction === 'out' ? '→' : '←';
    const parts = conversation.add(apdu, direction);
    const inside =
      plain && !same(plain, apdu) && !parts.some((part) => part.layers.length > 1) ? opened.add(plain, direction) : [];
    for (const part of parts) {
      const title = [part.title, ...inside.map((p) => p.title)].join(': ');
      write(`${stamp} ${arrow} ${title}\n${part.hint && inside.length === 0 ? `   ${part.hint}\n` : ''}`);
      if (form === 'xml') write(xml(apdu, plain, part));
      else
        write(
          `${layersText([...part.layers, ...inside.flatMap((p) => p.layers.map((l) => ({ ...l, name: 'deciphered' })))])}\n`,
        );
    }
  };
}

/** As it went over the line, and the plain one where it was ciphered. */
function xml(apdu: Uint8Array, plain: Uint8Array | undefined, part: ExplainedPart): string {
  const wire = textOf(apdu);
  const within = plain && !same(plain, apdu) ? textOf(plain) : part.text;
  return within === undefined || within === wire ? `${wire}\n\n` : `${wire}\n<!-- plain -->\n${within}\n\n`;
}

function textOf(apdu: Uint8Array): string {
  try {
    return apduText(apdu);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return `<!-- ${error.message}: ${excerpt(apdu)} -->`;
  }
}

const same = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i]);

function keysOf({ keys, title, meterTitle }: SecuritySettings): ExplainKeys {
  return {
    unicast: keys.unicast,
    authentication: keys.authentication,
    ...(keys.master && { master: keys.master }),
    clientSystemTitle: title,
    ...(meterTitle && { serverSystemTitle: meterTitle }),
  };
}

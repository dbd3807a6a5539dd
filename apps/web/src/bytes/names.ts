/** Layers are named in English by what explains them; those known here are named in the reader's language. */
import type { Key, Translate } from '../i18n/index.tsx';

const LAYERS: Readonly<Record<string, Key>> = {
  'on the wire': 'layerWire',
  'as given': 'layerGiven',
  joined: 'layerJoined',
  'joined from segments': 'layerJoined',
  'joined from blocks': 'layerBlocks',
  'value joined from blocks': 'layerValue',
  'without check sums': 'layerBare',
  deciphered: 'layerPlain',
  'user-information, deciphered': 'layerUser',
};

export function layerText(t: Translate, name: string): string {
  const key = LAYERS[name];
  return key ? t(key) : name;
}

/**
 * The simulator's lists are the real ones: a frame captured from a meter, taken apart to its values and put together again
 * by the simulator's encoder, is the same bytes.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fromHex, Reader, toHex } from '@amiable/bytes';
import { type Data, decodeApdu, decodeDateTime } from '@amiable/dlms';
import { decodeFrame } from '@amiable/hdlc';
import { describe, expect, test } from 'vitest';
import { KAIFA_CAPTURE } from '../src/han/captured.ts';
import { encodeList, encodeNotification } from '../src/han/encode.ts';
import {
  AIDON_SE,
  aidonLists,
  KAIFA_SE,
  kaifaLists,
  kamstrupLists,
  type Layout,
  type WireValue,
} from '../src/han/lists.ts';

const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes);
const isCode = (d: Data | undefined): boolean => d?.type === 'octet-string' && d.value.length === 6;

/** The values of a list in the order of a layout's fields. */
function valuesOf(body: Data, layout: Layout): WireValue[] {
  if (body.type !== 'structure' && body.type !== 'array') throw new Error('no list');
  const single: Data[] = [];
  for (let i = 0; i < body.value.length; i++) {
    const data = body.value[i] as Data;
    if (layout.style === 'bare') single.push(data);
    else if (layout.style === 'described') {
      if (data.type !== 'structure') throw new Error('no structure');
      single.push(data.value[1] as Data);
    } else if (isCode(data) || data.type === 'null-data') single.push(body.value[++i] as Data);
    else single.push(data);
  }
  return single.map((data, i): WireValue => {
    const { wire } = layout.fields[i] ?? { wire: 'null' };
    if (data.type === 'null-data') return undefined;
    if (data.type === 'octet-string' || data.type === 'visible-string')
      return wire === 'clock' ? decodeDateTime(new Reader(data.value)) : text(data.value);
    return 'value' in data ? (data.value as number) : undefined;
  });
}

function again(frame: Uint8Array, layout: Layout): Uint8Array {
  const apdu = decodeApdu(decodeFrame(frame).info.subarray(3));
  if (apdu.type !== 'data-notification') throw new Error('no notification');
  return encodeList(layout, valuesOf(apdu.body, layout), apdu.dateTime);
}

const CASES: readonly (readonly [name: string, layout: Layout])[] = [
  ['amshan_hdlc_7e_in_info_kaifa_list1', kaifaLists(true)[1]],
  ['amsreader_Kaifa-TN-3p_1', kaifaLists(true)[1]],
  ['amshan_kaifa_no_list_2', kaifaLists(true)[2]],
  ['amshan_kaifa_se_list', KAIFA_SE],
  ['amshan_aidon_no_list_1', aidonLists('it')[1]],
  ['amshan_aidon_no_list_3', aidonLists('it')[3]],
  ['amshan_aidon_se_list', AIDON_SE],
  ['amshan_kamstrup_no_list_1_three_phase', kamstrupLists(true)[2]],
  ['amshan_kamstrup_se_list_real_sample', kamstrupLists(true)[2]],
  ['amsreader_Kamstrup-1p_2', kamstrupLists(false)[2]],
  ['amshan_kamstrup_no_list_2_single_phase_real_sample', kamstrupLists(false)[3]],
];

const root = fileURLToPath(new URL('../../../', import.meta.url));
const folders = [`${root}vectors/han/`, `${root}../shared/data/han/`];
const find = (name: string): string | undefined =>
  folders.map((folder) => `${folder}${name}.hex`).find((file) => existsSync(file));

describe('a captured frame encodes to its own bytes', () => {
  for (const [name, layout] of CASES) {
    const file = find(name);
    test.skipIf(!file)(name, () => {
      const frame = fromHex(readFileSync(file as string, 'utf8'));
      expect(toHex(again(frame, layout))).toBe(toHex(frame));
    });
  }

  test('every list of the capture that the replay house plays', () => {
    for (const { list, apdu } of KAIFA_CAPTURE) {
      const layout = kaifaLists(true)[list];
      const decoded = decodeApdu(apdu);
      if (decoded.type !== 'data-notification') throw new Error('no notification');
      const out = encodeNotification(layout, valuesOf(decoded.body, layout), decoded.dateTime);
      expect(toHex(out)).toBe(toHex(apdu));
    }
  });
});

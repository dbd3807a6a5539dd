/**
 * The header of a data record (EN 13757-3 clause 6.3 and 6.4): DIF, DIFEs, VIF, plain-text unit and VIFEs, and what they mean together.
 *
 * Decides: at most ten DIFEs and ten VIFEs, as the standard says. Leaves out: the data behind it (layout.ts, read.ts).
 */
import { DecodeError } from '@amiable/bytes';
import type { MbusFunction } from './types.ts';
import { type Meaning, plainTextMeaning, vifMeaning } from './vif.ts';
import { type Combined, combine, nameOf } from './vife.ts';

export interface RecordHead extends Combined {
  readonly function: MbusFunction;
  readonly storage: number;
  readonly tariff: number;
  readonly subunit: number;
  readonly dif: number;
  readonly difes: readonly number[];
  readonly vif: number;
  readonly vifes: readonly number[];
  readonly name: string;
  /** Date and time of the telegram: VIF 6D or 6C without qualifier. */
  readonly isTimePoint: boolean;
  /** First octet behind the header. */
  readonly end: number;
}

const FUNCTIONS: readonly MbusFunction[] = ['instantaneous', 'maximum', 'minimum', 'error'];
export const MAX_EXTENSIONS = 10;
/** No meter stores more values than this; larger numbers are noise. */
const MAX_STORAGE = 1_000_000;

const EXTENSION = 0x80;

function cut(what: string, at: number): DecodeError {
  return new DecodeError('truncated', `the record ends in its ${what}`, at);
}

/** Reads the header whose DIF is bytes[at] (no special function). @throws DecodeError */
export function readHead(bytes: Uint8Array, at: number, end: number): RecordHead {
  let pos = at;
  const dif = bytes[pos++] as number;
  let storage = (dif >> 6) & 1;
  let tariff = 0;
  let subunit = 0;
  const difes: number[] = [];
  for (let more = dif & EXTENSION; more !== 0; ) {
    if (difes.length === MAX_EXTENSIONS)
      throw new DecodeError('difes', `a record has at most ${MAX_EXTENSIONS} DIFEs`, pos);
    if (pos >= end) throw cut('DIFEs', pos);
    const dife = bytes[pos++] as number;
    const n = difes.length;
    storage += (dife & 0x0f) * 2 ** (4 * n + 1);
    tariff += ((dife >> 4) & 3) * 4 ** n;
    subunit += ((dife >> 6) & 1) * 2 ** n;
    difes.push(dife);
    more = dife & EXTENSION;
  }
  if (storage > MAX_STORAGE || tariff > MAX_STORAGE)
    throw new DecodeError('limit', `storage number ${storage} or tariff ${tariff} is beyond any meter`, at);

  if (pos >= end) throw cut('VIF', pos);
  const vif = bytes[pos++] as number;
  let meaning: Meaning;
  let text: string | undefined;
  if ((vif & 0x7f) === 0x7c) {
    if (pos >= end) throw cut('plain-text unit', pos);
    const length = bytes[pos++] as number;
    if (length > end - pos)
      throw new DecodeError(
        'truncated',
        `a plain-text unit of ${length} characters, ${end - pos} octets are left`,
        pos,
      );
    text = '';
    for (let i = length - 1; i >= 0; i--) text += String.fromCharCode(bytes[pos + i] as number);
    pos += length;
  }
  const vifes: number[] = [];
  for (let more = vif & EXTENSION; more !== 0; ) {
    if (vifes.length === MAX_EXTENSIONS)
      throw new DecodeError('vifes', `a record has at most ${MAX_EXTENSIONS} VIFEs`, pos);
    if (pos >= end) throw cut('VIFEs', pos);
    const vife = bytes[pos++] as number;
    vifes.push(vife);
    more = vife & EXTENSION;
  }
  let from = 0;
  if (text !== undefined) meaning = plainTextMeaning(text);
  else if (vif === 0xfb && vifes.length > 0) meaning = vifMeaning('FB', vifes[from++] as number);
  else if (vif === 0xfd && vifes.length > 1 && vifes[0] === 0xfd) {
    meaning = vifMeaning('FDFD', vifes[1] as number);
    from = 2;
  } else if (vif === 0xfd && vifes.length > 0) meaning = vifMeaning('FD', vifes[from++] as number);
  else meaning = vifMeaning('primary', vif);
  const combined = combine(meaning, vifes, from, vif === 0xff);
  return {
    ...combined,
    function: FUNCTIONS[(dif >> 4) & 3] as MbusFunction,
    storage,
    tariff,
    subunit,
    dif,
    difes,
    vif,
    vifes,
    name: nameOf(combined.quantity),
    isTimePoint: vif === 0x6d || vif === 0x6c,
    end: pos,
  };
}

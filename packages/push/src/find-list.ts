/** Finds the table entry of a list, by its layout first and its version text last. */
import type { BytesType, Data } from '@amiable/dlms';
import type { Body, Element } from './elements.ts';
import { LISTS, type ListDef, type Match } from './lists.ts';
import { octetsText } from './text.ts';

export interface Found {
  readonly def: ListDef | undefined;
  /** The element whose text was looked at to tell lists apart: its bytes are part of the layout. */
  readonly version: Element | undefined;
}

const VERSION = /^\d+-\d+:0\.2\.129$/;

type Text = Data & { readonly type: BytesType; readonly value: Uint8Array };

export function isText(data: Data): data is Text {
  return data.type === 'octet-string' || data.type === 'visible-string' || data.type === 'utf8-string';
}

const isNumber = (data: Data): boolean =>
  'value' in data && (typeof data.value === 'number' || typeof data.value === 'bigint');

/** Everything but the version. */
function layoutMatches(match: Match, body: Body, dated: boolean): boolean {
  const { elements } = body;
  if (match.form !== undefined && match.form !== body.form) return false;
  if (match.count !== undefined && match.count !== elements.length) return false;
  if (match.dated !== undefined && match.dated !== dated) return false;
  if (match.first?.some((code, i) => code !== (elements[i]?.obis ?? '-') || elements[i] === undefined)) return false;
  if (match.types?.some((type, i) => elements[i]?.data.type !== type)) return false;
  if (match.described === undefined) return true;
  return match.described === elements.every((e) => e.unit !== undefined || !isNumber(e.data));
}

export function findList(body: Body, dated: boolean): Found {
  const coded = body.elements.find((e) => e.obis !== undefined && VERSION.test(e.obis));
  const first = body.elements[0];
  const version = coded ?? (first && first.obis === undefined ? first : undefined);
  const text = version && isText(version.data) ? octetsText(version.data.value) : undefined;
  let looked = false;
  for (const def of LISTS) {
    if (!layoutMatches(def.match, body, dated)) continue;
    if (def.match.version === undefined) return { def, version: looked ? version : undefined };
    if (text === undefined) continue;
    looked = true;
    if (text.startsWith(def.match.version)) return { def, version };
  }
  return { def: undefined, version: looked ? version : undefined };
}

/** All APDUs of IEC 62056-5-3 in one table, found by type, by their first bytes, and by the name of their text form. */
import { DecodeError, type Reader } from '@amiable/bytes';
import { ACSE } from './acse.ts';
import { GENERAL } from './general.ts';
import { ERRORS, INITIATE } from './initiate.ts';
import { NOTIFICATIONS } from './notification.ts';
import type { ApduSchema } from './registry.ts';
import { ACCESS, ACTION, GET, SET } from './services.ts';
import { SHORT_NAMES } from './short-names.ts';
import type { ApduType } from './types.ts';

/** All but the service-specific ciphered APDUs, which are one type with many tags. */
export const SCHEMAS: readonly ApduSchema[] = [
  ...GET,
  ...SET,
  ...ACTION,
  ...ACCESS,
  ...SHORT_NAMES,
  ...NOTIFICATIONS,
  ...ERRORS,
  ...INITIATE,
  ...ACSE,
  ...GENERAL,
];

const BY_TYPE = new Map<ApduType, ApduSchema>(SCHEMAS.map((schema) => [schema.type, schema]));
const BY_ELEMENT = new Map<string, ApduSchema>(SCHEMAS.map((schema) => [schema.element, schema]));
const BY_TAG = new Map<number, ApduSchema[]>();
for (const schema of SCHEMAS) BY_TAG.set(schema.tag, [...(BY_TAG.get(schema.tag) ?? []), schema]);

export const schemaOfType = (type: ApduType): ApduSchema | undefined => BY_TYPE.get(type);
export const schemaOfElement = (name: string): ApduSchema | undefined => BY_ELEMENT.get(name);

/** Reads tag and choice; undefined when no APDU of the standard has this tag. @throws DecodeError `apdu`, `truncated` */
export function readSchema(reader: Reader): ApduSchema | undefined {
  const rows = BY_TAG.get(reader.u8('APDU tag'));
  const only = rows?.[0];
  if (!rows || !only || only.choice === undefined) return only;
  const at = reader.pos;
  const choice = reader.u8('APDU choice');
  const row = rows.find((r) => r.choice === choice);
  if (!row) throw new DecodeError('apdu', `${only.outer} has no choice ${choice}`, at);
  return row;
}

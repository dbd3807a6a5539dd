/**
 * What every byte of an APDU is. Works on broken APDUs too: what was understood before the fault is told, then the fault
 * and the bytes that follow it. Fields do not overlap and leave no byte out; APDUs inside APDUs are told the same way.
 */
import { DecodeError, type Field } from '@amiable/bytes';
import { Explainer } from './apdu/explainer.ts';
import { cipheredService } from './apdu/general.ts';
import { readSchema } from './apdu/table.ts';
import { serviceOfCiphered } from './apdu/tags.ts';
import { Budget, DEFAULT_LIMITS } from './data-types.ts';
import { explainData } from './explain-data.ts';

/** Fields of an APDU, in the order of its bytes. Never throws. */
export function explainApdu(bytes: Uint8Array): Field[] {
  const out = new Explainer(bytes, explainNested);
  try {
    explainNested(out, '');
    if (out.reader.remaining > 0) out.take('rest', out.reader.remaining, 'bytes behind the end of the APDU');
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const from = out.covered;
    out.fields.push({ path: 'fault', offset: from, length: bytes.length - from, text: error.message });
  }
  return out.fields;
}

/** Fields of one A-XDR value with its tag (`value/…`), as `explainApdu` gives those of an APDU. Never throws. */
export function explainValue(bytes: Uint8Array): Field[] {
  const out = new Explainer(bytes, explainNested);
  try {
    explainData(out, 'value');
    if (out.reader.remaining > 0) out.take('rest', out.reader.remaining, 'bytes behind the end of the value');
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const from = out.covered;
    out.fields.push({ path: 'fault', offset: from, length: bytes.length - from, text: error.message });
  }
  return out.fields;
}

/** Explains the APDU at the reader; `outer` is the path of what it stands in. */
function explainNested(out: Explainer, outer: string): void {
  const { reader } = out;
  const start = reader.pos;
  const prefix = outer === '' ? '' : `${outer}/`;
  const budget = new Budget(DEFAULT_LIMITS);
  const schema = readSchema(reader);
  if (schema) {
    out.add(`${prefix}${schema.path}/tag`, start, titleOf(schema.type));
    schema.node.explain(out, `${prefix}${schema.path}`, budget);
    return;
  }
  const tag = reader.buf[start] as number;
  const service = serviceOfCiphered(tag);
  if (!service)
    throw new DecodeError('apdu', `no APDU has the tag ${tag.toString(16).padStart(2, '0').toUpperCase()}`, start);
  out.add(`${prefix}ciphered/tag`, start, titleOf(`${service.key}-${service.service}`));
  cipheredService.explain(out, `${prefix}ciphered`, budget);
}

/** `get-request-normal` to `Get-Request-Normal`, as the standard writes it. */
const titleOf = (type: string): string =>
  type.length === 4 ? type.toUpperCase() : type.replace(/(^|-)[a-z]/g, (c) => c.toUpperCase());

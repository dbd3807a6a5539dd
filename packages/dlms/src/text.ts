/**
 * APDUs as XML-like text, as the translators of DLMS show them, and back.
 *
 * Decides: elements are called as the standard calls the fields; header fields are hex, results are the standard's words,
 * values as in data-text.ts. APDUs inside APDUs (user-information, signed content) are shown as such when they would come
 * back as the same bytes, else as hex. Whatever is shown comes back: bytes that encodeApdu would write are the same again.
 */
import { DecodeError, MisuseError } from '@amiable/bytes';
import { decodeApdu, encodeApdu } from './apdu/codec.ts';
import { cipheredService } from './apdu/general.ts';
import { pascal, type TextContext } from './apdu/node.ts';
import { schemaOfElement, schemaOfType } from './apdu/table.ts';
import { CIPHERED_TAGS, serviceOfCiphered } from './apdu/tags.ts';
import type { Apdu } from './apdu/types.ts';
import { element, parseXml, type XmlElement, xmlText } from './xml.ts';

const MAX_NESTING = 8;

/**
 * The text of an APDU.
 * @throws DecodeError when the bytes are none
 */
export function apduText(apdu: Apdu | Uint8Array): string {
  return xmlText(elementOf(apdu instanceof Uint8Array ? decodeApdu(apdu) : apdu, 0));
}

/** The bytes of an APDU given as text. @throws DecodeError `text`, `hex`: what is wrong with the text */
export function apduFromText(text: string): Uint8Array {
  const root = parseXml(text);
  try {
    return encodeApdu(apduOf(root, 0));
  } catch (error) {
    // A number in the text that does not fit its field is a fault of the text, not of the program.
    if (error instanceof MisuseError) throw new DecodeError('text', error.message, 0);
    throw error;
  }
}

/** `glo_GetRequest`, as the translators write it. */
const cipheredElement = (key: 'glo' | 'ded', service: string): string => `${key}_${pascal(service)}`;

const CIPHERED = new Map(
  CIPHERED_TAGS.flatMap(({ service, glo, ded }) => [
    [cipheredElement('glo', service), glo] as const,
    [cipheredElement('ded', service), ded] as const,
  ]),
);

function contextAt(depth: number): TextContext {
  return {
    element: (bytes) => nestedElement(bytes, depth + 1),
    apdu: (from) => encodeApdu(apduOf(from, depth + 1)),
  };
}

function nestedElement(bytes: Uint8Array, depth: number): XmlElement | undefined {
  if (depth > MAX_NESTING || bytes.length === 0) return undefined;
  try {
    const found = elementOf(decodeApdu(bytes), depth);
    const again = encodeApdu(apduOf(found, depth));
    return again.length === bytes.length && again.every((b, i) => b === bytes[i]) ? found : undefined;
  } catch (error) {
    if (error instanceof DecodeError || error instanceof MisuseError) return undefined;
    throw error;
  }
}

function elementOf(apdu: Apdu, depth: number): XmlElement {
  const context = contextAt(depth);
  if (apdu.type === 'ciphered') {
    const service = serviceOfCiphered(apdu.tag);
    if (!service) throw new MisuseError(`no ciphered service has the tag ${apdu.tag}`);
    const root = element(cipheredElement(service.key, service.service));
    cipheredService.write(root, apdu, context);
    return root;
  }
  const schema = schemaOfType(apdu.type);
  if (!schema) throw new MisuseError(`there is no APDU ${apdu.type}`);
  const root = element(schema.element);
  schema.node.write(root, apdu, context);
  return schema.outer === undefined ? root : { name: schema.outer, attributes: {}, children: [root] };
}

function apduOf(root: XmlElement, depth: number): Apdu {
  if (depth > MAX_NESTING) throw new DecodeError('limit', 'APDUs nest too deep', 0);
  const context = contextAt(depth);
  const tag = CIPHERED.get(root.name);
  if (tag !== undefined) return { type: 'ciphered', tag, ...cipheredService.read(root, context) };
  const inner = schemaOfElement(root.name) ? root : root.children[0];
  const schema = inner && schemaOfElement(inner.name);
  if (!schema || (inner !== root && schema.outer !== root.name))
    throw new DecodeError('text', `<${root.name}> is no APDU`, 0);
  return { type: schema.type, ...(schema.node.read(inner, context) as object) } as Apdu;
}

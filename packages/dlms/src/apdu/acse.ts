/**
 * ACSE: AARQ, AARE, RLRQ, RLRE (ISO/IEC 8650-1 as IEC 62056-5-3 clauses 6.2, 6.3 and annex A use it).
 *
 * Decides: names of application contexts and mechanisms are the last arc of 2.16.756.5.8.1 and .2; other object
 * identifiers are kept as they are, so that a server can refuse them in the words of the standard. Leaves out: what is
 * in user-information (initiate.ts), which comes plain or ciphered.
 */
import { DecodeError, fromHex, MisuseError, type Reader } from '@amiable/bytes';
import { berFields, bits, field, integer, lengthed, maybe, rest, restApdu, tagged } from './ber.ts';
import { upperHex } from './explainer.ts';
import { attributeValue, bytesText, leaf, type Node, type Words } from './node.ts';
import { service } from './registry.ts';
import {
  ACSE_PROVIDER_DIAGNOSTIC,
  ACSE_USER_DIAGNOSTIC,
  APPLICATION_CONTEXT,
  ASSOCIATION_RESULT,
  MECHANISM_NAME,
  RELEASE_REQUEST_REASON,
  RELEASE_RESPONSE_REASON,
} from './results.ts';
import { mapped } from './schema.ts';
import { APDU } from './tags.ts';
import type { Aare, Aarq, AuthenticationForm } from './types.ts';

const OCTET_STRING = 0x04;
const INTEGER = 0x02;
const OID = 0x06;

const octets = tagged(OCTET_STRING, rest);
const number = tagged(INTEGER, integer);
const userInformation = tagged(OCTET_STRING, restApdu);

/** 2.16.756.5.8, the arc of DLMS; `kind` 1 names contexts, 2 mechanisms. */
const PREFIX = [0x60, 0x85, 0x74, 0x05, 0x08];
const lastArc = (oid: Uint8Array, kind: 1 | 2): number | undefined =>
  oid.length === 7 && PREFIX.every((b, i) => oid[i] === b) && oid[5] === kind && (oid[6] as number) < 0x80
    ? oid[6]
    : undefined;
function oidOf(kind: 1 | 2, arc: number): Uint8Array {
  if (!Number.isInteger(arc) || arc < 0 || arc > 127) throw new MisuseError(`${arc} is no arc of a name`);
  return Uint8Array.from([...PREFIX, kind, arc]);
}

/** Contents of an OBJECT IDENTIFIER; DLMS's own are told in words. */
const name = (kind: 1 | 2, words: Words): Node<Uint8Array> =>
  leaf({
    decode: (reader) => reader.bytes(reader.remaining),
    encode(writer, value) {
      writer.bytes(value);
    },
    text(value) {
      const arc = lastArc(value, kind);
      return (arc === undefined ? undefined : words[arc]) ?? upperHex(value);
    },
    parse(text) {
      const known = Object.entries(words).find(([, word]) => word === text);
      return known ? oidOf(kind, Number(known[0])) : fromHex(text);
    },
    describe(value, label) {
      const arc = lastArc(value, kind);
      if (arc === undefined) return `${label} ${upperHex(value)}, not one of DLMS`;
      return `${label} 2.16.756.5.8.${kind}.${arc}, ${words[arc] ?? 'not known'}`;
    },
  });
const contextName = tagged(OID, name(1, APPLICATION_CONTEXT));
const mechanismName = name(2, MECHANISM_NAME);

/** The one bit of the authentication functional unit. */
const requirements: Node<boolean> = mapped(
  bits,
  (value) => value.startsWith('1'),
  (value) => (value ? '1' : '0'),
);

interface Authentication {
  readonly value: Uint8Array;
  readonly form?: AuthenticationForm;
}
const FORMS: readonly (readonly [tag: number, form: AuthenticationForm | undefined])[] = [
  [0x80, undefined],
  [0x81, 'bit-string'],
  [0xa2, 'external'],
  [0xa3, 'other'],
];

/** Authentication-value: a charstring, or one of three forms that hardly anybody uses. */
const authentication: Node<Authentication> = {
  decode(reader, budget) {
    const at = reader.pos;
    const found = FORMS.find(([tag]) => tag === reader.peek());
    if (!found) throw new DecodeError('choice', 'no authentication value has this tag', at);
    const value = tagged(found[0], rest).decode(reader, budget);
    return found[1] ? { value, form: found[1] } : { value };
  },
  encode(writer, { value, form }) {
    const found = FORMS.find(([, of]) => of === form);
    if (!found) throw new MisuseError(`${form} is no form of an authentication value`);
    tagged(found[0], rest).encode(writer, value);
  },
  explain(out, path, budget) {
    const found = FORMS.find(([tag]) => tag === out.reader.peek());
    if (!found) throw new DecodeError('choice', 'no authentication value has this tag', out.reader.pos);
    const secret = leaf<Uint8Array>({
      ...rest,
      decode: (reader) => reader.bytes(reader.remaining),
      text: upperHex,
      parse: (text) => fromHex(text),
      describe: (value, label) => `${label} (${found[1] ?? 'charstring'}) ${bytesText(value)}`,
    });
    tagged(found[0], secret).explain(out, path, budget);
  },
  write(into, { value, form }) {
    into.attributes.Value = upperHex(value);
    if (form) into.attributes.Form = form;
  },
  read(from) {
    const value = fromHex(attributeValue(from));
    const { Form: form } = from.attributes;
    if (form === undefined) return { value };
    if (!FORMS.some(([, of]) => of === form)) throw new DecodeError('text', `${form} is no form`, 0);
    return { value, form: form as AuthenticationForm };
  },
};

/** An INTEGER with words. */
const coded = (words: Words): Node<number> => ({
  ...integer,
  explain(out, path, budget) {
    const at = out.reader.pos;
    const value = integer.decode(out.reader, budget);
    out.add(path, at, `${words[value] ?? 'not a value of the standard'} (${value})`);
  },
  write(into, value) {
    into.attributes.Value = words[value] ?? String(value);
  },
  read(from, context) {
    const known = Object.entries(words).find(([, word]) => word === from.attributes.Value);
    return known ? Number(known[0]) : integer.read(from, context);
  },
});

interface Diagnostic {
  readonly source: 'user' | 'provider';
  readonly code: number;
}
const SOURCES = [
  { tag: 0xa1, source: 'user', node: tagged(0xa1, tagged(INTEGER, coded(ACSE_USER_DIAGNOSTIC))) },
  { tag: 0xa2, source: 'provider', node: tagged(0xa2, tagged(INTEGER, coded(ACSE_PROVIDER_DIAGNOSTIC))) },
] as const;

const diagnostic: Node<Diagnostic> = {
  decode(reader, budget) {
    const row = SOURCES.find((r) => r.tag === reader.peek());
    if (!row) throw new DecodeError('choice', 'no diagnostic has this tag', reader.pos);
    return { source: row.source, code: row.node.decode(reader, budget) };
  },
  encode(writer, { source, code }) {
    SOURCES[source === 'user' ? 0 : 1].node.encode(writer, code);
  },
  explain(out, path, budget) {
    const row = SOURCES.find((r) => r.tag === out.reader.peek());
    if (!row) throw new DecodeError('choice', 'no diagnostic has this tag', out.reader.pos);
    row.node.explain(out, `${path}/acse-service-${row.source}`, budget);
  },
  write(into, { source, code }, context) {
    const child = { name: source === 'user' ? 'ACSEServiceUser' : 'ACSEServiceProvider', attributes: {}, children: [] };
    SOURCES[source === 'user' ? 0 : 1].node.write(child, code, context);
    into.children.push(child);
  },
  read(from, context) {
    const child = from.children[0];
    const row = child?.name === 'ACSEServiceUser' ? SOURCES[0] : SOURCES[1];
    if (!child) throw new DecodeError('text', `<${from.name}> is empty`, 0);
    return { source: row.source, code: row.node.read(child, context) };
  },
};

const aarqFields = berFields({
  protocolVersion: maybe(0x80, 'ProtocolVersion', bits),
  contextName: field(0xa1, 'ApplicationContextName', contextName),
  calledApTitle: maybe(0xa2, 'CalledAPTitle', octets),
  calledAeQualifier: maybe(0xa3, 'CalledAEQualifier', octets),
  calledApInvocationId: maybe(0xa4, 'CalledAPInvocationId', number),
  calledAeInvocationId: maybe(0xa5, 'CalledAEInvocationId', number),
  callingApTitle: maybe(0xa6, 'CallingAPTitle', octets),
  callingAeQualifier: maybe(0xa7, 'CallingAEQualifier', octets),
  callingApInvocationId: maybe(0xa8, 'CallingAPInvocationId', number),
  callingAeInvocationId: maybe(0xa9, 'CallingAEInvocationId', number),
  senderAcseRequirements: maybe(0x8a, 'SenderACSERequirements', requirements),
  mechanismName: maybe(0x8b, 'MechanismName', mechanismName),
  authentication: maybe(0xac, 'CallingAuthenticationValue', authentication),
  implementationInformation: maybe(0x9d, 'ImplementationInformation', rest),
  userInformation: maybe(0xbe, 'UserInformation', userInformation),
});

const aareFields = berFields({
  protocolVersion: maybe(0x80, 'ProtocolVersion', bits),
  contextName: field(0xa1, 'ApplicationContextName', contextName),
  result: field(0xa2, 'AssociationResult', tagged(INTEGER, coded(ASSOCIATION_RESULT))),
  resultSourceDiagnostic: field(0xa3, 'ResultSourceDiagnostic', diagnostic),
  respondingApTitle: maybe(0xa4, 'RespondingAPTitle', octets),
  respondingAeQualifier: maybe(0xa5, 'RespondingAEQualifier', octets),
  respondingApInvocationId: maybe(0xa6, 'RespondingAPInvocationId', number),
  respondingAeInvocationId: maybe(0xa7, 'RespondingAEInvocationId', number),
  responderAcseRequirements: maybe(0x88, 'ResponderACSERequirements', requirements),
  mechanismName: maybe(0x89, 'MechanismName', mechanismName),
  authentication: maybe(0xaa, 'RespondingAuthenticationValue', authentication),
  implementationInformation: maybe(0x9d, 'ImplementationInformation', rest),
  userInformation: maybe(0xbe, 'UserInformation', userInformation),
});

interface Names {
  readonly applicationContext: number;
  readonly applicationContextName?: Uint8Array;
  readonly mechanism?: number;
  readonly mechanismName?: Uint8Array;
}

function namesOf(context: Uint8Array, mechanism: Uint8Array | undefined): Names {
  const contextArc = lastArc(context, 1);
  const mechanismArc = mechanism && lastArc(mechanism, 2);
  return {
    ...(contextArc ? { applicationContext: contextArc } : { applicationContext: 0, applicationContextName: context }),
    ...(mechanismArc !== undefined ? { mechanism: mechanismArc } : mechanism ? { mechanismName: mechanism } : {}),
  };
}

function namesTo(names: Names): { contextName: Uint8Array; mechanismName?: Uint8Array } {
  const { applicationContext, applicationContextName, mechanism, mechanismName } = names;
  if (applicationContext === 0 && !applicationContextName)
    throw new MisuseError('application context 0 needs its applicationContextName');
  const mechanismOid = mechanism === undefined ? mechanismName : oidOf(2, mechanism);
  return {
    contextName: applicationContext === 0 ? (applicationContextName as Uint8Array) : oidOf(1, applicationContext),
    ...(mechanismOid ? { mechanismName: mechanismOid } : {}),
  };
}

const aarq = mapped<ReturnType<typeof aarqFields.decode>, Omit<Aarq, 'type'>>(
  aarqFields,
  ({ contextName, mechanismName, authentication, ...same }) => ({
    ...same,
    ...namesOf(contextName, mechanismName),
    ...(authentication ? { callingAuthenticationValue: authentication.value } : {}),
    ...(authentication?.form ? { callingAuthenticationForm: authentication.form } : {}),
  }),
  ({ callingAuthenticationValue: value, callingAuthenticationForm: form, mechanismName: oid, ...same }) => ({
    ...same,
    ...namesTo({ ...same, ...(oid ? { mechanismName: oid } : {}) }),
    ...(value ? { authentication: form ? { value, form } : { value } } : {}),
  }),
);

const aare = mapped<ReturnType<typeof aareFields.decode>, Omit<Aare, 'type'>>(
  aareFields,
  ({ contextName, mechanismName, authentication, ...same }) => ({
    ...same,
    ...namesOf(contextName, mechanismName),
    ...(authentication ? { respondingAuthenticationValue: authentication.value } : {}),
    ...(authentication?.form ? { respondingAuthenticationForm: authentication.form } : {}),
  }),
  ({ respondingAuthenticationValue: value, respondingAuthenticationForm: form, mechanismName: oid, ...same }) => ({
    ...same,
    ...namesTo({ ...same, ...(oid ? { mechanismName: oid } : {}) }),
    ...(value ? { authentication: form ? { value, form } : { value } } : {}),
  }),
);

interface Release {
  readonly reason?: number;
  readonly userInformation?: Uint8Array;
}

/**
 * RLRQ and RLRE. Widespread servers count the lengths of APDU and user-information too short; as nothing but the end of
 * the association hangs on them, such an APDU is read by what is in it: an octet-string that ends with the APDU, or (one
 * client) `01 02 03` before the reason.
 */
function release(reasons: Words): Node<Release> {
  const strict = lengthed<Release>(
    berFields({
      reason: maybe(0x80, 'Reason', coded(reasons)),
      userInformation: maybe(0xbe, 'UserInformation', userInformation),
    }),
  );
  return {
    ...strict,
    decode(reader, budget) {
      const counted = reader.remaining > 0 && reader.peek() === reader.remaining - 1;
      return (counted ? undefined : miscounted(reader)) ?? strict.decode(reader, budget);
    },
  };
}

/** Undefined, and nothing read, when it is none of the forms that are met. */
function miscounted(reader: Reader): Release | undefined {
  const b = reader.buf.subarray(reader.pos, reader.end);
  const reason = b[1] === 0x80 && b[2] === 0x01 ? b[3] : undefined;
  const at = reason === undefined ? 1 : 4;
  let found: Release | undefined;
  if (b[at] === 0xbe && b[at + 2] === OCTET_STRING && b[at + 3] === b.length - at - 4)
    found = { ...(reason === undefined ? {} : { reason }), userInformation: b.subarray(at + 4) };
  else if (b.length === 6 && b[1] === 2 && b[2] === 3 && b[3] === 0x80 && b[4] === 1)
    found = { reason: b[5] as number };
  if (found) reader.pos = reader.end;
  return found;
}

export const ACSE = [
  service('aarq', APDU.aarq, undefined, lengthed(aarq), { element: 'AARQ' }),
  service('aare', APDU.aare, undefined, lengthed(aare), { element: 'AARE' }),
  service('rlrq', APDU.rlrq, undefined, release(RELEASE_REQUEST_REASON), { element: 'RLRQ' }),
  service('rlre', APDU.rlre, undefined, release(RELEASE_RESPONSE_REASON), { element: 'RLRE' }),
];

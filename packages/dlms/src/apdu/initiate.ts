/**
 * Initiate, and the errors of services (IEC 62056-5-3 clause 6.4 and annex A).
 *
 * The conformance block stands in a BER envelope, `5F 1F 04 00` and three bytes; the older `5F 04 00` is read too.
 */
import { DecodeError, MisuseError, type Reader } from '@amiable/bytes';
import { CONFORMANCE, type ConformanceBit, conformance, conformanceNames } from '../conformance.ts';
import { enumeration, hexNumber, leaf, type Node, named, octetString, uint } from './node.ts';
import { int8 } from './parts.ts';
import { service } from './registry.ts';
import { CONFIRMED_SERVICE, SERVICE_ERROR, SERVICE_EXCEPTION, STATE_ERROR } from './results.ts';
import { optional, sequence } from './schema.ts';
import { APDU } from './tags.ts';

/** BOOLEAN DEFAULT TRUE: one byte 00 for the default. */
const responseAllowed = leaf<boolean>({
  decode: (reader) => reader.u8() === 0 || reader.u8() !== 0,
  encode(writer, value) {
    if (value) writer.u8(0);
    else writer.u8(1).u8(0);
  },
  text: (value) => (value ? '01' : '00'),
  parse: (text) => hexNumber(text) !== 0,
  describe: (value) => (value ? 'a response is allowed' : 'no response is allowed'),
});

function decodeConformance(reader: Reader): number {
  const at = reader.pos;
  const tag = reader.u8('conformance');
  const short = reader.peek() === 0x04;
  if (tag !== 0x5f || (!short && reader.u8() !== 0x1f) || reader.u8() !== 0x04 || reader.u8() !== 0)
    throw new DecodeError('value', 'a conformance block was expected', at);
  return reader.u24('conformance');
}

const conformanceLeaf = leaf<number>({
  decode: decodeConformance,
  encode(writer, value) {
    if (!Number.isInteger(value) || value < 0 || value > 0xffffff)
      throw new MisuseError(`${value} is no conformance block`);
    writer.u32(0x5f1f0400).u24(value);
  },
  text: (value) => value.toString(16).toUpperCase().padStart(6, '0'),
  parse: hexNumber,
  describe: (value) => conformanceNames(value).join(', ') || 'nothing',
});
const conformanceBlock: Node<number> = {
  ...conformanceLeaf,
  explain(out, path, budget) {
    const start = out.reader.pos;
    decodeConformance(out.reader);
    const after = out.reader.pos;
    out.reader.pos = start;
    out.take(`${path}/tag`, after - start - 3, 'conformance block, 24 bits');
    const at = out.reader.pos;
    out.reader.pos = start;
    const value = conformanceLeaf.decode(out.reader, budget);
    out.add(path, at, conformanceNames(value).join(', ') || 'nothing');
  },
  write(into, value, context) {
    conformanceLeaf.write(into, value, context);
    for (const bit of conformanceNames(value))
      into.children.push({ name: 'ConformanceBit', attributes: { Name: bit }, children: [] });
  },
  read(from, context) {
    if (from.attributes.Value !== undefined) return conformanceLeaf.read(from, context);
    const names = from.children.map((c) => c.attributes.Name ?? '');
    const unknown = names.find((name) => !(name in CONFORMANCE));
    if (unknown !== undefined) throw new DecodeError('text', `${unknown} is no bit of the conformance block`, 0);
    return conformance(...(names as ConformanceBit[]));
  },
};

const vaaName = uint(2, (v) =>
  v === 0x0007 ? 'logical names (0007)' : v === 0xfa00 ? 'short names (FA00)' : `VAA name ${v.toString(16)}`,
);

export const INITIATE = [
  service(
    'initiate-request',
    APDU.initiateRequest,
    undefined,
    sequence({
      dedicatedKey: optional(octetString()),
      responseAllowed,
      qualityOfService: optional(named('ProposedQualityOfService', int8)),
      version: named('ProposedDlmsVersionNumber', uint(1)),
      conformance: named('ProposedConformance', conformanceBlock),
      maxPduSize: named('ClientMaxReceivePduSize', uint(2)),
    }),
  ),
  service(
    'initiate-response',
    APDU.initiateResponse,
    undefined,
    sequence({
      qualityOfService: optional(named('NegotiatedQualityOfService', int8)),
      version: named('NegotiatedDlmsVersionNumber', uint(1)),
      conformance: named('NegotiatedConformance', conformanceBlock),
      maxPduSize: named('ServerMaxReceivePduSize', uint(2)),
      vaaName,
    }),
  ),
];

interface ServiceError {
  readonly choice: number;
  readonly value: number;
}

/** ServiceError: a choice of enumerations, each byte by byte. */
const serviceError: Node<ServiceError> = {
  decode: (reader) => ({ choice: reader.u8('service error'), value: reader.u8('service error') }),
  encode(writer, { choice, value }) {
    writer.u8(choice).u8(value);
  },
  explain(out, path) {
    const choice = out.reader.peek();
    const known = SERVICE_ERROR[choice];
    out.take(`${path}/choice`, 1, known?.name ?? `choice ${choice}`);
    const value = out.reader.peek();
    out.take(path, 1, `${known?.values[value] ?? 'not a value of the standard'} (${value})`);
  },
  write(into, { choice, value }) {
    const known = SERVICE_ERROR[choice];
    into.attributes.Choice = known?.name ?? String(choice);
    into.attributes.Value = known?.values[value] ?? String(value);
  },
  read(from) {
    const { Choice = '', Value = '' } = from.attributes;
    const choice = Object.entries(SERVICE_ERROR).find(([, { name }]) => name === Choice)?.[0] ?? Choice;
    const words = Object.entries(SERVICE_ERROR[Number(choice)]?.values ?? {});
    const value = words.find(([, word]) => word === Value)?.[0] ?? Value;
    if (!/^\d{1,3}$/.test(choice) || !/^\d{1,3}$/.test(value))
      throw new DecodeError('text', `${Choice} ${Value} is no service error`, 0);
    return { choice: Number(choice), value: Number(value) };
  },
};

/** Six carries the counter that the server would accept; meters of older editions leave it out. */
const INVOCATION_COUNTER_ERROR = 6;
const exceptionHead = sequence({ stateError: enumeration(STATE_ERROR), serviceError: enumeration(SERVICE_EXCEPTION) });
const counter = uint(4);
interface Exception {
  readonly stateError: number;
  readonly serviceError: number;
  readonly invocationCounter?: number;
}

const exception: Node<Exception> = {
  decode(reader, budget) {
    const head = exceptionHead.decode(reader, budget);
    if (head.serviceError !== INVOCATION_COUNTER_ERROR || reader.remaining === 0) return head;
    return { ...head, invocationCounter: counter.decode(reader, budget) };
  },
  encode(writer, value) {
    exceptionHead.encode(writer, value);
    if (value.invocationCounter === undefined) return;
    if (value.serviceError !== INVOCATION_COUNTER_ERROR)
      throw new MisuseError('only an invocation-counter-error tells a counter');
    counter.encode(writer, value.invocationCounter);
  },
  explain(out, path, budget) {
    exceptionHead.explain(out, path, budget);
    const six = out.reader.buf[out.reader.pos - 1] === INVOCATION_COUNTER_ERROR;
    if (six && out.reader.remaining > 0) counter.explain(out, `${path}/invocation-counter`, budget);
  },
  write(into, value, context) {
    exceptionHead.write(into, value, context);
    if (value.invocationCounter === undefined) return;
    const child = { name: 'InvocationCounter', attributes: {}, children: [] };
    counter.write(child, value.invocationCounter, context);
    into.children.push(child);
  },
  read(from, context) {
    const head = exceptionHead.read(from, context);
    const child = from.children.find((c) => c.name === 'InvocationCounter');
    return child ? { ...head, invocationCounter: counter.read(child, context) } : head;
  },
};

export const ERRORS = [
  service(
    'confirmed-service-error',
    APDU.confirmedServiceError,
    undefined,
    sequence({ service: enumeration(CONFIRMED_SERVICE), error: named('ServiceError', serviceError) }),
  ),
  service('exception-response', APDU.exceptionResponse, undefined, exception),
];

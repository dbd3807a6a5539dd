/** Any APDU of every type, for property tests; `APDUS.<type>` for one type, `apdu` for any. */
import { Writer } from '@amiable/bytes';
import fc from 'fast-check';
import {
  type Apdu,
  type ApduOf,
  type ApduType,
  type AttributeDescriptor,
  CIPHERED_TAGS,
  encodeData,
  type MethodDescriptor,
} from '../src/index.ts';
import { data, dateTime, scalar } from './arbitrary.ts';

const u8 = fc.nat(0xff);
const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffffffff);
const i8 = fc.integer({ min: -128, max: 127 });
const bytes = (min: number, max: number) => fc.uint8Array({ minLength: min, maxLength: max });
const raw = fc.oneof(bytes(0, 40), bytes(126, 260));
const few = <T>(of: fc.Arbitrary<T>) => fc.array(of, { maxLength: 4 });

/** A record whose `undefined` fields are left out. */
export function record<T extends object>(
  required: { [K in keyof T]: fc.Arbitrary<T[K]> },
  optional: Record<string, fc.Arbitrary<unknown>> = {},
): fc.Arbitrary<never> {
  const keys = Object.keys(required) as (keyof T)[];
  return fc.record({ ...required, ...optional } as Record<string, fc.Arbitrary<unknown>>, {
    requiredKeys: keys as string[],
    noNullPrototype: true,
  }) as fc.Arbitrary<never>;
}

/** One encoded value. */
export const encoded: fc.Arbitrary<Uint8Array> = fc.oneof({ weight: 3, arbitrary: scalar }, data).map((value) => {
  const writer = new Writer();
  encodeData(writer, value);
  return writer.finish();
});

const descriptor = { classId: u16, instanceId: bytes(6, 6), attributeId: i8 };
const access = record({ selector: u8, parameters: encoded });
export const plainAttribute: fc.Arbitrary<AttributeDescriptor> = record(descriptor);
export const attribute: fc.Arbitrary<AttributeDescriptor> = record(descriptor, { access });
const methodFields = { classId: u16, instanceId: bytes(6, 6), methodId: i8 };
export const method: fc.Arbitrary<MethodDescriptor> = record(methodFields);
export const dataResult = fc.oneof(record({ data: encoded }), record({ error: u8 }));
const actionResult = record({ result: u8 }, { returned: dataResult });
const block = { lastBlock: fc.boolean(), blockNumber: u32, raw };
const dateTimeBytes = fc.oneof(bytes(12, 12), fc.constant(new Uint8Array(0)));

const kind = <K extends string>(name: K, fields: Record<string, fc.Arbitrary<unknown>> = {}) =>
  record({ kind: fc.constant(name), ...fields });
const specification = fc.oneof(
  kind('get', descriptor),
  kind('set', descriptor),
  kind('action', methodFields),
  kind('get-with-selection', { ...descriptor, access }),
  kind('set-with-selection', { ...descriptor, access }),
);
const accessResult = fc.oneof(kind('get', { result: u8 }), kind('set', { result: u8 }), kind('action', { result: u8 }));
const variable = fc.oneof(
  kind('variable-name', { name: u16 }),
  kind('parameterised-access', { name: u16, selector: u8, parameters: encoded }),
  kind('block-number-access', { blockNumber: u16 }),
  kind('read-data-block-access', { lastBlock: fc.boolean(), blockNumber: u16, raw }),
  kind('write-data-block-access', { lastBlock: fc.boolean(), blockNumber: u16 }),
);
const written = { variables: few(variable), values: few(encoded) };

const general = {
  transactionId: bytes(0, 9),
  originator: bytes(0, 8),
  recipient: bytes(0, 8),
  dateTime: dateTimeBytes,
  other: bytes(0, 20),
};
const keyInfo = fc.oneof(
  kind('identified-key', { keyId: u8 }),
  kind('wrapped-key', { kekId: u8, keyCipheredData: bytes(0, 40) }),
  kind('agreed-key', { keyParameters: bytes(0, 3), keyCipheredData: bytes(0, 200) }),
);

// A name of DLMS, or one of somebody else's.
const foreign = bytes(3, 6);
const context = fc.oneof(
  record({ applicationContext: fc.integer({ min: 1, max: 5 }) }),
  record({ applicationContext: fc.constant(0), applicationContextName: foreign }),
);
const mechanism = fc.oneof(fc.constant({}), record({ mechanism: fc.nat(8) }), record({ mechanismName: foreign }));
const bitText = fc.array(fc.constantFrom('0', '1'), { maxLength: 17 }).map((a) => a.join(''));
const initiateInside = fc.oneof(bytes(0, 30), fc.constant(Uint8Array.of(0x0e, 1, 6, 1)));
const association = {
  protocolVersion: bitText,
  implementationInformation: bytes(0, 10),
  userInformation: initiateInside,
};
const form = fc.constantFrom('bit-string' as const, 'external' as const, 'other' as const);
/** An authentication value under `name`, perhaps with its form. */
const authentication = (name: 'calling' | 'responding') =>
  fc.oneof(
    fc.constant({}),
    record({ [`${name}AuthenticationValue`]: bytes(1, 64) }),
    record({ [`${name}AuthenticationValue`]: bytes(1, 64), [`${name}AuthenticationForm`]: form }),
  );
const merged = (...parts: readonly fc.Arbitrary<object>[]): fc.Arbitrary<never> =>
  fc.tuple(...parts).map((all) => Object.assign({}, ...all)) as fc.Arbitrary<never>;

type Bodies = { readonly [T in ApduType]: fc.Arbitrary<Omit<ApduOf<T>, 'type'>> };

const invoke = u8;
const named = { invoke };
const body: Bodies = {
  'get-request-normal': record({ ...named, attribute }),
  'get-request-next': record({ ...named, blockNumber: u32 }),
  'get-request-with-list': record({ ...named, attributes: few(attribute) }),
  'get-response-normal': record({ ...named, result: dataResult }),
  'get-response-with-datablock': record({
    ...named,
    lastBlock: fc.boolean(),
    blockNumber: u32,
    result: fc.oneof(record({ raw }), record({ error: u8 })),
  }),
  'get-response-with-list': record({ ...named, results: few(dataResult) }),
  'set-request-normal': record({ ...named, attribute, value: encoded }),
  'set-request-with-first-datablock': record({ ...named, attribute, ...block }),
  'set-request-with-datablock': record({ ...named, ...block }),
  'set-request-with-list': record({ ...named, attributes: few(attribute), values: few(encoded) }),
  'set-request-with-list-and-first-datablock': record({ ...named, attributes: few(attribute), ...block }),
  'set-response-normal': record({ ...named, result: u8 }),
  'set-response-datablock': record({ ...named, blockNumber: u32 }),
  'set-response-last-datablock': record({ ...named, result: u8, blockNumber: u32 }),
  'set-response-last-datablock-with-list': record({ ...named, results: few(u8), blockNumber: u32 }),
  'set-response-with-list': record({ ...named, results: few(u8) }),
  'action-request-normal': record({ ...named, method }, { parameters: encoded }),
  'action-request-next-pblock': record({ ...named, blockNumber: u32 }),
  'action-request-with-list': record({ ...named, methods: few(method), parameters: few(encoded) }),
  'action-request-with-first-pblock': record({ ...named, method, ...block }),
  'action-request-with-list-and-first-pblock': record({ ...named, methods: few(method), ...block }),
  'action-request-with-pblock': record({ ...named, ...block }),
  'action-response-normal': record({ ...named, result: actionResult }),
  'action-response-with-pblock': record({ ...named, ...block }),
  'action-response-with-list': record({ ...named, results: few(actionResult) }),
  'action-response-next-pblock': record({ ...named, blockNumber: u32 }),
  'access-request': record({
    longInvoke: u32,
    dateTime: dateTimeBytes,
    specifications: few(specification),
    data: few(encoded),
  }),
  'access-response': record(
    { longInvoke: u32, dateTime: dateTimeBytes, data: few(encoded), results: few(accessResult) },
    { specifications: few(specification) },
  ),
  'read-request': record({ variables: few(variable) }),
  'read-response': record({
    results: few(
      fc.oneof(
        dataResult,
        record({ block: record({ lastBlock: fc.boolean(), blockNumber: u16, raw }) }),
        record({ blockNumber: u16 }),
      ),
    ),
  }),
  'write-request': record(written),
  'write-response': record({
    results: few(
      fc.oneof(record({ success: fc.constant(true as const) }), record({ error: u8 }), record({ blockNumber: u16 })),
    ),
  }),
  'unconfirmed-write-request': record(written),
  'information-report-request': record(written, { currentTime: bytes(0, 20) }),
  'event-notification-request': record({ attribute: plainAttribute, value: encoded }, { time: bytes(0, 12) }),
  'data-notification': fc.oneof(
    record({ invokeId: u32, dateTimeForm: fc.constant('none' as const), body: data }),
    record({
      invokeId: u32,
      dateTimeForm: fc.constantFrom('length' as const, 'tagged' as const),
      dateTime,
      body: data,
    }),
  ),
  'data-notification-confirm': record({ longInvoke: u32, dateTime: dateTimeBytes }),
  'exception-response': fc.oneof(
    record({ stateError: u8, serviceError: u8 }),
    record({ stateError: u8, serviceError: fc.constant(6), invocationCounter: u32 }),
  ),
  'confirmed-service-error': record({ service: u8, error: record({ choice: u8, value: u8 }) }),
  'initiate-request': record(
    { responseAllowed: fc.boolean(), version: u8, conformance: fc.nat(0xffffff), maxPduSize: u16 },
    { dedicatedKey: bytes(0, 32), qualityOfService: i8 },
  ),
  'initiate-response': record(
    { version: u8, conformance: fc.nat(0xffffff), maxPduSize: u16, vaaName: u16 },
    { qualityOfService: i8 },
  ),
  aarq: merged(
    record(
      {},
      {
        ...association,
        calledApTitle: bytes(0, 9),
        calledAeQualifier: bytes(0, 9),
        calledApInvocationId: u32,
        calledAeInvocationId: u32,
        callingApTitle: bytes(0, 9),
        callingAeQualifier: raw,
        callingApInvocationId: u32,
        callingAeInvocationId: u8,
        senderAcseRequirements: fc.boolean(),
      },
    ),
    context,
    mechanism,
    authentication('calling'),
  ),
  aare: merged(
    record(
      {
        result: fc.nat(2),
        resultSourceDiagnostic: record({ source: fc.constantFrom('user' as const, 'provider' as const), code: u8 }),
      },
      {
        ...association,
        respondingApTitle: bytes(0, 9),
        respondingAeQualifier: raw,
        respondingApInvocationId: u32,
        respondingAeInvocationId: u8,
        responderAcseRequirements: fc.boolean(),
      },
    ),
    context,
    mechanism,
    authentication('responding'),
  ),
  rlrq: record({}, { reason: u8, userInformation: initiateInside }),
  rlre: record({}, { reason: u8, userInformation: initiateInside }),
  ciphered: record({
    tag: fc.constantFrom(...CIPHERED_TAGS.flatMap(({ glo, ded }) => [glo, ded])),
    content: raw,
  }),
  'general-glo-ciphering': record({ systemTitle: fc.oneof(bytes(8, 8), bytes(0, 0)), content: raw }),
  'general-ded-ciphering': record({ systemTitle: fc.oneof(bytes(8, 8), bytes(0, 0)), content: raw }),
  'general-ciphering': record({ ...general, content: raw }, { keyInfo }),
  'general-signing': record({ ...general, content: raw, signature: bytes(0, 96) }),
  'general-block-transfer': record({
    lastBlock: fc.boolean(),
    streaming: fc.boolean(),
    window: fc.nat(63),
    blockNumber: u16,
    blockNumberAcknowledged: u16,
    block: raw,
  }),
};

/** APDUs by type. */
export const APDUS = Object.fromEntries(
  Object.entries(body).map(([type, fields]) => [
    type,
    (fields as fc.Arbitrary<object>).map((rest) => ({ type, ...rest })),
  ]),
) as unknown as { readonly [T in ApduType]: fc.Arbitrary<ApduOf<T>> };

export const apdu: fc.Arbitrary<Apdu> = fc.oneof(...(Object.values(APDUS) as fc.Arbitrary<Apdu>[]));

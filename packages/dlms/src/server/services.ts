/**
 * GET, SET and ACTION in the server (IEC 62056-5-3 clauses 6.5 to 6.7 and 7.3.3 to 7.3.5), on plain APDUs.
 *
 * Decides: when an answer goes in blocks, what is refused and with which code. The commonest request, GET of one attribute
 * without selection, is read straight from its bytes; everything else by the codec. Leaves out: what the values are (the
 * device), protection and general blocks (association.ts).
 */
import { DecodeError, Reader } from '@amiable/bytes';
import { encodeApdu } from '../apdu/codec.ts';
import type {
  ActionRequest,
  ActionResult,
  AttributeDescriptor,
  DataResult,
  EncodedData,
  GetRequest,
  MethodDescriptor,
  SetRequest,
} from '../apdu/types.ts';
import { decodeLength } from '../data-types.ts';
import { skipData } from '../skip.ts';
import { ACTION, CONF, DATA, exception, SERVICE, STATE } from './codes.ts';
import { invokeMethod } from './hls.ts';
import type { AssociationState } from './state.ts';
import {
  continueIncoming,
  encodeResults,
  finishIncoming,
  mayContinue,
  nextBlock,
  putBlockNumber,
  putLength,
  startBlocks,
  startIncoming,
} from './transfer.ts';

/** Not negotiated. */
export const notServed = (): Uint8Array => exception(STATE.notAllowed, SERVICE.notSupported);
const tooMany = (): Uint8Array => exception(STATE.notAllowed, SERVICE.operationNotPossible);

// ---------------------------------------------------------------- GET

/** A Get-Request-Normal without selection has exactly so many bytes. */
const SHORT_GET = 13;

/** @returns the answer to C0 01 … 00, or undefined when it is another request and the codec is to read it */
export function shortGet<M>(state: AssociationState<M>, apdu: Uint8Array): Uint8Array | undefined {
  if (apdu.length !== SHORT_GET || apdu[1] !== 1 || apdu[12] !== 0 || !state.may(CONF.get)) return undefined;
  const attributeId = ((apdu[11] as number) << 24) >> 24;
  const attribute: AttributeDescriptor = {
    classId: ((apdu[3] as number) << 8) | (apdu[4] as number),
    instanceId: apdu.subarray(5, 11),
    attributeId,
  };
  return getAnswer(state, apdu[2] as number, getOne(state, attribute));
}

export function getOne<M>(state: AssociationState<M>, attribute: AttributeDescriptor): DataResult {
  if (attribute.attributeId === 0 && !state.may(CONF.attribute0WithGet)) return { error: DATA.readWriteDenied };
  if (attribute.access !== undefined && !state.may(CONF.selectiveAccess)) return { error: DATA.scopeOfAccessViolated };
  const result = state.device.get(attribute, state);
  if ('data' in result && result.data.length > state.limits.response) return { error: DATA.otherReason };
  return result;
}

function getAnswer<M>(state: AssociationState<M>, invoke: number, result: DataResult): Uint8Array {
  state.outgoing = undefined;
  if ('error' in result) return Uint8Array.of(0xc4, 1, invoke, 1, result.error);
  const { data } = result;
  if (data.length + 4 > state.room && !state.inGeneralBlocks) {
    if (state.may(CONF.blockTransferWithGetOrRead)) return startBlocks(state, 'get', invoke, data);
    if (!state.may(CONF.generalBlockTransfer)) return Uint8Array.of(0xc4, 1, invoke, 1, DATA.otherReason);
  }
  const out = new Uint8Array(data.length + 4);
  out[0] = 0xc4;
  out[1] = 1;
  out[2] = invoke;
  out.set(data, 4);
  return out;
}

export function serveGet<M>(state: AssociationState<M>, request: GetRequest): Uint8Array {
  if (!state.may(CONF.get)) return notServed();
  switch (request.type) {
    case 'get-request-normal':
      return getAnswer(state, request.invoke, getOne(state, request.attribute));
    case 'get-request-next': {
      const refused = mayContinue(state, 'get', request.invoke, request.blockNumber);
      return refused ? getBlockError(request.invoke, request.blockNumber, refused) : nextBlock(state, request.invoke);
    }
    case 'get-request-with-list':
      return getList(state, request.invoke, request.attributes);
  }
}

function getBlockError(invoke: number, block: number, error: number): Uint8Array {
  const out = new Uint8Array(10);
  out[0] = 0xc4;
  out[1] = 2;
  out[2] = invoke;
  const at = putBlockNumber(out, 3, true, block);
  out[at] = 1;
  out[at + 1] = error;
  return out;
}

const NO_ROOM: DataResult = { error: DATA.otherReason };

function getList<M>(
  state: AssociationState<M>,
  invoke: number,
  attributes: readonly AttributeDescriptor[],
): Uint8Array {
  if (!state.may(CONF.multipleReferences)) return notServed();
  if (attributes.length > state.limits.list) return tooMany();
  state.outgoing = undefined;
  const results: DataResult[] = [];
  let length = 0;
  let full = false;
  for (const attribute of attributes) {
    let result: DataResult = full ? NO_ROOM : getOne(state, attribute);
    // Once the answer is as long as an answer may be, the rest is refused unread: time and memory are what a list could abuse.
    full ||= 'data' in result && length + result.data.length > state.limits.response;
    if (full) result = NO_ROOM;
    length += 'data' in result ? 1 + result.data.length : 2;
    results.push(result);
  }
  const bytes = encodeResults(results, length);
  if (bytes.length + 3 > state.room && !state.inGeneralBlocks) {
    if (state.may(CONF.blockTransferWithGetOrRead)) return startBlocks(state, 'get', invoke, bytes);
    if (!state.may(CONF.generalBlockTransfer))
      return encodeApdu({
        type: 'get-response-with-list',
        invoke,
        results: attributes.map(() => ({ error: DATA.otherReason })),
      });
  }
  return behind(0xc4, 3, invoke, bytes);
}

function behind(tag: number, choice: number, invoke: number, bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(3 + bytes.length);
  out[0] = tag;
  out[1] = choice;
  out[2] = invoke;
  out.set(bytes, 3);
  return out;
}

// ---------------------------------------------------------------- SET

export function setOne<M>(state: AssociationState<M>, attribute: AttributeDescriptor, value: EncodedData): number {
  if (attribute.attributeId === 0 && !state.may(CONF.attribute0WithSet)) return DATA.readWriteDenied;
  if (attribute.access !== undefined && !state.may(CONF.selectiveAccess)) return DATA.scopeOfAccessViolated;
  return state.device.set(attribute, value, state);
}

const setBlockRefused = (invoke: number, blockNumber: number, result: number): Uint8Array =>
  encodeApdu({ type: 'set-response-last-datablock', invoke, result, blockNumber });

export function serveSet<M>(state: AssociationState<M>, request: SetRequest): Uint8Array {
  if (!state.may(CONF.set)) return notServed();
  const { invoke } = request;
  switch (request.type) {
    case 'set-request-normal':
      return Uint8Array.of(0xc5, 1, invoke, setOne(state, request.attribute, request.value));
    case 'set-request-with-list': {
      if (!state.may(CONF.multipleReferences)) return notServed();
      if (request.attributes.length > state.limits.list) return tooMany();
      const results = request.attributes.map((attribute, i) => {
        const value = request.values[i];
        return value ? setOne(state, attribute, value) : DATA.otherReason;
      });
      return encodeApdu({ type: 'set-response-with-list', invoke, results });
    }
    case 'set-request-with-first-datablock':
    case 'set-request-with-list-and-first-datablock': {
      const list = request.type === 'set-request-with-list-and-first-datablock';
      if (!state.may(CONF.blockTransferWithSetOrWrite) || (list && !state.may(CONF.multipleReferences)))
        return notServed();
      const attributes = list ? request.attributes : [request.attribute];
      if (attributes.length > state.limits.list) return tooMany();
      const refused = startIncoming(
        state,
        { kind: 'set', invoke: invoke & 0x0f, list, attributes: attributes.map(ownAttribute) },
        request.blockNumber,
        request.raw,
      );
      return refused
        ? setBlockRefused(invoke, request.blockNumber, refused)
        : setBlockTaken(state, invoke, request.blockNumber, request.lastBlock);
    }
    case 'set-request-with-datablock': {
      const refused = continueIncoming(state, 'set', invoke, request.blockNumber, request.raw);
      return refused
        ? setBlockRefused(invoke, request.blockNumber, refused)
        : setBlockTaken(state, invoke, request.blockNumber, request.lastBlock);
    }
  }
}

function setBlockTaken<M>(state: AssociationState<M>, invoke: number, blockNumber: number, last: boolean): Uint8Array {
  if (!last) return encodeApdu({ type: 'set-response-datablock', invoke, blockNumber });
  const { list, attributes = [], whole } = finishIncoming(state);
  const values = list ? splitList(whole, attributes.length) : splitOne(whole);
  const results = attributes.map((attribute, i) => {
    const value = values?.[i];
    return value ? setOne(state, attribute, value) : DATA.typeUnmatched;
  });
  return list
    ? encodeApdu({ type: 'set-response-last-datablock-with-list', invoke, results, blockNumber })
    : encodeApdu({ type: 'set-response-last-datablock', invoke, result: results[0] as number, blockNumber });
}

// ---------------------------------------------------------------- ACTION

function actionAnswer<M>(state: AssociationState<M>, invoke: number, result: ActionResult): Uint8Array {
  state.outgoing = undefined;
  const bytes = encodeActionResult(result);
  if (bytes.length + 3 > state.room && !state.inGeneralBlocks) {
    if (state.may(CONF.blockTransferWithAction)) return startBlocks(state, 'action', invoke, bytes);
    // The method has run; only what it returned is lost, and that is said.
    if (!state.may(CONF.generalBlockTransfer))
      return actionNormal(invoke, { result: result.result, returned: { error: DATA.otherReason } });
  }
  return behind(0xc7, 1, invoke, bytes);
}

/** Action-Response-With-Optional-Data. */
function encodeActionResult({ result, returned }: ActionResult): Uint8Array {
  if (!returned) return Uint8Array.of(result, 0);
  if ('error' in returned) return Uint8Array.of(result, 1, 1, returned.error);
  const out = new Uint8Array(3 + returned.data.length);
  out[0] = result;
  out[1] = 1;
  out.set(returned.data, 3);
  return out;
}

const actionNormal = (invoke: number, result: ActionResult): Uint8Array =>
  behind(0xc7, 1, invoke, encodeActionResult(result));

/** A refused block of an action; Action-Result has no number for a wrong block number. */
const actionCode = (refused: number): number =>
  refused === DATA.noLongGetInProgress || refused === DATA.noLongSetInProgress
    ? ACTION.noLongActionInProgress
    : ACTION.longActionAborted;

export function serveAction<M>(state: AssociationState<M>, request: ActionRequest): Uint8Array {
  if (!state.may(CONF.action) && state.status === 2) return notServed();
  const { invoke } = request;
  switch (request.type) {
    case 'action-request-normal':
      return actionAnswer(state, invoke, bounded(state, invokeMethod(state, request.method, request.parameters)));
    case 'action-request-next-pblock': {
      const refused = mayContinue(state, 'action', invoke, request.blockNumber);
      return refused ? actionNormal(invoke, { result: actionCode(refused) }) : nextBlock(state, invoke);
    }
    case 'action-request-with-list': {
      if (!state.may(CONF.multipleReferences)) return notServed();
      if (request.methods.length > state.limits.list) return tooMany();
      return actionList(state, invoke, request.methods, request.parameters);
    }
    case 'action-request-with-first-pblock':
    case 'action-request-with-list-and-first-pblock': {
      const list = request.type === 'action-request-with-list-and-first-pblock';
      if (!state.may(CONF.blockTransferWithAction) || (list && !state.may(CONF.multipleReferences))) return notServed();
      const methods = list ? request.methods : [request.method];
      if (methods.length > state.limits.list) return tooMany();
      const refused = startIncoming(
        state,
        { kind: 'action', invoke: invoke & 0x0f, list, methods: methods.map(ownMethod) },
        request.blockNumber,
        request.raw,
      );
      return refused
        ? actionNormal(invoke, { result: actionCode(refused) })
        : pblockTaken(state, invoke, request.blockNumber, request.lastBlock);
    }
    case 'action-request-with-pblock': {
      const refused = continueIncoming(state, 'action', invoke, request.blockNumber, request.raw);
      return refused
        ? actionNormal(invoke, { result: actionCode(refused) })
        : pblockTaken(state, invoke, request.blockNumber, request.lastBlock);
    }
  }
}

function bounded<M>(state: AssociationState<M>, result: ActionResult): ActionResult {
  const { returned } = result;
  if (!returned || 'error' in returned || returned.data.length <= state.limits.response) return result;
  return { result: result.result, returned: { error: DATA.otherReason } };
}

function pblockTaken<M>(state: AssociationState<M>, invoke: number, blockNumber: number, last: boolean): Uint8Array {
  if (!last) return encodeApdu({ type: 'action-response-next-pblock', invoke, blockNumber });
  const { list, methods = [], whole } = finishIncoming(state);
  if (list) {
    const parameters = splitList(whole, methods.length);
    return actionList(state, invoke, methods, parameters ?? []);
  }
  const parameters = whole.length === 0 ? [] : splitOne(whole);
  if (!parameters) return actionNormal(invoke, { result: DATA.typeUnmatched });
  return actionAnswer(
    state,
    invoke,
    bounded(state, invokeMethod(state, methods[0] as MethodDescriptor, parameters[0])),
  );
}

function actionList<M>(
  state: AssociationState<M>,
  invoke: number,
  methods: readonly MethodDescriptor[],
  parameters: readonly EncodedData[],
): Uint8Array {
  state.outgoing = undefined;
  let length = 0;
  const parts = methods.map((method, i) => {
    const given = parameters[i];
    let result: ActionResult = given ? invokeMethod(state, method, given) : { result: DATA.typeUnmatched };
    if (result.returned && 'data' in result.returned && length + result.returned.data.length > state.limits.response)
      result = { result: result.result, returned: { error: DATA.otherReason } };
    const part = encodeActionResult(result);
    length += part.length;
    return part;
  });
  const out = new Uint8Array(length + 3);
  let at = putLength(out, 0, parts.length);
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  const bytes = out.subarray(0, at);
  if (bytes.length + 3 > state.room && !state.inGeneralBlocks && state.may(CONF.blockTransferWithAction))
    return startBlocks(state, 'action', invoke, bytes);
  return behind(0xc7, 3, invoke, bytes);
}

// ---------------------------------------------------------------- joined values

/** One value that fills the bytes. */
function splitOne(bytes: Uint8Array): EncodedData[] | undefined {
  return split(new Reader(bytes), 1);
}

/** SEQUENCE OF Data with exactly `count` elements. */
function splitList(bytes: Uint8Array, count: number): EncodedData[] | undefined {
  try {
    const reader = new Reader(bytes);
    return decodeLength(reader) === count ? split(reader, count) : undefined;
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

function split(reader: Reader, count: number): EncodedData[] | undefined {
  try {
    const values: EncodedData[] = [];
    for (let i = 0; i < count; i++) {
      const start = reader.pos;
      skipData(reader);
      values.push(reader.buf.subarray(start, reader.pos));
    }
    return reader.remaining === 0 ? values : undefined;
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** Descriptors that outlive their request: its bytes will be overwritten. */
function ownAttribute(attribute: AttributeDescriptor): AttributeDescriptor {
  const { access } = attribute;
  return {
    ...attribute,
    instanceId: attribute.instanceId.slice(),
    ...(access && { access: { selector: access.selector, parameters: access.parameters.slice() } }),
  };
}

function ownMethod(method: MethodDescriptor): MethodDescriptor {
  return { ...method, instanceId: method.instanceId.slice() };
}

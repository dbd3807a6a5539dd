/**
 * Read, Write and UnconfirmedWrite in the server (IEC 62056-5-3 clauses 6.11 to 6.14 and 7.3.8 to 7.3.10), on plain APDUs.
 *
 * Decides: long reads and writes by block access, alone in their request as the standard has it. Reading or writing the
 * short name of a method invokes it, which is the device's business, but for reply_to_HLS_authentication.
 */
import { DecodeError } from '@amiable/bytes';
import { decodeApdu, encodeApdu } from '../apdu/codec.ts';
import type {
  DataResult,
  EncodedData,
  ReadRequest,
  UnconfirmedWriteRequest,
  VariableAccess,
  WriteRequest,
  WriteResult,
} from '../apdu/types.ts';
import { CONF, DATA, serviceError } from './codes.ts';
import { octetsOf, replyToHls, SN_REPLY_TO_HLS } from './hls.ts';
import type { AssociationState } from './state.ts';
import {
  continueIncoming,
  encodeResults,
  finishIncoming,
  mayContinue,
  nextBlock,
  readFits,
  startBlocks,
  startIncoming,
} from './transfer.ts';

export const READ = 5;
export const WRITE = 6;
/** ServiceError, choice service: pdu-size, service-unsupported. */
const SERVICE_CHOICE = 3;
const PDU_SIZE = 1;
const UNSUPPORTED = 2;

export const unsupported = (service: number): Uint8Array => serviceError(service, SERVICE_CHOICE, UNSUPPORTED);
/** ServiceError, choice service: other. */
export const failed = (service: number): Uint8Array => serviceError(service, SERVICE_CHOICE, 0);

// ---------------------------------------------------------------- Read

const NO_ROOM: DataResult = { error: DATA.otherReason };

export function serveRead<M>(state: AssociationState<M>, request: ReadRequest): Uint8Array {
  const pending = state.status === 1;
  if (!state.may(CONF.read) && !pending) return unsupported(READ);
  const { variables } = request;
  const first = variables[0];
  if (variables.length === 1 && first) {
    if (first.kind === 'block-number-access') return readOn(state, first.blockNumber);
    if (first.kind === 'read-data-block-access') return readBlockTaken(state, first);
  }
  if (variables.length > 1 && !state.may(CONF.multipleReferences)) return unsupported(READ);
  if (variables.length > state.limits.list) return failed(READ);
  state.outgoing = undefined;
  let length = 0;
  let full = false;
  const results = variables.map((variable) => {
    let result: DataResult = full ? NO_ROOM : readOne(state, variable);
    full ||= 'data' in result && length + result.data.length > state.limits.response;
    if (full) result = NO_ROOM;
    length += 'data' in result ? 1 + result.data.length : 2;
    return result;
  });
  return readAnswer(state, results, length);
}

function readOne<M>(state: AssociationState<M>, variable: VariableAccess): DataResult {
  switch (variable.kind) {
    case 'variable-name':
      if (variable.name === SN_REPLY_TO_HLS) return hlsByName(state, undefined);
      if (state.status !== 2) return { error: DATA.readWriteDenied };
      return state.device.readName(variable.name, undefined, undefined, state);
    case 'parameterised-access':
      if (variable.name === SN_REPLY_TO_HLS) return hlsByName(state, variable.parameters);
      if (state.status !== 2) return { error: DATA.readWriteDenied };
      if (!state.may(CONF.parameterizedAccess)) return { error: DATA.scopeOfAccessViolated };
      return state.device.readName(variable.name, variable.selector, variable.parameters, state);
    default:
      // Block access stands alone in its request.
      return { error: DATA.otherReason };
  }
}

function hlsByName<M>(state: AssociationState<M>, parameters: EncodedData | undefined): DataResult {
  const { result, returned } = replyToHls(state, parameters);
  return result === 0 && returned ? returned : { error: result === 0 ? DATA.otherReason : result };
}

function readAnswer<M>(state: AssociationState<M>, results: readonly DataResult[], length: number): Uint8Array {
  const out = encodeResults(results, length, 1);
  out[0] = 0x0c;
  if (out.length <= state.room || state.inGeneralBlocks) return out;
  // Blocks stand in the place of one value and carry it bare, as clients in the field want it; of several variables they
  // carry the whole list.
  const [only] = results;
  const blocks = results.length === 1 && only && 'data' in only ? only.data : out.subarray(1);
  if (state.may(CONF.blockTransferWithGetOrRead) && readFits(state, blocks.length))
    return startBlocks(state, 'read', 0, blocks);
  return state.may(CONF.generalBlockTransfer) ? out : serviceError(READ, SERVICE_CHOICE, PDU_SIZE);
}

function readOn<M>(state: AssociationState<M>, blockNumber: number): Uint8Array {
  const refused = mayContinue(state, 'read', 0, blockNumber);
  return refused ? readError(refused) : nextBlock(state, 0);
}

const readError = (error: number): Uint8Array => Uint8Array.of(0x0c, 1, 1, error);

type ReadBlock = Extract<VariableAccess, { kind: 'read-data-block-access' }>;

/** A long Read.request: its list of variables in pieces. */
function readBlockTaken<M>(state: AssociationState<M>, { raw, blockNumber, lastBlock }: ReadBlock): Uint8Array {
  if (!state.may(CONF.blockTransferWithGetOrRead)) return unsupported(READ);
  const refused =
    blockNumber === 1
      ? startIncoming(state, { kind: 'read', invoke: 0, list: true }, blockNumber, raw)
      : continueIncoming(state, 'read', 0, blockNumber, raw);
  if (refused) return readError(refused);
  if (!lastBlock) return encodeApdu({ type: 'read-response', results: [{ blockNumber }] });
  const request = joined(0x05, finishIncoming(state).whole);
  if (request?.type !== 'read-request' || request.variables.some(isBlockAccess)) return failed(READ);
  return serveRead(state, request);
}

const isBlockAccess = (variable: VariableAccess): boolean =>
  variable.kind !== 'variable-name' && variable.kind !== 'parameterised-access';

/** The request whose contents came in blocks; undefined when they are none. */
function joined(tag: number, contents: Uint8Array): ReturnType<typeof decodeApdu> | undefined {
  const whole = new Uint8Array(contents.length + 1);
  whole[0] = tag;
  whole.set(contents, 1);
  try {
    return decodeApdu(whole);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

// ---------------------------------------------------------------- Write

export function serveWrite<M>(state: AssociationState<M>, request: WriteRequest): Uint8Array {
  const pending = state.status === 1;
  if (!state.may(CONF.write) && !pending) return unsupported(WRITE);
  const { variables, values } = request;
  const first = variables[0];
  if (variables.length === 1 && first?.kind === 'write-data-block-access')
    return writeBlockTaken(state, first.blockNumber, first.lastBlock, values[0]);
  if (variables.length > 1 && !state.may(CONF.multipleReferences)) return unsupported(WRITE);
  if (variables.length > state.limits.list) return failed(WRITE);
  const results = variables.map((variable, i): WriteResult => {
    const code = writeOne(state, variable, values[i]);
    return code === 0 ? { success: true } : { error: code };
  });
  return encodeApdu({ type: 'write-response', results });
}

function writeOne<M>(state: AssociationState<M>, variable: VariableAccess, value: EncodedData | undefined): number {
  if (!value || isBlockAccess(variable)) return DATA.otherReason;
  if (variable.kind !== 'variable-name' && variable.kind !== 'parameterised-access') return DATA.otherReason;
  if (variable.name === SN_REPLY_TO_HLS) return replyToHls(state, value).result;
  if (state.status !== 2) return DATA.readWriteDenied;
  if (variable.kind === 'variable-name')
    return state.device.writeName(variable.name, undefined, undefined, value, state);
  if (!state.may(CONF.parameterizedAccess)) return DATA.scopeOfAccessViolated;
  return state.device.writeName(variable.name, variable.selector, variable.parameters, value, state);
}

const writeError = (error: number): Uint8Array => encodeApdu({ type: 'write-response', results: [{ error }] });

/** A long Write.request: lists of variables and of data in pieces, each as an octet-string. */
function writeBlockTaken<M>(
  state: AssociationState<M>,
  blockNumber: number,
  lastBlock: boolean,
  value: EncodedData | undefined,
): Uint8Array {
  if (!state.may(CONF.blockTransferWithSetOrWrite)) return unsupported(WRITE);
  const raw = value && octetsOf(value);
  if (!raw) {
    state.incoming = undefined;
    return writeError(DATA.longSetAborted);
  }
  const refused =
    blockNumber === 1
      ? startIncoming(state, { kind: 'write', invoke: 0, list: true }, blockNumber, raw)
      : continueIncoming(state, 'write', 0, blockNumber, raw);
  if (refused) return writeError(refused);
  if (!lastBlock) return encodeApdu({ type: 'write-response', results: [{ blockNumber }] });
  const request = joined(0x06, finishIncoming(state).whole);
  if (request?.type !== 'write-request' || request.variables.some(isBlockAccess)) return failed(WRITE);
  return serveWrite(state, request);
}

/** No answer, whatever comes of it. */
export function serveUnconfirmedWrite<M>(state: AssociationState<M>, request: UnconfirmedWriteRequest): void {
  if (!state.may(CONF.unconfirmedWrite) || state.status !== 2) return;
  const { variables, values } = request;
  if (variables.length > state.limits.list || (variables.length > 1 && !state.may(CONF.multipleReferences))) return;
  for (let i = 0; i < variables.length; i++) writeOne(state, variables[i] as VariableAccess, values[i]);
}

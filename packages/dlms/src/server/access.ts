/**
 * ACCESS in the server (IEC 62056-5-3 clauses 6.8 and 7.3.6): several gets, sets and actions in one unified service.
 *
 * Decides: with the processing option "break on error" what follows a failure is not carried out and says other-reason.
 */
import { encodeApdu } from '../apdu/codec.ts';
import type { AccessRequest, AccessResult, AccessSpecification, EncodedData } from '../apdu/types.ts';
import { CONF, DATA, exception, SERVICE, STATE } from './codes.ts';
import { invokeMethod } from './hls.ts';
import { getOne, notServed, setOne } from './services.ts';
import type { AssociationState } from './state.ts';

/** Long-Invoke-Id-And-Priority. */
const SELF_DESCRIPTIVE = 0x1000_0000;
const BREAK_ON_ERROR = 0x2000_0000;
const CONFIRMED = 0x4000_0000;

const NULL_DATA: EncodedData = Uint8Array.of(0);
const NO_ROOM = { data: NULL_DATA, result: DATA.otherReason };
const NO_TIME = new Uint8Array(0);

export function serveAccess<M>(state: AssociationState<M>, request: AccessRequest): Uint8Array | undefined {
  if (!state.may(CONF.access)) return notServed();
  const { specifications, longInvoke } = request;
  if (specifications.length > state.limits.list || specifications.length !== request.data.length)
    return exception(STATE.notAllowed, SERVICE.operationNotPossible);
  const data: EncodedData[] = [];
  const results: AccessResult[] = [];
  let broken = false;
  let length = 0;
  specifications.forEach((specification, i) => {
    const kind = kindOf(specification);
    const done = broken
      ? { data: NULL_DATA, result: DATA.otherReason }
      : carryOut(state, specification, request.data[i] as EncodedData, state.limits.response - length);
    if (done === NO_ROOM) length = state.limits.response;
    if (done.result !== 0 && (longInvoke & BREAK_ON_ERROR) !== 0) broken = true;
    length += done.data.length;
    data.push(done.data);
    results.push({ kind, result: done.result });
  });
  if ((longInvoke & CONFIRMED) === 0) return undefined;
  const answer = encodeApdu({
    type: 'access-response',
    longInvoke,
    dateTime: NO_TIME,
    ...((longInvoke & SELF_DESCRIPTIVE) !== 0 && { specifications }),
    data,
    results,
  });
  // ACCESS has no blocks of its own.
  if (answer.length <= state.room || state.may(CONF.generalBlockTransfer)) return answer;
  return exception(STATE.notAllowed, SERVICE.pduTooLong);
}

const kindOf = ({ kind }: AccessSpecification): AccessResult['kind'] =>
  kind === 'action' ? 'action' : kind.startsWith('get') ? 'get' : 'set';

function carryOut<M>(
  state: AssociationState<M>,
  specification: AccessSpecification,
  given: EncodedData,
  room: number,
): { data: EncodedData; result: number } {
  switch (specification.kind) {
    case 'get':
    case 'get-with-selection': {
      // Where nothing more fits nothing more is read.
      if (room <= 0) return NO_ROOM;
      const result = getOne(state, specification);
      if ('error' in result) return { data: NULL_DATA, result: result.error };
      return result.data.length > room ? NO_ROOM : { data: result.data, result: DATA.success };
    }
    case 'set':
    case 'set-with-selection':
      return { data: NULL_DATA, result: setOne(state, specification, given) };
    case 'action': {
      const { result, returned } = invokeMethod(state, specification, given);
      const data = returned && 'data' in returned && returned.data.length <= room ? returned.data : NULL_DATA;
      return { data, result };
    }
  }
}

/**
 * A modem as a state machine (ITU-T V.250; GSM 07.07 for +CBST): prepare it, dial or be called, pass data, hang up.
 *
 *     ATZ  ATE0V1  …  ATD number   →  CONNECT     data both ways     →  guard, +++, guard, ATH  (or DTR off)
 *
 * Decides: what is sent when, how long is waited, and what each failure is in words. A modem that does not answer at first may still be in
 * a call that nobody ended: it is brought back by the escape sequence. Leaves out: reading result codes (modem-results.ts), the
 * link and its timer (modem.ts).
 */
import type { Step, Table } from '@amiable/fsm';
import { PortError } from './faults.ts';
import type { Result, ResultCode } from './modem-results.ts';

/** What one call is made with. */
export interface ModemTerms {
  /** The modem, for messages. */
  readonly name: string;
  /** Sent before dialling, each with its AT; each has to be answered by OK. */
  readonly commands: readonly string[];
  /** `ATD…`; undefined: a call is awaited. */
  readonly dial: string | undefined;
  /** Whom, for messages. */
  readonly number: string;
  /** Until a command is answered, ms. */
  readonly commandTimeout: number;
  /** Until CONNECT, ms; of an awaited call: from RING. */
  readonly dialTimeout: number;
  /** Silence before and behind the escape sequence, ms (S12). */
  readonly guard: number;
  /** DTR can be dropped to hang up. */
  readonly dtr: boolean;
}

export type ModemState =
  | { readonly type: 'idle' }
  | { readonly type: 'opening' }
  | { readonly type: 'command'; readonly index: number; readonly tries: number }
  /** Silence before the escape sequence. */
  | { readonly type: 'guard'; readonly ending: boolean }
  | { readonly type: 'escape'; readonly ending: boolean }
  | { readonly type: 'hang-up'; readonly ending: boolean }
  | { readonly type: 'listening' }
  | { readonly type: 'dialling' }
  | { readonly type: 'aborting'; readonly error: PortError }
  | { readonly type: 'online' }
  | { readonly type: 'dropping' }
  | { readonly type: 'closing' };

export type ModemInput =
  | { readonly type: 'start' }
  | { readonly type: 'opened' }
  | { readonly type: 'failed'; readonly error: Error }
  | { readonly type: 'lost'; readonly error: Error | undefined }
  | { readonly type: 'result'; readonly result: Result; readonly noise: number }
  | { readonly type: 'timer'; readonly noise: number }
  /** The call ended, told by the control line or by the modem's word among the data. */
  | { readonly type: 'carrier-lost' }
  | { readonly type: 'stop' };

export type ModemEffect =
  | { readonly do: 'open' }
  | { readonly do: 'close' }
  | { readonly do: 'write'; readonly text: string }
  | { readonly do: 'dtr'; readonly on: boolean }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'cancelWait' }
  | { readonly do: 'connected'; readonly speed: number | undefined }
  | { readonly do: 'failed'; readonly error: Error }
  | { readonly do: 'lost'; readonly error: Error | undefined }
  | { readonly do: 'ended' };

type S = Step<ModemState, ModemEffect>;
type ModemTable = Table<ModemState, ModemInput, ModemEffect>;

/** The first command is sent so often; before the last time the escape sequence is tried. */
const TRIES = 3;
/** DTR stays off so long: modems want 100 ms and more (S25). */
const DTR_OFF = 600;
/** A modem that is told to stop dialling answers soon, or never. */
const ABORT = 3000;

const stay = (state: ModemState): S => ({ state, effects: [] });
const cancel: ModemEffect = { do: 'cancelWait' };

const FAILURES: Readonly<Partial<Record<ResultCode, readonly [PortError['reason'], string]>>> = {
  'no-carrier': ['unreachable', 'no connection came about (NO CARRIER); does a modem answer at this number?'],
  busy: ['busy', 'the number is busy; another call may be under way'],
  'no-answer': ['timeout', 'nobody answers the call; has the meter power, and is the number right?'],
  'no-dialtone': ['unreachable', 'the modem has no dial tone; is its line or antenna connected, and the SIM card in?'],
  blacklisted: ['refused', 'the modem refuses to dial this number again for now'],
  error: ['refused', 'the modem refuses to dial (ERROR); is the number right, and does it take this kind of call?'],
};

/** The table for one call. */
export function modemTable(terms: ModemTerms): ModemTable {
  const { name, commands, dial, number, commandTimeout, dialTimeout, guard, dtr } = terms;
  const fault = (reason: PortError['reason'], words: string): PortError =>
    new PortError(reason, `${name}${number === '' ? '' : ` to ${number}`}: ${words}`);
  const wait = (ms: number): ModemEffect => ({ do: 'wait', ms });
  const close: S = { state: { type: 'closing' }, effects: [cancel, { do: 'close' }] };
  /** It came to nothing: the link is closed, too. */
  const fail = (error: Error): S => ({ state: close.state, effects: [{ do: 'failed', error }, ...close.effects] });
  /** The link itself is gone. */
  const gone = (error: Error | undefined): S => ({
    state: { type: 'idle' },
    effects: [
      cancel,
      { do: 'failed', error: error ?? fault('closed', 'the line to the modem closed') },
      { do: 'ended' },
    ],
  });
  const send = (index: number, tries: number): S => {
    const command = commands[index];
    if (command !== undefined)
      return {
        state: { type: 'command', index, tries },
        effects: [{ do: 'write', text: `${command}\r` }, wait(commandTimeout)],
      };
    if (dial === undefined) return { state: { type: 'listening' }, effects: [cancel] };
    return { state: { type: 'dialling' }, effects: [{ do: 'write', text: `${dial}\r` }, wait(dialTimeout)] };
  };
  const silence = (ending: boolean): S => ({ state: { type: 'guard', ending }, effects: [wait(guard)] });
  const hangUp = (ending: boolean): S => ({
    state: { type: 'hang-up', ending },
    effects: [{ do: 'write', text: 'ATH\r' }, wait(commandTimeout)],
  });
  const hungUp = (ending: boolean): S => (ending ? close : send(0, TRIES - 1));
  const abort = (error: PortError): S => ({
    // Any character ends dialling (V.250 clause 6.3.1.2).
    state: { type: 'aborting', error },
    effects: [{ do: 'write', text: '\r' }, wait(ABORT)],
  });
  const unanswered = (index: number, noise: number): PortError => {
    const command = commands[index] as string;
    return noise > 0
      ? fault('other', `the modem's answer to ${command} cannot be read; is the speed of its port right?`)
      : fault('timeout', `the modem does not answer ${command}; has it power, and is it this port?`);
  };
  const online = (result: Result): S => ({
    state: { type: 'online' },
    effects: [cancel, { do: 'connected', speed: result.speed }],
  });
  const stopped = fault('closed', 'the call was given up');
  return {
    idle: {
      start: () => ({ state: { type: 'opening' }, effects: [{ do: 'open' }] }),
      stop: () => ({ state: { type: 'idle' }, effects: [{ do: 'ended' }] }),
      opened: stay,
      failed: stay,
      lost: stay,
      timer: stay,
      result: stay,
      'carrier-lost': stay,
    },
    opening: {
      opened: () => send(0, 0),
      failed: (_, { error }) => gone(error),
      lost: (_, { error }) => gone(error),
      // The opening cannot be called off; its outcome is awaited.
      stop: () => ({ state: { type: 'closing' }, effects: [{ do: 'failed', error: stopped }] }),
      result: stay,
      timer: stay,
    },
    command: {
      result(state, { result }) {
        if (result.code === 'ok') return send(state.index + 1, 0);
        if (result.code === 'error')
          return fail(fault('refused', `the modem refuses ${commands[state.index]} (${result.text})`));
        return stay(state);
      },
      timer(state, { noise }) {
        const { index, tries } = state;
        if (tries + 1 >= TRIES) return fail(unanswered(index, noise));
        // It may be in a call that nobody ended.
        return index === 0 && tries + 2 === TRIES ? silence(false) : send(index, tries + 1);
      },
      lost: (_, { error }) => gone(error),
      stop: () => fail(stopped),
    },
    guard: {
      timer: ({ ending }) => ({
        state: { type: 'escape', ending },
        effects: [{ do: 'write', text: '+++' }, wait(guard + commandTimeout)],
      }),
      // While it is left alone it says what it wants.
      result: (state, { result }) => (state.ending && result.code === 'no-carrier' ? close : stay(state)),
      'carrier-lost': (state) => (state.ending ? close : stay(state)),
      lost: ({ ending }, { error }) =>
        ending ? { state: { type: 'idle' }, effects: [cancel, { do: 'ended' }] } : gone(error),
      stop: (state) => (state.ending ? stay(state) : fail(stopped)),
    },
    escape: {
      result: (state, { result }) => {
        if (result.code === 'ok' || result.code === 'error') return hangUp(state.ending);
        return result.code === 'no-carrier' ? hungUp(state.ending) : stay(state);
      },
      timer: ({ ending }) => hangUp(ending),
      'carrier-lost': ({ ending }) => hungUp(ending),
      lost: ({ ending }, { error }) =>
        ending ? { state: { type: 'idle' }, effects: [cancel, { do: 'ended' }] } : gone(error),
      stop: (state) => (state.ending ? stay(state) : fail(stopped)),
    },
    'hang-up': {
      result: (state, { result }) =>
        result.code === 'ok' || result.code === 'error' || result.code === 'no-carrier'
          ? hungUp(state.ending)
          : stay(state),
      timer: ({ ending }) => hungUp(ending),
      'carrier-lost': ({ ending }) => hungUp(ending),
      lost: ({ ending }, { error }) =>
        ending ? { state: { type: 'idle' }, effects: [cancel, { do: 'ended' }] } : gone(error),
      stop: (state) => (state.ending ? stay(state) : fail(stopped)),
    },
    listening: {
      result: (state, { result }) =>
        result.code === 'ring'
          ? { state: { type: 'dialling' }, effects: [{ do: 'write', text: 'ATA\r' }, wait(dialTimeout)] }
          : stay(state),
      lost: (_, { error }) => gone(error),
      stop: () => fail(stopped),
      timer: stay,
    },
    dialling: {
      result(state, { result }) {
        if (result.code === 'connect') return online(result);
        const failure = FAILURES[result.code];
        // Calls that were not taken: the next is awaited.
        if (failure && dial === undefined) return { state: { type: 'listening' }, effects: [cancel] };
        return failure ? fail(fault(...failure)) : stay(state);
      },
      timer: () => abort(fault('timeout', `no connection within ${Math.round(dialTimeout / 1000)} s`)),
      lost: (_, { error }) => gone(error),
      stop: () => abort(stopped),
    },
    aborting: {
      // A CONNECT that comes now would leave a call standing that nobody uses.
      result: (state, { result }) => {
        if (result.code === 'connect')
          return {
            state: { type: 'guard', ending: true },
            effects: [{ do: 'failed', error: state.error }, wait(guard)],
          };
        return result.code === 'ring' ? stay(state) : fail(state.error);
      },
      timer: ({ error }) => fail(error),
      lost: ({ error }) => gone(error),
      stop: stay,
    },
    online: {
      'carrier-lost': () => ({
        state: close.state,
        effects: [{ do: 'lost', error: fault('closed', 'the call ended (NO CARRIER)') }, ...close.effects],
      }),
      lost: (_, { error }) => ({
        state: { type: 'idle' },
        effects: [
          cancel,
          { do: 'lost', error: error ?? fault('closed', 'the line to the modem closed') },
          { do: 'ended' },
        ],
      }),
      stop: () =>
        dtr ? { state: { type: 'dropping' }, effects: [{ do: 'dtr', on: false }, wait(DTR_OFF)] } : silence(true),
      timer: stay,
      result: stay,
    },
    dropping: {
      timer: () => ({ state: close.state, effects: [{ do: 'dtr', on: true }, ...close.effects] }),
      lost: () => ({ state: { type: 'idle' }, effects: [cancel, { do: 'ended' }] }),
      result: stay,
      'carrier-lost': stay,
      stop: stay,
    },
    closing: {
      // It opened after it had been given up.
      opened: () => ({ state: { type: 'closing' }, effects: [{ do: 'close' }] }),
      failed: () => ({ state: { type: 'idle' }, effects: [{ do: 'ended' }] }),
      lost: () => ({ state: { type: 'idle' }, effects: [{ do: 'ended' }] }),
      result: stay,
      timer: stay,
      'carrier-lost': stay,
      stop: stay,
    },
  };
}

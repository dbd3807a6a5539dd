/**
 * From silence to an agreed rate (clause 6.4.3, annexes B and E): the meter is woken, asked who it is, and told at which rate it
 * goes on; in mode D it begins by itself.
 *
 * Decides: which mode and rate follow an identification; that a sign-on without data behind it is tried anew, at last at 300 Bd; that
 * a meter which does not confirm mode E has changed over all the same.
 */
import { LinkError } from '@amiable/bytes';
import { bytesOf, NUL, visible } from '../characters.ts';
import {
  fastest,
  type Identification,
  MODE_D_LINE,
  parseIdentification,
  parseOptionSelect,
  rateCharacter,
} from '../identification.ts';
import {
  BARE,
  BARE_OR_CHECKED,
  type ClientState,
  type ClientStep,
  type ClientTable,
  type Context,
  contextOf,
  type Effect,
  event,
  failed,
  LINES,
  SIGN_ON,
  SINGLE,
  STOP,
  stay,
  type Terms,
  to,
} from './steps.ts';
import type { SignedOn, Want } from './types.ts';

/** NULs for 2.2 s at 300 Bd, then a pause of 1.6 s (annex B: 2.1 to 2.3 s and 1.5 to 1.7 s). */
const WAKE_NULS = 66;
const WAKE_PAUSE = 1600;
/** A meter whose data nobody took goes back after 1500 to 2200 ms (clause 6.4.3.2). */
const REST = 2500;

const lineOf = ({ maker, z, marks, identification }: Identification): string =>
  `/${maker}${z}${marks}${identification}`;

export interface SignOn {
  /** The transition of `start`, from whatever state. */
  start(state: ClientState, input: { readonly want: Want }): ClientStep;
  /** Once more from the beginning, behind `first` and a rest; or the end of it, when that was often enough. */
  again(state: Context, what: string, expected: string, ...first: Effect[]): ClientStep;
  readonly rows: Pick<ClientTable, 'waking' | 'resting' | 'signing' | 'listening' | 'confirming'>;
}

export function signOnOf(terms: Terms): SignOn {
  const { address, attempts, confirmTimeout, maxBaud, mode: givenMode, timeout, wakeUp } = terms;
  const request = bytesOf(`/?${address}!\r\n`);

  const signOn = (want: Want, attempt: number): ClientStep =>
    wakeUp
      ? to({ type: 'waking', want, attempt }, SIGN_ON, SINGLE, {
          do: 'write',
          bytes: new Uint8Array(WAKE_NULS).fill(NUL),
          wait: WAKE_PAUSE,
        })
      : ask(want, attempt, SIGN_ON);
  const ask = (want: Want, attempt: number, ...before: Effect[]): ClientStep =>
    to({ type: 'signing', want, attempt }, ...before, SINGLE, { do: 'write', bytes: request, wait: timeout });

  function begin(want: Want): ClientStep {
    if (givenMode !== 'D') return signOn(want, 1);
    if (want !== 'readout') return failed(new LinkError('a meter in mode D sends by itself: it cannot be programmed'));
    return to({ type: 'listening', want, attempt: 1 }, { do: 'line', settings: MODE_D_LINE }, SINGLE, STOP);
  }

  /** Once more from the beginning, or the end of it. */
  function again(state: Context, what: string, expected: string, ...first: Effect[]): ClientStep {
    if (state.attempt < attempts && first.length > 0)
      return to({ type: 'resting', want: state.want, attempt: state.attempt + 1 }, ...first, {
        do: 'wait',
        wait: REST,
      });
    if (state.attempt < attempts) return signOn(state.want, state.attempt + 1);
    return failed(new LinkError(`signing on: ${expected} was expected, ${what} in ${state.attempt} attempts`));
  }

  function identified(state: Context, found: Identification): ClientStep {
    const mode = givenMode ?? found.mode;
    const { want } = state;
    // A meter that is not heard after the change of rate is at last read at the rate at which it was.
    const limit = state.attempt >= attempts && attempts > 1 ? 300 : maxBaud;
    if (want === 'hdlc') {
      if (!found.marks.includes('\\2'))
        return failed(
          new LinkError(
            `signing on in mode E: the meter ${found.maker} offers no binary mode (\\2): ${visible(lineOf(found))}`,
          ),
        );
      if (found.z < '0' || found.z > '6')
        return failed(
          new LinkError(
            `signing on in mode E: the meter names an unknown rate ${JSON.stringify(found.z)}: ${visible(lineOf(found))}`,
          ),
        );
    }
    if (want === 'hdlc' || mode === 'C') {
      const agreed = Math.min(found.baud, fastest(limit));
      const inMode = want === 'hdlc' ? 'E' : 'C';
      const meter: SignedOn = { ...found, inMode, agreed };
      const z = rateCharacter('C', agreed) ?? '0';
      const y = want === 'hdlc' ? '2' : want === 'programming' ? '1' : want === 'readout' ? '0' : want.option;
      const select: Effect = {
        do: 'write',
        bytes: bytesOf(`\x06${want === 'hdlc' ? '2' : '0'}${z}${y}\r\n`),
        wait: want === 'hdlc' ? confirmTimeout : timeout,
      };
      const told = event({ type: 'identified', meter });
      if (want === 'hdlc') return to({ type: 'confirming', meter, ...contextOf(state) }, told, LINES, select);
      const change: Effect = { do: 'line', settings: { baud: agreed, framing: '7E1' } };
      if (want === 'programming')
        return to({ type: 'entering', meter, repeats: 0, ...contextOf(state) }, told, SINGLE, select, change);
      return to({ type: 'reading', meter, repeats: 0, ...contextOf(state) }, told, BARE_OR_CHECKED, select, change);
    }
    // Modes A and B: the data come by themselves.
    const agreed = mode === 'B' ? found.baud : 300;
    const meter: SignedOn = { ...found, inMode: mode, agreed };
    return to(
      { type: 'reading', meter, repeats: 0, ...contextOf(state) },
      event({ type: 'identified', meter }),
      ...(agreed === 300 ? [] : [{ do: 'line', settings: { baud: agreed, framing: '7E1' } } as const]),
      BARE_OR_CHECKED,
      { do: 'wait', wait: timeout },
    );
  }

  const start = (_: ClientState, { want }: { readonly want: Want }): ClientStep => begin(want);

  function handOver(meter: SignedOn): ClientStep {
    return to(
      { type: 'hdlc' },
      STOP,
      { do: 'line', settings: { baud: meter.agreed, framing: '8N1' } },
      event({ type: 'hdlc', meter, rest: new Uint8Array(0) }),
    );
  }

  const rows: SignOn['rows'] = {
    waking: { start, silence: (s) => ask(s.want, s.attempt) },
    resting: { start, silence: (s) => signOn(s.want, s.attempt) },
    signing: {
      start,
      line(s, { text }) {
        const found = parseIdentification(text);
        return found ? identified(s, found) : stay(s);
      },
      silence: (s, { noise }) =>
        again(
          s,
          noise.length > 0 ? `${visible(noise)} came` : 'nothing came',
          address ? `an answer of meter ${address} (/XXXZ…)` : 'an identification /XXXZ…',
        ),
    },
    listening: {
      start,
      line(s, { text }) {
        const found = parseIdentification(text);
        if (!found) return stay(s);
        const meter: SignedOn = { ...found, inMode: 'D', agreed: 2400 };
        return to({ type: 'reading', meter, repeats: 0, ...contextOf(s) }, event({ type: 'identified', meter }), BARE, {
          do: 'wait',
          wait: timeout,
        });
      },
    },
    confirming: {
      start,
      line(s, { text }) {
        const found = parseOptionSelect(text);
        return found?.v === '2' ? handOver(s.meter) : stay(s);
      },
      // Some meters change over without a word.
      silence: (s) => handOver(s.meter),
    },
  };
  return { start, again, rows };
}

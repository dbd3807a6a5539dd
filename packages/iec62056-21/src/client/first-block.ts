/**
 * What comes first at the agreed rate: the data of a read-out, or the request for a password that opens programming mode
 * (clauses 6.4.3.2 and 6.4.3.3).
 *
 * Decides: a block with a wrong check is asked for again with NAK, and so is one of which only a part came; when nothing came the
 * sign-on is tried anew. In modes A and B programming follows the read-out; in mode D nothing can be asked for again.
 */
import { LinkError, PeerError } from '@amiable/bytes';
import type { Block } from '../block.ts';
import { ACK, NAK } from '../characters.ts';
import { errorText } from '../errors.ts';
import type { SignOn } from './sign-on.ts';
import {
  BREAK,
  brokenOff,
  type ClientState,
  type ClientStep,
  type ClientTable,
  character,
  contextOf,
  event,
  failed,
  NEVER,
  SINGLE,
  STOP,
  stay,
  type Terms,
  to,
} from './steps.ts';

export function firstBlockRows(
  { repeats, timeout }: Terms,
  { start, again }: SignOn,
): Pick<ClientTable, 'reading' | 'entering'> {
  const nak = character(NAK, timeout);

  function readout(state: Extract<ClientState, { type: 'reading' }>, block: Block): ClientStep {
    const { meter } = state;
    if (block.command) return brokenOff(block) ?? stay(state);
    if (block.check === 'wrong') {
      if (meter.inMode === 'D') return to({ ...contextOf(state), type: 'listening' }, SINGLE, STOP);
      if (state.repeats < repeats) return to({ ...state, repeats: state.repeats + 1 }, nak);
      return failed(
        new LinkError(
          `reading out: the block check was wrong ${state.repeats + 1} times; is the optical head in place?`,
        ),
      );
    }
    if (meter.inMode === 'D') return to({ type: 'over' }, STOP, event({ type: 'readout', meter, block }));
    // Modes A and B: programming follows the read-out.
    if (state.want === 'programming')
      return to({ type: 'programming' }, SINGLE, STOP, event({ type: 'entered', meter, operand: '' }));
    return to(
      { type: 'over' },
      SINGLE,
      ...(block.check === 'right' ? [character(ACK, NEVER)] : [STOP]),
      event({ type: 'readout', meter, block }),
    );
  }

  function entered(state: Extract<ClientState, { type: 'entering' }>, block: Block): ClientStep {
    const off = brokenOff(block);
    if (off) return off;
    if (block.check === 'wrong') {
      if (state.repeats < repeats) return to({ ...state, repeats: state.repeats + 1 }, nak);
      return failed(new LinkError(`entering programming mode: the block check was wrong ${state.repeats + 1} times`));
    }
    const text = errorText(block.data);
    if (text !== undefined && !block.command)
      return failed(new PeerError(`entering programming mode: the meter refuses: ${text}`));
    if (block.command?.command !== 'P')
      return failed(
        new PeerError(
          'entering programming mode: the meter reads out instead; it has none, or wants another address or rate',
        ),
      );
    const operand = block.data.replace(/^\(/, '').replace(/\)$/, '');
    return to({ type: 'programming' }, STOP, event({ type: 'entered', meter: state.meter, operand }));
  }

  return {
    reading: {
      start,
      block: readout,
      silence(s, { heard }) {
        if (s.meter.inMode === 'D') return to({ ...contextOf(s), type: 'listening' }, SINGLE, STOP);
        if (heard && s.repeats < repeats) return to({ ...s, repeats: s.repeats + 1 }, nak);
        return again(s, `nothing came at ${s.meter.agreed} Bd`, 'a read-out', STOP);
      },
    },
    entering: {
      start,
      block: entered,
      // Some take ACK for the request of a password.
      ack: (s) => to({ type: 'programming' }, STOP, event({ type: 'entered', meter: s.meter, operand: '' })),
      silence(s, { heard }) {
        if (heard && s.repeats < repeats) return to({ ...s, repeats: s.repeats + 1 }, nak);
        return again(s, `nothing came at ${s.meter.agreed} Bd`, 'programming mode (P0)', {
          do: 'write',
          bytes: BREAK,
          wait: NEVER,
        });
      },
    },
  };
}

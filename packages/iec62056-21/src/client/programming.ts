/**
 * Commands in programming mode (clause 6.5): each is answered with data, ACK, an error's text, or NAK; long ones go and come in
 * partial blocks.
 *
 * Decides: a command without an answer is sent again unless it executes something; an answer with a wrong check is asked for again;
 * an answer that does not end is given up.
 */
import { LinkError } from '@amiable/bytes';
import { type Block, type CommandMessage, encodeCommand, LONGEST_BLOCK } from '../block.ts';
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
  event,
  failed,
  NEVER,
  SIGN_ON,
  STOP,
  stay,
  type Terms,
  to,
} from './steps.ts';
import type { Answer } from './types.ts';

type Asking = Extract<ClientState, { type: 'asking' }>;

export function programmingRows(
  { repeats, timeout }: Terms,
  { start }: SignOn,
): Pick<ClientTable, 'programming' | 'asking'> {
  const nak = character(NAK, timeout);
  const ack = character(ACK, timeout);

  const send = (state: Asking): ClientStep => to(state, { do: 'write', bytes: state.sent, wait: timeout });
  const done = (answer: Answer): ClientStep => to({ type: 'programming' }, STOP, event({ type: 'answer', answer }));
  const name = ({ commands, at }: Asking): string => {
    const { command, type, data } = commands[at] as CommandMessage;
    return command === 'P' ? `P${type} (password)` : `${command}${type} ${data}`.trim();
  };

  function answered(state: Asking, block: Block): ClientStep {
    const off = brokenOff(block);
    if (off) return off;
    if (block.check === 'wrong') {
      if (state.repeats < repeats) return to({ ...state, repeats: state.repeats + 1 }, nak);
      return failed(new LinkError(`${name(state)}: the block check was wrong ${state.repeats + 1} times`));
    }
    const text = state.parts === '' ? errorText(block.data) : undefined;
    if (text !== undefined) return done({ type: 'error', text });
    const parts = state.parts + block.data;
    if (parts.length > LONGEST_BLOCK)
      return failed(new LinkError(`${name(state)}: the meter's answer does not end: ${parts.length} characters came`));
    if (block.more) return to({ ...state, parts, repeats: 0, sent: Uint8Array.of(ACK) }, ack);
    return done({ type: 'data', data: parts });
  }

  function acknowledged(state: Asking): ClientStep {
    const next = state.commands[state.at + 1];
    if (next) return send({ ...state, at: state.at + 1, repeats: 0, sent: encodeCommand(next) });
    // A read is answered with data: this is what the meter said to something else.
    return state.commands[0]?.command === 'R' ? stay(state) : done({ type: 'ack' });
  }

  /** The same once more. What executes something is not sent twice: the first may have been heard. */
  function repeat(state: Asking, why: string, harmless: boolean): ClientStep {
    if (state.repeats >= repeats || !harmless)
      return failed(new LinkError(`${name(state)}: ${why}${harmless ? ` ${state.repeats + 1} times` : ''}`));
    return send({ ...state, repeats: state.repeats + 1 });
  }

  const leave = (): ClientStep => to({ type: 'over' }, { do: 'write', bytes: BREAK, wait: NEVER }, SIGN_ON);

  return {
    programming: {
      start,
      command: (_, { commands }) =>
        send({
          type: 'asking',
          sent: encodeCommand(commands[0] as CommandMessage),
          commands,
          at: 0,
          parts: '',
          repeats: 0,
        }),
      break: leave,
      block: (s, b) => brokenOff(b) ?? stay(s),
    },
    asking: {
      block: answered,
      ack: acknowledged,
      nak: (s) => repeat(s, 'the meter did not understand (NAK)', true),
      silence: (s, { heard }) =>
        heard && s.repeats < repeats && s.commands[0]?.command === 'R'
          ? to({ ...s, repeats: s.repeats + 1 }, nak)
          : repeat(s, 'no answer', s.commands[0]?.command !== 'E'),
      break: leave,
    },
  };
}

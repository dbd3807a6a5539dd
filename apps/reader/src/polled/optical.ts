/**
 * A meter with an optical port or a current loop, signed on to and read out each round (IEC 62056-21 modes A, B and C; the client decides
 * by the identification).
 *
 * Decides: what a read-out that failed counts as and how it is told. The client believes no block whose check character is wrong or, where there is none, whose
 * parity bits are; it asks for it again. What it believes goes through the decoder of ports that are listened to, so that the messages are the same.
 * Leaves out mode D: such a meter is only listened to.
 */
import { PeerError } from '@amiable/bytes';
import { createOpticalSession, NAK, type OpticalReadout } from '@amiable/iec62056-21';
import type { Clock } from '@amiable/io';
import type { WatchedLine } from './line.ts';
import { type Asker, isOfMeter, type PollOptions, type Surroundings } from './types.ts';

/** The rate of the sign-on. */
export const SIGN_ON = { baud: 300, parity: 'N' } as const;

export interface OpticalAskerOptions {
  readonly line: WatchedLine;
  readonly clock: Clock;
  readonly poll: PollOptions;
  /** A serial server keeps the rate that it is set to. */
  readonly network: boolean;
}

/** @throws what opening the line throws */
export async function opticalAsker(
  { line, clock, poll, network }: OpticalAskerOptions,
  around: Surroundings,
): Promise<Asker> {
  const session = await createOpticalSession({
    link: line,
    clock,
    address: poll.address,
    mode: poll.mode,
    wakeUp: poll.wakeUp,
    maxBaud: poll.baud ?? (network ? SIGN_ON.baud : undefined),
    trace({ direction, bytes }) {
      // What we ask for again was no good.
      if (direction === 'out' && bytes.length === 1 && bytes[0] === NAK) around.refused('bcc');
    },
  });
  const end = (): void => void session.close().catch(() => {});
  around.signal.addEventListener('abort', end, { once: true });
  if (around.signal.aborted) end();
  let silent: string | undefined;

  return {
    async round() {
      let readout: OpticalReadout;
      try {
        readout = await session.readout();
      } catch (error) {
        if (line.lost || around.signal.aborted || !isOfMeter(error)) throw error;
        const { message } = error;
        around.refused(error instanceof PeerError ? 'refused' : 'noAnswer');
        if (silent !== message) around.tell(`${message}. ${silent === undefined ? ADVICE : 'Still trying'}`);
        silent = message;
        return false;
      }
      if (silent !== undefined) around.tell('the meter answers again');
      silent = undefined;
      around.decode(readout.raw);
      await around.settled();
      return true;
    },
    async close() {
      around.signal.removeEventListener('abort', end);
      await session.close();
    },
  };
}

const ADVICE = 'Trying again. Is the optical head over the port and the right way round?';

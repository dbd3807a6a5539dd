/**
 * The meters of a wired M-Bus, asked one after the other each round by their master (this program).
 *
 * Decides: who is asked (named in the settings, else found by a search whose result is remembered); what is given to the decoder: every
 * answer of a meter while it is read, so that damage is counted by cause as on a line that is listened to; not our own question (converters echo
 * it), not E5, nothing of a search, where collisions belong to it. A meter that does not answer is told once and asked again each round.
 * Leaves out: link and application layer (package mbus), and what devices are opened with (loop.ts).
 */
import type { Clock } from '@amiable/io';
import {
  createMbusSession,
  type Found,
  type LongFrame,
  type MbusSession,
  type SlaveAddress,
  type SlaveIdentity,
} from '@amiable/mbus';
import { busMeters, slaveAddressOf, slaveAddressText } from './addresses.ts';
import type { WatchedLine } from './line.ts';
import { type Asker, isOfMeter, type PollOptions, type Surroundings } from './types.ts';

/** The single character. */
const E5 = 0xe5;
/** All slaves answer to it, whatever their address. */
const ANYBODY = 254;
const LAST = 250;
/** What an adapter on USB holds octets back, and a network, ms. */
const LATENCY = { serial: 60, network: 300 } as const;

export interface MbusAskerOptions {
  readonly line: WatchedLine;
  readonly clock: Clock;
  readonly poll: PollOptions;
  readonly baud: number;
  readonly network: boolean;
  /** Nobody has answered at any setting yet, and this is not the last one to try: a search of the whole bus waits. */
  tentative(): boolean;
  readonly known: KnownMeters;
}

/** What outlives a line that is lost. */
export interface KnownMeters {
  /** In the order of asking, by their text. */
  readonly meters: Map<string, { readonly address: SlaveAddress; silent: boolean }>;
  /** The next primary address to search; above 250: done. */
  next: number;
  searchedNumbers: boolean;
}

export function knownMeters(poll: PollOptions): KnownMeters {
  const { named, primary, secondary } = busMeters(poll.meters ?? []);
  const meters: KnownMeters['meters'] = new Map();
  for (const address of named) meters.set(slaveAddressText(address), { address, silent: false });
  const remembered = primary || secondary ? poll.memory?.load() : undefined;
  for (const text of remembered ?? []) {
    const address = slaveAddressOf(text);
    if (address !== undefined && !meters.has(text)) meters.set(text, { address, silent: false });
  }
  const done = (remembered?.length ?? 0) > 0;
  return { meters, next: primary && !done ? 0 : LAST + 1, searchedNumbers: !secondary || done };
}

/** @throws what opening the line throws */
export async function mbusAsker(options: MbusAskerOptions, around: Surroundings): Promise<Asker> {
  const { line, clock, poll, baud, network, tentative, known } = options;
  const named = new Set(busMeters(poll.meters ?? []).named.map(slaveAddressText));
  /** What came since the last question, while a meter is read. */
  let answer: number[] | undefined;
  let question: Uint8Array = new Uint8Array(0);
  const answered = (): void => {
    if (!answer) return;
    const own = question.length > 0 && question.every((octet, i) => answer?.[i] === octet) ? question.length : 0;
    const rest = answer.slice(own);
    answer = [];
    if (rest.length === 0 || (rest.length === 1 && rest[0] === E5)) return;
    around.decode(Uint8Array.from(rest));
  };
  const session: MbusSession = await createMbusSession({
    link: line,
    clock,
    baud,
    latency: network ? LATENCY.network : LATENCY.serial,
    signal: around.signal,
    trace(direction, bytes) {
      if (direction === 'sent') {
        answered();
        question = bytes;
      } else if (answer) for (const octet of bytes) answer.push(octet);
    },
  });
  const over = () => line.lost !== undefined || around.signal.aborted;

  /** @returns whether anything came that is an answer; rejects when the line is lost */
  async function read(name: string, meter: { readonly address: SlaveAddress; silent: boolean }): Promise<boolean> {
    answer = [];
    let telegrams: LongFrame[];
    try {
      telegrams = await session.read(meter.address);
    } catch (error) {
      if (over() || !isOfMeter(error)) throw error;
      around.refused('noAnswer');
      if (!meter.silent && !tentative()) around.tell(`meter ${name}: ${error.message}. It is asked again each round`);
      meter.silent = !tentative();
      return false;
    } finally {
      answered();
      answer = undefined;
      await around.settled();
    }
    if (meter.silent) around.tell(`meter ${name} answers again`);
    meter.silent = false;
    // E5: it is there and has nothing to say.
    if (telegrams.length === 0) around.refused('noData');
    return true;
  }

  const remember = () => poll.memory?.save([...known.meters.keys()].filter((text) => !named.has(text)));

  async function take(found: Found, text: string): Promise<void> {
    const address = slaveAddressOf(text);
    if (found.trouble === 'collision') {
      around.tell(
        `several meters answer at ${text}; give them by their numbers, or let them be searched by number (meters: secondary)`,
      );
      return;
    }
    if (address === undefined || known.meters.has(text)) return;
    around.tell(`found meter ${text}${found.secondary ? `: ${identityText(found.secondary)}` : ''}`);
    const meter = { address, silent: false };
    known.meters.set(text, meter);
    await read(text, meter);
  }

  /** @returns whether anybody was found */
  async function search(): Promise<boolean> {
    const before = known.meters.size;
    const whole = known.next === 0;
    if (known.next <= LAST) {
      if (whole) around.tell('searching the bus for meters, addresses 0 to 250; it takes some minutes');
      for (; known.next <= LAST; known.next++)
        for (const found of await session.scanPrimary(known.next, known.next)) await take(found, String(found.primary));
    }
    if (!known.searchedNumbers) {
      around.tell('searching the bus for meters by their numbers');
      for (const found of await session.scanSecondary())
        if (found.secondary) await take(found, slaveAddressText(found.secondary));
      known.searchedNumbers = true;
    }
    if (known.meters.size > 0) remember();
    else {
      // Nobody there: the next round searches again.
      const { primary, secondary } = busMeters(poll.meters ?? []);
      around.tell('no meter was found on the bus. Searching again each round; has the level converter power?');
      if (primary) known.next = 0;
      known.searchedNumbers = !secondary;
    }
    return known.meters.size > before;
  }

  return {
    async round() {
      let any = false;
      for (const [name, meter] of [...known.meters]) any = (await read(name, meter)) || any;
      if (known.next > LAST && known.searchedNumbers) return any;
      // Whether anybody hears us at this rate shows sooner than by a search.
      if (!any && tentative() && (await session.scanPrimary(ANYBODY, ANYBODY)).length === 0) return false;
      return (await search()) || any;
    },
    close: () => session.close(),
  };
}

const identityText = ({ identification, manufacturer }: SlaveIdentity): string => `${manufacturer} ${identification}`;

/**
 * The master of a wired M-Bus (EN 13757-2 clause 5, EN 13757-3 clause 10 and 11): operations as generators that yield questions and are
 * handed answers, so that the same code runs over a line, in virtual time and in tests.
 *
 * Decides: frame count bits per address, for sending and for asking; up to two repetitions; several telegrams until one says that
 * it is the last; the search for secondary addresses by wildcards, digit by digit where slaves collide, with the digits A
 * to E where 0 to 9 find nobody, and by medium, version and manufacturer where two slaves have one number.
 */
import { DecodeError, LinkError, MisuseError, PeerError } from '@amiable/bytes';
import { encodeRecords, encodeSecondary } from '../application/encode.ts';
import { decodeRecords } from '../application/records.ts';
import { formOf, headerLength } from '../application/telegram.ts';
import type { RecordToSend } from '../application/types.ts';
import { encodeLongFrame, encodeShortFrame, type LongFrame } from '../frame.ts';
import {
  ADDRESS,
  CI,
  ciOfBaud,
  decodeSecondary,
  FCB,
  matchesSecondary,
  REQ_UD1,
  REQ_UD2,
  SECONDARY_LENGTH,
  type SecondaryAddress,
  type SlaveIdentity,
  SND_NKE,
  SND_UD,
} from '../link.ts';
import type { Answer } from './exchange.ts';

export interface Question {
  readonly bytes: Uint8Array;
  /** For a person: `SND_NKE to 5`. */
  readonly what: string;
  /** How often it is sent again after silence or damage. */
  readonly repeats: number;
  /** False: nobody answers a broadcast. */
  readonly answered: boolean;
  /** From here on the line runs at this rate; nothing is sent then. */
  readonly baud?: number;
}

export type Operation<T> = Generator<Question, T, Answer>;

export interface Found {
  /** Primary address, where it was searched for or the slave said it. */
  readonly primary?: number;
  readonly secondary?: SlaveIdentity;
  /** The slave answered, but not with a telegram: nothing to say (E5), or several slaves share the address. */
  readonly trouble?: 'noData' | 'collision';
  /** Its first telegram. */
  readonly telegram?: LongFrame;
}

export interface Progress {
  /** Address or pattern that is being asked. */
  readonly at: string;
  readonly found: readonly Found[];
}

export interface MasterOptions {
  /** Repetitions after silence or damage; 2 unless said. */
  readonly repeats?: number;
  /** Most telegrams that are taken from one slave; 32 unless said. */
  readonly maxTelegrams?: number;
  readonly progress?: (progress: Progress) => void;
}

/** A primary address (0 to 250), or a secondary one, which is selected first. */
export type SlaveAddress = number | SecondaryAddress;

interface Counts {
  send: number;
  ask: number;
}

export interface MbusMaster {
  /** Resets the link of an address; whether it answered. */
  reset(address: number): Operation<Answer>;
  /** Selects slaves by secondary address; `F`, absent parts and 255 match all. */
  select(address: SecondaryAddress): Operation<Answer>;
  /** All telegrams of a slave. @throws LinkError, PeerError */
  read(address: SlaveAddress): Operation<LongFrame[]>;
  /** The alarm data (class 1), undefined when there are none. @throws LinkError */
  readAlarm(address: SlaveAddress): Operation<LongFrame | undefined>;
  /** Sends records. @throws LinkError, PeerError when the slave reports an application error */
  write(address: SlaveAddress, records: readonly RecordToSend[] | Uint8Array): Operation<void>;
  applicationReset(address: SlaveAddress, subcode?: number): Operation<void>;
  /** Changes the rate of a slave, and of the line with it. @throws LinkError when it does not answer at the new one */
  setBaud(address: SlaveAddress, baud: number, from: number): Operation<void>;
  /** Gives a slave another primary address. @throws LinkError when it does not answer there */
  setPrimary(address: SlaveAddress, to: number): Operation<void>;
  scanPrimary(first?: number, last?: number): Operation<Found[]>;
  /** Searches all slaves that match. */
  scanSecondary(pattern?: Partial<SecondaryAddress>): Operation<Found[]>;
}

const describe = (address: SecondaryAddress): string =>
  [
    address.identification,
    address.manufacturer ?? 'any manufacturer',
    ...(address.version === undefined ? [] : [`version ${address.version}`]),
    ...(address.medium === undefined ? [] : [`medium ${address.medium}`]),
  ].join(', ');

export function createMbusMaster(options: MasterOptions = {}): MbusMaster {
  const { repeats = 2, maxTelegrams = 32, progress } = options;
  const counts = new Map<number, Counts>();

  /** After SND_NKE both ends expect the bit to be set. */
  function countsOf(address: number): Counts {
    let of = counts.get(address);
    if (of === undefined) {
      of = { send: FCB, ask: FCB };
      counts.set(address, of);
    }
    return of;
  }

  function* ask(bytes: Uint8Array, what: string, again = repeats, answered = true): Operation<Answer> {
    return yield { bytes, what, repeats: again, answered };
  }

  function* reset(address: number, again = repeats): Operation<Answer> {
    counts.delete(address);
    const answered = address !== ADDRESS.broadcast;
    return yield* ask(encodeShortFrame(SND_NKE, address), `SND_NKE to ${address}`, again, answered);
  }

  function* request(address: number, kind = REQ_UD2, again = repeats): Operation<Answer> {
    const of = countsOf(address);
    const bytes = encodeShortFrame(kind | of.ask, address);
    const answer = yield* ask(bytes, `${kind === REQ_UD2 ? 'REQ_UD2' : 'REQ_UD1'} to ${address}`, again);
    if (answer.kind === 'frame' || answer.kind === 'acknowledge') of.ask ^= FCB;
    return answer;
  }

  function* send(address: number, controlInformation: number, data: Uint8Array, what: string): Operation<void> {
    const of = countsOf(address);
    const bytes = encodeLongFrame({ control: SND_UD | of.send, address, controlInformation, data });
    const answered = address !== ADDRESS.broadcast;
    const answer = yield* ask(bytes, `${what} to ${address}`, repeats, answered);
    of.send ^= FCB;
    if (answered && answer.kind !== 'acknowledge') throw noAnswer(answer, `${what} to ${address}`, 'E5');
  }

  function* selectRaw(pattern: Uint8Array, what: string, again = repeats): Operation<Answer> {
    counts.delete(ADDRESS.network);
    // FCV is not used with a selection: it is a new beginning each time.
    const bytes = encodeLongFrame({
      control: SND_UD,
      address: ADDRESS.network,
      controlInformation: CI.select,
      data: pattern,
    });
    return yield* ask(bytes, `selection of ${what}`, again);
  }

  const select = (address: SecondaryAddress, again = repeats) =>
    selectRaw(encodeSecondary(address), describe(address), again);

  /** The address to speak to, selected and reset. @throws LinkError */
  function* begin(address: SlaveAddress): Operation<number> {
    if (typeof address === 'number') {
      if (!Number.isInteger(address) || address < 0 || address > ADDRESS.broadcast)
        throw new MisuseError(`a primary address is 0 to 250, not ${address}`);
      const answer = yield* reset(address);
      if (answer.kind === 'silence' && address !== ADDRESS.broadcast)
        throw noAnswer(answer, `SND_NKE to ${address}`, 'E5');
      return address;
    }
    const answer = yield* select(address);
    if (answer.kind !== 'acknowledge') throw noAnswer(answer, `the selection of ${describe(address)}`, 'E5');
    return ADDRESS.network;
  }

  function* readTelegrams(address: number, first?: LongFrame): Operation<LongFrame[]> {
    const telegrams: LongFrame[] = first ? [first] : [];
    while (telegrams.length === 0 || (moreFollows(telegrams.at(-1)!) && telegrams.length < maxTelegrams)) {
      const answer = yield* request(address);
      if (answer.kind === 'acknowledge') break;
      if (answer.kind !== 'frame') throw noAnswer(answer, `REQ_UD2 to ${address}`, 'a telegram');
      telegrams.push(answer.frame);
    }
    return telegrams;
  }

  function* read(address: SlaveAddress): Operation<LongFrame[]> {
    return yield* readTelegrams(yield* begin(address));
  }

  function* write(address: SlaveAddress, records: readonly RecordToSend[] | Uint8Array): Operation<void> {
    const at = yield* begin(address);
    const data = records instanceof Uint8Array ? records : encodeRecords(records);
    yield* send(at, CI.dataSend, data, 'data');
    if (at === ADDRESS.broadcast) return;
    // What the slave thinks of it shows at the next question.
    const answer = yield* request(at);
    if (answer.kind === 'frame' && answer.frame.controlInformation === CI.applicationError)
      throw new PeerError(`the slave refused the data: application error ${answer.frame.data[0] ?? 0}`);
  }

  function* found(alone: boolean): Operation<Omit<Found, 'primary'> & { silent?: boolean }> {
    // While digits are left a collision is what is looked for; without them it may be damage.
    const answer = yield* request(ADDRESS.network, REQ_UD2, alone ? repeats : 0);
    if (answer.kind === 'frame') {
      const { frame } = answer;
      const secondary = secondaryOf(frame);
      return { telegram: frame, ...(secondary && { secondary }) };
    }
    return answer.kind === 'silence'
      ? { silent: true }
      : { trouble: answer.kind === 'acknowledge' ? 'noData' : 'collision' };
  }

  function* scanPrimary(first = 0, last: number = ADDRESS.last): Operation<Found[]> {
    const all: Found[] = [];
    for (let address = first; address <= last; address++) {
      progress?.({ at: String(address), found: all });
      const answer = yield* reset(address, Math.min(1, repeats));
      if (answer.kind === 'silence') continue;
      const data = yield* request(address);
      if (data.kind === 'frame') {
        const secondary = secondaryOf(data.frame);
        all.push({ primary: address, telegram: data.frame, ...(secondary && { secondary }) });
      } else if (data.kind !== 'silence' || answer.kind === 'acknowledge')
        all.push({ primary: address, trouble: data.kind === 'garbage' ? 'collision' : 'noData' });
      else all.push({ primary: address, trouble: 'collision' });
    }
    return all;
  }

  function* scanSecondary(pattern: Partial<SecondaryAddress> = {}): Operation<Found[]> {
    const all: Found[] = [];
    const bytes = encodeSecondary({ ...pattern, identification: pattern.identification ?? 'FFFFFFFF' });
    // Ends what may still be selected.
    yield* reset(ADDRESS.network, 0);
    yield* search(bytes, 0, all);
    return all;
  }

  /** @returns whether anybody answered under this pattern */
  function* search(pattern: Uint8Array, place: number, all: Found[]): Operation<boolean> {
    progress?.({ at: textOf(pattern), found: all });
    // Once more after silence, for octets get lost; a collision is an answer.
    const answer = yield* selectRaw(pattern, textOf(pattern), Math.min(1, repeats));
    if (answer.kind === 'silence') return false;
    const one = yield* found(nextPlace(pattern, place) < 0 || place >= DIGITS);
    if (one.secondary !== undefined && matchesSecondary(encodeSecondary(one.secondary), pattern)) {
      const { silent, ...rest } = one;
      if (!all.some((other) => sameSlave(other, rest))) {
        const primary = one.telegram?.address;
        all.push({ ...rest, ...(primary !== undefined && primary <= ADDRESS.last && { primary }) });
      }
      return true;
    }
    if (one.silent && answer.kind === 'acknowledge' && place >= PLACES) return true;
    const next = nextPlace(pattern, place);
    if (next < 0) {
      if (all.length >= MOST_SLAVES)
        throw new LinkError(
          `something answers under every address, ${all.length} so far: the line is disturbed, or a device on it never falls silent`,
        );
      all.push({ secondary: decodeSecondary(pattern), trouble: one.trouble ?? 'noData' });
      return true;
    }
    let any = false;
    for (const value of valuesAt(next, false))
      any = (yield* search(withValue(pattern, next, value), next + 1, all)) || any;
    // Digits that are none: some makers number so.
    if (!any)
      for (const value of valuesAt(next, true))
        any = (yield* search(withValue(pattern, next, value), next + 1, all)) || any;
    return true;
  }

  return {
    reset: (address) => reset(address),
    select: (address) => select(address),
    read,
    *readAlarm(address) {
      const answer = yield* request(yield* begin(address), REQ_UD1);
      if (answer.kind === 'frame') return answer.frame;
      if (answer.kind === 'acknowledge') return undefined;
      throw noAnswer(answer, 'REQ_UD1', 'E5 or a telegram');
    },
    write,
    *applicationReset(address, subcode) {
      const at = yield* begin(address);
      const data = subcode === undefined ? new Uint8Array(0) : Uint8Array.of(subcode);
      yield* send(at, CI.applicationReset, data, 'application reset');
    },
    *setBaud(address, baud, from) {
      const ci = ciOfBaud(baud);
      if (ci === undefined) throw new MisuseError(`no baud rate of M-Bus: ${baud}; there are 300 to 38400`);
      const at = yield* begin(address);
      yield* send(at, ci, new Uint8Array(0), `${baud} baud`);
      yield* changeBaud(baud);
      const answer = at === ADDRESS.broadcast ? undefined : yield* reset(at);
      if (answer === undefined || answer.kind === 'acknowledge') return;
      // It may have stayed at the old rate; the line goes back to where the slave is most likely heard.
      yield* changeBaud(from);
      throw noAnswer(answer, `SND_NKE to ${at} at ${baud} baud`, 'E5');
    },
    *setPrimary(address, to) {
      if (!Number.isInteger(to) || to < 0 || to > ADDRESS.last)
        throw new MisuseError(`a primary address is 0 to 250, not ${to}`);
      const at = yield* begin(address);
      yield* send(at, CI.dataSend, Uint8Array.of(0x01, 0x7a, to), 'new address');
      const answer = yield* reset(to);
      if (answer.kind !== 'acknowledge') throw noAnswer(answer, `SND_NKE to ${to}, the new address`, 'E5');
    },
    scanPrimary,
    scanSecondary,
  };
}

const NOTHING = new Uint8Array(0);

function* changeBaud(baud: number): Operation<void> {
  yield { bytes: NOTHING, what: `line at ${baud} baud`, repeats: 0, answered: false, baud };
}

/** What it means first; the standard's words in brackets, for who knows them. */
function noAnswer(answer: Answer, what: string, expected: string): LinkError {
  const [meaning, came] =
    answer.kind === 'silence'
      ? ['the meter did not answer', 'nothing came']
      : answer.kind === 'garbage'
        ? [
            'what came cannot be understood: several meters answer at once, or the line is disturbed',
            `${answer.octets.length} octets came that are no frame`,
          ]
        : ['the meter did not answer what it was asked', answer.kind === 'acknowledge' ? 'E5 came' : 'a telegram came'];
  return new LinkError(`${meaning} (${what}: expected ${expected}, ${came})`);
}

/** Whether a telegram ends with DIF 1F. One that cannot be read is the last. */
export function moreFollows(frame: LongFrame): boolean {
  const form = formOf(frame.controlInformation);
  if (form?.content !== 'records') return false;
  try {
    const { data } = frame;
    return decodeRecords(data, Math.min(headerLength(form), data.length), data.length, form).moreFollows;
  } catch (e) {
    if (e instanceof DecodeError) return false;
    throw e;
  }
}

/** The secondary address in the header of a telegram. */
export function secondaryOf(frame: LongFrame): SlaveIdentity | undefined {
  const form = formOf(frame.controlInformation);
  if (form?.header !== 'long' || frame.data.length < SECONDARY_LENGTH) return undefined;
  const address = frame.data.slice(0, SECONDARY_LENGTH);
  if (form.msbFirst) {
    address.subarray(0, 4).reverse();
    address.subarray(4, 6).reverse();
  }
  return decodeSecondary(address);
}

const sameSlave = (a: Found, b: Found): boolean =>
  a.secondary !== undefined &&
  b.secondary !== undefined &&
  a.secondary.identification === b.secondary.identification &&
  a.secondary.manufacturer === b.secondary.manufacturer &&
  a.secondary.version === b.secondary.version &&
  a.secondary.medium === b.secondary.medium;

/** More than any bus carries. */
const MOST_SLAVES = 1000;

/** Places to search in order: the eight digits, then medium, version, and the two octets of the manufacturer. */
const DIGITS = 8;
const OCTETS = [7, 6, 4, 5] as const;
const PLACES = DIGITS + OCTETS.length;
const DECIMAL = Array.from({ length: 10 }, (_, i) => i);
const LETTERS = [10, 11, 12, 13, 14];
const ANY_OCTET = Array.from({ length: 255 }, (_, i) => i);

const valuesAt = (place: number, odd: boolean): readonly number[] =>
  place < DIGITS ? (odd ? LETTERS : DECIMAL) : odd ? [] : ANY_OCTET;

/** The next place from `from` on that is a wildcard; -1 when there is none. */
function nextPlace(pattern: Uint8Array, from: number): number {
  for (let place = from; place < PLACES; place++) {
    if (place >= DIGITS) {
      if (pattern[OCTETS[place - DIGITS] as number] === 0xff) return place;
    } else {
      const octet = pattern[3 - (place >> 1)] as number;
      if ((place & 1 ? octet & 15 : octet >> 4) === 15) return place;
    }
  }
  return -1;
}

function withValue(pattern: Uint8Array, place: number, value: number): Uint8Array {
  const out = pattern.slice();
  if (place >= DIGITS) out[OCTETS[place - DIGITS] as number] = value;
  else {
    const at = 3 - (place >> 1);
    const octet = out[at] as number;
    out[at] = place & 1 ? (octet & 0xf0) | value : (octet & 0x0f) | (value << 4);
  }
  return out;
}

const textOf = (pattern: Uint8Array): string => {
  const { identification } = decodeSecondary(pattern);
  return pattern.subarray(4).every((octet) => octet === 0xff)
    ? identification
    : `${identification} ${[...pattern.subarray(4)].map((o) => (o === 0xff ? '*' : o.toString(16).toUpperCase().padStart(2, '0'))).join(' ')}`;
};

/** Runs an operation with something that answers at once; repeats as it wants to be repeated. */
export function runOperation<T>(operation: Operation<T>, answer: (question: Question) => Answer): T {
  let step = operation.next();
  while (!step.done) {
    const question = step.value;
    let came = answer(question);
    for (let n = 0; n < question.repeats && isFailure(came); n++) came = answer(question);
    step = operation.next(came);
  }
  return step.value;
}

/** Silence and damage are worth another try. */
export const isFailure = (answer: Answer): boolean => answer.kind === 'silence' || answer.kind === 'garbage';

/**
 * From a plain Data-Notification to the canonical message.
 *
 * A meter repeats itself, so layouts are learnt: the first notification of a kind is decoded by the book and leaves a
 * plan; the next one of that length whose pinned bytes agree is read along it. Everything that differs goes by the book
 * again. The result is the same either way (test/learnt.test.ts).
 */
import { DecodeError, Reader } from '@amiable/bytes';
import { APDU, readNotificationHead } from '@amiable/dlms';
import { ClockCache } from './clock.ts';
import { readBody } from './elements.ts';
import type { PushMessage } from './message.ts';
import { makePlan, type Plan } from './plan.ts';
import { fits, type Origin, runPlan } from './run.ts';

export interface PushDecoderOptions {
  /** Names that the messages carry. */
  readonly reader?: string;
  readonly port?: string;
  /** IANA zone for clocks that give no offset; goes before the market's. */
  readonly zone?: string;
  /** The port is live: messages without a clock are told apart by receive time instead of receive sequence. */
  readonly live?: boolean;
  /** Layouts remembered; 0 decodes everything by the book. */
  readonly layouts?: number;
}

export interface PushDecoder {
  /**
   * @param apdu a plain Data-Notification (0F …) and nothing behind it
   * @param receivedAt epoch milliseconds
   * @param raw the bytes on the wire, kept in the message and part of its id; the APDU itself unless given. Not copied.
   * @param lenient a list that is cut short yields what it holds, with flag `truncated`
   * @throws DecodeError
   */
  decode(apdu: Uint8Array, receivedAt: number, raw?: Uint8Array, lenient?: boolean): PushMessage;
  /** How many messages were read along a learnt layout, and how many by the book. */
  readonly counters: { readonly learnt: number; readonly byTheBook: number };
}

const DEFAULT_LAYOUTS = 64;

export function createPushDecoder(options: PushDecoderOptions = {}): PushDecoder {
  const origin: Origin = {
    reader: options.reader ?? 'reader',
    port: options.port ?? 'han0',
    zone: options.zone,
    cache: new ClockCache(),
  };
  const capacity = options.layouts ?? DEFAULT_LAYOUTS;
  const live = options.live === true;
  /** By length of the APDU. */
  const known = new Map<number, Plan[]>();
  let size = 0;
  let sequence = 0;
  let learnt = 0;
  let byTheBook = 0;
  let view: DataView = new DataView(new ArrayBuffer(0));

  const learn = (plan: Plan): void => {
    if (size >= capacity) forgetOldest();
    const sameLength = known.get(plan.length);
    if (sameLength) sameLength.push(plan);
    else known.set(plan.length, [plan]);
    plan.used = sequence;
    size++;
  };
  const forgetOldest = (): void => {
    let oldest: Plan | undefined;
    for (const plans of known.values()) for (const plan of plans) if (!oldest || plan.used < oldest.used) oldest = plan;
    if (!oldest) return;
    const rest = (known.get(oldest.length) as Plan[]).filter((plan) => plan !== oldest);
    if (rest.length > 0) known.set(oldest.length, rest);
    else known.delete(oldest.length);
    size--;
  };

  return {
    decode(apdu, receivedAt, raw = apdu, lenient = false) {
      sequence++;
      const stamp = live ? receivedAt : sequence;
      if (live) origin.cache.receivedAt = receivedAt;
      const plans = known.get(apdu.length);
      // Many frames lie in one buffer.
      if (apdu.buffer !== view.buffer) view = new DataView(apdu.buffer);
      if (plans !== undefined) {
        for (let i = 0; i < plans.length; i++) {
          const plan = plans[i] as Plan;
          if (fits(plan, apdu, view)) {
            plan.used = sequence;
            learnt++;
            return runPlan(plan, apdu, view, origin, receivedAt, raw, stamp);
          }
        }
      }
      const plan = planByTheBook(apdu, lenient);
      byTheBook++;
      if (plan.learnable && capacity > 0) learn(plan);
      return runPlan(plan, apdu, view, origin, receivedAt, raw, stamp);
    },
    get counters() {
      return { learnt, byTheBook };
    },
  };
}

/** Decodes the whole APDU by the book. @throws DecodeError */
export function planByTheBook(apdu: Uint8Array, lenient = false): Plan {
  if (apdu[0] !== APDU.dataNotification)
    throw new DecodeError('apdu', 'not a Data-Notification; ciphered and cut messages are opened and joined first', 0);
  const reader = new Reader(apdu, 1);
  const head = readNotificationHead(reader);
  return makePlan(apdu, head, reader.pos, readBody(apdu, reader.pos, lenient));
}

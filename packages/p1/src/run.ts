/** Reads a telegram along a plan. This is the hot path: no allocation but the message, its values and what is new in it. */
import type { Value } from '@amiable/model';
import { clockText, DIGITS, markOf, NO_MARK, type PortClock, wallAt } from './clock.ts';
import { type Origin, P1Message } from './message.ts';
import { isPlain, type Memo, NUMBER_FIELDS, type Plan, textAt } from './plan.ts';

/** Whether the pinned bytes of the plan stand at `from`; `view` is of the whole buffer under `b`. */
export function fits(plan: Plan, b: Uint8Array, view: DataView, from: number): boolean {
  const { wordsAt, words, bytesAt, bytes } = plan.pins;
  const base = b.byteOffset + from;
  for (let i = 0; i < wordsAt.length; i++)
    if (view.getInt32(base + (wordsAt[i] as number), true) !== words[i]) return false;
  for (let i = 0; i < bytesAt.length; i++) if (b[from + (bytesAt[i] as number)] !== bytes[i]) return false;
  return true;
}

/** Undefined when a value is not what the plan expects there: the telegram then goes by the book. */
export function runPlan(
  plan: Plan,
  b: Uint8Array,
  from: number,
  origin: Origin,
  clock: PortClock,
  receivedAt: number,
  raw: Uint8Array,
  stamp: number | string,
): P1Message | undefined {
  const values: Value[] = plan.base.slice();
  const { numbers } = plan;
  let bad = 0;
  for (let i = 0; i < numbers.length; i += NUMBER_FIELDS) {
    let n = 0;
    const to = from + (numbers[i + 2] as number);
    for (let at = from + (numbers[i + 1] as number); at < to; at++) {
      const digit = (b[at] as number) - 48;
      bad |= digit | (9 - digit);
      n = n * 10 + digit;
    }
    const fractionTo = from + (numbers[i + 4] as number);
    for (let at = from + (numbers[i + 3] as number); at < fractionTo; at++) {
      const digit = (b[at] as number) - 48;
      bad |= digit | (9 - digit);
      n = n * 10 + digit;
    }
    values[numbers[i] as number] = (numbers[i + 5] as number) < 0 && n !== 0 ? -n : n;
  }
  if (bad < 0) return undefined;

  let wall = Number.NaN;
  let mark = NO_MARK;
  let time: number | undefined;
  if (plan.clock >= 0) {
    wall = wallAt(b, from + plan.clock);
    if (Number.isNaN(wall)) return undefined;
    if (plan.marked) {
      mark = markOf(b[from + plan.clock + DIGITS] as number);
      if (mark === NO_MARK) return undefined;
    }
    time = clock.utc(wall, mark);
    for (let i = 0; i < plan.clocks.length; i++) values[plan.clocks[i] as number] = clockText(wall, mark);
  }

  const { texts } = plan;
  for (let i = 0; i < texts.length; i++) {
    const text = texts[i] as Plan['texts'][number];
    const start = from + text.span.start;
    const end = from + text.span.end;
    if (!remember(text.memo, b, start, end, text.message)) return undefined;
    values[text.index] = text.memo.text;
  }

  const { stamps, stampMarks, fixed } = plan;
  let own: Float64Array | undefined;
  let after = time;
  if (stamps.length > 0) {
    own = fixed.slice();
    for (let i = 0; i < stamps.length; i++) {
      const at = stamps[i] as number;
      if (at < 0) continue;
      const stampWall = wallAt(b, from + at);
      if (Number.isNaN(stampWall)) return undefined;
      let stampMark = NO_MARK;
      if (stampMarks[i] !== 0) {
        stampMark = markOf(b[from + at + DIGITS] as number);
        if (stampMark === NO_MARK) return undefined;
      }
      const utc = clock.utc(stampWall, stampMark);
      own[i] = utc;
      if (plan.clock < 0 && (after === undefined || utc > after)) after = utc;
    }
  }
  if (after !== undefined) clock.after = after;
  return new P1Message(origin, plan, plan.meterId, time, receivedAt, plan.flags, values, raw, wall, mark, stamp, own);
}

/** False when the octets hold what would end the value or begin a telegram. */
function remember(memo: Memo, b: Uint8Array, start: number, end: number, message: boolean): boolean {
  const last = memo.bytes;
  if (last.length === end - start) {
    let i = 0;
    while (i < last.length && last[i] === b[start + i]) i++;
    if (i === last.length) return true;
  }
  if (!isPlain(b, { start, end })) return false;
  memo.bytes = b.slice(start, end);
  memo.text = textAt(b, start, end, message);
  return true;
}

/**
 * The house that replays frames captured from a real meter, for ever, on the guide's clock.
 *
 * What to do about their time? The frames are from 2019 and 2020. Left as they are, a reader would rightly flag them
 * clockWrong, and a store would rightly take the second round for duplicates of the first: same port, same meter time,
 * same bytes. A recording of a stream, unlike one of a single message, stands for a meter that is alive, so the date-times
 * in the frames (the APDU's and the list's) are set to now and the check sums made anew; every other byte is as it was
 * captured. The registers stand still, because they do in the recording: the page shows power and no energy for it.
 */
import { zoneOffset } from '@amiable/calendar';
import { dateTimeBytes, dateTimeOf } from '@amiable/dlms';
import type { CapturedFrame } from './captured.ts';
import { wrapFrame } from './encode.ts';
import { kaifaLists } from './lists.ts';
import { KAIFA_CLOCK, type ListKind, sendings } from './schedule.ts';

export interface ReplayMeter {
  readonly serial: string;
  readonly type: string;
  frames(
    fromMs: number,
    toMs: number,
    options?: { readonly lists?: ReadonlySet<ListKind> },
  ): Generator<{ readonly at: number; readonly list: ListKind; readonly bytes: Uint8Array }>;
}

const LINE = kaifaLists(true)[1];
/** A Kaifa date-time: octet-string of 12, deviation not specified, status 0. */
const isDateTime = (b: Uint8Array, at: number): boolean =>
  b[at] === 0x09 &&
  b[at + 1] === 0x0c &&
  (b[at + 2] as number) === 0x07 &&
  b[at + 11] === 0x80 &&
  b[at + 12] === 0 &&
  b[at + 13] === 0;

export function createReplayMeter(capture: readonly CapturedFrame[], zone: string): ReplayMeter {
  const byList = (list: ListKind): CapturedFrame[] => capture.filter((frame) => frame.list === list);
  const frames = { 1: byList(1), 2: byList(2), 3: byList(3) };
  const stamped = ({ apdu, list }: CapturedFrame, at: number): Uint8Array => {
    const out = apdu.slice();
    let found = 0;
    for (let i = 5; i + 14 <= out.length; i++) {
      if (!isDateTime(out, i)) continue;
      const ms = found++ === 0 || list !== 3 ? at : at - KAIFA_CLOCK.lag;
      out.set(dateTimeBytes(dateTimeOf(ms + zoneOffset(zone, ms), { status: 0 })), i + 2);
      i += 13;
    }
    return wrapFrame(LINE, out);
  };
  const text = (apdu: Uint8Array, at: number, length: number): string =>
    String.fromCharCode(...apdu.subarray(at, at + length));
  const named = frames[2][0]?.apdu ?? new Uint8Array(0);
  return {
    // Tag, invoke id, date-time (5 + 14), structure (2), list name (9), then two octet-strings.
    serial: text(named, 32, 16),
    type: text(named, 50, 8),
    *frames(fromMs, toMs, { lists } = {}) {
      for (const { at, list } of sendings(KAIFA_CLOCK, zone, fromMs, toMs)) {
        const choice = frames[list];
        if (choice.length === 0 || (lists && !lists.has(list))) continue;
        const frame = choice[Math.floor(at / 10_000) % choice.length] as CapturedFrame;
        yield { at, list, bytes: stamped(frame, at) };
      }
    },
  };
}

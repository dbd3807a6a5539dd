/**
 * Spans of days in calendar months and years: what of a monthly or yearly price falls on them.
 *
 * Decides: whole months and years count as one, parts by days of their own month or year. Days are local days, whatever their hours.
 */

import { monthStart } from './compile.ts';
import { civilDay, dayNumber, daysInMonth, daysInYear } from './days.ts';
import { type Fraction, ratio, whole } from './fraction.ts';

export type Per = 'day' | 'month' | 'year' | 'year/12';

export interface Piece {
  /** Days of the wall calendar, [from, to). */
  readonly from: number;
  readonly to: number;
  /** Of the unit that the price is for. */
  readonly share: Fraction;
  /** `12/31`; null where it is whole. */
  readonly text: string | null;
}

/** The calendar months or years of [from, to), each with its share; `day`: one piece with the number of days. */
export function piecesOf(per: Per, from: number, to: number): Piece[] {
  if (per === 'day') return [{ from, to, share: whole(to - from), text: null }];
  const out: Piece[] = [];
  for (let at = from; at < to; ) {
    const { year, month } = civilDay(at);
    const end = per === 'year' ? dayNumber(year + 1, 1, 1) : monthStart(at, 1);
    const days = per === 'year' ? daysInYear(year) : daysInMonth(year, month);
    const until = Math.min(end, to);
    const twelfth = per === 'year/12' ? 12 : 1;
    const text =
      until - at === days ? (twelfth === 12 ? '1/12' : null) : `${until - at}/${days}${twelfth === 12 ? '/12' : ''}`;
    out.push({ from: at, to: until, share: ratio(until - at, days * twelfth), text });
    at = until;
  }
  return out;
}

/** The calendar months of [from, to), each with its share of a price that stands for `per`. */
export function monthPieces(per: Per, from: number, to: number): Piece[] {
  return piecesOf('month', from, to).map((piece) => {
    const days = piece.to - piece.from;
    if (per === 'month') return piece;
    if (per === 'day') return { ...piece, share: whole(days), text: `${days}` };
    if (per === 'year') {
      const year = daysInYear(civilDay(piece.from).year);
      return { ...piece, share: ratio(days, year), text: `${days}/${year}` };
    }
    return {
      ...piece,
      share: { n: piece.share.n, d: piece.share.d * 12n },
      text: piece.text === null ? '1/12' : `${piece.text}/12`,
    };
  });
}

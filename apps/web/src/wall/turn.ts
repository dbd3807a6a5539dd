/**
 * What the keys of a wall display do, apart from the screen: arrow keys or a rotary encoder that sends left, right and Enter, digits,
 * and words typed such as `week, -2`. A pure step from state and key to state.
 */
import { type Period, type PeriodUnit, parsePeriod } from '@amiable/calendar';
import { UNITS } from '../meter/period.ts';

/** What left and right turn; Enter goes to the next. */
export const KNOBS = ['time', 'period', 'meter'] as const;
export type Knob = (typeof KNOBS)[number];

export interface WallState {
  readonly period: Period;
  /** Empty: the first one there is. */
  readonly meter: string;
  readonly knob: Knob;
  /** What is being typed. */
  readonly typed: string;
  /** What was typed last and was no period. */
  readonly refused: string;
}

export interface Around {
  /** Meters to choose from, in order. */
  readonly meters: readonly string[];
  /** The page's own words for day, week, month, year. */
  readonly words: readonly string[];
}

const MOST = 24;
const FARTHEST = -99_999;

/** The period of a typed text, in English or in the page's language, or an offset alone; undefined when it is none. */
export function periodOf(text: string, now: Period, words: readonly string[]): Period | undefined {
  const said = text.trim().toLowerCase();
  const own = words.findIndex((word) => said.startsWith(word.toLowerCase()));
  const rest = own < 0 ? said : (UNITS[own] as string) + said.slice((words[own] as string).length);
  const read = /^[+-]?\d{1,5}$/.test(rest) ? { unit: now.unit, offset: Number(rest) || 0 } : parsePeriod(rest);
  return read && { unit: read.unit, offset: Math.min(0, read.offset) };
}

function step<T>(list: readonly T[], at: T, by: number, around: boolean): T {
  const i = Math.max(0, list.indexOf(at)) + by;
  const n = list.length;
  return list[around ? (i + n) % n : Math.max(0, Math.min(n - 1, i))] ?? at;
}

/** @returns the state after a key, or undefined when the key means nothing here */
export function turn(state: WallState, key: string, { meters, words }: Around): WallState | undefined {
  const clean = { ...state, typed: '', refused: '' };
  const later = (by: number): WallState => {
    const offset = Math.max(FARTHEST, Math.min(0, state.period.offset + by));
    return { ...clean, period: { ...state.period, offset } };
  };
  const unit = (to: PeriodUnit): WallState => ({
    ...clean,
    period: to === state.period.unit ? state.period : { unit: to, offset: 0 },
  });
  const meter = (by: number): WallState => ({
    ...clean,
    meter: step(meters, state.meter || (meters[0] ?? ''), by, true),
  });
  if (state.typed !== '') {
    if (key === 'Backspace') return { ...state, typed: state.typed.slice(0, -1) };
    if (key === 'Enter') {
      const period = periodOf(state.typed, state.period, words);
      return period ? { ...clean, period } : { ...clean, refused: state.typed };
    }
  }
  switch (key) {
    case 'ArrowLeft':
    case 'ArrowRight': {
      const by = key === 'ArrowLeft' ? -1 : 1;
      if (state.knob === 'time') return later(by);
      return state.knob === 'period' ? unit(step(UNITS, state.period.unit, by, true)) : meter(by);
    }
    case 'ArrowUp':
      return unit(step(UNITS, state.period.unit, 1, false));
    case 'ArrowDown':
      return unit(step(UNITS, state.period.unit, -1, false));
    case 'PageUp':
      return meter(-1);
    case 'PageDown':
      return meter(1);
    case 'Enter':
      return { ...clean, knob: step(KNOBS, state.knob, 1, true) };
    case 'Home':
      return { ...clean, knob: 'time', period: { ...state.period, offset: 0 } };
    case 'Escape':
      return clean;
  }
  if (key.length !== 1 || state.typed.length >= MOST) return undefined;
  // A digit by itself chooses at once; in a word it is part of it.
  if (state.typed === '' && /[1-4]/.test(key)) return unit(UNITS[Number(key) - 1] as PeriodUnit);
  if (state.typed === '' && key === '0') return { ...clean, period: { ...state.period, offset: 0 } };
  if (!/[\p{L}\d,+ -]/u.test(key) || (state.typed === '' && /[ ,\d]/.test(key))) return undefined;
  return { ...state, typed: state.typed + key, refused: '' };
}

/** What an address asks for: `/display/week/-2?meter=3`, or `/display?format=week,-2&meter=3`. */
export function readAddress(path: string, search: string): { period: Period; meter: string } {
  const query = new URLSearchParams(search);
  const rest = path.split('/').slice(2).filter(Boolean).join(' ');
  const read = parsePeriod(rest) ??
    parsePeriod(query.get('format') ?? query.get('view') ?? '') ?? { unit: 'day', offset: 0 };
  const offset = /^-?\d{1,5}$/.test(query.get('offset') ?? '') ? Number(query.get('offset')) : read.offset;
  const meter = query.get('meter') ?? '';
  return {
    period: { unit: read.unit, offset: Math.min(0, offset) || 0 },
    meter: /^\d{1,19}$/.test(meter) ? meter : '',
  };
}

/** The address of what is shown, with what else the old one asked for (language, theme). */
export function writeAddress({ period, meter }: Pick<WallState, 'period' | 'meter'>, search: string): string {
  const query = new URLSearchParams(search);
  for (const name of ['format', 'view', 'offset']) query.delete(name);
  if (meter) query.set('meter', meter);
  const path = period.unit === 'day' && period.offset === 0 ? '/display' : `/display/${period.unit}/${period.offset}`;
  const rest = query.toString();
  return rest ? `${path}?${rest}` : path;
}

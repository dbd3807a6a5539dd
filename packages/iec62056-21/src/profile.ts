/**
 * Load profiles as read with R5 and R6 (VDEW specification "Lastenheft elektronische Lastgangzähler", used by most makers in
 * Europe): `P.01(stamp)(status)(period)(n)(code)(unit)…(code)(unit)(value)…` and lines of `(value)…`, one for each period.
 *
 * Decides: columns and rows; a new head begins a new stretch (a gap, another status). The stamp is that of the first row, each
 * row stands at the end of its period. Leaves out: event logs (P.98), whose lines are their own heads.
 */
import type { DataSet } from './data-set.ts';
import { type Moment, parseMoment } from './values.ts';

export interface LoadProfileRow {
  /** End of the period. */
  readonly moment: Moment;
  /** Status word of the head, hex as sent. */
  readonly status: string;
  /** As sent, one for each column. */
  readonly values: readonly string[];
}

export interface LoadProfile {
  readonly address: string;
  readonly columns: readonly { readonly code: string; readonly unit: string }[];
  /** Minutes. */
  readonly period: number;
  readonly rows: readonly LoadProfileRow[];
}

const MINUTE = 60_000;
const MAX_COLUMNS = 32;

export const isLoadProfile = (address: string): boolean => /^(?:1-\d+:)?P\.0?[1-9]\d?$/i.test(address);

/** Profiles among data sets; sets that are none, or whose head cannot be read, give nothing. */
export function loadProfiles(sets: readonly DataSet[]): LoadProfile[] {
  const profiles: { address: string; columns: LoadProfile['columns']; period: number; rows: LoadProfileRow[] }[] = [];
  let at: Moment | undefined;
  let status = '';
  for (const { address, values } of sets) {
    if (!isLoadProfile(address)) {
      at = undefined;
      continue;
    }
    let texts = values.map(({ value }) => value);
    const head = headOf(texts);
    if (head) {
      at = head.moment;
      status = head.status;
      texts = texts.slice(4 + 2 * head.columns.length);
      const last = profiles.at(-1);
      if (!last || last.address !== address || !sameHead(last, head))
        profiles.push({ address, columns: head.columns, period: head.period, rows: [] });
    }
    const profile = profiles.at(-1);
    if (!profile || !at || profile.address !== address) continue;
    const width = profile.columns.length;
    for (let i = 0; i + width <= texts.length; i += width) {
      profile.rows.push({ moment: at, status, values: texts.slice(i, i + width) });
      at = { ...at, wall: at.wall + profile.period * MINUTE };
    }
  }
  return profiles;
}

interface Head {
  readonly moment: Moment;
  readonly status: string;
  readonly period: number;
  readonly columns: { code: string; unit: string }[];
}

function headOf(texts: readonly string[]): Head | undefined {
  const [stamp = '', status = '', period = '', count = ''] = texts;
  const moment = parseMoment(stamp);
  const minutes = Number(period);
  const n = Number(count);
  if (!moment || !/^\d{1,3}$/.test(period) || !/^\d{1,2}$/.test(count)) return undefined;
  if (minutes < 1 || n < 1 || n > MAX_COLUMNS || texts.length < 4 + 2 * n) return undefined;
  const columns = Array.from({ length: n }, (_, i) => ({
    code: texts[4 + 2 * i] as string,
    unit: texts[5 + 2 * i] as string,
  }));
  return { moment, status, period: minutes, columns };
}

const sameHead = (a: LoadProfile, b: Head): boolean =>
  a.period === b.period &&
  a.columns.length === b.columns.length &&
  a.columns.every((column, i) => column.code === b.columns[i]?.code && column.unit === b.columns[i]?.unit);

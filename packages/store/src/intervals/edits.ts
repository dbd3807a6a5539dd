/**
 * Edits of values by people: asked for with a reason, applied at once or by a second person, undone to what was there before.
 *
 * Decides: an edit is a row of its own and its effect is changes in the change log that carry its number, so undoing needs nothing else;
 * edits of the same values are undone in reverse order; what was read while an edit stood counts once it is undone.
 */
import { MisuseError } from '@amiable/bytes';
import type { Scope } from '@amiable/model';
import { DAY, type DayValues } from '../codec/block.ts';
import { CALCULATED, EDITED } from '../codec/quality.ts';
import type { Client } from '../pg/database.ts';
import { type Segments, segmentsOf } from '../query/scope.ts';
import { clean, type Register } from '../registers.ts';
import { blockSql } from '../sql/blocks.ts';
import { intervalSql } from '../sql/intervals.ts';
import { dayText } from '../sql/partitions.ts';
import { querySql } from '../sql/query.ts';
import { validationSql } from '../sql/validation.ts';
import { type MeterId, NotThere } from '../types.ts';
import { valuesAt } from './merge.ts';
import type { ChangeRow } from './past.ts';
import { checkSpan, registersOf } from './registers.ts';
import type { Edit, EditState, NewEdit } from './types.ts';
import { type Incoming, mergeIncoming, type WriteParts } from './write.ts';

/** Of one edit: more than a year of quarter-hours. */
export const MOST_VALUES = 40_000;
export const MOST_EDITS = 1000;
/** Of all edits of one call. */
const MOST_TOGETHER = 400_000;

interface EditRow {
  readonly id: string;
  readonly meter: MeterId;
  readonly register: number;
  readonly name: string;
  readonly period: number;
  readonly unit: string | null;
  readonly from_ms: string;
  readonly to_ms: string;
  readonly mantissas: readonly (string | null)[];
  readonly scaler: number;
  readonly state: EditState;
  readonly reason: string;
  readonly made_by: string;
  readonly made_ms: string;
  readonly account: string | null;
  readonly decided_by: string | null;
  readonly decided_ms: string | null;
  readonly undone_by: string | null;
  readonly undone_ms: string | null;
  readonly undo_reason: string | null;
}

const ms = (text: string | null): number | null => (text === null ? null : Number(text));

const editOf = (row: EditRow): Edit => ({
  id: row.id,
  meter: row.meter,
  quantity: row.name,
  period: row.period,
  unit: row.unit,
  from: Number(row.from_ms),
  to: Number(row.to_ms),
  values: row.mantissas.map((m) => (m === null ? null : Number(m))),
  scaler: row.scaler,
  reason: row.reason,
  state: row.state,
  by: row.made_by,
  at: Number(row.made_ms),
  decidedBy: row.decided_by,
  decidedAt: ms(row.decided_ms),
  undoneBy: row.undone_by,
  undoneAt: ms(row.undone_ms),
  undoReason: row.undo_reason,
});

const iso = (at: number): string => new Date(at).toISOString();

export function checkReason(reason: string): string {
  const text = clean(reason).trim();
  if (text === '') throw new MisuseError('say why: an edit has a reason');
  if (text.length > 1000) throw new MisuseError('a reason has up to 1000 characters');
  return text;
}

interface Prepared {
  readonly edit: NewEdit;
  readonly register: Register;
  readonly reason: string;
}

export async function makeEdits(
  parts: WriteParts,
  edits: readonly NewEdit[],
  by: string,
  at: number,
  twoPersons: boolean,
  scope: Scope | undefined,
  account: string | undefined,
): Promise<Edit[]> {
  if (edits.length === 0) throw new MisuseError('no edit is given');
  if (edits.length > MOST_EDITS)
    throw new MisuseError(`up to ${MOST_EDITS} edits go together; these are ${edits.length}`);
  await parts.registers.load();
  let together = 0;
  const prepared: Prepared[] = [];
  for (const edit of edits) {
    const one = await prepare(parts, edit, scope);
    prepared.push(one);
    together += Math.round((edit.to - edit.from) / (one.register.period * 1000));
    if (together > MOST_TOGETHER)
      throw new MisuseError(`more than ${MOST_TOGETHER} values at once; give them in parts`);
  }
  await parts.partitions.blocks(new Set(prepared.flatMap(({ edit }) => [...daysOf(edit.from, edit.to)])));
  let tried = false;
  return parts.db.write(async (client) => {
    await client.query(blockSql.lockBlocks);
    if (tried) {
      // The line broke after the commit, and all is done already.
      const done = (await client.query(intervalSql.madeAt, [by, iso(at)])).rows as EditRow[];
      if (done.length >= prepared.length) return done.slice(-prepared.length).map(editOf);
    }
    tried = true;
    const ids: string[] = [];
    for (const { edit, register, reason } of prepared) {
      const { rows } = await client.query(intervalSql.insertEdit, [
        edit.meter,
        register.id,
        iso(edit.from),
        iso(edit.to),
        edit.values,
        edit.scaler,
        twoPersons ? 'waiting' : 'applied',
        reason,
        by,
        iso(at),
        account ?? null,
      ]);
      ids.push((rows[0] as { id: string }).id);
    }
    const made = (await client.query(intervalSql.editsOf, [ids])).rows as EditRow[];
    if (!twoPersons) for (const row of made) await apply(parts, client, row, at);
    return made.map(editOf);
  });
}

function* daysOf(from: number, to: number): Generator<number> {
  for (let day = Math.floor(from / DAY); day * DAY < to; day++) yield day;
}

async function prepare(parts: WriteParts, edit: NewEdit, scope: Scope | undefined): Promise<Prepared> {
  const reason = checkReason(edit.reason);
  checkSpan(edit.from, edit.to);
  const { values, scaler, from, to, meter } = edit;
  if (!Number.isInteger(scaler) || Math.abs(scaler) > 12) throw new MisuseError('a scaler lies between -12 and 12');
  for (const value of values)
    if (value !== null && !(Number.isInteger(value) && Math.abs(value) < 2 ** 51))
      throw new MisuseError(`${value} is no whole mantissa below 2^51`);
  const wanted = registersOf(parts.registers, edit.quantity, edit.period);
  const found = await parts.db.read(async (client) => {
    const { rows } = await client.query(querySql.meterInScope, [meter, segmentsOf(scope)]);
    if (rows.length === 0) throw new NotThere(`there is no meter ${meter}`);
    // The finest that the meter has.
    for (const register of wanted) {
      const anchor = await client.query(intervalSql.anchor, [meter, register.id, dayText(Math.floor(from / DAY))]);
      const row = anchor.rows[0] as { start: number } | undefined;
      if (row) return { register, start: row.start };
    }
    return undefined;
  });
  if (!found)
    throw new MisuseError(
      `meter ${meter} has no metering ${edit.quantity}${edit.period === undefined ? '' : ` of ${edit.period} s`} to edit`,
    );
  const step = found.register.period * 1000;
  const n = Math.round((to - from) / step);
  if (n > MOST_VALUES) throw new MisuseError(`an edit has up to ${MOST_VALUES} values; this one has ${n}`);
  if (step >= DAY) {
    if (n !== 1) throw new MisuseError('values of a day and longer are edited one by one');
  } else if ((from - found.start) % step !== 0 || (to - from) % step !== 0)
    throw new MisuseError(
      `${iso(from)} to ${iso(to)} is not on the grid of ${found.register.period} s that this metering has`,
    );
  if (values.length !== 1 && values.length !== n)
    throw new MisuseError(`${values.length} values for ${n} intervals; give one for each, or one for all`);
  return { edit, register: found.register, reason };
}

/** What an edit brings, day by day. */
function incomingOf(row: EditRow): Incoming[] {
  const from = Number(row.from_ms);
  const to = Number(row.to_ms);
  const step = row.period * 1000;
  const n = Math.max(1, Math.round((to - from) / step));
  const out: Incoming[] = [];
  for (const day of daysOf(from, to)) {
    const times: number[] = [];
    const values: number[] = [];
    const gone: number[] = [];
    for (let i = Math.max(0, Math.ceil((day * DAY - from) / step)); i < n; i++) {
      const time = from + i * step - day * DAY;
      if (time >= DAY) break;
      const mantissa = row.mantissas[row.mantissas.length === 1 ? 0 : i] ?? null;
      if (mantissa === null) gone.push(time);
      else {
        times.push(time);
        values.push(Number(mantissa));
      }
    }
    out.push({
      meter: row.meter,
      register: row.register,
      day,
      hint: step,
      values:
        times.length === 0
          ? undefined
          : {
              times: Float64Array.from(times),
              values: Float64Array.from(values),
              quality: new Uint8Array(times.length).fill(EDITED),
              scaler: row.scaler,
            },
      gone,
      edit: row.id,
    });
  }
  return out;
}

async function apply(parts: WriteParts, client: Client, row: EditRow, at: number): Promise<void> {
  const how = { source: 'edit', user: row.made_by, reason: row.reason, at };
  await mergeIncoming(parts, client, incomingOf(row), how, { edit: true });
  await unsettle(client, row);
}

/** What people write is judged too: its days are validated again. */
async function unsettle(client: Client, row: EditRow): Promise<void> {
  const day = (at: number): string => dayText(Math.floor(at / DAY));
  const [first, last] = [day(Number(row.from_ms)), day(Number(row.to_ms) - 1)];
  await client.query(validationSql.clearStates, [[row.meter], [row.register], [first], [last]]);
}

async function lockedEdit(client: Client, id: string, segments: Segments): Promise<EditRow> {
  await client.query(blockSql.lockBlocks);
  const { rows } = await client.query(intervalSql.edit, [id, segments]);
  const row = rows[0] as EditRow | undefined;
  if (!row) throw new NotThere(`there is no edit ${id}`);
  return row;
}

export async function decideEdit(
  parts: WriteParts,
  id: string,
  yes: boolean,
  by: string,
  at: number,
  scope: Scope | undefined,
  account: string | undefined,
): Promise<Edit> {
  return parts.db.write(async (client) => {
    const row = await lockedEdit(client, id, segmentsOf(scope));
    // The line broke after the commit.
    const wanted = yes ? 'applied' : 'refused';
    if (row.state === wanted && row.decided_by === by && ms(row.decided_ms) === at) return editOf(row);
    if (row.state !== 'waiting') throw new MisuseError(`edit ${id} waits for nobody: it is ${row.state}`);
    // Who made it may think better of it.
    // A person stays who they are under another name.
    const same = row.account === null || account === undefined ? row.made_by === by : row.account === account;
    if (same && yes) throw new MisuseError(`${by} made edit ${id}; another person must approve it`);
    await client.query(intervalSql.decide, [id, yes ? 'applied' : 'refused', by, iso(at)]);
    if (yes) await apply(parts, client, row, at);
    return editOf((await client.query(intervalSql.edit, [id, null])).rows[0] as EditRow);
  });
}

export async function undoEdit(
  parts: WriteParts,
  id: string,
  by: string,
  given: string,
  at: number,
  scope: Scope | undefined,
): Promise<Edit> {
  const reason = checkReason(given);
  return parts.db.write(async (client) => {
    const row = await lockedEdit(client, id, segmentsOf(scope));
    if (row.state === 'undone' && row.undone_by === by && ms(row.undone_ms) === at) return editOf(row);
    if (row.state !== 'applied') throw new MisuseError(`edit ${id} cannot be undone: it is ${row.state}`);
    const span = [row.meter, row.register, iso(Number(row.from_ms)), iso(Number(row.to_ms))];
    const changes = (await client.query(intervalSql.changesOfEdit, [...span, id])).rows as ChangeRow[];
    const first = changes[0]?.id ?? '0';
    if (changes.length > 0) {
      const later = (await client.query(intervalSql.laterEdit, [...span, id, first])).rows[0] as
        | { edit: string }
        | undefined;
      if (later) throw new MisuseError(`edit ${later.edit} changed some of the same values later; undo that one first`);
    }
    await client.query(intervalSql.undo, [id, by, iso(at), reason]);
    const how = { source: 'undo', user: by, reason, at };
    await mergeIncoming(parts, client, restored(row, changes, id), how, { edit: true });
    const meanwhile =
      changes.length > 0 ? ((await client.query(intervalSql.keptAfter, [...span, first])).rows as ChangeRow[]) : [];
    await mergeIncoming(
      parts,
      client,
      readings(row, meanwhile),
      { source: 'undo', reason: `came while edit ${id} stood`, at },
      {},
    );
    await unsettle(client, row);
    return editOf((await client.query(intervalSql.edit, [id, null])).rows[0] as EditRow);
  });
}

interface Point {
  readonly time: number;
  readonly mantissa: number;
  readonly scaler: number;
  readonly quality: number;
}

/** What was there before the edit. */
function restored(row: EditRow, changes: readonly ChangeRow[], edit: string): Incoming[] {
  return byDay(
    row,
    changes.map((c) => ({
      time: Number(c.time),
      mantissa: c.mantissa === null ? Number.NaN : Number(c.mantissa),
      scaler: c.scaler,
      quality: c.quality,
    })),
    edit,
  );
}

/** The last reading of each time that came while the edit stood. */
function readings(row: EditRow, kept: readonly ChangeRow[]): Incoming[] {
  const last = new Map<number, Point>();
  for (const c of kept)
    if (c.new_quality <= CALCULATED && c.new_mantissa !== null)
      last.set(Number(c.time), {
        time: Number(c.time),
        mantissa: Number(c.new_mantissa),
        scaler: c.new_scaler,
        quality: c.new_quality,
      });
  return byDay(row, [...last.values()], undefined);
}

function byDay(row: EditRow, points: readonly Point[], edit: string | undefined): Incoming[] {
  const days = new Map<number, Point[]>();
  for (const point of [...points].sort((a, b) => a.time - b.time)) {
    const day = Math.floor(point.time / DAY);
    const list = days.get(day);
    if (list) list.push(point);
    else days.set(day, [point]);
  }
  return [...days].map(([day, list]) => {
    const there = list.filter((p) => !Number.isNaN(p.mantissa));
    return {
      meter: row.meter,
      register: row.register,
      day,
      hint: row.period * 1000,
      values: there.length === 0 ? undefined : dayValues(day, there),
      gone: list.filter((p) => Number.isNaN(p.mantissa)).map((p) => p.time - day * DAY),
      ...(edit === undefined ? {} : { edit }),
    };
  });
}

function dayValues(day: number, points: readonly Point[]): DayValues {
  const scaler = points.reduce((least, p) => Math.min(least, p.scaler), 12);
  return {
    times: Float64Array.from(points, (p) => p.time - day * DAY),
    values: Float64Array.from(
      points,
      (p) => valuesAt({ values: Float64Array.of(p.mantissa), scaler: p.scaler }, scaler)[0] as number,
    ),
    quality: Uint8Array.from(points, (p) => p.quality),
    scaler,
  };
}

export async function listEdits(
  client: Client,
  query: { meter?: MeterId; state?: EditState; after?: string; limit: number; scope: Scope },
): Promise<Edit[]> {
  const { rows } = await client.query(intervalSql.edits, [
    segmentsOf(query.scope),
    query.meter ?? null,
    query.state ?? null,
    query.after ?? null,
    query.limit,
  ]);
  return (rows as EditRow[]).map(editOf);
}

export async function findEdit(client: Client, id: string, scope: Scope): Promise<Edit | undefined> {
  const { rows } = await client.query(intervalSql.edit, [id, segmentsOf(scope)]);
  const row = rows[0] as EditRow | undefined;
  return row && editOf(row);
}

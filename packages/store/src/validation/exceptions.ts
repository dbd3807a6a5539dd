/**
 * What validation found, as people see it: lists, counts, and what they do about it one by one and in bulk.
 *
 * Decides: who may not see a meter sees none of its findings; what is accepted or dismissed holds for its values too, so its days are
 * validated again, as they are when that is taken back. Leaves out: who may (the routes).
 */
import { MisuseError } from '@amiable/bytes';
import { SEVERITIES } from '@amiable/compute';
import type { Scope } from '@amiable/model';
import type { Client, Database } from '../pg/database.ts';
import { checkText } from '../registry/attributes.ts';
import { type By, iso, type Row, segments } from '../registry/parts.ts';
import { dayText } from '../sql/partitions.ts';
import { validationSql } from '../sql/validation.ts';
import type { MeterId } from '../types.ts';
import type {
  Exception,
  ExceptionChange,
  ExceptionCount,
  ExceptionFilter,
  ExceptionState,
  Exceptions,
  StoredEstimate,
} from './types.ts';

const DAY = 86_400_000;
const EARLIEST = Date.UTC(1990, 0, 1);
const LATEST = Date.UTC(2100, 0, 1);
export const MOST_CHANGES = 10_000;
/** Findings whose values hold as they are. */
const HOLDS: ReadonlySet<ExceptionState> = new Set<ExceptionState>(['accepted', 'dismissed']);

const exceptionOf = (row: Row): Exception => ({
  id: `${row.meter}-${row.register}-${row.key}`,
  meter: row.meter as MeterId,
  serial: row.serial as string,
  name: row.name as string | null,
  quantity: row.quantity as string,
  period: row.period as number,
  from: row.from_ms as number,
  to: row.to_ms as number,
  day: row.day as string,
  rule: row.rule as string,
  check: row.check_name as string,
  severity: SEVERITIES[row.severity as number] ?? 'error',
  action: row.action as Exception['action'],
  usable: row.usable as boolean,
  sentence: row.sentence as string,
  numbers: row.numbers as Record<string, number>,
  group: row.group_name as string | null,
  ruleSet: row.rule_set as string | null,
  rulesVersion: row.rules_version as number,
  foundAt: row.found_at as number,
  state: row.state as ExceptionState,
  owner: row.owner as string | null,
  note: row.note as string | null,
  changedAt: row.changed_at as number | null,
  changedBy: row.changed_by as string | null,
});

interface Key {
  readonly meter: string;
  readonly register: number;
  readonly key: string;
}

/** @returns undefined for what is no id of ours */
function keyIn(id: string): Key | undefined {
  const [, meter, register, key] = /^(\d{1,18})-(\d{1,9})-(\d{1,16})$/.exec(id) ?? [];
  return meter === undefined || register === undefined || key === undefined
    ? undefined
    : { meter, register: Number(register), key };
}

const matches = (filter: ExceptionFilter): unknown[] => [
  segments(filter.scope),
  filter.states ?? null,
  filter.severity === undefined ? null : SEVERITIES.indexOf(filter.severity),
  filter.rule ?? null,
  filter.check ?? null,
  filter.quantity ?? null,
  filter.owner ?? null,
  filter.meters ?? null,
  filter.under ?? null,
  iso(filter.from ?? EARLIEST),
  iso(filter.to ?? LATEST),
];

const cursorOf = (e: Exception): string => `${e.from}.${e.meter}.${e.id.slice(e.id.lastIndexOf('-') + 1)}`;

/** @returns nulls for what is none: the first page */
function cursorIn(text: string | undefined): [string | null, string | null, string | null] {
  const [, time, meter, key] = /^(\d{1,14})\.(\d{1,18})\.(\d{1,16})$/.exec(text ?? '') ?? [];
  if (time === undefined || Number(time) >= LATEST) return [null, null, null];
  return [iso(Number(time)), meter as string, key as string];
}

export function createExceptions(db: Database): Exceptions {
  const byId = async (client: Client, ids: readonly string[], scope: Scope): Promise<Exception[]> => {
    const keys = ids.map(keyIn).filter((key) => key !== undefined);
    if (keys.length === 0) return [];
    const { rows } = await client.query(validationSql.exceptionsById, [
      segments(scope),
      keys.map((k) => k.meter),
      keys.map((k) => k.register),
      keys.map((k) => k.key),
    ]);
    return (rows as Row[]).map(exceptionOf);
  };

  const page = async (
    client: Client,
    filter: ExceptionFilter,
    after: string | undefined,
    limit: number,
  ): Promise<Exception[]> => {
    const { rows } = await client.query(validationSql.exceptions, [...matches(filter), ...cursorIn(after), limit]);
    return (rows as Row[]).map(exceptionOf);
  };

  /** Days whose values change by what people said: they are validated again. */
  async function unsettle(client: Client, changed: readonly Exception[]): Promise<void> {
    const touched = changed.filter((e) => !e.usable);
    if (touched.length === 0) return;
    await client.query(validationSql.clearStates, [
      touched.map((e) => e.meter),
      touched.map((e) => (keyIn(e.id) as Key).register),
      touched.map((e) => dayText(Math.floor(e.from / DAY))),
      touched.map((e) => dayText(Math.floor((e.to - 1) / DAY))),
    ]);
  }

  return {
    list: ({ limit, after, ...filter }) =>
      db.read(async (client) => {
        const found = await page(client, filter, after, limit + 1);
        const exceptions = found.slice(0, limit);
        const last = exceptions.at(-1);
        return { exceptions, ...(found.length > limit && last ? { next: cursorOf(last) } : {}) };
      }),
    one: async (id, scope) => (await db.read((client) => byId(client, [id], scope)))[0],
    change: (which, change, scope, by) => {
      checkChange(change);
      return db.write(async (client) => {
        await client.query(validationSql.lockSave);
        let found: Exception[];
        if ('ids' in which) {
          if (which.ids.length > MOST_CHANGES) throw new MisuseError(`at most ${MOST_CHANGES} exceptions at once`);
          found = await byId(client, which.ids, scope);
        } else {
          found = await page(client, which, undefined, MOST_CHANGES + 1);
          if (found.length > MOST_CHANGES)
            throw new MisuseError(`more than ${MOST_CHANGES} exceptions fit; narrow them by rule, day or place`);
        }
        return apply(client, found, change, by);
      });
    },
    summary: (filter) =>
      db.read(async (client) => {
        const { rows } = await client.query(validationSql.summary, matches(filter));
        return (rows as Row[]).map(
          (row): ExceptionCount => ({
            rule: row.rule as string,
            check: row.check_name as string,
            severity: SEVERITIES[row.severity as number] ?? 'error',
            day: row.day as string,
            state: row.state as ExceptionState,
            count: row.n as number,
            meters: row.meters as number,
          }),
        );
      }),
    estimates: (meter, query) =>
      db.read(async (client) => {
        const { rows } = await client.query(validationSql.estimates, [
          meter,
          query.quantity ?? null,
          iso(query.from),
          iso(query.to),
          query.limit,
          segments(query.scope),
        ]);
        return (rows as Row[]).map(
          (row): StoredEstimate => ({
            quantity: row.quantity as string,
            period: row.period as number,
            from: row.from_ms as number,
            to: row.to_ms as number,
            method: row.method as StoredEstimate['method'],
            scaled: row.scaled as boolean,
            sentence: row.sentence as string,
            inputs: row.inputs as StoredEstimate['inputs'],
            madeAt: row.made_at as number,
          }),
        );
      }),
  };

  async function apply(
    client: Client,
    found: readonly Exception[],
    change: ExceptionChange,
    by: By,
  ): Promise<readonly string[]> {
    const differing = found.filter(
      (e) =>
        (change.state !== undefined && change.state !== e.state) ||
        (change.owner !== undefined && change.owner !== e.owner) ||
        (change.note !== undefined && change.note !== e.note),
    );
    if (differing.length === 0) return [];
    const keys = differing.map((e) => keyIn(e.id) as Key);
    const { rows } = await client.query(validationSql.change, [
      keys.map((k) => k.meter),
      keys.map((k) => k.register),
      keys.map((k) => k.key),
      change.state ?? null,
      change.owner !== undefined,
      change.owner ?? null,
      change.note !== undefined,
      change.note ?? null,
      iso(by.at),
      by.who,
    ]);
    const { state } = change;
    if (state !== undefined)
      await unsettle(
        client,
        differing.filter((e) => HOLDS.has(e.state) !== HOLDS.has(state)),
      );
    return (rows as { meter: string; register: number; key: string }[]).map(
      (row) => `${row.meter}-${row.register}-${row.key}`,
    );
  }
}

/** @throws MisuseError */
function checkChange({ state, owner, note }: ExceptionChange): void {
  if (state === undefined && owner === undefined && note === undefined)
    throw new MisuseError('say what becomes of them: state, owner or note');
  if (owner) checkText('owner', owner, 200);
  if (note) checkText('note', note, 2000);
}

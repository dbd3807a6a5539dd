/**
 * What came of validation, written in one transaction for a batch of meters: findings, estimates, and the state of their days.
 *
 * Decides: a finding is known again by its rule and beginning; found again it keeps what people did about it; found no more it is solved,
 * but what people have closed stays closed. Estimates of the span are replaced. States are written last and with the rest, so that a run
 * that was killed does a batch again or not at all. Leaves out: the values (store.intervals, written before).
 */
import { createHash } from 'node:crypto';
import { toLocal } from '@amiable/calendar';
import { type Finding, QUALITY, SEVERITIES } from '@amiable/compute';
import { type CopyRows, copyIn } from '../pg/copy.ts';
import type { Client, Database } from '../pg/database.ts';
import { clean } from '../registers.ts';
import { dayText } from '../sql/partitions.ts';
import { insertEstimates, upsertExceptions, validationSql } from '../sql/validation.ts';
import { runRows } from '../sql/values.ts';
import type { MeterId } from '../types.ts';
import type { SavedOutcomes, ValidationOutcome } from './types.ts';

const DAY = 86_400_000;
/** PostgreSQL's 2000-01-01. */
const EPOCH_MS = 946_684_800_000;
const MOST_TEXT = 2000;
const iso = (ms: number): string => new Date(ms).toISOString();

/** 52 bits of a digest: a double holds them. */
export function keyOf(register: number, rule: string, from: number): number {
  const digest = createHash('sha256').update(`${register} ${from} ${rule}`).digest();
  return digest.readUIntBE(0, 6) * 16 + ((digest[6] as number) >> 4);
}

interface Known {
  readonly meter: MeterId;
  readonly register: number;
  readonly key: string;
  readonly from_ms: number;
  readonly state: string;
}

export function saveOutcomes(db: Database, outcomes: readonly ValidationOutcome[], at: number): Promise<SavedOutcomes> {
  return db.write(async (client) => {
    await client.query(validationSql.lockSave);
    const { solved, groups, findings } = await saveFindings(client, outcomes, at);
    const estimates = await saveEstimates(client, outcomes, at);
    await saveStates(client, outcomes, at);
    return { findings, estimates, solved, groups };
  });
}

async function saveFindings(
  client: Client,
  outcomes: readonly ValidationOutcome[],
  at: number,
): Promise<{ findings: number; solved: number; groups: Map<string, MeterId[]> }> {
  const from = outcomes.reduce((t, o) => Math.min(t, o.from), Number.POSITIVE_INFINITY);
  const to = outcomes.reduce((t, o) => Math.max(t, o.to), Number.NEGATIVE_INFINITY);
  const meters = [...new Set(outcomes.map((o) => o.meter))];
  const registers = [...new Set(outcomes.map((o) => o.register))];
  const { rows: known } = await client.query(validationSql.known, [meters, registers, iso(from), iso(to)]);
  /** What is open and not found again: solved. */
  const left = new Map<string, Known>();
  const spans = new Map<string, { from: number; to: number }[]>();
  for (const { meter, register, from, to } of outcomes) {
    const name = `${meter} ${register}`;
    spans.set(name, [...(spans.get(name) ?? []), { from, to }]);
  }
  for (const row of known as Known[])
    if (
      row.state === 'open' &&
      spans.get(`${row.meter} ${row.register}`)?.some((span) => row.from_ms >= span.from && row.from_ms < span.to)
    )
      left.set(`${row.meter} ${row.register} ${row.key}`, row);
  const rows: unknown[][] = [];
  const groups = new Map<string, Set<MeterId>>();
  let findings = 0;
  for (const outcome of outcomes) {
    const seen = new Set<number>();
    for (const finding of outcome.findings) {
      const key = keyOf(outcome.register, finding.rule, finding.from);
      // One rule may say one thing about one beginning.
      if (seen.has(key)) continue;
      seen.add(key);
      findings++;
      left.delete(`${outcome.meter} ${outcome.register} ${key}`);
      rows.push(rowOf(outcome, finding, key, at));
      if (finding.group === undefined) continue;
      const joined = groups.get(finding.group) ?? new Set();
      joined.add(outcome.meter);
      groups.set(finding.group, joined);
    }
  }
  await runRows(client, upsertExceptions, rows);
  const gone = [...left.values()];
  if (gone.length > 0)
    await client.query(validationSql.solve, [
      gone.map((row) => row.meter),
      gone.map((row) => row.register),
      gone.map((row) => row.key),
      iso(at),
      'found no more when it was validated again: values came late, or the rules are others',
    ]);
  return {
    findings,
    solved: gone.length,
    groups: new Map([...groups].map(([name, joined]) => [name, [...joined]])),
  };
}

function rowOf(outcome: ValidationOutcome, finding: Finding, key: number, at: number): unknown[] {
  return [
    outcome.meter,
    outcome.register,
    key,
    iso(finding.from),
    iso(finding.to),
    dayText(Math.floor(toLocal(outcome.zone, finding.from) / DAY)),
    clean(finding.rule),
    finding.check,
    SEVERITIES.indexOf(finding.severity),
    finding.action,
    finding.usable,
    clean(finding.sentence).slice(0, MOST_TEXT),
    JSON.stringify(finding.numbers),
    finding.group ?? null,
    outcome.rules.ruleSet,
    outcome.rules.version,
    iso(at),
  ];
}

async function saveEstimates(client: Client, outcomes: readonly ValidationOutcome[], at: number): Promise<number> {
  await client.query(validationSql.clearEstimates, [
    outcomes.map((o) => o.meter),
    outcomes.map((o) => o.register),
    outcomes.map((o) => iso(o.from)),
    outcomes.map((o) => iso(o.to)),
  ]);
  const rows: unknown[][] = [];
  for (const { meter, register, estimates } of outcomes)
    for (const e of estimates)
      rows.push([
        meter,
        register,
        iso(e.from),
        iso(e.to),
        e.method,
        e.scaled,
        clean(e.sentence).slice(0, MOST_TEXT),
        JSON.stringify(e.inputs),
        iso(at),
      ]);
  await runRows(client, insertEstimates, rows);
  return rows.length;
}

/** As COPY: there are as many as there are blocks. */
async function saveStates(client: Client, outcomes: readonly ValidationOutcome[], at: number): Promise<void> {
  const settled = outcomes.filter((o) => o.days.length > 0);
  if (settled.length === 0) return;
  await client.query(validationSql.clearStates, [
    settled.map((o) => o.meter),
    settled.map((o) => o.register),
    settled.map((o) => dayText(o.days[0] as number)),
    settled.map((o) => dayText(o.days[o.days.length - 4] as number)),
  ]);
  const stamp = (at - EPOCH_MS) * 1000;
  let next = 0;
  await copyIn(client, validationSql.copyStateIn, (rows) => {
    while (next < settled.length && rows.length < 400_000) putStates(rows, settled[next++] as ValidationOutcome, stamp);
    return next < settled.length;
  });
}

function putStates(rows: CopyRows, outcome: ValidationOutcome, stamp: number): void {
  const { days } = outcome;
  const first = days[0] as number;
  const last = days[days.length - 4] as number;
  const counts = countDays(outcome, first, last);
  const meter = Number(outcome.meter);
  for (let i = 0; i < days.length; i += 4) {
    const day = days[i] as number;
    const at = (day - first) * 3;
    rows.row(13);
    rows.long(meter);
    rows.int(outcome.register);
    rows.date(day);
    rows.int(outcome.source);
    rows.short(days[i + 1] as number);
    rows.int(days[i + 2] as number);
    rows.int(days[i + 3] as number);
    rows.int(outcome.rules.ruleSet);
    rows.int(outcome.rules.version);
    rows.int(counts[at] as number);
    rows.int(counts[at + 1] as number);
    rows.int(counts[at + 2] as number);
    rows.long(stamp);
  }
}

/** By UTC day: findings, estimated and missing intervals. */
function countDays({ intervals, from, to, findings }: ValidationOutcome, first: number, last: number): Int32Array {
  const counts = new Int32Array((last - first + 1) * 3);
  for (const finding of findings) {
    const day = Math.floor(finding.from / DAY) - first;
    if (day >= 0 && day <= last - first) counts[day * 3] = (counts[day * 3] as number) + 1;
  }
  const { quality, start, step } = intervals;
  for (let i = firstOf(quality, QUALITY.estimated, QUALITY.missing); i < quality.length; i++) {
    const q = quality[i];
    if (q !== QUALITY.estimated && q !== QUALITY.missing) continue;
    const time = start + i * step;
    if (time < from || time >= to) continue;
    const day = Math.floor(time / DAY) - first;
    if (day < 0 || day > last - first) continue;
    const at = day * 3 + (q === QUALITY.estimated ? 1 : 2);
    counts[at] = (counts[at] as number) + 1;
  }
  return counts;
}

/** Where the first of two stands; the length where none does, as in most months. */
function firstOf(quality: Uint8Array, a: number, b: number): number {
  const [i, k] = [quality.indexOf(a), quality.indexOf(b)];
  return Math.min(i < 0 ? quality.length : i, k < 0 ? quality.length : k);
}

/**
 * Ratios of current and voltage transformers at metering points, by time (validation and billing multiply by them). Exact:
 * a ratio is primary to secondary in whole numbers, and a product stays one. Nothing is overwritten, as with stays.
 */
import { MisuseError } from '@amiable/bytes';
import type { Scope } from '@amiable/model';
import type { Client, Database } from '../pg/database.ts';
import { registrySql } from '../sql/registry.ts';
import type { MeterId } from '../types.ts';
import { checkText } from './attributes.ts';
import { getNode } from './nodes.ts';
import { type By, checkPast, iso, log, type Row } from './parts.ts';
import { isId } from './selection.ts';
import { type Change, come, correct, holdsAt, type KeptStay, leave, type Stay } from './stays.ts';
import type { NodeId } from './types.ts';

export type RatioKind = 'current' | 'voltage';
/** A rational number, in lowest terms. */
export interface Rational {
  readonly numerator: bigint;
  readonly denominator: bigint;
}
export interface Ratio extends Stay {
  readonly id: string;
  readonly meteringPoint: NodeId;
  readonly kind: RatioKind;
  readonly primary: bigint;
  readonly secondary: bigint;
  readonly recordedAt: number;
  readonly recordedBy: string | null;
  readonly replacedAt: number | null;
  readonly replacedBy: string | null;
  readonly reason: string | null;
}
export interface NewRatio {
  readonly meteringPoint: NodeId;
  readonly kind: RatioKind;
  readonly primary: bigint | number;
  readonly secondary: bigint | number;
  readonly from: number;
  readonly to?: number | null | undefined;
}
/** A stretch of time in which one multiplier holds for what a meter counts. */
export interface Multiplier extends Stay {
  readonly meter: MeterId;
  readonly kind: RatioKind;
  readonly multiplier: Rational;
}

export interface Ratios {
  ratios(meteringPoint: NodeId, scope: Scope, replaced?: boolean): Promise<readonly Ratio[] | undefined>;
  /** By what the values of a metering point are multiplied at a time: current times voltage; 1 where nothing is written down. */
  multiplierAt(meteringPoint: NodeId, at: number): Promise<Rational>;
  /** Those of meters between two times, where they were installed. */
  multipliersOfMeters(meters: readonly MeterId[], from: number, to: number): Promise<readonly Multiplier[]>;
  putRatio(ratio: NewRatio, scope: Scope, by: By): Promise<Ratio>;
  endRatio(meteringPoint: NodeId, kind: RatioKind, to: number, scope: Scope, by: By): Promise<Ratio>;
  /** @returns what holds in its place; undefined when it never was */
  correctRatio(
    id: string,
    right: Omit<NewRatio, 'meteringPoint' | 'kind'> | undefined,
    reason: string,
    scope: Scope,
    by: By,
  ): Promise<Ratio | undefined>;
}

interface What {
  readonly primary: bigint;
  readonly secondary: bigint;
}

export function rational(numerator: bigint, denominator: bigint): Rational {
  let [a, b] = [numerator, denominator];
  while (b !== 0n) [a, b] = [b, a % b];
  return { numerator: numerator / a, denominator: denominator / a };
}

/** The product of all that hold at a time. */
export function productAt(
  ratios: readonly (Stay & { readonly primary: bigint; readonly secondary: bigint })[],
  at: number,
): Rational {
  let numerator = 1n;
  let denominator = 1n;
  for (const r of ratios)
    if (holdsAt(r, at)) {
      numerator *= r.primary;
      denominator *= r.secondary;
    }
  return rational(numerator, denominator);
}

const ms = (date: unknown): number | null => (date instanceof Date ? date.getTime() : null);
const ratioOf = (row: Row): Ratio => ({
  id: row.id as string,
  meteringPoint: row.metering_point as string,
  kind: row.kind as RatioKind,
  primary: BigInt(row.primary_value as string),
  secondary: BigInt(row.secondary_value as string),
  from: ms(row.from_time) as number,
  to: ms(row.to_time),
  recordedAt: ms(row.recorded_at) as number,
  recordedBy: row.recorded_by as string | null,
  replacedAt: ms(row.replaced_at),
  replacedBy: row.replaced_by as string | null,
  reason: row.reason as string | null,
});

const MOST = 1_000_000_000n;
function checked(primary: bigint | number, secondary: bigint | number): What {
  for (const x of [primary, secondary])
    if (typeof x === 'number' ? !Number.isSafeInteger(x) || x < 1 : x < 1n)
      throw new MisuseError('a ratio is of two whole numbers above zero');
  const what = { primary: BigInt(primary), secondary: BigInt(secondary) };
  if (what.primary > MOST || what.secondary > MOST) throw new MisuseError('a ratio is of numbers up to 1,000,000,000');
  return what;
}

export function createRatios(db: Database): Ratios {
  const kept = async (client: Client, point: NodeId, kind: RatioKind): Promise<KeptStay<What>[]> =>
    ((await client.query(registrySql.ratiosOf, [point, kind])).rows as Row[])
      .map(ratioOf)
      .map(({ id, from, to, primary, secondary }) => ({ id, from, to, what: { primary, secondary } }));
  const read = async (client: Client, id: string): Promise<Ratio> =>
    ratioOf((await client.query(registrySql.ratio, [id])).rows[0] as Row);

  async function lock(client: Client, point: NodeId, scope: Scope): Promise<void> {
    if (isId(point)) await client.query(registrySql.lockNodes, [[point]]);
    const node = isId(point) ? await getNode(client, point, scope) : undefined;
    if (!node) throw new MisuseError(`there is no node ${point}`);
    if (node.kind !== 'metering-point')
      throw new MisuseError(`transformer ratios belong to metering points; ${node.code} is a ${node.kind}`);
  }

  async function write(
    client: Client,
    point: NodeId,
    kind: RatioKind,
    change: Change<What>,
    by: By,
    reason: string,
  ): Promise<string | undefined> {
    for (const id of change.replace) await client.query(registrySql.replaceRatio, [id, iso(by.at), by.who, reason]);
    let last: string | undefined;
    for (const { from, to, what } of change.add) {
      const values = [
        point,
        kind,
        what.primary,
        what.secondary,
        iso(from),
        to === null ? null : iso(to),
        iso(by.at),
        by.who,
      ];
      last = ((await client.query(registrySql.insertRatio, values)).rows[0] as { id: string }).id;
    }
    await log(client, 'node', point, `ratio of ${kind} transformers ${reason}`, by);
    return last;
  }
  const past = (stay: Stay, by: By): void => {
    checkPast('the start of a ratio', stay.from, by);
    if (stay.to !== null) checkPast('the end of a ratio', stay.to, by);
  };

  return {
    ratios: (point, scope, replaced = false) =>
      db.read(async (client) => {
        if (!isId(point) || (await getNode(client, point, scope))?.kind !== 'metering-point') return undefined;
        return ((await client.query(registrySql.ratios, [[point], replaced])).rows as Row[]).map(ratioOf);
      }),
    multiplierAt: (point, at) =>
      db.read(async (client) =>
        productAt(((await client.query(registrySql.ratios, [[point], false])).rows as Row[]).map(ratioOf), at),
      ),
    async multipliersOfMeters(meters, from, to) {
      const { rows } = await db.read((client) =>
        client.query(registrySql.ratiosOfMeters, [meters, iso(from), iso(to)]),
      );
      return (rows as Row[]).map((row) => ({
        meter: row.meter as string,
        kind: row.kind as RatioKind,
        multiplier: rational(BigInt(row.primary_value as string), BigInt(row.secondary_value as string)),
        from: ms(row.from_time) as number,
        to: ms(row.to_time),
      }));
    },
    putRatio: (ratio, scope, by) =>
      db.write(async (client) => {
        const stay = { from: ratio.from, to: ratio.to ?? null };
        past(stay, by);
        const what = checked(ratio.primary, ratio.secondary);
        await lock(client, ratio.meteringPoint, scope);
        const change = come(await kept(client, ratio.meteringPoint, ratio.kind), stay, what);
        return read(client, (await write(client, ratio.meteringPoint, ratio.kind, change, by, 'set')) as string);
      }),
    endRatio: (point, kind, to, scope, by) =>
      db.write(async (client) => {
        checkPast('the end of a ratio', to, by);
        await lock(client, point, scope);
        const change = leave(await kept(client, point, kind), to);
        return read(client, (await write(client, point, kind, change, by, 'ended')) as string);
      }),
    correctRatio: (id, right, reason, scope, by) =>
      db.write(async (client) => {
        checkText('reason', reason, 500, 1);
        const row = isId(id) ? ((await client.query(registrySql.ratio, [id])).rows[0] as Row | undefined) : undefined;
        if (!row) throw new MisuseError(`there is no ratio ${id}`);
        const { meteringPoint, kind } = ratioOf(row);
        await lock(client, meteringPoint, scope);
        const stay = right && { from: right.from, to: right.to ?? null, what: checked(right.primary, right.secondary) };
        if (stay) past(stay, by);
        const now = await write(
          client,
          meteringPoint,
          kind,
          correct(await kept(client, meteringPoint, kind), id, stay),
          by,
          reason,
        );
        return now === undefined ? undefined : read(client, now);
      }),
  };
}

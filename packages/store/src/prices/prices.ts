/**
 * Prices in the store. Rows are added, never changed: what was recorded later covers what came before, so that a bill can be
 * explained with the prices that it saw.
 *
 * Decides: what is a new price and what a change; bounds. Leaves out: reading files and services (compute, central).
 */
import { MisuseError } from '@amiable/bytes';
import type { Client, Database } from '../pg/database.ts';
import { priceSql } from '../sql/prices.ts';
import { news, onGrid } from './cover.ts';
import type { PriceSeries, PriceSource, PriceSpan, PriceStore, PriceWritten } from './types.ts';

/** Prices of one call: five years of quarters. */
const MOST = 200_000;
/** Intervals of one answer. */
const MOST_READ = 400_000;
const LONGEST = 400 * 86_400_000;
const FIRST = Date.UTC(1970, 0, 1);
const LAST = Date.UTC(2200, 0, 1);

const iso = (ms: number): string => new Date(ms).toISOString();

export function createPriceStore(db: Database): PriceStore {
  const series = async (client: Client, name: string): Promise<(PriceSeries & { id: number }) | undefined> =>
    (await client.query(priceSql.get, [name])).rows[0];
  const points = async (client: Client, id: number, from: number, to: number, asOf?: number): Promise<PriceSpan[]> => {
    const values = [id, iso(from), iso(to), asOf === undefined ? null : iso(asOf)];
    return (await client.query(priceSql.points, values)).rows as PriceSpan[];
  };

  async function writeSpans(
    name: string,
    spans: readonly PriceSpan[],
    how: { readonly source: string; readonly at: number },
  ): Promise<PriceWritten> {
    if (spans.length === 0) return { fresh: 0, changed: 0 };
    if (spans.length > MOST) throw new MisuseError(`more than ${MOST} prices at once; write them in parts`);
    const sorted = [...spans].sort((a, b) => a.from - b.from);
    sorted.forEach((span, k) => {
      check(span, sorted[k + 1]);
    });
    const from = (sorted[0] as PriceSpan).from;
    const to = (sorted.at(-1) as PriceSpan).to;
    return db.write(async (client) => {
      const { rows } = await client.query(priceSql.lock, [name]);
      const id = (rows[0] as { id: number } | undefined)?.id;
      if (id === undefined)
        throw new MisuseError(`there is no series of prices ${JSON.stringify(name)}; make it first`);
      const found = news(await points(client, id, from, to), sorted);
      if (found.add.length > 0)
        await client.query(priceSql.add, [
          id,
          found.add.map((s) => s.from),
          found.add.map((s) => s.to),
          found.add.map((s) => String(s.mantissa)),
          found.add.map((s) => s.scaler),
          how.source.slice(0, 200) || 'unknown',
          iso(how.at),
        ]);
      return { fresh: found.fresh, changed: found.changed };
    });
  }

  return {
    list: async () => (await db.read((client) => client.query(priceSql.list))).rows.map(seriesOf),
    get: async (name) => {
      const found = await db.read((client) => series(client, name));
      return found && seriesOf(found);
    },
    put: (given) =>
      db.write(async (client) => {
        if (!/^[A-Z]{3}$/.test(given.currency))
          throw new MisuseError(
            `${JSON.stringify(given.currency)} is no currency; three letters such as EUR are wanted`,
          );
        const there = await series(client, given.name);
        if (there && (there.currency !== given.currency || there.unit !== given.unit)) {
          const some = await client.query(priceSql.some, [there.id]);
          if (some.rows.length > 0)
            throw new MisuseError(
              `${given.name} has prices in ${there.currency} for one ${there.unit}; another currency or unit needs a series of its own`,
            );
        }
        await client.query(priceSql.put, [given.name, given.currency, given.unit, given.description]);
      }),
    write(name, { start, step, values, scaler }, how) {
      const spans: PriceSpan[] = [];
      values.forEach((mantissa, i) => {
        if (!Number.isNaN(mantissa))
          spans.push({ from: start + i * step, to: start + (i + 1) * step, mantissa, scaler });
      });
      return writeSpans(name, spans, how);
    },
    writeSpans,
    async read(name, { from, to, step, asOf }) {
      if (!(step >= 1000) || !Number.isSafeInteger(step)) throw new MisuseError('step: whole seconds are wanted');
      if ((to - from) / step > MOST_READ)
        throw new MisuseError(`more than ${MOST_READ} prices at once; ask for a shorter time`);
      return db.read(async (client) => {
        const found = await series(client, name);
        if (!found) return undefined;
        const grid = onGrid(to > from ? await points(client, found.id, from, to, asOf) : [], from, to, step);
        return { ...grid, currency: found.currency, unit: found.unit };
      });
    },
    async history(name, { from, to, limit }) {
      return db.read(async (client) => {
        const found = await series(client, name);
        if (!found) return [];
        return (await client.query(priceSql.history, [found.id, iso(from), iso(to), Math.min(limit, 10_000)])).rows;
      });
    },
    sources: {
      list: async () =>
        (await db.read((client) => client.query(priceSql.sources, [null]))).rows as unknown as PriceSource[],
      get: async (name) =>
        (await db.read((client) => client.query(priceSql.sources, [name]))).rows[0] as PriceSource | undefined,
      async put({ name, series: of, definition }) {
        await db.write((client) => client.query(priceSql.putSource, [name, of, JSON.stringify(definition)]));
      },
      async putSecret(name, sealed) {
        const value = sealed === null ? null : Buffer.from(sealed);
        return (await db.write((client) => client.query(priceSql.putSecret, [name, value]))).rows.length > 0;
      },
      async secret(name) {
        const { rows } = await db.read((client) => client.query(priceSql.secret, [name]));
        return (rows[0] as { secret: Buffer | null } | undefined)?.secret ?? undefined;
      },
      async tried(name, at, outcome, good) {
        await db.write((client) => client.query(priceSql.tried, [name, iso(at), outcome.slice(0, 1000), good]));
      },
      async remove(name) {
        return (await db.write((client) => client.query(priceSql.removeSource, [name]))).rows.length > 0;
      },
    },
  };
}

const seriesOf = ({ name, currency, unit, description }: PriceSeries): PriceSeries => ({
  name,
  currency,
  unit,
  description,
});

/** @throws MisuseError for a price that cannot be one, or that overlaps the next */
function check(span: PriceSpan, next: PriceSpan | undefined): void {
  const { from, to, mantissa, scaler } = span;
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || !(from >= FIRST && to <= LAST && to > from))
    throw new MisuseError('a price holds from a time to a later one, between 1970 and 2200');
  if (to - from > LONGEST) throw new MisuseError('a price holds for 400 days at most; write it year by year');
  if (!Number.isSafeInteger(mantissa) || !Number.isInteger(scaler) || scaler < -18 || scaler > 9)
    throw new MisuseError(`the price at ${iso(from)} is no whole mantissa with a scaler from -18 to 9`);
  if (next && next.from < to)
    throw new MisuseError(`two prices are given for ${iso(next.from)}: one from ${iso(from)}, one from there`);
}

/** Opens the database and joins the store's parts. */
import { isValidZone } from '@amiable/calendar';
import { INTERVAL_ADDRESS, type Scope } from '@amiable/model';
import { createAccessStore } from './access/access.ts';
import { createBalanceStore } from './balance/balance.ts';
import { createBillingStore, joinedReadings } from './billing/billing.ts';
import { createCalendars } from './calendar.ts';
import { createDeliveryStore } from './delivery/delivery.ts';
import { createEvents } from './events/events.ts';
import { createFormulaStore } from './formulas/formulas.ts';
import type { Store } from './interface.ts';
import { createIntervalStore } from './intervals/intervals.ts';
import { createJournal } from './journal/store.ts';
import { createLayouts } from './layouts.ts';
import { migrate } from './migrate.ts';
import { createOutages } from './outages/outages.ts';
import { createPartitions } from './partitions.ts';
import { type Client, connect } from './pg/database.ts';
import { inWords, retrying } from './pg/retry.ts';
import { createPriceStore } from './prices/prices.ts';
import { readEnergy, readMedia } from './query/energy.ts';
import { gaps, loadProfile, peaks, rateSums } from './query/fleet.ts';
import { getMessage, listMessages } from './query/messages.ts';
import { getMeter, listMeters, patchMeter, readLive } from './query/meters.ts';
import { requireMeter, segmentsOf } from './query/scope.ts';
import { readSeries } from './query/series.ts';
import { readValues } from './query/values.ts';
import { createCompleteness } from './readout/completeness.ts';
import { createReadout } from './readout/readout.ts';
import { createRegisters } from './registers.ts';
import { createExchangeStore } from './registry/exchange.ts';
import { createRegistryStore } from './registry/registry.ts';
import { createReportStore } from './reports/reports.ts';
import { migrations } from './schema/migrations.ts';
import { compactSql } from './sql/compact.ts';
import { querySql } from './sql/query.ts';
import type { Counters, MeterId, StoreOptions } from './types.ts';
import { createValidationStore } from './validation/validation.ts';
import { createReads } from './work/reads.ts';
import { createWorkStore } from './work/work.ts';
import { writeBlocks } from './write/bulk.ts';
import { compact } from './write/compact.ts';
import { createIntake } from './write/ingest.ts';
import { createMeterBook } from './write/meters.ts';
import { reprocess } from './write/reprocess.ts';
import { POLICY, retain } from './write/retain.ts';
import { createSources } from './write/sources.ts';

const DAY = 86_400_000;

export async function openStore(options: StoreOptions): Promise<Store> {
  const policy = options.retry ?? { attempts: 6, pause: 100 };
  if (options.migrate !== false) await retrying(policy, () => migrate({ url: options.url, migrations }));
  const zone = options.zone ?? 'Europe/Oslo';
  const db = connect(options);
  const registers = createRegisters(db);
  const layouts = createLayouts(db, registers);
  const partitions = createPartitions(db);
  const sources = createSources(db);
  const book = createMeterBook(db, zone);
  const calendars = createCalendars(db);
  const intake = createIntake({ db, meters: book, layouts, sources, partitions, queue: options.queue ?? 20_000 });
  const parts = { db, layouts, registers };
  await registers.load();
  await layouts.load();
  const journal = await createJournal({ db, partitions, clock: Date.now });
  const thinned = { source: 0, minutes: 0 };
  let calendarDay = 0;
  const exchange = createExchangeStore(db);
  let sourceDays = POLICY.sourceDays;

  /** The views need the local days of every zone in use. */
  async function keepCalendar(now: number): Promise<void> {
    const today = Math.floor(now / DAY);
    if (today === calendarDay) return;
    const { zones, oldest } = await db.read(async (client) => ({
      zones: (await client.query(querySql.zones)).rows as { time_zone: string }[],
      oldest: ((await client.query(compactSql.oldestBlock)).rows[0] as { day: number | null }).day,
    }));
    const first = Math.max(Math.min(oldest ?? today, today) - 31, today - 30 * 366);
    for (const { time_zone } of zones) if (isValidZone(time_zone)) await calendars.ensure(time_zone, first, today + 31);
    calendarDay = today;
  }

  const readout = createReadout(db, registers);
  const completeness = createCompleteness({ db, registers, sets: readout.sets });
  const registry = createRegistryStore(db);
  // Meters that lack values of a profile, since `value` (ms or ISO 8601) or ever.
  registry.provide('gaps', async ({ value }) => {
    const since = typeof value === 'number' ? value : Date.parse(String(value ?? ''));
    return completeness.lacking(Number.isFinite(since) ? since : 0);
  });

  const intervals = createIntervalStore({ db, registers, partitions });
  const billing = createBillingStore(db, registry, intervals, async (meter, code, from, to) => {
    const own = [...registers.all()].filter(
      (r) => r.short === code && r.stat === 'value' && r.address !== INTERVAL_ADDRESS,
    );
    const found = await db.read((client) =>
      readValues(
        parts,
        client,
        meter,
        own.map((r) => r.id),
        from,
        to,
      ),
    );
    return joinedReadings(own.map((r) => ({ unit: r.unit ?? null, values: found.get(r.id) })));
  });

  return {
    access: createAccessStore(db),
    billing,
    events: createEvents({ db, partitions }),
    exchange: {
      ...exchange,
      async load(fill, options) {
        // Meters of zones that were not in use before may have come.
        calendarDay = 0;
        return exchange.load(fill, options);
      },
    },
    intervals,
    journal,
    outages: createOutages({
      db,
      registers,
      async values(meter, register, from, to) {
        const found = await db.read((client) => readValues(parts, client, meter, [register], from, to));
        return found.get(register) ?? { times: new Float64Array(0), values: new Float64Array(0) };
      },
    }),
    completeness,
    readout,
    delivery: createDeliveryStore(db),
    balance: createBalanceStore(db, registry),
    formulas: createFormulaStore(db),
    prices: createPriceStore(db),
    registry,
    reads: createReads(db),
    validation: createValidationStore(db, registers),
    reports: createReportStore(db),
    work: createWorkStore(db),
    ingest: (messages) => intake.ingest(messages),
    onStored: intake.onStored,
    reprocess: (decode) => reprocess(db, intake, decode),
    async ensureMeters(meters) {
      for (const { timeZone } of meters)
        if (timeZone !== undefined && !isValidZone(timeZone))
          throw new RangeError(`unknown time zone ${JSON.stringify(timeZone)}; give an IANA name such as Europe/Oslo`);
      await book.ensure(meters);
      return new Map(meters.map((m) => [m.serial, book.get(m.serial.replaceAll('\0', ''))?.id as string]));
    },
    meters: (query = {}) => listMeters(parts, query),
    meter: (id, scope) => getMeter(parts, id, scope),
    async patchMeter(id, patch, user, scope) {
      if (patch.timeZone !== undefined) calendarDay = 0;
      return patchMeter(parts, id, patch, user, Date.now(), scope);
    },
    async removeMeter(id) {
      const gone = await db.write(async (client) => {
        for (const some of [querySql.someMessage, querySql.someBlock])
          if ((await client.query(some, [id])).rows.length > 0) return undefined;
        await client.query(querySql.removeKey, [id]);
        return (await client.query(querySql.removeMeter, [id])).rows as { serial: string }[];
      });
      for (const { serial } of gone ?? []) book.forget(serial);
      return gone !== undefined;
    },
    live: (ids) => db.read((client) => readLive(parts, client, ids)),
    messages: (id, limit = 20, scope) => listMessages(parts, id, limit, scope),
    message: (id, message, scope) => getMessage(parts, id, message, scope),
    async loadProfile(register, slots, meters) {
      const [id] = await registers.ensure([register]);
      return db.read((client) => loadProfile(client, id as number, slots, meters));
    },
    async rateSums(register, slots, rates, meters) {
      const [id] = await registers.ensure([register]);
      return db.read((client) => rateSums(client, id as number, slots, rates, meters));
    },
    async gaps(register, from, to, perDay) {
      const [id] = await registers.ensure([register]);
      return db.read((client) => gaps(client, id as number, Math.floor(from / DAY), Math.ceil(to / DAY) - 1, perDay));
    },
    async peaks(register, from, to) {
      const [id] = await registers.ensure([register]);
      return db.read((client) => peaks(client, id as number, Math.floor(from / DAY), Math.ceil(to / DAY) - 1));
    },
    async putKey(id, ciphertext) {
      await db.write((client) =>
        client.query(querySql.putKey, [id, Buffer.from(ciphertext), new Date().toISOString()]),
      );
    },
    async keys() {
      const { rows } = await db.read((client) => client.query(querySql.keys));
      return (rows as { meter: string; serial: string; ciphertext: Buffer }[]).map((row) => ({ ...row }));
    },
    async counters(scope): Promise<Counters> {
      const { rows } = await db.read((client) => client.query(querySql.counters, [segmentsOf(scope)]));
      const row = rows[0] as { meters: number; fresh: number; unplaced: number };
      return {
        meters: row.meters,
        newMeters: row.fresh,
        unplaced: row.unplaced,
        accepted: intake.accepted,
        duplicates: intake.duplicates,
        rejected: intake.rejected,
        waiting: intake.waiting,
      };
    },
    async check() {
      try {
        await db.read((client) => client.query(querySql.check));
        return undefined;
      } catch (error) {
        return inWords(error);
      }
    },
    async close() {
      await intake.idle();
      await journal.close();
      await db.end();
    },
    writeBlocks: (series, how) => writeBlocks({ db, registers, partitions, now: Date.now }, series, how),
    async compact(now) {
      const result = await compact({ db, layouts, registers, partitions, sourceDays: () => sourceDays }, now);
      await keepCalendar(now);
      return result;
    },
    async retain(now, policy) {
      const whole = { ...POLICY, ...policy };
      sourceDays = whole.sourceDays;
      await keepCalendar(now);
      await journal.retain();
      return retain({ db, partitions, thinned }, now, whole);
    },
    async values(id, register, from, to) {
      const [key] = await registers.ensure([register]);
      const found = await db.read((client) => readValues(parts, client, id, [key as number], from, to));
      return found.get(key as number) ?? { times: new Float64Array(0), values: new Float64Array(0) };
    },
    series: (id, obis, from, to, points, scope) =>
      db.read(async (client) => {
        if (scope !== undefined) await requireMeter(client, id, scope);
        return readSeries(parts, client, id, obis, from, to, points);
      }),
    energy: (id, bucket, from, to, where, scope) =>
      db.read(async (client) => {
        const own = await zoneOf(client, id, scope);
        return readEnergy(parts, client, id, bucket, from, to, where ?? own ?? zone);
      }),
    media: (id, bucket, from, to, where, scope) =>
      db.read(async (client) => {
        const own = await zoneOf(client, id, scope);
        return readMedia(parts, client, id, bucket, from, to, where ?? own ?? zone);
      }),
  };
}

/** The time zone in which a meter's days are counted. */
async function zoneOf(client: Client, id: MeterId, scope: Scope | undefined): Promise<string | undefined> {
  if (scope !== undefined) return requireMeter(client, id, scope);
  const { rows } = await client.query(querySql.meterInScope, [id, null]);
  return (rows[0] as { time_zone: string } | undefined)?.time_zone;
}

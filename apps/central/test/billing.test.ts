/** Billing from values in the store to bills and differences: exchange of a meter, days of 25 hours, the gate, late values, what a killed run leaves. */
import { localToUtc } from '@amiable/calendar';
import { intervalRegister, isoTime, type Quantity, quantityOf } from '@amiable/model';
import { type BillingRun, type MeterId, openStore, type Store, type WholeBill } from '@amiable/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../packages/store/test/harness.ts';
import { type Kept, keptOf } from '../src/features/billing/bill.ts';
import { previewPoint } from '../src/features/billing/preview.ts';
import { executeRun } from '../src/features/billing/run.ts';
import { runParameters } from '../src/features/billing/shapes.ts';
import { parseTariff } from '../src/features/billing/tariffs.ts';
import { beginRun } from '../src/features/billing/task.ts';
import { whatIf, whatIfBody } from '../src/features/billing/what-if.ts';

const ZONE = 'Europe/Oslo';
const QUARTER = 900_000;
const local = (month: number, day: number, hour = 0, minute = 0): number =>
  localToUtc(ZONE, Date.UTC(2026, month - 1, day, hour, minute));
const START = local(10, 1);
const END = local(11, 1);
const N = (END - START) / QUARTER;
const by = { who: 'test', at: local(9, 1) };
let now = local(11, 2);

const plain = (name: string, price: string, more: object[] = []) =>
  parseTariff({
    name,
    zone: ZONE,
    currency: 'NOK',
    rates: [{ name: 'all' }],
    calendar: {
      seasons: [{ name: 'year', from: '01-01', to: '12-31', week: 'week' }],
      weeks: [
        {
          name: 'week',
          monday: 'day',
          tuesday: 'day',
          wednesday: 'day',
          thursday: 'day',
          friday: 'day',
          saturday: 'day',
          sunday: 'day',
        },
      ],
      days: [{ name: 'day', switches: [{ at: '00:00', rate: 'all' }] }],
    },
    components: [{ kind: 'energy', name: 'energy', price }, ...more],
  });

let db: TestDatabase;
let store: Store;
const meter: Record<string, MeterId> = {};
const point: Record<string, string> = {};
const signal = new AbortController().signal;

/** Quarters of one value each. */
async function values(
  of: MeterId,
  from: number,
  to: number,
  each: number,
  quality?: 'estimated' | 'edited',
): Promise<void> {
  const n = (to - from) / QUARTER;
  await store.intervals.write(
    [
      {
        meter: of,
        register: intervalRegister(quantityOf('energyImport') as Quantity, 900),
        scaler: 0,
        start: from,
        step: QUARTER,
        values: new Float64Array(n).fill(each),
        ...(quality ? { quality: Array.from({ length: n }, () => quality) } : {}),
      },
    ],
    { source: 'validation', reason: 'late reading', at: now, replace: true },
  );
}

const order = (asked: object, taskRun: string): Promise<BillingRun> =>
  beginRun(store, runParameters.parse({ of: '2026-10', ...asked }), {
    scope: 'all',
    taskRun,
    who: 'test',
    zone: ZONE,
    now,
  });
const execute = (run: BillingRun, over: AbortSignal = signal, progress: () => void = () => {}): Promise<string> =>
  executeRun(run, 'all', { store, now: () => now, signal: over, progress });
async function bill(asked: object, taskRun: string): Promise<readonly WholeBill[]> {
  const run = await order(asked, taskRun);
  await execute(run);
  return store.billing.bills.whole({ run: run.id, limit: 1000, scope: 'all' });
}
const kept = (one: WholeBill | undefined): Kept & Record<string, unknown> =>
  (one && keptOf(one)) as Kept & Record<string, unknown>;

beforeAll(async () => {
  db = await createTestDatabase();
  store = await openStore({ url: db.url });
  const names = ['old', 'new', 'whole', 'gappy', 'late'];
  const ids = await store.ensureMeters(names.map((serial) => ({ serial, timeZone: ZONE })));
  for (const name of names) meter[name] = ids.get(name) as string;
  for (const code of ['exchanged', 'whole', 'gappy', 'late'])
    point[code] = (
      await store.registry.createNode({ kind: 'metering-point', code, segment: 1, from: local(1, 1) }, 'all', by)
    ).id;
  const stay = (child: string, at: string, from: number) =>
    store.registry.link(
      { kind: 'installed', child: meter[child] as string, parent: point[at] as string, from },
      'all',
      { who: 'test', at: now },
    );
  const exchange = local(10, 15, 10, 7);
  await stay('old', 'exchanged', local(1, 1));
  await store.registry.endLink('installed', meter.old as string, exchange, 'all', { who: 'test', at: now });
  await stay('new', 'exchanged', exchange);
  for (const name of ['whole', 'gappy', 'late']) await stay(name, name, local(1, 1));
  // The new meter stands behind transformers of 200 to 5; the old one counted all by itself.
  await store.registry.putRatio(
    { meteringPoint: point.exchanged as string, kind: 'current', primary: 200, secondary: 5, from: exchange },
    'all',
    { who: 'test', at: now },
  );
  for (const [name, tariff] of [
    ['flat', plain('flat', '0.5')],
    ['dear', plain('dear', '1.25')],
    ['grid', plain('grid', '0.1', [{ kind: 'fixed', name: 'fee', price: '31', per: 'month' }])],
  ] as const) {
    await store.billing.tariffs.put(name, { validFrom: '2026-01-01', definition: { ...tariff } }, by);
    await store.billing.tariffs.publish(name, 1, ZONE, by);
  }
  for (const code of ['exchanged', 'whole', 'gappy', 'late'])
    await store.billing.contracts.put(
      { meteringPoint: point[code] as string, product: 'supply', tariff: 'flat', from: local(1, 1) },
      'all',
      by,
    );
  await store.billing.contracts.put(
    { meteringPoint: point.whole as string, product: 'grid', tariff: 'grid', from: local(1, 1) },
    'all',
    by,
  );
  // 1,000 Wh a quarter, whoever counts: behind transformers 25 of them are counted.
  await values(meter.old as string, START, local(10, 15, 10), 1000);
  await values(meter.old as string, local(10, 15, 10), local(10, 15, 10, 15), 400);
  await values(meter.new as string, local(10, 15, 10), local(10, 15, 10, 15), 15);
  await values(meter.new as string, local(10, 15, 10, 15), END, 25);
  await values(meter.whole as string, START, END, 250);
  await values(meter.gappy as string, START, local(10, 25), 100);
  await values(meter.late as string, START, local(10, 20), 100);
  await values(meter.late as string, local(10, 20), local(10, 21), 100, 'estimated');
  await values(meter.late as string, local(10, 21), END, 100);
});
afterAll(async () => {
  await store?.close();
  await db?.drop();
});

describe('a billing run', () => {
  it('bills over a meter exchange with ratios, a month with a day of 25 hours, and holds back what lacks too much', async () => {
    expect(N).toBe(31 * 96 + 4);
    const bills = await bill({ product: 'supply' }, '1');
    const of = new Map(bills.map((b) => [b.code, b]));
    expect([...of.keys()].sort()).toEqual(['exchanged', 'gappy', 'late', 'whole']);
    // The quarter of the exchange: 400 by the old, 15 × 40 by the new.
    expect(of.get('exchanged')).toMatchObject({
      state: 'billed',
      currency: 'NOK',
      amount: BigInt(N) * 50n,
      meter: meter.new,
    });
    expect(kept(of.get('exchanged')).parts).toMatchObject([
      { meter: meter.old, ratios: [{ numerator: '1' }] },
      { meter: meter.new, ratios: [{ numerator: '40', denominator: '1' }] },
    ]);
    expect(of.get('exchanged')?.counts).toEqual([N, 0, 0, 0, 0]);
    expect(of.get('whole')).toMatchObject({ amount: 37250n, counts: [N, 0, 0, 0, 0], tariffVersion: 1 });
    const [line] = kept(of.get('whole')).rated.lines;
    expect(line).toMatchObject({ quantity: '745', unit: 'kWh', price: '0.5', amount: '372.50' });
    expect(line?.sentence).toContain('745 kWh × 0.5 NOK/kWh = 372.50 NOK');
    expect(of.get('gappy')).toMatchObject({ state: 'blocked', amount: null });
    expect(of.get('gappy')?.reason).toMatch(
      /^22\.7 % of 2980 intervals .*\(676 missing, 0 estimated, 0 edited\), more than 10 %/,
    );
    expect(of.get('late')?.counts).toEqual([N - 96, 0, 0, 96, 0]);
    expect(await store.billing.runs.get(of.get('whole')?.run as string, 'all')).toMatchObject({
      state: 'done',
      report: { billed: 3, blocked: 1, failed: 0 },
    });
  });

  it('bills nothing twice, and what was released with a reason the next time', async () => {
    expect((await bill({ product: 'supply' }, '2')).map((b) => [b.code, b.state])).toEqual([['gappy', 'blocked']]);
    await store.billing.releases.put(
      { meteringPoint: point.gappy as string, from: START, to: END, reason: 'the house burnt down' },
      'all',
      { who: 'anna', at: now },
    );
    const [released, ...more] = await bill({ product: 'supply' }, '3');
    expect(more).toEqual([]);
    expect(released).toMatchObject({ code: 'gappy', state: 'billed', amount: 11520n });
    expect(kept(released).released).toMatchObject({ by: 'anna', reason: 'the house burnt down' });
    expect(await bill({ product: 'supply' }, '4')).toEqual([]);
  });

  it('bills several tariffs of one metering point out of the same values', async () => {
    const [grid] = await bill({ product: 'grid' }, '5');
    expect(grid).toMatchObject({ code: 'whole', product: 'grid', amount: 10550n });
    const both = await store.billing.bills.list({ meteringPoint: point.whole as string, limit: 10, scope: 'all' });
    expect(both.map((b) => [b.product, b.amount]).sort()).toEqual([
      ['grid', 10550n],
      ['supply', 37250n],
    ]);
    expect(await store.billing.billedOverlap(meter.old as string, local(10, 15, 10), local(10, 16))).toMatchObject([
      { meteringPoint: point.exchanged },
    ]);
    expect(await store.billing.billedOverlap(meter.old as string, local(10, 16), local(10, 17))).toEqual([]);
  });

  it('is refused before its period is over, and publishes no price into what was billed', async () => {
    await expect(order({ of: '2026-11' }, '90')).rejects.toThrow('2026-11 is not over');
    await store.billing.tariffs.put('flat', { validFrom: '2026-10-20', definition: { ...plain('flat', '9') } }, by);
    await expect(store.billing.tariffs.publish('flat', 2, ZONE, by)).rejects.toThrow('prices that were billed stay');
    await store.billing.tariffs.put('flat', { validFrom: '2026-11-01', definition: { ...plain('flat', '0.6') } }, by);
    expect(await store.billing.tariffs.publish('flat', 2, ZONE, by)).toMatchObject({ version: 2, state: 'published' });
    await expect(store.billing.tariffs.publish('flat', 2, ZONE, by)).rejects.toThrow('it never changes');
  });
});

describe('a difference', () => {
  it('is new less old to the cent, names what changed and who, and leaves the bill as it was', async () => {
    const before = (await store.billing.bills.list({ meteringPoint: point.late as string, limit: 9, scope: 'all' }))[0];
    expect(before).toMatchObject({ amount: 14900n, kind: 'bill' });
    expect(await bill({ kind: 'difference' }, '6')).toEqual([]);
    now += 3_600_000;
    await values(meter.late as string, local(10, 20), local(10, 21), 137);
    const [difference, ...more] = await bill({ kind: 'difference' }, '7');
    expect(more).toEqual([]);
    // 301.552 kWh × 0.5 = 150.776 in place of 298 kWh × 0.5.
    expect(difference).toMatchObject({
      code: 'late',
      kind: 'difference',
      state: 'billed',
      amount: 178n,
      total: 15078n,
      previousRun: before?.run,
      reason: 'values of 2026-10-20 changed: energyImport',
    });
    expect(kept(difference)).toMatchObject({
      corrects: before?.id,
      changes: [{ quantity: 'energyImport', day: '2026-10-20', was: '9600', is: '13152', unit: 'Wh' }],
      differences: [{ component: 'energy', was: '149.00', is: '150.78', difference: '1.78' }],
      because: [{ source: 'validation', reason: 'late reading', values: 96 }],
    });
    expect(await store.billing.bills.get(before?.id as string, 'all')).toMatchObject({ amount: 14900n, total: 14900n });
    // A second one is of what changed after the first: 301.404 kWh × 0.5 = 150.702.
    now += 3_600_000;
    await values(meter.late as string, local(10, 20), local(10, 20, 1), 100);
    expect((await bill({ kind: 'difference' }, '8')).map((b) => [b.amount, b.total, b.previousRun])).toEqual([
      [-8n, 15070n, difference?.run],
    ]);
    now += 3_600_000;
    expect(await bill({ kind: 'difference' }, '9')).toEqual([]);
  });

  it('follows a corrected transformer ratio', async () => {
    const [ratio] = (await store.registry.ratios(point.exchanged as string, 'all')) ?? [];
    const from = local(10, 15, 10, 7);
    const right = { primary: 250, secondary: 5, from };
    await store.registry.correctRatio(ratio?.id as string, right, 'misread plate', 'all', { who: 'anna', at: now });
    const [difference] = await bill({ kind: 'difference' }, '10');
    // A quarter more of all that the new meter counted.
    const counted = BigInt((END - local(10, 15, 10, 15)) / QUARTER) * 25n + 15n;
    const was = BigInt(N) * 1000n;
    const total = ((was + counted * 10n) * 5n + 50n) / 100n;
    expect(difference).toMatchObject({ code: 'exchanged', total, amount: total - BigInt(N) * 50n });
    expect(difference?.reason).toContain('another meter or transformer ratio');
  });
});

describe('a run that is killed', () => {
  it('goes on behind what it wrote, and comes to the same', async () => {
    const ids = await store.ensureMeters(Array.from({ length: 6 }, (_, k) => ({ serial: `k${k}`, timeZone: ZONE })));
    for (const [k, id] of [...ids.values()].entries()) {
      const node = await store.registry.createNode(
        { kind: 'metering-point', code: `k${k}`, segment: 1, from: local(1, 1) },
        'all',
        by,
      );
      const at = { who: 'test', at: now };
      await store.registry.link({ kind: 'installed', child: id, parent: node.id, from: local(1, 1) }, 'all', at);
      const contract = { meteringPoint: node.id, product: 'killed', tariff: 'flat', from: local(1, 1) };
      await store.billing.contracts.put(contract, 'all', by);
      await values(id, START, END, 100 * (k + 1));
    }
    const run = await order({ product: 'killed' }, '20');
    const abort = new AbortController();
    // Killed within its second batch: what is not committed is gone.
    await executeRun(run, 'all', {
      store: {
        ...store,
        billing: {
          ...store.billing,
          bills: {
            ...store.billing.bills,
            write: async (id, bills) => {
              const n = await store.billing.bills.write(id, bills.slice(0, 3));
              abort.abort();
              return n;
            },
          },
        },
      },
      now: () => now,
      signal: abort.signal,
      progress: () => {},
    });
    expect(await store.billing.runs.get(run.id, 'all')).toMatchObject({ state: 'running' });
    expect(await store.billing.bills.list({ run: run.id, limit: 10, scope: 'all' })).toHaveLength(3);
    const again = await order({ product: 'killed' }, '20');
    expect(again.id).toBe(run.id);
    await execute(again);
    const bills = await store.billing.bills.list({ run: run.id, limit: 10, scope: 'all' });
    expect(bills.map((b) => [b.code, b.amount])).toEqual(
      [0, 1, 2, 3, 4, 5].map((k) => [`k${k}`, 14900n * BigInt(k + 1)]),
    );
    // Twice at once is once.
    await Promise.all([execute(again), execute(again)]);
    expect(await store.billing.bills.list({ run: run.id, limit: 10, scope: 'all' })).toHaveLength(6);
  });
});

describe('without a bill', () => {
  it('counts determinants for billing elsewhere, once', async () => {
    const run = await order({ kind: 'determinants', product: 'supply' }, '30');
    expect(await execute(run)).toContain('determinants of 4 contracts');
    await execute(run);
    const rows = await store.billing.determinants.list({ run: run.id, limit: 10, scope: 'all' });
    expect(rows.map((d) => [d.code, d.energy[0], d.highest, d.highestAt, d.counts])).toEqual([
      [
        'exchanged',
        N * 1000 + ((END - local(10, 15, 10, 15)) / QUARTER) * 250 + 150,
        1250,
        local(10, 15, 10, 15),
        [N, 0, 0, 0, 0],
      ],
      ['whole', N * 250, 250, START, [N, 0, 0, 0, 0]],
      ['gappy', 2304 * 100, 100, START, [2304, 0, 0, 0, 676]],
      ['late', N * 100 + 92 * 37, 137, local(10, 20, 1), [N, 0, 0, 0, 0]],
    ]);
  });

  it('leaves out of determinants what has none, with its reason, and counts the others', async () => {
    const odd = plain('odd', '1');
    const definition = {
      ...odd,
      rates: [...odd.rates, { name: 'other' }],
      calendar: {
        ...odd.calendar,
        days: [
          {
            name: 'day',
            switches: [
              { at: '00:00', rate: 'all' },
              { at: '07:05', rate: 'other' },
            ],
          },
        ],
      },
    };
    await store.billing.tariffs.put('odd', { validFrom: '2026-01-01', definition }, by);
    await store.billing.tariffs.publish('odd', 1, ZONE, by);
    for (const [code, tariff] of [
      ['gappy', 'odd'],
      ['late', 'flat'],
    ] as const)
      await store.billing.contracts.put(
        { meteringPoint: point[code] as string, product: 'odd', tariff, from: local(1, 1) },
        'all',
        by,
      );
    const run = await order({ kind: 'determinants', product: 'odd' }, '31');
    expect(await execute(run)).toMatch(
      /determinants of 1 contracts and meterings; 1 left out, such as gappy: rate "other" begins/,
    );
    expect((await store.billing.runs.get(run.id, 'all'))?.report).toMatchObject({
      failed: 1,
      failures: [{ code: 'gappy' }],
    });
  });

  it('asks what if: a customer and a group, compared and spread', async () => {
    const ask = (body: object) =>
      whatIf(store, whatIfBody.parse({ of: '2026-10', product: 'killed', ...body }), {
        scope: 'all',
        zone: ZONE,
        now,
        signal,
      });
    const foreign = await ask({ proposal: { definition: { ...plain('euro', '1'), currency: 'EUR' } } });
    expect(foreign).toMatchObject({ points: 0, failed: 6 });
    expect(foreign.failures[0]?.reason).toBe('one tariff is in NOK, the other in EUR; compare tariffs of one currency');
    const group = await ask({ proposal: { tariff: 'dear' } });
    expect(group).toMatchObject({
      points: 6,
      currency: 'NOK',
      before: '3129.00',
      after: '7822.50',
      difference: '4693.50',
      percent: '150.00',
      dearer: 6,
      failed: 0,
    });
    expect(group.distribution.reduce((n, bin) => n + bin.points, 0)).toBe(6);
    expect(group.rows[0]).toMatchObject({ code: 'k5', before: '894.00', after: '2235.00' });
    const own = plain('mine', '0.25');
    const one = await ask({
      product: 'supply',
      meteringPoint: point.whole,
      proposal: { definition: { ...own } },
    });
    expect(one).toMatchObject({ points: 1, difference: '-186.25', cheaper: 1 });
    expect(one.one?.after.lines[0]?.amount).toBe('186.25');
    expect(
      await ask({ meteringPoint: point.whole, against: { tariff: 'flat', version: 1 }, proposal: { tariff: 'dear' } }),
    ).toMatchObject({ points: 1, before: '372.50', after: '931.25' });
    await expect(ask({ proposal: { tariff: 'none' } })).rejects.toThrow('there is no tariff "none"');
  });

  it('shows a house the running month up to the last midnight, and what of it is estimated', async () => {
    await values(meter.whole as string, local(11, 1), local(11, 3), 100);
    await values(meter.whole as string, local(11, 3), local(11, 4), 100, 'estimated');
    const at = local(11, 5, 13);
    const wanted = { from: local(11, 1), to: local(12, 1) };
    const previews = await previewPoint(store, point.whole as string, wanted, at, 'all', 10);
    const supply = previews.find((p) => p.product === 'supply');
    expect(supply).toMatchObject({ to: isoTime(local(11, 5)), currency: 'NOK', total: '17.28' });
    expect(supply?.intervals).toEqual({ measured: 192, calculated: 0, edited: 0, estimated: 96, missing: 96 });
    expect(supply?.held).toContain('96 missing, 96 estimated');
    expect(previews).toHaveLength(2);
    expect(await previewPoint(store, point.whole as string, wanted, at, [2], 10)).toEqual([]);
  });
});

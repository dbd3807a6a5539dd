/**
 * Objects that the generated test of access (access-routes.test.ts) asks for. Each area names here what stands for its paths:
 *
 *   'METHOD /path' (or '* /path' for all methods of it and of what lies below)
 *                    params: what stands for the parameters of the address, as `world` made it in segment 1
 *                    foreign: the same of an object in segment 2, which whoever sees segment 1 alone must not find
 *                    query, body: what makes the question a good one
 *                    shows: true where the answer to who sees all has the word FOREIGN in it (lists): proves that the sample works
 *
 * A scoped route with parameters has to stand here. `make` puts the objects of an area into the database, once.
 */
import { intervalRegister, type Quantity, quantityOf } from '@amiable/model';
import type { NodeKind, Store } from '@amiable/store';
import { parseFlow, parseTask } from '@amiable/tasks/schemas';
import { validationParameters } from '../src/features/validation/parameters.ts';
import { createPool } from '../src/features/validation/pool.ts';
import { runValidation } from '../src/features/validation/run.ts';

export interface Sample {
  readonly params?: Readonly<Record<string, string>>;
  readonly foreign?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly body?: unknown;
  readonly shows?: boolean;
  /** The foreign object is there, but the answer to who sees all is 404 or another refusal all the same (a message that was never sent). */
  readonly absent?: boolean;
}

export interface World {
  readonly store: Store;
  /** A meter in segment 1, and one in segment 2 whose serial number has FOREIGN in it. */
  readonly meter: string;
  readonly foreignMeter: string;
  /** Segment 2. */
  readonly segment: number;
}

const SPAN = 'from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z';

/** By area: makes its objects, and gives the samples. */
export const areas: Readonly<
  Record<string, (world: World) => Promise<Record<string, Sample>> | Record<string, Sample>>
> = {
  meters: ({ meter, foreignMeter }) => {
    const one = { params: { id: meter }, foreign: { id: foreignMeter } };
    const message = '0'.repeat(32);
    return {
      'GET /api/v1/meters': { shows: true },
      '* /api/v1/meters/:id': { ...one, absent: true },
      'GET /api/v1/meters/:id': one,
      'PATCH /api/v1/meters/:id': { ...one, body: { place: 'here' } },
      'PUT /api/v1/meters/:id/key': { ...one, body: { key: '0'.repeat(32) } },
      'GET /api/v1/meters/:id/messages': one,
      'GET /api/v1/meters/:id/messages/:message': {
        params: { id: meter, message },
        foreign: { id: foreignMeter, message },
        absent: true,
      },
      'GET /api/v1/meters/:id/series': { ...one, query: `obis=1.7.0&${SPAN}` },
      'GET /api/v1/meters/:id/energy': { ...one, query: `bucket=day&${SPAN}` },
      'GET /api/v1/meters/:id/media': { ...one, query: `bucket=day&${SPAN}` },
      'GET /display.json': { query: `meter=${meter}` },
    };
  },
  validation: async ({ store, meter, foreignMeter }) => {
    const day = Date.UTC(2026, 10, 16);
    const values = Float64Array.from({ length: 97 }, (_, i) => (i > 40 && i < 50 ? Number.NaN : 1000 + i * 70));
    const register = { obis: '1-0:1.8.0', name: 'activeEnergyImport', unit: 'Wh', period: 900 } as const;
    await store.writeBlocks(
      [meter, foreignMeter].map((of) => ({ meter: of, register, scaler: 0, start: day, step: 900_000, values })),
    );
    await runValidation(
      { store, pool: createPool(0), now: () => Date.UTC(2026, 10, 20) },
      { parameters: validationParameters.parse({ days: 6 }), scope: 'all', who: 'test' },
    );
    const found = (await store.validation.exceptions.list({ scope: 'all', limit: 100 })).exceptions;
    const of = (one: string) => ({ id: found.find((e) => e.meter === one)?.id as string });
    const one = { params: of(meter), foreign: of(foreignMeter) };
    return {
      'GET /api/v1/exceptions': { shows: true },
      'GET /api/v1/exceptions/:id': one,
      'PATCH /api/v1/exceptions/:id': { ...one, body: { note: 'seen' } },
      'POST /api/v1/exceptions/change': { body: { filter: {}, change: { owner: 'anna' } } },
    };
  },
  values: async ({ store, meter, foreignMeter }) => {
    const from = Date.UTC(2026, 10, 1);
    const register = intervalRegister(quantityOf('energyImport') as Quantity, 900);
    await store.intervals.write(
      [meter, foreignMeter].map((of) => ({
        meter: of,
        register,
        scaler: 0,
        start: from,
        step: 900_000,
        values: [1, 2],
      })),
      { source: 'validation', at: from },
    );
    const edit = async (of: string, reason: string, waits: boolean): Promise<string> => {
      const made = { meter: of, quantity: 'energyImport', from, to: from + 900_000, values: [5], scaler: 0, reason };
      return (await store.intervals.edit([made], 'somebody', from, waits))[0]?.id as string;
    };
    const one = { params: { id: meter }, foreign: { id: foreignMeter } };
    const applied = {
      params: { id: await edit(meter, 'x', false) },
      foreign: { id: await edit(foreignMeter, 'FOREIGN', false) },
    };
    const waiting = {
      params: { id: await edit(meter, 'x', true) },
      foreign: { id: await edit(foreignMeter, 'FOREIGN', true) },
    };
    const again = {
      params: { id: await edit(meter, 'x', true) },
      foreign: { id: await edit(foreignMeter, 'FOREIGN', true) },
    };
    const body = (of: string) => ({
      edits: [
        { meter: of, quantity: 'energyImport', from: '2026-11-01T00:15:00Z', to: '2026-11-01T00:30:00Z', values: [7] },
      ],
      reason: 'x',
    });
    return {
      'GET /api/v1/meters/:id/meterings': one,
      'GET /api/v1/meters/:id/intervals': { ...one, query: SPAN },
      'GET /api/v1/meters/:id/intervals/history': { ...one, query: SPAN },
      'POST /api/v1/edits': { body: body(meter) },
      'GET /api/v1/edits': { shows: true },
      'GET /api/v1/edits/:id': applied,
      'POST /api/v1/edits/:id/approve': waiting,
      'POST /api/v1/edits/:id/refuse': again,
      'POST /api/v1/edits/:id/undo': { ...applied, body: { reason: 'x' } },
      'PUT /api/v1/edits/rule': { body: { twoPersons: false } },
    };
  },
  billing: async ({ store, meter, foreignMeter, segment }) => {
    const at = Date.UTC(2026, 10, 20);
    const by = { who: 'test', at };
    const [from, to] = [Date.UTC(2026, 9, 1), Date.UTC(2026, 10, 1)];
    await store.billing.tariffs.put('sample', { validFrom: '2026-01-01', definition: { zone: 'UTC' } }, by);
    const make = async (word: string, where: number, of: string) => {
      const point = await store.registry.createNode(
        { kind: 'metering-point', code: `${word}-billed`, segment: where, from: Date.UTC(2026, 0, 1) },
        'all',
        by,
      );
      const given = { meteringPoint: point.id, product: 'supply', tariff: 'sample', from: Date.UTC(2026, 0, 1) };
      const contract = await store.billing.contracts.put(given, 'all', by);
      const run = await store.billing.runs.begin({
        kind: 'bill',
        name: word,
        from,
        to,
        definition: {},
        scope: [where],
        by,
      });
      await store.billing.bills.write(run.id, [
        {
          meter: of,
          contract: contract.id,
          meteringPoint: point.id,
          kind: 'bill',
          state: 'billed',
          product: 'supply',
          tariffId: contract.tariffId,
          tariffVersion: 1,
          from,
          to,
          currency: 'EUR',
          scaler: -2,
          amount: 1,
          total: 1,
          counts: [1, 0, 0, 0, 0],
          valueVersion: 1,
          seenAt: at,
          previousRun: null,
          days: null,
          detail: null,
          reason: null,
        },
      ]);
      const span = { meteringPoint: point.id, from, to, reason: word };
      await store.billing.releases.put(span, 'all', by);
      return { point: point.id, contract: contract.id, run: run.id, bill: `${of}-${run.id}-${contract.id}` };
    };
    const own = await make('OWN', 1, meter);
    const foreign = await make('FOREIGN', segment, foreignMeter);
    const of = (what: keyof typeof own) => ({ params: { id: own[what] }, foreign: { id: foreign[what] } });
    return {
      'GET /api/v1/tariffs/:name': { params: { name: 'sample' } },
      'GET /api/v1/contracts': { shows: true },
      '* /api/v1/contracts/:id': { ...of('contract'), absent: true },
      'GET /api/v1/contracts/:id': of('contract'),
      'POST /api/v1/contracts/:id/end': { ...of('contract'), body: { to: '2027-01-01' } },
      'POST /api/v1/contracts/:id/correct': { ...of('contract'), body: { reason: 'typo' }, absent: true },
      'GET /api/v1/billing/runs': { shows: true },
      'GET /api/v1/billing/runs/:id': of('run'),
      'GET /api/v1/billing/runs/:id/bills.csv': of('run'),
      'GET /api/v1/billing/runs/:id/determinants': of('run'),
      'GET /api/v1/bills': { shows: true },
      'GET /api/v1/bills/:id': of('bill'),
      'GET /api/v1/billing/releases': { shows: true },
      'GET /api/v1/metering-points/:id/bills': of('point'),
      'GET /api/v1/meters/:id/bill': { params: { id: meter }, foreign: { id: foreignMeter } },
    };
  },
  connections: async ({ store, meter, foreignMeter }) => {
    const how = { protocol: 'dlms', transport: 'wrapper', readout: 'idis' } as const;
    await store.readout.putConnections(
      [meter, foreignMeter].map((of) => ({ ...how, meter: of, address: `tcp://198.51.100.${of}:4059` })),
      Date.UTC(2026, 10, 20),
    );
    const one = { params: { id: meter }, foreign: { id: foreignMeter } };
    return {
      'GET /api/v1/connections': { shows: true },
      'GET /api/v1/meters/:id/connection': one,
      'PUT /api/v1/meters/:id/connection': { ...one, body: { ...how, address: 'tcp://198.51.100.9:4059' } },
      'PUT /api/v1/meters/:id/connection/secrets': { ...one, body: { password: '12345678' } },
      'DELETE /api/v1/meters/:id/connection': one,
    };
  },
  ondemand: async ({ store, meter, foreignMeter }) => {
    const order = async (of: string): Promise<string> => {
      const now = Date.UTC(2026, 10, 20);
      const run = await store.work.runs.create({
        what: 'task',
        kind: 'registers',
        name: 'read now',
        definition: { onDemand: { what: 'registers' } },
        meters: [of],
        priority: 9,
        due: now,
        expires: now + 600_000,
        created: now,
        creator: 'test',
        scope: null,
        transaction: '',
      });
      return run?.id ?? '';
    };
    const one = { params: { id: await order(meter) }, foreign: { id: await order(foreignMeter) } };
    return {
      'GET /api/v1/reads/:id': one,
      'DELETE /api/v1/reads/:id': one,
      'GET /api/v1/reads/:id/events': one,
      'POST /api/v1/meters/:id/reads': {
        params: { id: meter },
        foreign: { id: foreignMeter },
        body: { what: 'registers' },
        absent: true,
      },
      'GET /api/v1/meters/:id/reads': { params: { id: meter }, foreign: { id: foreignMeter } },
    };
  },
  grid: async ({ store, meter, foreignMeter, segment }) => {
    const at = Date.UTC(2026, 10, 20);
    const formula = {
      description: '',
      expression: 'x',
      inputs: { x: { kind: 'meter', meter, quantity: 'energyImport', ratios: true } },
      period: 900,
      unit: 'kWh',
      decimals: 3,
    } as const;
    const area = { description: '', supply: [meter], consumed: [], period: 900, limits: {} };
    const alarm = {
      severity: 'info',
      firstDay: '2026-11-01',
      lastDay: '2026-11-02',
      sentence: 'a step',
      numbers: {},
    } as const;
    const place = async (name: string, where: number): Promise<string> => {
      await store.formulas.put(
        { name, definition: { ...formula, result: { name: `of${where}`, meter: `VIRTUAL-${where}` } }, segment: where },
        'test',
        at,
        'all',
        () => {},
      );
      const { id } = await store.balance.put({ name, definition: area, segment: where }, 'test', at, 'all');
      await store.balance.setAlarms(id, [{ ...alarm, kind: 'step' }], at);
      return (await store.balance.alarms({ area: id, limit: 1, scope: 'all' }))[0]?.id ?? '';
    };
    const alarms = [await place('own', 1), await place('FOREIGN', segment)] as const;
    const one = { params: { name: 'own' }, foreign: { name: 'FOREIGN' } };
    return {
      'POST /api/v1/meters/:id/history': { params: { id: meter }, foreign: { id: foreignMeter } },
      'GET /api/v1/formulas': { shows: true },
      '* /api/v1/formulas/:name': one,
      'POST /api/v1/formulas/:name/calculate': {
        ...one,
        body: { dry: true, from: '2026-11-01T00:00:00Z', to: '2026-11-02T00:00:00Z' },
      },
      'PUT /api/v1/formulas/:name': {
        ...one,
        absent: true,
        body: { ...formula, result: { name: 'ofOne', meter: 'VIRTUAL-9' } },
      },
      'GET /api/v1/balances': { shows: true },
      '* /api/v1/balances/:name': one,
      'PUT /api/v1/balances/:name': {
        ...one,
        absent: true,
        body: { supply: [meter], consumed: [{ of: { meters: [meter] }, quantity: 'energyImport' }] },
      },
      'GET /api/v1/balance-alarms': { shows: true },
      'PATCH /api/v1/balance-alarms/:id': {
        params: { id: alarms[0] },
        foreign: { id: alarms[1] },
        body: { note: 'x' },
      },
    };
  },
  exchange: async ({ store, segment }) => {
    // A run is seen by who sees all that it could touch.
    const run = { dry: true, name: null, detail: {}, who: 'somebody', startedAt: 0 };
    const own = await store.exchange.beginRun({ ...run, segments: [1] });
    const foreign = await store.exchange.beginRun({ ...run, name: 'FOREIGN.csv', segments: [segment] });
    const one = { params: { id: own }, foreign: { id: foreign } };
    return {
      'GET /api/v1/imports': { shows: true },
      'GET /api/v1/imports/:id': one,
      'GET /api/v1/imports/:id/faults': { ...one, absent: true },
      'DELETE /api/v1/imports/:id': { ...one, absent: true },
      'POST /api/v1/imports': { query: 'kind=meter' },
      'GET /api/v1/exports/:file': { params: { file: 'meter.csv' }, foreign: { file: 'nothing.csv' }, absent: true },
    };
  },
  access: ({ meter, foreignMeter, segment }) => {
    const one = { params: { id: '1' }, foreign: { id: String(segment) } };
    return {
      'GET /api/v1/segments': { shows: true },
      'PATCH /api/v1/segments/:id': { ...one, body: { description: 'first' } },
      'DELETE /api/v1/segments/:id': one,
      'PUT /api/v1/segments/:id/meters': { ...one, body: { meters: [meter, foreignMeter] } },
      'POST /api/v1/persons/:id/erase': {
        params: { id: 'user-999999' },
        foreign: { id: 'premises-999999' },
        absent: true,
      },
      'POST /api/v1/login': { body: { name: 'nobody', password: 'nothing' } },
    };
  },
  registry: async ({ store, meter, foreignMeter, segment }) => {
    const r = store.registry;
    const by = { who: 'test', at: Date.UTC(2026, 10, 20) };
    const from = Date.UTC(2026, 0, 1);
    /** A region with premises and a metering point, a meter there, and nodes to delete. */
    const place = async (word: string, where: number, installed: string) => {
      const make = (kind: NodeKind, parent?: string, code = `${word}-${kind}`) =>
        r.createNode({ kind, code, parent, segment: where, from }, 'all', by);
      const region = await make('region');
      const premises = await make('premises', region.id);
      await r.putPremises(premises.id, { customer: `${word} person` }, 'all', by);
      const point = await make('metering-point', premises.id);
      const ratio = await r.putRatio(
        { meteringPoint: point.id, kind: 'current', primary: 600, secondary: 5, from },
        'all',
        by,
      );
      const stay = await r.link({ kind: 'installed', child: installed, parent: point.id, from }, 'all', by);
      const [premisesStay, pointStay] = await Promise.all(
        [premises, point].map(async (n) => (await r.linksOfNode(n.id, 'all', { limit: 1 }))?.[0]?.id as string),
      );
      const feeder = await make('feeder', region.id);
      const feederStay = (await r.linksOfNode(feeder.id, 'all', { limit: 1 }))?.[0]?.id as string;
      const gone = {
        nodes: (await make('feeder', undefined, `${word}-gone`)).id,
        premises: (await make('premises', undefined, `${word}-gone`)).id,
        'metering-points': (await make('metering-point', undefined, `${word}-gone`)).id,
      };
      return {
        gone,
        stay: stay.id,
        ratio: ratio.id,
        region: region.id,
        ids: { nodes: feeder.id, premises: premises.id, 'metering-points': point.id },
        stays: { nodes: feederStay, premises: premisesStay as string, 'metering-points': pointStay as string },
      };
    };
    const own = await place('OWN', 1, meter);
    const foreign = await place('FOREIGN', segment, foreignMeter);
    const samples: Record<string, Sample> = {
      'GET /api/v1/tree': { shows: true },
      'POST /api/v1/meters/search': { shows: true, body: { q: 'foreign' } },
      'GET /api/v1/meters/search': { shows: true, query: 'q=foreign' },
      'POST /api/v1/meters': { body: { serial: 'OWN-3' } },
      'PATCH /api/v1/meters/:id/links/:link': {
        params: { id: meter, link: own.stay },
        foreign: { id: foreignMeter, link: foreign.stay },
        body: { reason: 'as it was' },
        absent: true,
      },
      'POST /api/v1/meters/:id/links': {
        params: { id: meter },
        foreign: { id: foreignMeter },
        body: { kind: 'behind', parent: meter, channel: 1 },
      },
      'POST /api/v1/meters/:id/links/end': {
        params: { id: meter },
        foreign: { id: foreignMeter },
        body: { kind: 'served' },
      },
      'GET /api/v1/registry/summary': { shows: true },
      'POST /api/v1/premises/search': { shows: true, body: { customer: 'person' } },
      'GET /api/v1/premises/:id/personal': {
        params: { id: own.ids.premises },
        foreign: { id: foreign.ids.premises },
      },
      'PATCH /api/v1/premises/:id/personal': {
        params: { id: own.ids.premises },
        foreign: { id: foreign.ids.premises },
        body: { contact: '1' },
      },
      'POST /api/v1/meter-groups': { body: { name: 'group' } },
      'POST /api/v1/meter-types': { body: { name: 'type' } },
      'POST /api/v1/attributes': { body: { object: 'meter', name: 'colour', type: 'text' } },
      'POST /api/v1/meter-groups/:name/members': { params: { name: 'none' }, foreign: { name: 'none' }, absent: true },
    };
    for (const room of ['nodes', 'premises', 'metering-points'] as const) {
      const one = { params: { id: own.ids[room] }, foreign: { id: foreign.ids[room] } };
      const kind = room === 'nodes' ? { kind: 'region' } : {};
      Object.assign(samples, {
        [`GET /api/v1/${room}`]: { shows: true },
        [`POST /api/v1/${room}`]: { body: { code: `NEW-${room}`, ...kind } },
        [`GET /api/v1/${room}/:id`]: one,
        [`PATCH /api/v1/${room}/:id`]: { ...one, body: { latitude: 59 } },
        [`DELETE /api/v1/${room}/:id`]: { params: { id: own.gone[room] }, foreign: { id: foreign.gone[room] } },
        [`POST /api/v1/${room}/:id/move`]: { ...one, body: { parent: own.region } },
        [`POST /api/v1/${room}/:id/detach`]: one,
        [`PATCH /api/v1/${room}/:id/links/:link`]: {
          params: { id: own.ids[room], link: own.stays[room] },
          foreign: { id: foreign.ids[room], link: foreign.stays[room] },
          body: { reason: 'as it was' },
          // Moved by then: another row holds.
          absent: true,
        },
        [`GET /api/v1/${room}/:id/history`]: one,
        [`GET /api/v1/${room}/:id/stays`]: one,
      });
    }
    const point = { params: { id: own.ids['metering-points'] }, foreign: { id: foreign.ids['metering-points'] } };
    const current = { kind: 'current', primary: 400, secondary: 5 };
    return Object.assign(samples, {
      'GET /api/v1/metering-points/:id/ratios': point,
      'GET /api/v1/metering-points/:id/multiplier': point,
      'POST /api/v1/metering-points/:id/ratios': { ...point, body: current },
      'POST /api/v1/metering-points/:id/ratios/end': { ...point, body: { kind: 'current' } },
      'PATCH /api/v1/metering-points/:id/ratios/:ratio': {
        params: { ...point.params, ratio: own.ratio },
        foreign: { ...point.foreign, ratio: foreign.ratio },
        body: { reason: 'as it was' },
        absent: true,
      },
    });
  },
  journal: async ({ store, meter, foreignMeter, segment }) => {
    const at = Date.UTC(2026, 10, 20);
    const add = (of: string, text: string): string =>
      store.journal.add({ kind: 'meter', meter: of, started: at, ended: at, state: 'done', text });
    const entry = { params: { id: add(meter, 'own') }, foreign: { id: add(foreignMeter, 'FOREIGN') } };
    await store.journal.flush();
    await store.events.write(
      [meter, foreignMeter].map((of) => ({
        meter: of,
        time: at,
        code: 23,
        source: 'standard',
        catalogue: 'amiable-virtual',
      })),
      at,
    );
    const work = async (where: number): Promise<string> => {
      const code = `work-${where}`;
      const made = { kind: 'feeder', code, segment: where, from: Date.UTC(2026, 0, 1) } as const;
      const node = await store.registry.createNode(made, 'all', { who: 'test', at });
      const planned = { node: node.id, from: at, to: at + 1, reason: where === 1 ? 'own' : 'FOREIGN', who: null };
      return (await store.outages.plan(planned, at, 'all')) as string;
    };
    const one = { params: { id: meter }, foreign: { id: foreignMeter } };
    const span = 'from=2026-11-01T00:00:00Z&to=2026-12-01T00:00:00Z';
    return {
      'GET /api/v1/transactions': { query: 'kind=meter', shows: true },
      'GET /api/v1/transactions/:id': entry,
      'GET /api/v1/events': { query: span, shows: true },
      'GET /api/v1/meters/:id/events': one,
      'GET /api/v1/meters/:id/completeness': one,
      'GET /api/v1/meters/:id/supply': one,
      'GET /api/v1/outages': { query: span, shows: true },
      'GET /api/v1/outages/planned': { query: span, shows: true },
      'POST /api/v1/outages/planned': {
        body: { from: '2026-11-25T06:00:00Z', to: '2026-11-25T09:00:00Z', reason: 'new cable' },
      },
      'DELETE /api/v1/outages/planned/:id': { params: { id: await work(1) }, foreign: { id: await work(segment) } },
    };
  },
  tasks: async ({ store }) => {
    const now = Date.UTC(2026, 10, 20);
    const schedule = { recurrence: { type: 'order' } } as const;
    const make = async (name: string, scope: number[]) => {
      const by = { creator: 'test', scope, nextDue: null };
      const definition = parseTask({ kind: 'daily', schedule }, 'UTC');
      const task = await store.work.tasks.create({ name, kind: 'daily', definition, ...by }, now);
      const steps = [{ name: 'read', task: task?.id ?? '' }];
      const flow = await store.work.flows.create(
        { name, definition: parseFlow({ steps, schedule }, 'UTC'), ...by },
        now,
      );
      const run = await store.work.runs.create({
        what: 'task',
        task: task?.id,
        kind: 'daily',
        name,
        definition,
        priority: 5,
        due: now,
        expires: now + 600_000,
        created: now,
        creator: 'test',
        scope,
        transaction: '',
      });
      // Ended, so that its events end too.
      await store.work.runs.change(run?.id ?? '', ['waiting'], 'cancelled', now);
      return { task: task?.id ?? '', flow: flow?.id ?? '', run: run?.id ?? '' };
    };
    const own = await make('own', [1]);
    const foreign = await make('FOREIGN', [2]);
    const of = (what: 'task' | 'flow' | 'run') => ({ params: { id: own[what] }, foreign: { id: foreign[what] } });
    return {
      'GET /api/v1/tasks': { shows: true },
      '* /api/v1/tasks/:id': { ...of('task'), absent: true },
      'PATCH /api/v1/tasks/:id': { ...of('task'), body: { version: 1 }, absent: true },
      'GET /api/v1/flows': { shows: true },
      '* /api/v1/flows/:id': { ...of('flow'), absent: true },
      'PATCH /api/v1/flows/:id': { ...of('flow'), body: { version: 1 }, absent: true },
      'GET /api/v1/runs': { shows: true },
      '* /api/v1/runs/:id': { ...of('run'), absent: true },
      'GET /api/v1/runs/:id': of('run'),
      'GET /api/v1/runs/:id/jobs': of('run'),
      'PUT /api/v1/channels/:kind/:name': { params: { kind: 'channel', name: 'gsm' }, body: {} },
      'DELETE /api/v1/channels/:kind/:name': { params: { kind: 'channel', name: 'gsm' } },
    };
  },
  delivery: async ({ store }) => {
    const now = Date.UTC(2026, 10, 20);
    const format = { columns: [{ field: 'meter' }, { field: 'time' }, { field: 'value' }] };
    const definition = { where: { kind: 'http', url: 'http://127.0.0.1:9/' }, format: { kind: 'cim' } };
    const make = async (name: string, segments: number[]) => {
      const { destinations, deliveries, imports, commands } = store.delivery;
      await destinations.put({ name, kind: 'http', definition, segments, enabled: true }, 'test', now, false);
      const span = { from: now, to: now + 1, asOf: now, created: now, by: 'test', held: now };
      const of = { destination: name, run: null, format: 'cim', formatVersion: null, file: name, mediaType: 'x/y' };
      const delivery = await deliveries.begin({ ...of, ...span, segments });
      const file = { file: name, meters: 0, rows: 0, corrected: 0, bytes: 0, digest: '' };
      // Not before long: nobody sends it meanwhile.
      await deliveries.finish(delivery, file, Date.UTC(2100, 0, 1));
      const how = {
        dry: true,
        name,
        format: 'csv',
        detail: {},
        segments,
        who: 'test',
        started: now,
        held: Date.UTC(2100, 0, 1),
      };
      const order = {
        source: name,
        reference: name,
        kind: 'read',
        meter: null,
        point: null,
        parameters: {},
        digest: '',
        callback: null,
      };
      const ordered = await commands.add({
        ...order,
        due: Date.UTC(2100, 0, 1),
        expires: Date.UTC(2100, 0, 2),
        segments,
        account: null,
        who: 'test',
        created: now,
      });
      return { name, delivery, import: await imports.begin(how), command: ordered.command.id };
    };
    const [own, foreign] = [await make('own', [1]), await make('FOREIGN', [2])];
    const named = { params: { name: own.name }, foreign: { name: foreign.name } };
    const delivery = { params: { id: own.delivery }, foreign: { id: foreign.delivery } };
    const command = { params: { id: own.command }, foreign: { id: foreign.command } };
    await store.delivery.formats.put('sample', format, 'test', now);
    return {
      'GET /api/v1/formats/:name': { params: { name: 'sample' } },
      'PUT /api/v1/formats/:name': { params: { name: 'sample' }, body: format },
      'DELETE /api/v1/formats/:name': { params: { name: 'sample' } },
      'POST /api/v1/formats/try': { body: { definition: format } },
      'GET /api/v1/destinations': { shows: true },
      'GET /api/v1/destinations/:name': named,
      'PUT /api/v1/destinations/:name': { ...named, body: definition, absent: true },
      'PUT /api/v1/destinations/:name/secrets': { ...named, body: { password: 'x' } },
      'DELETE /api/v1/destinations/:name': { ...named, absent: true },
      'POST /api/v1/destinations/:name/deliveries': { ...named, absent: true },
      'GET /api/v1/deliveries': { shows: true },
      'GET /api/v1/deliveries/:id': delivery,
      '* /api/v1/deliveries/:id': { ...delivery, absent: true },
      'GET /api/v1/readings-imports': { shows: true },
      'GET /api/v1/readings-imports/:id': { params: { id: own.import }, foreign: { id: foreign.import } },
      'GET /api/v1/commands': { shows: true },
      'POST /api/v1/commands': { body: { kind: 'read', reference: 'R-1', meter: 'nobody' }, absent: true },
      'GET /api/v1/commands/:id': command,
      'DELETE /api/v1/commands/:id': { ...command, absent: true },
    };
  },
  reports: async ({ store }) => {
    const make = (name: string, segments: number[]) =>
      store.reports.keep({
        report: null,
        name,
        kind: 'gaps',
        format: 'csv',
        lines: 0,
        made: Date.UTC(2026, 10, 20),
        who: 'test',
        scope: segments,
        content: new Uint8Array(1),
      });
    const { id } = await store.reports.put('sample', { kind: 'gaps' }, 'test', Date.UTC(2026, 10, 20), [1]);
    const hidden = await store.reports.put('FOREIGN', { kind: 'gaps' }, 'test', Date.UTC(2026, 10, 20), [2]);
    const report = { params: { id: String(id) }, foreign: { id: String(hidden.id) } };
    return {
      'POST /api/v1/reports/table': { body: { kind: 'completeness' } },
      'POST /api/v1/reports/file': { body: { kind: 'completeness' } },
      'GET /api/v1/reports': { shows: true },
      'PUT /api/v1/reports/:name': { params: { name: 'x' }, foreign: { name: 'FOREIGN' }, body: { kind: 'gaps' } },
      'POST /api/v1/reports/:id/run': report,
      'DELETE /api/v1/reports/:id': report,
      'GET /api/v1/report-results': { shows: true },
      'GET /api/v1/report-results/:id': {
        params: { id: await make('own', [1]) },
        foreign: { id: await make('FOREIGN', [2]) },
        // The file itself is for who may see what it was made of.
        absent: true,
      },
    };
  },
};

/** Imports and exports of the registry against a real database. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Caller, PRIVILEGES, type Scope } from '@amiable/model';
import { openStore, type Store } from '@amiable/store';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../packages/store/test/harness.ts';
import { query } from '../../../packages/store/test/test-server.ts';
import { COLUMNS, FILE_KINDS, type FileKind } from '../src/features/exchange/columns.ts';
import { exportRegistry } from '../src/features/exchange/export.ts';
import { importFolder } from '../src/features/exchange/inbox.ts';
import { createImports, type ImportOptions, type ImportStatus, type Imports } from '../src/features/exchange/run.ts';
import { defused, NUMBER_FORMS } from '../src/features/exchange/values.ts';

const NOW = Date.UTC(2026, 10, 20, 12);
const folder = mkdtempSync(join(tmpdir(), 'amiable-exchange-'));
let database: TestDatabase;
let store: Store;
let imports: Imports;
let files = 0;

const caller = (scope: Scope = 'all', without: readonly string[] = []): Caller => ({
  kind: 'user',
  name: 'anna',
  privileges: new Set(PRIVILEGES.filter((p) => !without.includes(p))),
  scope,
});
const ALL = caller();

beforeAll(async () => {
  database = await createTestDatabase();
  store = await openStore({ url: database.url, migrate: false });
  asking = new pg.Client({ connectionString: database.url });
  // The database is dropped under it.
  asking.on('error', () => {});
  await asking.connect();
  imports = createImports({ store, now: () => NOW, timeZone: 'Europe/Oslo', log: () => {} });
  await query(database.url, `insert into amiable.segment (id, name) values (2, 'south')`);
  await query(
    database.url,
    `insert into amiable.attribute_definition (object, name, type, lowest, highest, choices, required) values
      ('meter', 'colour', 'choice', null, null, '{red,=blue}', false), ('meter', 'weight', 'number', 0, 100, '{}', false),
      ('transformer', 'kva', 'number', null, null, '{}', true), ('meter', 'note', 'text', null, 20, '{}', false)`,
  );
});
afterAll(async () => {
  await imports?.close();
  await asking?.end();
  await store?.close();
  await database?.drop();
  rmSync(folder, { recursive: true });
});

interface How extends Partial<ImportOptions> {
  readonly as?: Caller;
}
async function load(kind: FileKind | 'xml', text: string, { as = ALL, ...how }: How = {}): Promise<ImportStatus> {
  const path = join(folder, `file-${++files}`);
  writeFileSync(path, text);
  return imports.file(
    path,
    {
      format: kind === 'xml' ? 'xml' : 'csv',
      ...(kind === 'xml' ? {} : { kind }),
      name: null,
      dry: false,
      takeGood: false,
      mapping: {},
      forms: {},
      ...how,
    },
    as,
  );
}
const counts = ({ report }: ImportStatus) => [report?.inserted, report?.changed, report?.same, report?.refused];
const faults = ({ report }: ImportStatus): string[] =>
  (report?.faults ?? []).map((f) => `${f.line}:${f.column} ${f.field ?? '-'}: ${f.message}`);
async function ask(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}
let asking: pg.Client;
const rows = async (text: string): Promise<Record<string, unknown>[]> => (await asking.query(text)).rows;
async function written(format: 'csv' | 'xml', kinds: readonly FileKind[], as = ALL): Promise<string> {
  let text = '';
  for await (const piece of exportRegistry(store, { format, kinds, caller: as })) text += piece.toString();
  return text;
}

const NETWORK = `<?xml version="1.0" encoding="UTF-8"?>
<amiable-registry version="1">
  <meter-type name="three-phase" maker="Kaifa" medium="electricity"/>
  <region code="N" name="Nord"/>
  <region code="N1" parent="N" from="2020-01-01"/>
  <substation code="S1" parent="N1" from="2020-01-01" latitude="59.91" longitude="-10.75"/>
  <transformer code="T1" parent="S1" from="2020-01-01"><attribute name="kva">315</attribute></transformer>
  <transformer code="T2" parent="S1" from="2020-01-01"><attribute name="kva">500</attribute></transformer>
  <premises code="H1" parent="T1" parent-kind="transformer" from="2021-01-01" customer="Kari &quot;K&quot; Nordmann" address="Storgata 1&#10;0155 Oslo"/>
  <metering-point code="571313001234567891" parent="H1" from="2021-01-01"/>
  <metering-point code="MP2" parent="T2" parent-kind="transformer" from="2021-01-01"/>
  <concentrator code="DC1" parent="T1" from="2022-01-01"/>
  <stay kind="metering-point" code="571313001234567891" parent="T1" parent-kind="transformer" from="2020-06-01" to="2021-01-01"/>
  <ratio metering-point="MP2" kind="current" primary="600" secondary="5" from="2021-01-01" to="2022-01-01"/>
  <ratio metering-point="MP2" kind="current" primary="800" secondary="5" from="2022-01-01"/>
  <meter serial="M1" utility-serial="7350028740014881" name="=SUM(1)" maker="Kaifa" phases="3" meter-type="three-phase" segment="south"><attribute name="colour">=blue</attribute><attribute name="weight">1.5</attribute></meter>
  <meter serial="M2" place=" with blanks " line-voltage="true" time-zone="Europe/Helsinki"/>
  <meter serial="G1"/>
  <installation meter="M1" metering-point="571313001234567891" from="2021-02-03T04:05:06.007Z"/>
  <installation meter="M2" metering-point="571313001234567891" from="2021-01-01" to="2021-02-03T04:05:06.007Z"/>
  <slave meter="G1" master="M1" channel="2" from="2022-01-01"/>
  <serving meter="M1" concentrator="DC1" from="2022-01-01"/>
  <connection meter="M1" protocol="dlms" address="tcp://192.0.2.7:4059" transport="wrapper" readout="amiable-virtual" client="16" ciphered="false"/>
</amiable-registry>
`;

describe('a whole registry', () => {
  let network: string;
  it('comes in from one file, is the same a second time, and goes out as it came in', async () => {
    const dry = await load('xml', NETWORK, { dry: true });
    expect(faults(dry)).toEqual([]);
    expect(counts(dry)).toEqual([29, 0, 0, 0]);
    expect(await rows('select count(*)::int as n from amiable.node')).toEqual([{ n: 0 }]);
    const first = await load('xml', NETWORK);
    expect(faults(first)).toEqual([]);
    expect(first.state).toBe('done');
    expect(counts(first)).toEqual(counts(dry));
    const again = await load('xml', NETWORK);
    expect(counts(again)).toEqual([0, 0, 29, 0]);
    network = await written('xml', FILE_KINDS);
    const out = await load('xml', network);
    expect(faults(out)).toEqual([]);
    expect(out.report?.inserted).toBe(0);
    expect(out.report?.changed).toBe(0);
  });

  it('keeps where everything stands', async () => {
    const [m1] = await rows(
      `select m.life, m.path, array(select kind || ' ' || code from amiable.node n join unnest(m.path) with ordinality as p(id, i) on p.id = n.id order by p.i) as at
        from amiable.meter m where serial = 'M1'`,
    );
    expect(m1).toMatchObject({
      life: 'installed',
      at: [
        'region N',
        'region N1',
        'substation S1',
        'transformer T1',
        'premises H1',
        'metering-point 571313001234567891',
        'concentrator DC1',
      ],
    });
    const [g1] = await rows(`select life, path from amiable.meter where serial = 'G1'`);
    expect(g1).toMatchObject({ life: 'installed', path: m1?.path });
    expect(await rows(`select life, path from amiable.meter where serial = 'M2'`)).toEqual([
      { life: 'removed', path: [] },
    ]);
  });

  it('table by table too, into an empty database', async () => {
    const tables = new Map<FileKind, string>();
    for (const kind of FILE_KINDS) tables.set(kind, await written('csv', [kind]));
    expect(tables.get('meter')).toContain("'=SUM(1)");
    expect(tables.get('meter')).toContain("'=blue");
    const other = await createTestDatabase();
    const there = await openStore({ url: other.url, migrate: false });
    await query(other.url, `insert into amiable.segment (id, name) values (2, 'south')`);
    const copied = await rows(
      'select object, name, type, lowest, highest, choices, required from amiable.attribute_definition order by id',
    );
    for (const d of copied)
      await query(
        other.url,
        `insert into amiable.attribute_definition (object, name, type, lowest, highest, choices, required)
        select object, name, type, lowest, highest, choices, required from json_populate_record(null::amiable.attribute_definition, '${JSON.stringify(d)}')`,
      );
    const elsewhere = createImports({ store: there, now: () => NOW, timeZone: 'Europe/Oslo', log: () => {} });
    for (const [kind, text] of tables) {
      const path = join(folder, `table-${kind}`);
      writeFileSync(path, text);
      const run = await elsewhere.file(
        path,
        { format: 'csv', kind, name: null, dry: false, takeGood: false, mapping: {}, forms: {} },
        ALL,
      );
      expect([kind, run.state, faults(run)]).toEqual([kind, 'done', []]);
    }
    let text = '';
    for await (const piece of exportRegistry(there, { format: 'xml', kinds: FILE_KINDS, caller: ALL }))
      text += piece.toString();
    expect(text).toBe(network);
    await elsewhere.close();
    await there.close();
    await other.drop();
  });

  it('moves: the stay that was open ends where the next begins; what was believed is kept', async () => {
    const moved = await load('installation', 'meter,metering-point,from,to\nM1,MP2,2023-05-01,\n');
    expect(faults(moved)).toEqual([]);
    expect(counts(moved)).toEqual([1, 0, 0, 0]);
    const stays = await rows(
      `select n.code, l.from_time::date::text as since, l.to_time::date::text as until, l.replaced_at is not null as replaced
        from amiable.link l join amiable.meter m on m.id = l.child join amiable.node n on n.id = l.parent
        where m.serial = 'M1' and l.kind = 'installed' order by l.id`,
    );
    expect(stays).toEqual([
      { code: '571313001234567891', since: '2021-02-03', until: null, replaced: true },
      { code: '571313001234567891', since: '2021-02-03', until: '2023-04-30', replaced: false },
      { code: 'MP2', since: '2023-04-30', until: null, replaced: false },
    ]);
    const [slave] = await rows(
      `select g.path = m.path as same from amiable.meter g, amiable.meter m where g.serial = 'G1' and m.serial = 'M1'`,
    );
    expect(slave).toEqual({ same: true });
    // The transformer moves with all below it.
    const node = await load('transformer', 'code,parent,parent-kind,from\nT2,N,region,2024-01-01\n');
    expect(faults(node)).toEqual([]);
    const [at] = await rows(
      `select n.code from amiable.meter m join amiable.node n on n.id = m.path[2] where m.serial = 'M1'`,
    );
    expect(at).toEqual({ code: 'T2' });
  });

  it('a column that is not there changes nothing, an empty cell takes away, and what was there is logged', async () => {
    const run = await load('meter', 'serial;name;x.weight\nM1;;\nM2;Cabin;3\n');
    expect(counts(run)).toEqual([0, 2, 0, 0]);
    expect(
      await rows(
        `select serial, name, utility_serial, attributes from amiable.meter where serial in ('M1', 'M2') order by serial`,
      ),
    ).toEqual([
      { serial: 'M1', name: null, utility_serial: '7350028740014881', attributes: { colour: '=blue' } },
      { serial: 'M2', name: 'Cabin', utility_serial: null, attributes: { weight: 3 } },
    ]);
    expect(await rows(`select field, was, became, who from amiable.meter_change where was = '=SUM(1)'`)).toEqual([
      { field: 'name', was: '=SUM(1)', became: null, who: 'anna' },
    ]);
    await load('premises', 'code,customer\nH1,Ola\n');
    expect(await rows(`select field, was, became from amiable.registry_change where field = 'customer'`)).toEqual([
      { field: 'customer', was: null, became: null },
    ]);
  });
});

describe('wrong lines', () => {
  const cases: [FileKind, string, string[]][] = [
    [
      'meter',
      'serial,phases\nA1,two\nA2,7\nA3,3\n',
      ['2:4 phases: a whole number is wanted, not "two"', '3:4 phases: a whole number from 1 to 3 is wanted'],
    ],
    ['meter', `serial,name\nA1,${'x'.repeat(501)}\n`, ['2:4 name: at most 500 characters are kept, and it has 501']],
    ['meter', 'serial\nA1\nA2\nA1\n', ['4:1 serial: the same serial stands in line 2 already']],
    ['meter', 'serial,name\n,x\n', ['2:1 serial: a value is missing']],
    ['meter', 'serial,time-zone\nA1,Mars/Oslo\n', ['2:4 time-zone: an IANA time zone']],
    ['meter', 'serial,segment\nA1,nowhere\n', ['2:4 segment: there is no segment "nowhere"']],
    ['meter', 'serial,meter-type\nA1,unheard-of\n', ['2:4 meter-type: "unheard-of" is neither in this file']],
    [
      'meter',
      'serial,x.colour,x.weight\nA1,green,101\n',
      ['2:4 x.colour: one of red, =blue is wanted', '2:10 x.weight: a number from 0 to 100 is wanted'],
    ],
    ['meter', 'serial,name\nA1,x,y\n', ['2:6 -: this row has 3 fields and the heading 2']],
    ['meter', 'serial,x.size\nA1,1\n', ['1:8 x.size: there is no user-defined attribute "size" of meter']],
    [
      'meter',
      'serial,naem\nA1,1\n',
      ['1:8 naem: there is no column "naem" of meter; there are serial, utility-serial'],
    ],
    ['meter', 'serial,Serial\nA1,1\n', ['1:8 Serial: this column and column 1 are the same']],
    ['meter', 'name\nx\n', ['1:1 serial: the column serial is missing']],
    ['meter', 'serial,metering-point\nA1,MP404\n', ['2:4 metering-point: "MP404" is neither in this file']],
    ['meter', 'serial,name\nA1,"x\n', ['2:4 -: the quote that opens here is never closed']],
    ['transformer', 'code\nT9\n', ['2:1 x.kva: the user-defined attribute "kva" is required']],
    ['substation', 'code,parent\nS9,T1\nS8,\n', ['2:4 parent: "T1" is neither']],
    [
      'substation',
      'code,parent,parent-kind\nS9,T1,transformer\n',
      ['2:7 parent-kind: a substation stands under region, not under a transformer'],
    ],
    ['substation', 'code,latitude\nS9,"59,9"\n', ['2:4 latitude: a number with a decimal point is wanted']],
    [
      'installation',
      'meter,metering-point,from,to\nM1,MP2,2025-13-01,\nM2,MP2,2026-02-01,2026-01-01\nM2,MP2,2027-01-01,\n',
      [
        '2:8 from: "2025-13-01" is no day',
        '3:19 to: it ends before it begins',
        '4:8 from: "2027-01-01" lies in the future',
      ],
    ],
    [
      'installation',
      'meter,metering-point,from,to\nM2,MP2,2022-01-01,2023-01-01\nM2,MP2,2022-06-01,\n',
      ['3:8 from: this stay begins before that of line 2 ends'],
    ],
    [
      'installation',
      'meter,metering-point,from,to\nM2,MP2,2021-02-01,\n',
      ['2:8 from: it meets a stay that the registry has from 2020-12-31T23:00:00Z'],
    ],
    [
      'slave',
      'meter,master,channel,from\nM2,M1,3,2024-01-01\nM1,M1,1,2024-01-01\n',
      ['3:4 master: a meter cannot stand behind itself'],
    ],
    [
      'slave',
      'meter,master,channel,from\nM2,M1,2,2024-01-01\n',
      ['2:7 channel: the registry has meter "G1" on this channel'],
    ],
    ['slave', 'meter,master,channel,from\nM2,G1,1,2024-01-01\n', ['2:4 master: "G1" would be a slave and a master']],
    [
      'ratio',
      'metering-point,kind,primary,secondary,from\nMP404,current,600,5,2024-01-01\nMP2,current,0,5,2024-01-01\n',
      ['3:13 primary: a whole number from 1 to'],
    ],
    ['connection', 'meter,address\nM2,tcp://192.0.2.1:4059\n', ['2:1 meter: this meter has no connection yet']],
  ];
  it.each(cases)('%s %j', async (kind, text, wanted) => {
    const before = await rows(
      'select (select count(*)::int from amiable.meter) as m, (select count(*)::int from amiable.node) as n, (select count(*)::int from amiable.link) as l',
    );
    const run = await load(kind, text);
    expect(run.state).toBe('refused');
    const found = faults(run);
    expect(found).toHaveLength(wanted.length + (kind === 'ratio' ? 1 : 0));
    for (const words of wanted) expect(found.some((f) => f.startsWith(words))).toBe(true);
    expect(
      await rows(
        'select (select count(*)::int from amiable.meter) as m, (select count(*)::int from amiable.node) as n, (select count(*)::int from amiable.link) as l',
      ),
    ).toEqual(before);
  });

  it('numbers are checked by the rules that are asked for', async () => {
    const run = await load('meter', 'serial,utility-serial\nA1,7350028740014881\nA2,7350028740014882\nA3,\n', {
      forms: { 'meter.utility-serial': 'asset' },
    });
    expect(faults(run)).toEqual([
      '3:4 utility-serial: the check character of "7350028740014882" by modulo-10 should be 1; the number was mistyped',
    ]);
    const points = await load('metering-point', 'code\n571313001234567895\n', {
      forms: { 'metering-point.code': 'gsrn' },
    });
    expect(faults(points)[0]).toContain('2:1 code: the check digit of "571313001234567895" should be 1');
    expect((await load('meter', 'serial\nA1\n', { forms: { 'meter.size': 'gsrn' } })).report?.error).toContain(
      'names no column',
    );
  });

  it('a ring of regions is refused', async () => {
    const run = await load('region', 'code,parent,from\nR1,R2,2024-01-01\nR2,R1,2024-01-01\n');
    expect(run.state).toBe('refused');
    expect(faults(run)[0]).toContain('would stand under itself');
    expect(await rows(`select 1 from amiable.node where code in ('R1', 'R2')`)).toEqual([]);
  });

  it('good lines are taken when that is asked for, and what hangs on bad ones is not', async () => {
    const run = await load(
      'xml',
      `<amiable-registry version="1"><meter serial="B1"/><meter serial="B2" phases="9"/><meter serial="B3" meter-type="none"/>
<installation meter="B1" metering-point="MP2" from="2024-01-01"/><installation meter="B2" metering-point="MP2" from="2024-01-01"/><installation meter="B3" metering-point="MP2" from="2024-01-01"/>
</amiable-registry>`,
      { takeGood: true },
    );
    expect(run.state).toBe('done');
    expect(await rows(`select serial, life from amiable.meter where serial like 'B_' order by 1`)).toEqual([
      { serial: 'B1', life: 'installed' },
    ]);
    expect(run.report?.faultCount).toBe(4);
  });

  it('names of columns are mapped, others left out', async () => {
    const run = await load('meter', 'Zählernummer\tBemerkung\tName\nC1\tx\tFirst\n', {
      mapping: { Zählernummer: 'serial', Bemerkung: null },
    });
    expect(faults(run)).toEqual([]);
    expect(await rows(`select name from amiable.meter where serial = 'C1'`)).toEqual([{ name: 'First' }]);
  });
});

describe('documentation', () => {
  const at = (name: string): string => readFileSync(new URL(`../../../${name}`, import.meta.url), 'utf8');
  const example = (name: string): string => at(`examples/registry/${name}`);

  it('shows the examples as they are, and every column of every kind', () => {
    const doc = at('docs/import.md');
    for (const name of ['network.xml', 'meters.csv', 'customers-semicolon.csv', 'customers-mapping.json'])
      expect(doc).toContain(example(name));
    const schema = at('docs/registry.xsd');
    for (const kind of FILE_KINDS) {
      expect(doc).toMatch(new RegExp(`### .*\`${kind}\``));
      expect(schema).toContain(`<xs:element name="${kind}" `);
      for (const column of COLUMNS[kind]) {
        expect(doc).toContain(`| \`${column.name}\`${column.required ? ' (required)' : ''} | ${column.note}`);
        expect(schema).toContain(`<xs:attribute name="${column.name}"`);
      }
    }
    for (const form of NUMBER_FORMS) if (form !== 'none') expect(doc).toContain(`\`${form}\``);
  });

  it('has examples that are imported as it says', async () => {
    await rows(`delete from amiable.attribute_definition where required`);
    const network = await load('xml', example('network.xml'));
    expect(faults(network)).toEqual([]);
    const meters = await load('meter', example('meters.csv'), { forms: { 'meter.utility-serial': 'asset' } });
    expect(faults(meters)).toEqual([]);
    const people = await load('premises', example('customers-semicolon.csv'), {
      mapping: JSON.parse(example('customers-mapping.json')),
    });
    expect(faults(people)).toEqual([]);
    expect(counts(people)).toEqual([0, 1, 0, 0]);
    expect(
      await rows(
        `select p.customer, p.address from amiable.premises p join amiable.node n on n.id = p.node where n.code = 'H-1'`,
      ),
    ).toEqual([{ customer: 'Ola Nordmann', address: 'Storgata 1; oppgang B' }]);
  });
});

it('odd texts come back as they were, by both ways', async () => {
  const text = fc.string({
    unit: fc.constantFrom('a', 'Ø', '"', "'", ',', ';', '=', '+', '-', '@', ' ', '<', '&', ']', '\t', '\n', '\r', '😀'),
    maxLength: 12,
  });
  const meters = fc.array(fc.record({ name: text, place: text, note: text }), { minLength: 5, maxLength: 5 });
  const attribute = (value: string): string => value.replace(/[&<"\t\n\r]/g, (c) => `&#${c.charCodeAt(0)};`);
  await fc.assert(
    fc.asyncProperty(meters, async (some) => {
      const elements = some.map(
        (m, i) =>
          `<meter serial="Z${i}" name="${attribute(defused(m.name))}" place="${attribute(defused(m.place))}"><attribute name="note">${attribute(defused(m.note))}</attribute></meter>`,
      );
      const first = await load('xml', `<amiable-registry version="1">${elements.join('')}</amiable-registry>`);
      expect(faults(first)).toEqual([]);
      const kept = await rows(
        `select name, place, attributes ->> 'note' as note from amiable.meter where serial like 'Z_' order by serial`,
      );
      expect(kept).toEqual(some.map((m) => ({ name: m.name || null, place: m.place || null, note: m.note || null })));
      for (const format of ['csv', 'xml'] as const) {
        const again = await load(format === 'csv' ? 'meter' : 'xml', await written(format, ['meter']));
        expect([faults(again), again.report?.inserted, again.report?.changed]).toEqual([[], 0, 0]);
      }
    }),
    { numRuns: 4 },
  );
});

describe('the inbox', () => {
  it('imports what lies there, the oldest first, and puts it away', async () => {
    const root = join(folder, 'inbox');
    mkdirSync(join(root, 'erp'), { recursive: true });
    const put = (name: string, text: string, age: number): void => {
      writeFileSync(join(root, 'erp', name), text);
      utimesSync(join(root, 'erp', name), (NOW - age) / 1000, (NOW - age) / 1000);
    };
    put('meter-2.csv', 'serial,name\nI1,second\n', 10_000);
    put('meter-1.csv', 'serial,name\nI1,first\n', 20_000);
    put('meter-bad.csv', 'serial,phases\nI2,x\n', 9000);
    put('meter-3.csv', 'serial,name\nI1,still being written\n', 100);
    put('notes.txt', 'x', 20_000);
    const options = { imports, root, caller: ALL, now: NOW };
    const { files } = await importFolder({ ...options, parameters: { folder: 'erp' } });
    expect(files.map((f) => [f.name, f.state])).toEqual([
      ['meter-1.csv', 'done'],
      ['meter-2.csv', 'done'],
      ['meter-bad.csv', 'refused'],
    ]);
    expect(await rows(`select name from amiable.meter where serial = 'I1'`)).toEqual([{ name: 'second' }]);
    expect(readdirSync(join(root, 'erp')).sort()).toEqual(['done', 'failed', 'meter-3.csv', 'notes.txt']);
    expect(readdirSync(join(root, 'erp', 'failed')).filter((name) => name.endsWith('.faults.csv'))).toHaveLength(1);
    await expect(importFolder({ ...options, parameters: { folder: '..' } })).rejects.toThrow(
      'does not lie in the inbox',
    );
    await expect(importFolder({ ...options, parameters: { folder: 'nowhere' } })).rejects.toThrow('there is no folder');
  });
});

describe('whose', () => {
  it('segments: others are neither changed nor seen nor referred to', async () => {
    const north = caller([1]);
    const change = await load('meter', 'serial,name\nM1,mine\n', { as: north });
    expect(faults(change)).toEqual(['2:1 serial: it belongs to a segment that you may not change']);
    const put = await load('meter', 'serial,segment\nD1,south\n', { as: north });
    expect(faults(put)[0]).toContain('there is no segment "south" that you may use');
    const behind = await load('slave', 'meter,master,channel,from\nM2,M1,1,2024-01-01\n', { as: north });
    expect(faults(behind)[0]).toContain('"M1" is neither');
    const text = await written('csv', ['meter'], north);
    expect(text).toContain('M2');
    expect(text).not.toContain('M1');
    expect(await written('xml', ['slave', 'serving', 'connection', 'installation'], north)).not.toContain('M1');
    const own = await load('meter', 'serial\nD2\n', { as: caller([2]) });
    expect(own.state).toBe('done');
    expect(await rows(`select segment from amiable.meter where serial = 'D2'`)).toEqual([{ segment: 2 }]);
    expect(await imports.status(change.id, caller([2]))).toBeDefined();
    expect(await imports.status(change.id, { ...caller([2]), name: 'bert' })).toBeUndefined();
  });

  it('personal data only by who may', async () => {
    const blind = caller('all', ['premises:view', 'premises:modify']);
    expect(await written('xml', ['premises'], blind)).not.toContain('Ola');
    expect(await written('xml', ['premises'])).toContain('Ola');
    expect(faults(await load('premises', 'code,customer\nH1,Eva\n', { as: blind }))[0]).toContain('premises:modify');
  });
});

describe('runs', () => {
  it('one that is called off, or whose program dies, leaves nothing', async () => {
    const stop = new AbortController();
    stop.abort();
    const path = join(folder, 'called-off');
    writeFileSync(path, 'serial\nE1\n');
    const run = await imports.file(
      path,
      { format: 'csv', kind: 'meter', name: 'x', dry: false, takeGood: false, mapping: {}, forms: {} },
      ALL,
      stop.signal,
    );
    expect(run.state).toBe('cancelled');
    // The connection is lost between reading and the end: whoever holds the staging tables is killed.
    let asked = 0;
    const died = store.exchange.load(
      async (rows) => {
        rows.rows.meter({
          line: 2,
          serial: 'E2',
          given: 0,
          utilitySerial: null,
          name: null,
          place: null,
          timeZone: null,
          maker: null,
          type: null,
          phases: null,
          lineVoltage: null,
          meterType: null,
          paramId: null,
          configId: null,
          segment: null,
          attributes: null,
        });
        await rows.flush();
        if (asked++ === 0)
          await query(
            database.url,
            `select pg_terminate_backend(a.pid) from pg_locks l join pg_stat_activity a on a.pid = l.pid
            where l.locktype = 'advisory' and l.objid = 4117013 and a.datname = current_database()`,
          );
        return asked > 1 ? Promise.reject(new Error('the program died')) : true;
      },
      { scope: 'all', segment: 1, timeZone: 'Europe/Oslo', who: null, at: NOW },
    );
    await expect(died).rejects.toThrow('the program died');
    expect(asked).toBe(2);
    expect(await rows(`select serial from amiable.meter where serial in ('E1', 'E2')`)).toEqual([]);
  });

  it('many new meters: indexes are dropped and are there again', async () => {
    const before = await rows(`select indexdef from pg_indexes where schemaname = 'amiable' order by 1`);
    const fresh = await createTestDatabase();
    const there = await openStore({ url: fresh.url, migrate: false });
    const phases: string[] = [];
    const row = {
      given: 0,
      utilitySerial: null,
      name: null,
      place: null,
      timeZone: null,
      maker: null,
      type: null,
      phases: null,
      lineVoltage: null,
      meterType: null,
      paramId: null,
      configId: null,
      segment: null,
      attributes: null,
    };
    const result = await there.exchange.load(
      async ({ rows: staged }) => {
        for (let line = 1; line <= 20; line++) staged.meter({ ...row, line, serial: `N${line}` });
        return true;
      },
      {
        scope: 'all',
        segment: 1,
        timeZone: 'Europe/Oslo',
        who: null,
        at: NOW,
        rebuildFrom: 20,
        onPhase: (phase) => phases.push(phase),
      },
    );
    expect(result).toMatchObject({ applied: true, counts: [{ kind: 'meter', rows: 20, inserted: 20, changed: 0 }] });
    expect(phases).toEqual(['reading', 'checking', 'writing', 'indexing']);
    expect(await ask(fresh.url, `select indexdef from pg_indexes where schemaname = 'amiable' order by 1`)).toEqual(
      before,
    );
    await there.close();
    await fresh.drop();
  });
});

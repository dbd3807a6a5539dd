import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { intervalRegister, PRIVILEGES, quantityOf } from '@amiable/model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderCsv } from '../src/features/report/render/csv.ts';
import { renderHtml } from '../src/features/report/render/html.ts';
import { renderText } from '../src/features/report/render/text.ts';
import { renderXlsx } from '../src/features/report/render/xlsx.ts';
import type { ReportTable } from '../src/features/report/table.ts';
import { openTestApp, type TestApp } from './login.ts';

const table: ReportTable = {
  title: 'Largest <consumers>',
  asked: [['Under', 'Nord & Sør']],
  columns: [
    { name: 'meter', label: 'Meter', type: 'text' },
    { name: 'energy', label: 'Energy', type: 'number', unit: 'kWh', decimals: 2, bar: true },
    { name: 'share', label: 'Estimated', type: 'percent' },
    { name: 'day', label: 'Day', type: 'day' },
    { name: 'at', label: 'At', type: 'time' },
    { name: 'amount', label: 'Amount', type: 'money' },
  ],
  rows: [
    ['=cmd|1', 12_345.678, 0.125, '2026-10-25', Date.UTC(2026, 9, 25, 0, 30), '1234.50'],
    ['<script>alert(1)</script>', -3, null, null, null, '-0.05'],
  ],
  totals: ['Together', 12_342.678, null, null, null, '1234.45'],
  notes: ['A "note".'],
  timeZone: 'Europe/Oslo',
  made: Date.UTC(2026, 10, 20, 12),
};

/** Files of a ZIP archive, by its central directory. */
function unzip(bytes: Buffer): Map<string, string> {
  const files = new Map<string, string>();
  const end = bytes.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  let at = bytes.readUInt32LE(end + 16);
  for (let n = bytes.readUInt16LE(end + 10); n > 0; n--) {
    const [method, packed] = [bytes.readUInt16LE(at + 10), bytes.readUInt32LE(at + 20)];
    const [name, extra, comment] = [
      bytes.readUInt16LE(at + 28),
      bytes.readUInt16LE(at + 30),
      bytes.readUInt16LE(at + 32),
    ];
    const local = bytes.readUInt32LE(at + 42);
    const from = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const data = bytes.subarray(from, from + packed);
    files.set(
      bytes.subarray(at + 46, at + 46 + name).toString(),
      (method === 8 ? inflateRawSync(data) : data).toString(),
    );
    at += 46 + name + extra + comment;
  }
  return files;
}

describe('a table', () => {
  it('becomes CSV in which no cell is a formula', () => {
    const text = Buffer.from(renderCsv(table)).toString();
    expect(text.charCodeAt(0)).toBe(0xfeff);
    expect(text.slice(1).split('\r\n')).toEqual([
      'Meter,Energy (kWh),Estimated,Day,At,Amount',
      "'=cmd|1,12345.678,0.125,2026-10-25,2026-10-25T00:30:00.000Z,1234.50",
      '<script>alert(1)</script>,-3,,,,-0.05',
      'Together,12342.678,,,,1234.45',
      '',
    ]);
  });

  it('becomes HTML in which nothing runs, with local times and bars', () => {
    const text = Buffer.from(renderHtml(table)).toString();
    expect(text).not.toContain('<script');
    expect(text).toContain('<title>Largest &lt;consumers&gt;</title>');
    expect(text).toContain('Nord &amp; Sør');
    expect(text).toContain('style="--part:100.0%">12\u202f345.68</td>');
    expect(text).toContain('<td>2026-10-25 02:30</td>');
    expect(text).toContain('12.5 %');
  });

  it('becomes text in columns, and pages with their heading for a printer', () => {
    const lines = Buffer.from(renderText(table)).toString().split('\n');
    expect(lines[0]).toBe('Largest <consumers>');
    const long: ReportTable = {
      ...table,
      rows: Array.from({ length: 150 }, (_, i) => [`m${i}`, i, null, null, null, '1']),
    };
    const pages = Buffer.from(renderText(long, true)).toString().split('\f');
    expect(pages).toHaveLength(3);
    for (const page of pages) {
      expect(page).toContain('Energy (kWh)');
      expect(page.split('\n').length).toBeLessThanOrEqual(67);
    }
    for (let i = 0; i < 150; i++) expect(pages.join('')).toMatch(new RegExp(`^m${i} `, 'm'));
  });

  it('becomes a workbook with numbers as numbers', async () => {
    const files = unzip(Buffer.from(await renderXlsx(table)));
    const sheet = [...files].find(([name]) => /sheet1\.xml$/.test(name))?.[1] ?? '';
    expect(sheet).toContain('<v>12345.678</v>');
    expect(sheet).toContain('<v>1234.5</v>');
    expect([...files.values()].join('')).toContain('&lt;script&gt;');
    expect([...files.keys()].some((name) => /vba|macro/i.test(name))).toBe(false);
  });
});

// ---------------------------------------------------------------- over HTTP

let folder: string;
let test: TestApp;
let all: Record<string, string>;
let smtp: Server;
const mails: string[] = [];

/** A mail server that takes everything. */
function startSmtp(): Promise<Server> {
  const server = createServer((socket) => {
    let data: string | undefined;
    let kept = '';
    socket.on('error', () => {});
    socket.write('220 test\r\n');
    socket.on('data', (chunk) => {
      kept += chunk.toString('latin1');
      for (let end = kept.indexOf('\r\n'); end >= 0; end = kept.indexOf('\r\n')) {
        const line = kept.slice(0, end);
        kept = kept.slice(end + 2);
        if (data !== undefined) {
          if (line === '.') {
            mails.push(data);
            data = undefined;
            socket.write('250 taken\r\n');
          } else data += `${line}\n`;
        } else if (/^DATA/i.test(line)) {
          data = '';
          socket.write('354 go on\r\n');
        } else if (/^QUIT/i.test(line)) socket.end('221 bye\r\n');
        else socket.write('250 good\r\n');
      }
    });
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'amiable-report-'));
  mkdirSync(join(folder, 'out'));
  const lp = join(folder, 'lp');
  writeFileSync(
    lp,
    `#!/bin/sh\necho "$@" > ${folder}/printed.args\ncat > ${folder}/printed\n[ "$2" != broken ] || { echo "no such printer" >&2; exit 1; }\n`,
  );
  chmodSync(lp, 0o755);
  smtp = await startSmtp();
  test = await openTestApp(folder, {
    outbox: join(folder, 'out'),
    mail: { url: `smtp://127.0.0.1:${(smtp.address() as AddressInfo).port}`, from: 'amiable@example.org' },
    printCommand: lp,
  });
  all = await test.as(PRIVILEGES);
  await test.store.ensureMeters([{ serial: 'one' }, { serial: 'two' }]);
});
afterAll(async () => {
  await test.close();
  smtp.close();
  rmSync(folder, { recursive: true, force: true });
});

async function ask(method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, body?: object, headers = all) {
  const answer = await test.app.inject({ method, url, headers, ...(body ? { payload: body } : {}) });
  return { status: answer.statusCode, body: answer };
}

describe('reports over HTTP', () => {
  it('each that comes with the program can be made in every form', async () => {
    const kinds = (await ask('GET', '/api/v1/report-kinds')).body.json().kinds as { name: string; may: boolean }[];
    expect(kinds.length).toBeGreaterThanOrEqual(8);
    for (const { name, may } of kinds) {
      expect(may).toBe(true);
      const made = await ask('POST', '/api/v1/reports/table', { kind: name });
      expect(made.status, `${name}: ${made.body.body}`).toBe(200);
      for (const row of made.body.json().rows) expect(row).toHaveLength(made.body.json().columns.length);
    }
    for (const format of ['html', 'xlsx', 'csv', 'text']) {
      const { status, body } = await ask('POST', '/api/v1/reports/file', { kind: 'users', format });
      expect(status).toBe(200);
      expect(body.rawPayload.length).toBeGreaterThan(50);
      expect(body.headers['content-disposition']).toMatch(/^attachment; filename="users-/);
    }
  });

  it('say who took most, and how much of it was measured', async () => {
    const ids = [...(await test.store.ensureMeters([{ serial: 'one' }, { serial: 'two' }])).values()];
    const start = Date.UTC(2026, 9, 24, 22);
    const register = intervalRegister(quantityOf('energyImport') as NonNullable<ReturnType<typeof quantityOf>>, 3600);
    // The local day on which the clocks go back has 25 hours; the second meter lacks two and has two estimated.
    const hours = (value: number) => Float64Array.from({ length: 25 }, (_, i) => value + i);
    const second = hours(1000);
    second.fill(Number.NaN, 20, 22);
    const quality = Uint8Array.from({ length: 25 }, (_, i) => (i < 2 ? 3 : 0));
    const regular = { register, scaler: 0, start, step: 3_600_000 };
    await test.store.intervals.write(
      [
        { ...regular, meter: ids[0] as string, values: hours(100) },
        { ...regular, meter: ids[1] as string, values: second, quality: quality as never },
      ],
      { source: 'test', at: start },
    );
    const parameters = { from: '2026-10-25', to: '2026-10-26' };
    const largest = (await ask('POST', '/api/v1/reports/table', { kind: 'consumers', parameters })).body.json();
    const took = 23 * 1000 + (24 * 25) / 2 - 20 - 21;
    const less = 25 * 100 + (24 * 25) / 2;
    expect(largest.rows.map((row: unknown[]) => [row[0], row[2], row[4], row[6], row[7]])).toEqual([
      ['two', took / 1000, 1.024, 2 / 25, 2 / 25],
      ['one', less / 1000, 0.124, 0, 0],
    ]);
    expect(largest.totals[2]).toBeCloseTo((took + less) / 1000, 9);
    const worst = (await ask('POST', '/api/v1/reports/table', { kind: 'estimated', parameters })).body.json();
    expect(worst.rows).toEqual([['two', null, 25, 21 / 25, 0, 0, 2 / 25, 2 / 25]]);
    expect(worst.totals.slice(1, 4)).toEqual(['2 meters', 50, 46 / 50]);
  });

  it('shows nobody what they may not see', async () => {
    const some = await test.as(['report:view', 'execute:run-report', 'event:view', 'network:view']);
    expect((await ask('POST', '/api/v1/reports/table', { kind: 'outages' }, some)).status).toBe(200);
    const refused = await ask('POST', '/api/v1/reports/table', { kind: 'users' }, some);
    expect(refused.status).toBe(403);
    expect(refused.body.json().error).toContain('user:view');
  });

  it.each([
    [{ kind: 'nothing' }, 404, /there is no report nothing; there are .*completeness/],
    [{ kind: 'gaps', parameters: { period: 'fortnight' } }, 422, /month -1/],
    [{ kind: 'gaps', parameters: { from: '2026-02-02', to: '2026-02-01' } }, 422, /must come after/],
    [{ kind: 'gaps', parameters: { from: '1990-02-02', to: '2026-02-01' } }, 422, /at most 400 days/],
    [{ kind: 'gaps', parameters: { colour: 'red' } }, 422, /colour/],
    [{ kind: 'gaps', timeZone: 'Mars/North' }, 422, /Mars\/North/],
  ])('refuses %j', async (body, status, words) => {
    const answer = await ask('POST', '/api/v1/reports/table', body);
    expect(answer.status).toBe(status);
    expect(answer.body.body).toMatch(words);
  });

  it('refuses parameters that are nested without end', async () => {
    let deep: unknown = 1;
    for (let i = 0; i < 3000; i++) deep = [deep];
    for (const method of ['POST', 'PUT'] as const) {
      const url = method === 'POST' ? '/api/v1/reports/table' : '/api/v1/reports/deep';
      const answer = await ask(method, url, { kind: 'gaps', parameters: { deep } });
      expect(answer.status, answer.body.body).toBe(422);
    }
  });

  it('are set up, made, kept, written to the outbox, sent and printed', async () => {
    const put = await ask('PUT', '/api/v1/reports/People%20here', {
      kind: 'users',
      format: 'csv',
      outputs: { file: { folder: 'lists' }, email: { to: ['boss@example.org'] }, printer: { name: 'office' } },
    });
    expect(put.status, put.body.body).toBe(200);
    const { id } = put.body.json() as { id: number };
    const run = await ask('POST', `/api/v1/reports/${id}/run`);
    expect(run.body.json().outputs).toEqual([
      { to: expect.stringMatching(/^file lists\/People here-\d{4}-\d\d-\d\d\.csv$/), fault: null },
      { to: 'mail to boss@example.org', fault: null },
      { to: 'printer office', fault: null },
    ]);
    const [file] = readdirSync(join(folder, 'out', 'lists'));
    expect(readFileSync(join(folder, 'out', 'lists', file as string), 'utf8')).toContain('User,Groups');
    expect(mails).toHaveLength(1);
    expect(mails[0]).toMatch(/Subject: Users and their rights[\s\S]*filename="?People here/);
    expect(readFileSync(join(folder, 'printed'), 'utf8')).toContain('Users and their rights');
    expect(readFileSync(join(folder, 'printed.args'), 'utf8')).toMatch(/^-d office -n 1 -t Users and their rights -/);

    const results = (await ask('GET', `/api/v1/report-results?report=${id}`)).body.json().results;
    expect(results).toMatchObject([{ name: 'People here', format: 'csv', outputs: [{}, {}, {}] }]);
    const kept = await ask('GET', `/api/v1/report-results/${results[0].id}`);
    expect(kept.body.body).toContain('User,Groups');
    // It was made of all segments: who sees one does not get it.
    const one = await test.as(PRIVILEGES, [1]);
    expect((await ask('GET', `/api/v1/report-results/${results[0].id}`, undefined, one)).status).toBe(404);
    expect((await ask('GET', '/api/v1/report-results', undefined, one)).body.json().results).toEqual([]);
  });

  it('go out with no more than who wrote them sees, whoever makes them', async () => {
    const { id: segment } = await test.store.access.createSegment('south', null);
    await ask('PUT', '/api/v1/reports/ours', { kind: 'consumers' });
    const south = await test.as(PRIVILEGES, [segment]);
    // Of others they neither see nor change what goes where.
    expect((await ask('GET', '/api/v1/reports', undefined, south)).body.json().reports).toEqual([]);
    const stolen = { kind: 'communication', outputs: { email: { to: ['thief@example.org'] } } };
    expect((await ask('PUT', '/api/v1/reports/ours', stolen, south)).status).toBe(404);
    const put = await ask('PUT', '/api/v1/reports/theirs', { kind: 'communication' }, south);
    expect(put.status, put.body.body).toBe(200);
    const made = (await ask('POST', `/api/v1/reports/${put.body.json().id}/run`)).body.json();
    // Kept as one of their segment: nothing else went into it.
    expect((await ask('GET', `/api/v1/report-results/${made.id}`, undefined, south)).status).toBe(200);
    const north = await test.as(PRIVILEGES, [1]);
    expect((await ask('POST', `/api/v1/reports/${put.body.json().id}/run`, undefined, north)).status).toBe(404);
  });

  it('tells what went wrong with one output, and sends the others', async () => {
    const put = await ask('PUT', '/api/v1/reports/broken', {
      kind: 'users',
      format: 'html',
      outputs: { printer: { name: 'broken' }, file: {} },
    });
    const { outputs } = (await ask('POST', `/api/v1/reports/${put.body.json().id}/run`)).body.json();
    expect(outputs).toEqual([
      { to: expect.stringContaining('broken-'), fault: null },
      { to: 'printer broken', fault: 'no such printer' },
    ]);
  });

  it.each([
    [{ file: { folder: '../..' } }, /does not lie in the outbox/],
    [{ file: { name: '../x' } }, /name/],
    [{ email: { to: ['nobody'] } }, /to/],
    [{ email: { to: ['a@b.example'], subject: 'x\r\nBcc: all@example.org' } }, /one line/],
    [{ printer: { name: '-o raw' } }, /printer/],
  ])('are not saved with outputs %j', async (outputs, words) => {
    const answer = await ask('PUT', '/api/v1/reports/x', { kind: 'users', outputs });
    expect(answer.status).toBe(422);
    expect(answer.body.body).toMatch(words);
  });

  it('are made by a task', async () => {
    await ask('PUT', '/api/v1/reports/By%20night', {
      kind: 'work',
      format: 'text',
      outputs: { file: { folder: 'night' } },
    });
    const schedule = { recurrence: { type: 'order' } };
    const wrong = await ask('POST', '/api/v1/tasks', {
      name: 'r',
      definition: { kind: 'report', schedule, parameters: { report: 'none' } },
    });
    expect(wrong.body.body).toMatch(/there is no report \\"none\\"/);
    const made = await ask('POST', '/api/v1/tasks', {
      name: 'nightly report',
      definition: { kind: 'report', schedule, parameters: { report: 'By night' } },
    });
    expect(made.status, made.body.body).toBe(201);
    const run = (await ask('POST', `/api/v1/tasks/${made.body.json().id}/run`)).body.json() as { id: string };
    for (;;) {
      const { state, note } = (await ask('GET', `/api/v1/runs/${run.id}`)).body.json();
      if (state === 'done' || state === 'failed') {
        expect(note).toMatch(/rows, file night/);
        expect(state).toBe('done');
        break;
      }
      await new Promise((wake) => setTimeout(wake, 20));
    }
    expect(existsSync(join(folder, 'out', 'night'))).toBe(true);
  });
});

/** `amiable bill`: runs, bills and why, what if, and what is let through the gate. */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { harmless, type Terminal } from '@amiable/io/terminal';
import { type Command, Option } from 'commander';
import { action, Ended, UsageError } from '../action.ts';
import type { Client } from '../client.ts';
import { meterIdsOf, meterOf, nodeIdOf } from '../named.ts';
import { jsonLines, tableOf } from '../table.ts';
import { follow } from '../tasks/follow.ts';
import type { RunShape } from '../tasks/shapes.ts';
import { dayOf, MOST_ROWS, objectOf } from './read.ts';

interface Run {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly name: string;
  readonly taskRun: string | null;
  readonly createdAt: string;
  readonly createdBy: string | null;
  readonly error: string | null;
  readonly report: Readonly<Record<string, unknown>> | null;
  readonly sums?: readonly { state: string; currency: string | null; bills: number; amount: string }[];
}
interface Bill {
  readonly id: string;
  readonly code: string;
  readonly product: string;
  readonly kind: string;
  readonly state: string;
  readonly tariff: string;
  readonly from: string;
  readonly to: string;
  readonly currency: string | null;
  readonly amount: string | null;
  readonly total: string | null;
  readonly reason: string | null;
}
interface Line {
  readonly title: string;
  readonly rate: string | null;
  readonly quantity: string;
  readonly unit: string;
  readonly price: string | null;
  readonly meanPrice: string | null;
  readonly amount: string;
  readonly sentence: string;
}
interface Detail {
  readonly rated: { readonly lines: readonly Line[]; readonly rounding: string; readonly tax: string };
  readonly changes?: readonly { quantity: string; day: string; was: string; is: string; unit: string | null }[];
  readonly because?: readonly { source: string; user: string | null; reason: string | null; values: number }[];
  readonly differences?: readonly { title: string; rate: string | null; was: string; is: string; difference: string }[];
  readonly released?: { readonly by: string; readonly reason: string };
}

const billColumns = [
  { name: 'bill', of: (b: Bill) => b.id },
  { name: 'point', of: (b: Bill) => b.code },
  { name: 'product', of: (b: Bill) => b.product },
  { name: 'kind', of: (b: Bill) => b.kind },
  { name: 'state', of: (b: Bill) => b.state },
  { name: 'from', of: (b: Bill) => dayOf(b.from) },
  { name: 'to', of: (b: Bill) => dayOf(b.to) },
  { name: 'amount', of: (b: Bill) => b.amount, right: true },
  { name: 'currency', of: (b: Bill) => b.currency },
  { name: 'why', of: (b: Bill) => b.reason, cut: true },
];

interface PeriodWords {
  readonly month?: string;
  readonly quarter?: string;
  readonly year?: string;
  readonly from?: string;
  readonly to?: string;
  readonly product?: string;
  readonly group?: string;
  readonly under?: string;
  readonly meter?: readonly string[];
}
const again = (word: string, all: readonly string[] = []): string[] => [...all, word];
const withPeriod = (command: Command): Command =>
  command
    .option('--month <month>', '2026-10; the previous one unless something is said')
    .option('--quarter <quarter>', '2026-Q4')
    .option('--year <year>', '2026')
    .option('--from <day>', 'own dates')
    .option('--to <day>', 'the day after the last')
    .option('--product <name>', 'supply, grid …')
    .option('--group <name>', 'meters of a group')
    .option('--under <place>', 'meters under KIND:CODE')
    .option('--meter <meter>', 'serial number; may be given again', again);

async function periodBody(client: Client, o: PeriodWords): Promise<Record<string, unknown>> {
  const said = [o.month, o.quarter, o.year, o.from].filter((word) => word !== undefined);
  if (said.length > 1) throw new UsageError('say one of --month, --quarter, --year, or --from and --to');
  if ((o.from === undefined) !== (o.to === undefined)) throw new UsageError('own dates have --from and --to');
  const target = {
    ...(o.group === undefined ? {} : { group: o.group }),
    ...(o.under === undefined ? {} : { under: await nodeIdOf(client, o.under) }),
    ...(o.meter === undefined ? {} : { meters: await meterIdsOf(client, o.meter) }),
  };
  return {
    target,
    ...(o.product === undefined ? {} : { product: o.product }),
    ...(o.from === undefined ? {} : { from: o.from, to: o.to }),
    ...(o.month === undefined ? {} : { cycle: 'month', of: o.month }),
    ...(o.quarter === undefined ? {} : { cycle: 'quarter', of: o.quarter }),
    ...(o.year === undefined ? {} : { cycle: 'year', of: o.year }),
  };
}

const pointOf = async (client: Client, word: string): Promise<string> =>
  (await nodeIdOf(client, /^\d+$/.test(word) || word.includes(':') ? word : `metering-point:${word}`)) as string;

export function billCommand(program: Command): Command {
  const bill = program.command('bill').description('billing runs, bills and why, what if, the gate');

  action<PeriodWords & { differences?: boolean; determinants?: boolean; gate?: string; prices?: string }>(
    withPeriod(bill.command('run').description('bill a period: what nobody billed yet'))
      .option('--differences', 'what was billed and has changed since')
      .option('--determinants', 'quantities by rate alone, for billing elsewhere')
      .option('--gate <percent>', 'of intervals that may be missing, estimated or edited (default: 10)')
      .addOption(new Option('--prices <which>', 'of differences').choices(['seen', 'current'])),
    async ({ client, terminal, options }) => {
      const run = await client.post<Run>('/api/v1/billing/runs', {
        ...(await periodBody(client, options)),
        kind: options.differences ? 'difference' : options.determinants ? 'determinants' : 'bill',
        ...(options.gate === undefined ? {} : { gate: { percent: Number(options.gate) } }),
        ...(options.prices === undefined ? {} : { prices: options.prices }),
      });
      if (run.taskRun !== null)
        await follow(client, terminal, await client.get<RunShape>(`/api/v1/runs/${run.taskRun}`), false);
      tellRun(terminal, await client.get<Run>(`/api/v1/billing/runs/${run.id}`), options.json === true);
    },
  );

  action(bill.command('runs').description('runs of billing, newest first'), async ({ client, terminal, options }) => {
    const { runs } = await client.get<{ runs: Run[] }>('/api/v1/billing/runs', { limit: 100 });
    terminal.out(
      options.json
        ? jsonLines(runs)
        : tableOf(
            [
              { name: 'run', of: (r) => r.id, right: true },
              { name: 'kind', of: (r) => r.kind },
              { name: 'period', of: (r) => r.name },
              { name: 'state', of: (r) => r.state },
              { name: 'begun', of: (r) => r.createdAt },
              { name: 'by', of: (r) => r.createdBy },
              { name: 'error', of: (r) => r.error, cut: true },
            ],
            runs,
            terminal.columns,
          ),
    );
  });

  action<{ run?: string; point?: string; state?: string; csv?: string; lines?: boolean }>(
    bill
      .command('list')
      .description('bills')
      .option('--run <id>')
      .option('--point <point>', 'code or number of a metering point')
      .addOption(new Option('--state <state>').choices(['billed', 'blocked', 'failed']))
      .option('--csv <file>', 'all of a run as CSV; - is standard output')
      .option('--lines', 'with --csv: a row for each line'),
    async ({ client, terminal, options }) => {
      if (options.csv !== undefined) {
        if (options.run === undefined) throw new UsageError('--csv is of a run: say --run');
        return csv(client, terminal, options.run, options.csv, options.lines === true);
      }
      const rows: Bill[] = [];
      const query = {
        limit: 1000,
        run: options.run,
        state: options.state,
        meteringPoint: options.point === undefined ? undefined : await pointOf(client, options.point),
      };
      for await (const page of client.pages<{ bills: Bill[]; next: string | null }>('/api/v1/bills', query)) {
        rows.push(...page.bills);
        if (rows.length >= MOST_ROWS) break;
      }
      terminal.out(options.json ? jsonLines(rows) : tableOf(billColumns, rows, terminal.columns));
    },
  );

  action<{ why?: boolean }>(
    bill
      .command('show')
      .description('one bill with its lines, or what the house of a meter comes to so far')
      .argument('<bill>', 'METER-RUN-CONTRACT as in the list, or a meter')
      .option('--why', 'the derivation of each line'),
    async ({ client, terminal, words, options }) => {
      const [word = ''] = words;
      if (/^\d+-\d+-\d+$/.test(word)) {
        const one = await client.get<Bill & { detail: Detail | null }>(`/api/v1/bills/${word}`);
        if (options.json) terminal.out(jsonLines([one]));
        else tellBill(terminal, one, options.why === true);
        return;
      }
      const meter = await meterOf(client, word);
      const house = await client.get<{ bills: Bill[]; preview: readonly Preview[] }>(`/api/v1/meters/${meter.id}/bill`);
      if (options.json) return terminal.out(jsonLines([house]));
      if (house.bills.length > 0) terminal.out(tableOf(billColumns, house.bills, terminal.columns));
      for (const preview of house.preview) tellPreview(terminal, preview, options.why === true);
      if (house.bills.length + house.preview.length === 0) terminal.out(`${word} has no contract in this month\n`);
    },
  );

  action<PeriodWords & { tariff?: string; file?: string; against?: string; point?: string }>(
    withPeriod(bill.command('what-if').description('past consumption by another tariff; nothing is stored'))
      .option('--tariff <name>', 'what if it were this')
      .option('--file <file>', 'or this one, that nobody has stored')
      .option('--against <name>', 'beside this tariff; the contract that holds unless said')
      .option('--point <point>', 'one customer'),
    async ({ client, terminal, options }) => {
      if ((options.tariff === undefined) === (options.file === undefined))
        throw new UsageError('say --tariff NAME or --file FILE.json');
      const found = await client.post<WhatIf>('/api/v1/billing/what-if', {
        ...(await periodBody(client, options)),
        proposal:
          options.file === undefined ? { tariff: options.tariff } : { definition: await objectOf(options.file) },
        ...(options.against === undefined ? {} : { against: { tariff: options.against } }),
        ...(options.point === undefined ? {} : { meteringPoint: await pointOf(client, options.point) }),
      });
      if (options.json) terminal.out(jsonLines([found]));
      else tellWhatIf(terminal, found);
    },
  );

  action<{ from?: string; to?: string; reason?: string }>(
    bill
      .command('release')
      .description('let a metering point through the gate; the next run bills it')
      .argument('<point>', 'code or number of a metering point')
      .requiredOption('--from <time>', 'ISO 8601 with zone')
      .requiredOption('--to <time>')
      .requiredOption('--reason <text>'),
    async ({ client, terminal, words, options }) => {
      const made = await client.post<{ code: string; from: string; to: string }>('/api/v1/billing/releases', {
        meteringPoint: await pointOf(client, words[0] ?? ''),
        from: options.from,
        to: options.to,
        reason: options.reason,
      });
      terminal.out(
        options.json ? jsonLines([made]) : `${harmless(made.code)} is let through from ${made.from} to ${made.to}\n`,
      );
    },
  );
  return bill;
}

async function csv(client: Client, terminal: Terminal, run: string, file: string, lines: boolean): Promise<void> {
  const response = await client.send('GET', `/api/v1/billing/runs/${encodeURIComponent(run)}/bills.csv`, {
    query: { rows: lines ? 'lines' : 'bills' },
    signal: terminal.signal,
  });
  const body = Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]);
  if (file !== '-') return pipeline(body, createWriteStream(file));
  const text = new TextDecoder();
  for await (const piece of body) terminal.out(text.decode(piece as Buffer, { stream: true }));
}

function tellRun(terminal: Terminal, run: Run, json: boolean): void {
  if (json) terminal.out(jsonLines([run]));
  else if (run.sums && run.sums.length > 0)
    terminal.out(
      tableOf(
        [
          { name: `run ${run.id}, ${run.name}`, of: (s) => s.state },
          { name: 'bills', of: (s) => s.bills, right: true },
          { name: 'amount', of: (s) => (s.state === 'billed' ? s.amount : null), right: true },
          { name: 'currency', of: (s) => s.currency },
        ],
        run.sums,
        terminal.columns,
      ),
    );
  else if (typeof run.report?.determinants === 'number') {
    terminal.out(`run ${run.id}, ${run.name}: determinants of ${run.report.determinants} contracts and meterings\n`);
    for (const { code, reason } of (run.report.failures ?? []) as { code: string; reason: string }[])
      terminal.out(`${harmless(`${code} was left out: ${reason}`)}\n`);
  } else terminal.out(`run ${run.id}, ${run.name}: nothing to bill\n`);
  if (run.state === 'failed') throw new Ended(1);
}

const lineColumns = [
  { name: 'line', of: (l: Line) => l.title, cut: true },
  { name: 'rate', of: (l: Line) => l.rate },
  { name: 'quantity', of: (l: Line) => l.quantity, right: true },
  { name: 'unit', of: (l: Line) => l.unit },
  { name: 'price', of: (l: Line) => l.price ?? (l.meanPrice === null ? null : `~${l.meanPrice}`), right: true },
  { name: 'amount', of: (l: Line) => l.amount, right: true },
];

function tellLines(terminal: Terminal, lines: readonly Line[], why: boolean): void {
  terminal.out(tableOf(lineColumns, lines, terminal.columns));
  if (why) for (const { sentence } of lines) terminal.out(`${harmless(sentence)}\n`);
}

function tellBill(terminal: Terminal, one: Bill & { readonly detail: Detail | null }, why: boolean): void {
  const { detail } = one;
  terminal.out(
    `${harmless(`${one.code}, ${one.product}, ${one.tariff}, ${dayOf(one.from)} to ${dayOf(one.to)}`)}: ${one.state}${one.amount === null ? '' : `, ${one.amount} ${one.currency}`}\n`,
  );
  if (one.reason !== null) terminal.out(`${harmless(one.reason)}\n`);
  if (!detail) return;
  if (detail.released) terminal.out(harmless(`let through by ${detail.released.by}: ${detail.released.reason}\n`));
  if (one.kind === 'difference') {
    for (const c of detail.changes ?? [])
      terminal.out(harmless(`${c.day} ${c.quantity}: ${c.was} was, ${c.is} ${c.unit ?? ''} is`).concat('\n'));
    for (const b of detail.because ?? [])
      terminal.out(
        harmless(`${b.values} values by ${b.user ?? b.source}${b.reason === null ? '' : `: ${b.reason}`}`).concat('\n'),
      );
    terminal.out(
      tableOf(
        [
          { name: 'line', of: (d) => d.title, cut: true },
          { name: 'rate', of: (d) => d.rate },
          { name: 'was', of: (d) => d.was, right: true },
          { name: 'is', of: (d) => d.is, right: true },
          { name: 'difference', of: (d) => d.difference, right: true },
        ],
        detail.differences ?? [],
        terminal.columns,
      ),
    );
    if (!why) return;
  }
  tellLines(terminal, detail.rated.lines, why);
  terminal.out(`total ${one.total} ${one.currency}, of it taxes ${detail.rated.tax}. ${detail.rated.rounding}\n`);
}

interface Preview {
  readonly product: string;
  readonly tariff: string;
  readonly from: string;
  readonly to: string;
  readonly currency: string | null;
  readonly total: string | null;
  readonly intervals: Readonly<Record<string, number>>;
  readonly held: string | null;
  readonly reason: string | null;
  readonly lines: readonly Line[];
}
function tellPreview(terminal: Terminal, p: Preview, why: boolean): void {
  const head = harmless(`${p.product}, ${p.tariff}, ${p.from} to ${p.to}`);
  if (p.reason !== null) {
    terminal.out(`${head}: ${harmless(p.reason)}\n`);
    return;
  }
  terminal.out(`${head}: ${p.total} ${p.currency} so far\n`);
  tellLines(terminal, p.lines, why);
  const doubtful = Object.entries(p.intervals).filter(([name, n]) => name !== 'measured' && n > 0);
  if (doubtful.length > 0) terminal.out(`of the intervals ${doubtful.map(([name, n]) => `${n} ${name}`).join(', ')}\n`);
  if (p.held !== null) terminal.out(`${harmless(p.held)}\n`);
}

interface WhatIf {
  readonly period: string;
  readonly currency: string | null;
  readonly points: number;
  readonly before: string | null;
  readonly after: string | null;
  readonly difference: string | null;
  readonly percent: string | null;
  readonly cheaper: number;
  readonly dearer: number;
  readonly same: number;
  readonly distribution: readonly { from: string; to: string; points: number }[];
  readonly failed: number;
  readonly failures: readonly { code: string; reason: string }[];
  readonly rows: readonly {
    code: string;
    before: string | null;
    after: string | null;
    difference: string | null;
    percent: string | null;
  }[];
}
const BAR = 40;
function tellWhatIf(terminal: Terminal, w: WhatIf): void {
  terminal.out(
    `${w.period}: ${w.points} metering points, ${w.before ?? '–'} becomes ${w.after ?? '–'} ${w.currency ?? ''}: ${w.difference ?? '–'} (${w.percent ?? '–'} %)\n${w.cheaper} pay less, ${w.dearer} more, ${w.same} the same\n`,
  );
  const most = Math.max(1, ...w.distribution.map((bin) => bin.points));
  if (w.points > 1)
    terminal.out(
      tableOf(
        [
          { name: 'difference from', of: (bin) => bin.from, right: true },
          { name: 'to', of: (bin) => bin.to, right: true },
          { name: 'points', of: (bin) => bin.points, right: true },
          { name: '', of: (bin) => '#'.repeat(Math.round((bin.points * BAR) / most)) },
        ],
        w.distribution,
        terminal.columns,
      ),
    );
  terminal.out(
    tableOf(
      [
        { name: 'point', of: (r) => r.code },
        { name: 'before', of: (r) => r.before, right: true },
        { name: 'after', of: (r) => r.after, right: true },
        { name: 'difference', of: (r) => r.difference, right: true },
        { name: '%', of: (r) => r.percent, right: true },
      ],
      w.rows.slice(0, 20),
      terminal.columns,
    ),
  );
  for (const { code, reason } of w.failures) terminal.err(`${harmless(`${code}: ${reason}`)}\n`);
  if (w.failed > w.failures.length) terminal.err(`and ${w.failed - w.failures.length} more that could not be rated\n`);
}

/** `amiable balance`: losses of areas of the grid by day, who lacked values, what stays lost. */
import { readFile } from 'node:fs/promises';
import { harmless } from '@amiable/io/terminal';
import type { Command } from 'commander';
import { action, UsageError } from '../action.ts';
import { dayOf, timeText } from '../journal/span.ts';
import { meterOf, nodeIdOf } from '../named.ts';
import { type Column, factsOf, jsonLines, tableOf } from '../table.ts';

interface Sums {
  readonly supplied: string;
  readonly consumed: string;
  readonly produced: string;
  readonly loss: string;
  readonly share: number | null;
  readonly intervals: number;
  readonly complete: number;
}
interface Area extends Sums {
  readonly name: string;
  readonly days: number;
}
interface Day extends Sums {
  readonly day: string;
  readonly missingMeters: number;
  readonly missing: readonly { readonly serial: string; readonly role: string; readonly count: number }[];
}
interface Alarm {
  readonly id: string;
  readonly area: string;
  readonly kind: string;
  readonly severity: string;
  readonly state: string;
  readonly firstDay: string;
  readonly lastDay: string;
  readonly sentence: string;
  readonly owner: string | null;
}
interface Shown {
  readonly name: string;
  readonly node: string | null;
  readonly version: number;
  readonly changedBy: string;
  readonly changedAt: string;
  readonly definition: object;
  readonly trend: {
    readonly days: number;
    readonly median: number;
    readonly scatter: number;
    readonly perMonth: number;
  } | null;
  readonly alarms: readonly Alarm[];
}
const path = (name: string | undefined): string => `/api/v1/balances/${encodeURIComponent(name ?? '')}`;
const kWh = (wh: string): string =>
  (Number(wh) / 1000).toLocaleString('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const percent = (share: number | null): string => (share === null ? '–' : `${(share * 100).toFixed(2)} %`);
const sums = <T extends Sums>(): Column<T>[] => [
  { name: 'supplied kWh', of: (a) => kWh(a.supplied), right: true },
  { name: 'consumed', of: (a) => kWh(a.consumed), right: true },
  { name: 'produced', of: (a) => kWh(a.produced), right: true },
  { name: 'loss', of: (a) => kWh(a.loss), right: true },
  { name: 'share', of: (a) => percent(a.share), right: true },
  // What is not whole is never shown as 100 %.
  {
    name: 'complete',
    of: (a) => (a.intervals === 0 ? '–' : `${Math.floor((100 * a.complete) / a.intervals)} %`),
    right: true,
  },
];
const alarmColumns: Column<Alarm>[] = [
  { name: 'id', of: (a) => a.id, right: true },
  { name: 'area', of: (a) => a.area },
  { name: 'severity', of: (a) => a.severity },
  { name: 'state', of: (a) => a.state },
  { name: 'days', of: (a) => `${a.firstDay} to ${a.lastDay}` },
  { name: 'owner', of: (a) => a.owner },
  { name: 'what', of: (a) => a.sentence, cut: true },
];

export function balanceCommand(parent: Command): Command {
  const balance = parent
    .command('balance')
    .description('losses of areas of the grid: list, show, set, compute, days, alarms, alarm, remove');

  action<{ since?: string; until?: string }>(
    balance
      .command('list')
      .description('areas with their sums over days')
      .option('--since <day>', '2026-11-01, or 7d ago (31d)')
      .option('--until <day>', 'the day after the last'),
    async ({ client, terminal, options }) => {
      const now = terminal.clock.now();
      const all: Area[] = [];
      const query = { from: dayOf(options.since, '--since', now), to: dayOf(options.until, '--until', now) };
      for await (const page of client.pages<{ areas: Area[]; next: string | null }>('/api/v1/balances', query))
        all.push(...page.areas);
      if (options.json) return terminal.out(jsonLines(all));
      const columns: Column<Area>[] = [
        { name: 'area', of: (a) => a.name },
        { name: 'days', of: (a) => a.days, right: true },
        ...sums<Area>(),
      ];
      terminal.out(all.length === 0 ? 'There are no areas.\n' : tableOf(columns, all, terminal.columns));
    },
  );

  action(
    balance.command('show').description('an area, the trend of its loss, its alarms').argument('<area>'),
    async ({ client, terminal, words, options }) => {
      const found = await client.get<Shown>(path(words[0]));
      if (options.json) return terminal.out(jsonLines([found]));
      const t = found.trend;
      terminal.out(
        factsOf([
          ['name', found.name],
          ['node', found.node],
          ['version', `${found.version}, ${found.changedBy}, ${timeText(found.changedAt)}`],
          [
            'loss',
            t
              ? `${percent(t.median)} (median of ${t.days} days, scatter ${percent(t.scatter)})`
              : 'too few days to say',
          ],
          ['trend', t ? `${t.perMonth >= 0 ? '+' : ''}${percent(t.perMonth)} a month` : null],
        ]),
      );
      if (found.alarms.length > 0) terminal.out(tableOf(alarmColumns, found.alarms, terminal.columns));
    },
  );

  action<{ node?: string; supply?: string[]; file?: string; segment?: string; limit?: string; period?: string }>(
    balance
      .command('set')
      .description('make an area, or a new version of it')
      .argument('<area>')
      .option('--node <node>', 'transformer:T-1, feeder:F-2 … or its number: all meters under it belong')
      .option('--supply <meter...>', 'meters at the transformer (serial numbers or numbers)')
      .option('--limit <percent>', 'share of a technical loss')
      .option('--period <seconds>', 'intervals that are compared: 900, or the longest that its meters have')
      .option('--file <file>', 'the whole definition as JSON (docs/balance.md)')
      .option('--segment <id>', 'data segment of a new one'),
    async ({ client, terminal, words, options }) => {
      let definition: unknown;
      if (options.file !== undefined) {
        try {
          definition = JSON.parse(await readFile(options.file, 'utf8'));
        } catch (error) {
          throw new UsageError(`${options.file}: ${(error as Error).message}`);
        }
      } else {
        if (options.supply === undefined || options.node === undefined)
          throw new UsageError('give --node and --supply, or --file');
        const supply: string[] = [];
        for (const meter of options.supply) supply.push((await meterOf(client, meter)).id);
        const share = options.limit === undefined ? undefined : Number(options.limit) / 100;
        if (share !== undefined && !(share >= 0 && share <= 1))
          throw new UsageError(`--limit ${options.limit}: a share in per cent`);
        definition = {
          node: await nodeIdOf(client, options.node),
          supply,
          ...(share === undefined ? {} : { limits: { share } }),
          ...(options.period === undefined ? {} : { period: Number(options.period) }),
        };
      }
      const made = await client.put<Shown>(
        `${path(words[0])}${options.segment === undefined ? '' : `?segment=${encodeURIComponent(options.segment)}`}`,
        definition,
      );
      terminal.out(options.json ? jsonLines([made]) : `${harmless(made.name)}: version ${made.version}\n`);
    },
  );

  action<{ since?: string; until?: string }>(
    balance
      .command('compute')
      .description('compute now: what is not yet, lacked or changed; or days of a time')
      .argument('<area>')
      .option('--since <day>')
      .option('--until <day>', 'the day after the last'),
    async ({ client, terminal, words, options }) => {
      const now = terminal.clock.now();
      const done = await client.post<{
        days: number;
        intervals: number;
        complete: number;
        opened: number;
        closed: number;
      }>(`${path(words[0])}/compute`, {
        from: dayOf(options.since, '--since', now),
        to: dayOf(options.until, '--until', now),
      });
      terminal.out(
        options.json
          ? jsonLines([done])
          : `${done.days} days computed, ${done.complete} of ${done.intervals} intervals complete; ${done.opened} alarms opened, ${done.closed} closed\n`,
      );
    },
  );

  action<{ since?: string; until?: string }>(
    balance
      .command('days')
      .description('days of an area, and who lacked values')
      .argument('<area>')
      .option('--since <day>')
      .option('--until <day>'),
    async ({ client, terminal, words, options }) => {
      const now = terminal.clock.now();
      const { days } = await client.get<{ days: Day[] }>(`${path(words[0])}/days`, {
        from: dayOf(options.since, '--since', now),
        to: dayOf(options.until, '--until', now),
      });
      if (options.json) return terminal.out(jsonLines(days));
      const columns: Column<Day>[] = [
        { name: 'day', of: (d) => d.day },
        ...sums<Day>(),
        {
          name: 'lacking',
          of: (d) =>
            d.missingMeters === 0
              ? ''
              : `${d.missingMeters}: ${d.missing
                  .slice(0, 5)
                  .map((m) => `${m.serial} ${m.count}`)
                  .join(', ')}`,
          cut: true,
        },
      ];
      terminal.out(
        days.length === 0
          ? 'No days were computed; `amiable balance compute` does, or a task of the kind balance.\n'
          : tableOf(columns, days, terminal.columns),
      );
    },
  );

  action<{ state?: string }>(
    balance
      .command('alarms')
      .description('losses that stay, wrong measurement, steps')
      .option('--state <state>', 'open, accepted or closed (all but closed)'),
    async ({ client, terminal, options }) => {
      const all: Alarm[] = [];
      for await (const page of client.pages<{ alarms: Alarm[]; next: string | null }>('/api/v1/balance-alarms', {
        state: options.state,
      }))
        all.push(...page.alarms);
      if (options.json) return terminal.out(jsonLines(all));
      terminal.out(all.length === 0 ? 'No alarms.\n' : tableOf(alarmColumns, all, terminal.columns));
    },
  );
  action<{ state?: string; owner?: string; note?: string }>(
    balance
      .command('alarm')
      .description('take an alarm on, give it to somebody, close it')
      .argument('<id>')
      .option('--state <state>', 'open, accepted or closed')
      .option('--owner <name>')
      .option('--note <text>'),
    async ({ client, terminal, words, options }) => {
      const { state, owner, note } = options;
      if (state === undefined && owner === undefined && note === undefined)
        throw new UsageError('give --state, --owner or --note');
      const done = await client.patch<Alarm>(`/api/v1/balance-alarms/${encodeURIComponent(words[0] ?? '')}`, {
        state,
        owner,
        note,
      });
      terminal.out(options.json ? jsonLines([done]) : tableOf(alarmColumns, [done], terminal.columns));
    },
  );
  action(
    balance.command('remove').description('take an area away, with its days and alarms').argument('<area>'),
    async ({ client, terminal, words }) => {
      await client.delete(path(words[0]));
      terminal.out('Removed.\n');
    },
  );
  return balance;
}

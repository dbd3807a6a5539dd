/** `amiable outages`: interruptions of supply, their indices by area and month, and announced work. */
import type { Command } from 'commander';
import { action, UsageError } from '../action.ts';
import { meterOf, nodeIdOf } from '../named.ts';
import { type Column, factsOf, jsonLines, tableOf } from '../table.ts';
import { lengthText, momentOf, timeText } from './span.ts';

interface Outage {
  readonly meter: string;
  readonly serial: string;
  readonly phase: string;
  readonly from: string;
  readonly to: string | null;
  readonly seconds: number;
  readonly momentary: boolean;
  readonly planned: boolean;
}
interface Index {
  readonly customers: number;
  readonly sustained: number;
  readonly momentary: number;
  readonly minutes: number;
  readonly saidi: number | null;
  readonly saifi: number | null;
  readonly caidi: number | null;
  readonly maifi: number | null;
}
interface Indices {
  readonly months: readonly { readonly name: string }[];
  readonly rows: readonly {
    readonly id: string;
    readonly kind: string;
    readonly name: string;
    readonly months: readonly Index[];
  }[];
}
interface Work {
  readonly id: string;
  readonly node: string | null;
  readonly from: string;
  readonly to: string;
  readonly reason: string;
  readonly who: string | null;
}

const COLUMNS: readonly Column<Outage>[] = [
  { name: 'meter', of: (o) => o.meter, right: true },
  { name: 'serial', of: (o) => o.serial, cut: true },
  { name: 'phase', of: (o) => o.phase },
  { name: 'from (UTC)', of: (o) => timeText(o.from) },
  { name: 'to', of: (o) => (o.to === null ? 'lasts' : timeText(o.to)) },
  { name: 'length', of: (o) => lengthText(o.seconds * 1000), right: true },
  { name: '', of: (o) => [o.momentary ? 'momentary' : '', o.planned ? 'announced' : ''].filter(Boolean).join(', ') },
];
const fixed = (value: number | null, digits: number): string | null => (value === null ? null : value.toFixed(digits));

interface Options {
  readonly meter?: string;
  readonly under?: string;
  readonly since?: string;
  readonly until?: string;
  readonly momentary?: string;
  readonly rows?: string;
  readonly all?: boolean;
}
const common = (command: Command): Command =>
  command
    .option('--under <node>', 'below a node of the network: region:NORTH, or its number')
    .option('--since <time>', '2026-11-20, or 2h, 7d ago')
    .option('--until <time>', 'before')
    .option('--momentary <minutes>', 'up to so long an interruption is momentary (3)');

export function outagesCommand(parent: Command): Command {
  const command = parent
    .command('outages')
    .description('interruptions of supply; SAIDI, SAIFI, CAIDI, MAIFI; announced work');
  action<Options>(
    common(command.command('list', { isDefault: true }).description('which there were'))
      .option('--meter <meter>', 'of one meter: serial number or number')
      .option('--all', 'all of them, page after page'),
    async ({ client, terminal, options }) => {
      const now = terminal.clock.now();
      let any = false;
      for await (const page of client.pages<{ outages: Outage[]; next: string | null }>('/api/v1/outages', {
        meter: options.meter === undefined ? undefined : (await meterOf(client, options.meter)).id,
        under: await nodeIdOf(client, options.under),
        momentary: options.momentary,
        from: momentOf(options.since, '--since', now),
        to: momentOf(options.until, '--until', now),
      })) {
        if (page.outages.length > 0)
          terminal.out(options.json ? jsonLines(page.outages) : tableOf(COLUMNS, page.outages, terminal.columns));
        any ||= page.outages.length > 0;
        if (!options.all || terminal.signal.aborted) {
          if (page.next !== null && !options.json) terminal.err('There are more; --all shows them.\n');
          break;
        }
      }
      if (!any && !options.json) terminal.err('No interruption in that time.\n');
    },
  );
  action<Options>(
    common(
      command.command('indices').description('SAIDI, SAIFI, CAIDI and MAIFI by area and month (IEEE 1366)'),
    ).option('--rows <kind>', 'all, region, substation, transformer or feeder'),
    async ({ client, terminal, options }) => {
      const now = terminal.clock.now();
      const found = await client.get<Indices>('/api/v1/outages/indices', {
        rows: options.rows,
        under: await nodeIdOf(client, options.under),
        momentary: options.momentary,
        from: momentOf(options.since, '--since', now),
        to: momentOf(options.until, '--until', now),
      });
      const rows = found.rows.flatMap((row) =>
        row.months.map((month, k) => ({
          area: row.name === '' ? row.kind : row.name,
          month: found.months[k]?.name ?? '',
          ...month,
        })),
      );
      if (options.json) return terminal.out(jsonLines(rows));
      const columns: Column<(typeof rows)[number]>[] = [
        { name: 'area', of: (r) => r.area, cut: true },
        { name: 'month', of: (r) => r.month },
        { name: 'customers', of: (r) => r.customers.toFixed(1), right: true },
        { name: 'SAIDI min', of: (r) => fixed(r.saidi, 2), right: true },
        { name: 'SAIFI', of: (r) => fixed(r.saifi, 3), right: true },
        { name: 'CAIDI min', of: (r) => fixed(r.caidi, 1), right: true },
        { name: 'MAIFI', of: (r) => fixed(r.maifi, 3), right: true },
      ];
      terminal.out(tableOf(columns, rows, terminal.columns));
    },
  );
  action(command.command('planned').description('announced work'), async ({ client, terminal, options }) => {
    const { planned } = await client.get<{ planned: Work[] }>('/api/v1/outages/planned');
    if (options.json) return terminal.out(jsonLines(planned));
    const columns: Column<Work>[] = [
      { name: 'id', of: (w) => w.id, right: true },
      { name: 'node', of: (w) => w.node ?? 'everywhere' },
      { name: 'from (UTC)', of: (w) => timeText(w.from) },
      { name: 'to', of: (w) => timeText(w.to) },
      { name: 'reason', of: (w) => w.reason, cut: true },
      { name: 'by', of: (w) => w.who },
    ];
    terminal.out(planned.length === 0 ? 'No work is announced.\n' : tableOf(columns, planned, terminal.columns));
  });
  action<{ from?: string; to?: string; node?: string }>(
    command
      .command('plan')
      .description('announces work: interruptions that begin in it do not count in the indices')
      .argument('<reason...>', 'why')
      .requiredOption('--from <time>', '2026-11-25T06:00:00Z')
      .requiredOption('--to <time>', '2026-11-25T09:00:00Z')
      .option(
        '--node <node>',
        'node of the network below which power is off, such as feeder:F-1; everywhere unless said',
      ),
    async ({ client, terminal, words, options }) => {
      const now = terminal.clock.now();
      const { id } = await client.post<{ id: string }>('/api/v1/outages/planned', {
        node: (await nodeIdOf(client, options.node)) ?? null,
        from: momentOf(options.from, '--from', now),
        to: momentOf(options.to, '--to', now),
        reason: words.join(' '),
      });
      terminal.out(options.json ? jsonLines([{ id }]) : factsOf([['announced', id]]));
    },
  );
  action(
    command.command('unplan').description('takes announced work back').argument('<id>'),
    async ({ client, terminal, words, options }) => {
      const [id = ''] = words;
      if (!/^\d{1,18}$/.test(id)) throw new UsageError(`${id} is no id; \`amiable outages planned\` shows them`);
      await client.delete(`/api/v1/outages/planned/${id}`);
      if (!options.json) terminal.out('Taken back.\n');
    },
  );
  return command;
}

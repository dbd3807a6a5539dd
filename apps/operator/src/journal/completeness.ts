/** `amiable completeness`: what is there of what should be, by day and area; a meter's own days; meters that lack something. */
import type { Command } from 'commander';
import { action } from '../action.ts';
import { meterOf, nodeIdOf } from '../named.ts';
import { type Column, jsonLines, tableOf } from '../table.ts';
import { dayOf, timeText } from './span.ts';

interface Cell {
  readonly expected: number;
  readonly present: number;
  readonly missing: number;
  readonly givenUp: number;
}
interface Row {
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  readonly cells: readonly (Cell | null)[];
}
interface Report {
  readonly profile: string;
  readonly profiles: readonly string[];
  readonly days: readonly string[];
  readonly total: Row;
  readonly rows: readonly Row[];
  readonly next: string | null;
  readonly computedAt: string | null;
}
interface MeterDay {
  readonly day: string;
  readonly expected: number;
  readonly present: number;
  readonly missing: number;
  readonly estimated: number;
  readonly givenUp: number;
  readonly reason: string | null;
  readonly gaps: readonly { readonly from: string; readonly to: string; readonly count: number }[];
}
interface Lacking {
  readonly meter: string;
  readonly serial: string;
  readonly name: string | null;
  readonly days: number;
  readonly missing: number;
  readonly givenUp: number;
  readonly first: string;
  readonly last: string;
}

interface Options {
  readonly profile: string;
  readonly since?: string;
  readonly until?: string;
  readonly rows?: string;
  readonly under?: string;
  readonly meter?: string;
  readonly gaps?: boolean;
}

/** ` .:-=+*#%@` by share, ` ` for what was not counted and `█` for what is whole. */
const SHADES = '·░▒▓';
export function shadeOf(cell: Cell | null): string {
  if (!cell || cell.expected === 0) return ' ';
  if (cell.present === cell.expected) return '█';
  return SHADES[Math.min(3, Math.floor((4 * cell.present) / cell.expected))] as string;
}
const percent = (row: Row): string => {
  let expected = 0;
  let present = 0;
  for (const cell of row.cells) {
    expected += cell?.expected ?? 0;
    present += cell?.present ?? 0;
  }
  // What is not whole is never shown as 100 %.
  return expected === 0 ? '–' : `${(Math.floor((present / expected) * 10_000) / 100).toFixed(2)} %`;
};
const sum = (row: Row, of: 'missing' | 'givenUp'): string =>
  row.cells.reduce((n, cell) => n + (cell?.[of] ?? 0), 0).toLocaleString('en');

export function completenessCommand(parent: Command): Command {
  const command = parent
    .command('completeness')
    .description('what is there of what should be, by day and area; what lacks')
    .option('--profile <name>', 'load, daily, monthly …', 'load')
    .option('--since <day>', '2026-11-01, or 7d ago (30d)')
    .option('--until <day>', 'the day after the last')
    .option('--rows <kind>', 'region, substation, transformer, feeder or meter')
    .option('--under <node>', 'below a node of the network: region:NORTH, or its number')
    .option('--meter <meter>', 'the days of one meter (serial number or number), counted now')
    .option('--gaps', 'meters that lack something, the worst first');
  return action<Options>(command, async ({ client, terminal, options }) => {
    const now = terminal.clock.now();
    const query = {
      profile: options.profile,
      from: dayOf(options.since, '--since', now),
      to: dayOf(options.until, '--until', now),
    };
    if (options.meter !== undefined) {
      const { id } = await meterOf(client, options.meter);
      const { days, profiles } = await client.get<{ days: MeterDay[]; profiles: string[] }>(
        `/api/v1/meters/${id}/completeness`,
        query,
      );
      if (options.json) return terminal.out(jsonLines(days));
      const columns: Column<MeterDay>[] = [
        { name: 'day', of: (d) => d.day },
        { name: 'expected', of: (d) => d.expected, right: true },
        { name: 'present', of: (d) => d.present, right: true },
        { name: 'missing', of: (d) => d.missing, right: true },
        { name: 'given up', of: (d) => d.givenUp, right: true },
        {
          name: 'what lacks (UTC)',
          of: (d) => d.reason ?? d.gaps.map((g) => `${timeText(g.from)} to ${timeText(g.to)}`).join(', '),
          cut: true,
        },
      ];
      terminal.out(
        days.length === 0
          ? `Nothing is expected of this meter in ${options.profile}; it has ${profiles.join(', ') || 'no profiles'}.\n`
          : tableOf(columns, days, terminal.columns),
      );
      return;
    }
    if (options.gaps) {
      const found = await client.get<{ meters: Lacking[]; next: string | null }>('/api/v1/completeness/gaps', {
        ...query,
        under: await nodeIdOf(client, options.under),
      });
      if (options.json) return terminal.out(jsonLines(found.meters));
      const columns: Column<Lacking>[] = [
        { name: 'meter', of: (m) => m.meter, right: true },
        { name: 'serial', of: (m) => m.serial },
        { name: 'name', of: (m) => m.name, cut: true },
        { name: 'missing', of: (m) => m.missing.toLocaleString('en'), right: true },
        { name: 'given up', of: (m) => m.givenUp.toLocaleString('en'), right: true },
        { name: 'days', of: (m) => m.days, right: true },
        { name: 'first', of: (m) => m.first },
        { name: 'last', of: (m) => m.last },
      ];
      terminal.out(
        found.meters.length === 0 ? 'No meter lacks anything.\n' : tableOf(columns, found.meters, terminal.columns),
      );
      if (found.next !== null) terminal.err('There are more.\n');
      return;
    }
    const report = await client.get<Report>('/api/v1/completeness', {
      ...query,
      rows: options.rows,
      under: await nodeIdOf(client, options.under),
    });
    if (options.json) return terminal.out(jsonLines([report.total, ...report.rows]));
    if (report.computedAt === null) {
      terminal.err(
        `${options.profile} was not counted in these days${report.profiles.length > 0 ? `; counted are ${report.profiles.join(', ')}` : ''}. A task of the kind completeness counts.\n`,
      );
      return;
    }
    const columns: Column<Row>[] = [
      { name: 'area', of: (r) => r.name || 'all', cut: true },
      { name: `${report.days[0]} to ${report.days.at(-1)}`, of: (r) => r.cells.map(shadeOf).join('') },
      { name: 'complete', of: percent, right: true },
      { name: 'missing', of: (r) => sum(r, 'missing'), right: true },
      { name: 'given up', of: (r) => sum(r, 'givenUp'), right: true },
    ];
    terminal.out(tableOf(columns, [report.total, ...report.rows], terminal.columns));
    if (report.next !== null) terminal.err('There are more rows; --under narrows.\n');
  });
}

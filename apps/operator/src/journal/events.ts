/** `amiable events`: events of meters by the one catalogue. */
import type { Command } from 'commander';
import { action, UsageError } from '../action.ts';
import { meterOf, nodeIdOf } from '../named.ts';
import { type Column, jsonLines, tableOf } from '../table.ts';
import { momentOf, timeText } from './span.ts';

interface Event {
  readonly meter: string;
  readonly serial: string;
  readonly name: string | null;
  readonly time: string;
  readonly event: string;
  readonly text: string;
  readonly category: string;
  readonly severity: number;
  readonly code: number;
  readonly source: string;
}
interface Page {
  readonly events: readonly Event[];
  readonly next: string | null;
}
interface Counts {
  readonly counts: readonly {
    readonly event: string;
    readonly text: string;
    readonly category: string;
    readonly n: number;
  }[];
}

const SEVERITY = ['record', 'notice', 'warning', 'alarm'];
const COLUMNS: readonly Column<Event>[] = [
  { name: 'time (UTC)', of: (e) => timeText(e.time) },
  { name: 'meter', of: (e) => e.meter, right: true },
  { name: 'serial', of: (e) => e.serial, cut: true },
  { name: 'severity', of: (e) => SEVERITY[e.severity] ?? e.severity },
  { name: 'category', of: (e) => e.category },
  { name: 'event', of: (e) => e.text, cut: true },
  { name: 'code', of: (e) => `${e.code} (${e.source})`, cut: true },
];

interface Options {
  readonly meter?: string;
  readonly under?: string;
  readonly category?: string;
  readonly event?: string;
  readonly severity?: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit: string;
  readonly all?: boolean;
  readonly counts?: boolean;
}

export function eventsCommand(parent: Command): Command {
  const command = parent
    .command('events')
    .description('events of meters: power failures, tampering, clocks, disconnecters')
    .option('--meter <meter>', 'of one meter: serial number or number')
    .option('--under <node>', 'of meters under a node of the network: region:NORTH, or its number')
    .option('--category <words>', 'power, voltage, clock, tamper … (several by commas)')
    .option('--event <words>', 'power-down, meter-cover-removed … (several by commas)')
    .option('--severity <word>', 'record, notice, warning or alarm, and above')
    .option('--since <time>', '2026-11-20, or 2h, 7d ago (30d)')
    .option('--until <time>', 'before')
    .option('--limit <n>', 'at most', '100')
    .option('--all', 'all of them, page after page')
    .option('--counts', 'how often what happened');
  return action<Options>(command, async ({ client, terminal, options }) => {
    const now = terminal.clock.now();
    const severity = options.severity === undefined ? undefined : SEVERITY.indexOf(options.severity);
    if (severity === -1) throw new UsageError(`--severity ${options.severity}: ${SEVERITY.join(', ')}`);
    const limit = Number(options.limit);
    if (!Number.isInteger(limit) || limit < 1 || limit > 1000) throw new UsageError('--limit: 1 to 1000');
    const query = {
      under: await nodeIdOf(client, options.under),
      category: options.category,
      event: options.event,
      severity,
      from: momentOf(options.since, '--since', now),
      to: momentOf(options.until, '--until', now),
    };
    if (options.counts) {
      if (options.meter !== undefined) throw new UsageError('--counts counts over all meters, or those --under a node');
      const { counts } = await client.get<Counts>('/api/v1/events/counts', query);
      const columns: Column<Counts['counts'][number]>[] = [
        { name: 'times', of: (c) => c.n.toLocaleString('en'), right: true },
        { name: 'category', of: (c) => c.category },
        { name: 'event', of: (c) => c.event },
        { name: 'meaning', of: (c) => c.text, cut: true },
      ];
      terminal.out(options.json ? jsonLines(counts) : tableOf(columns, counts, terminal.columns));
      return;
    }
    const path =
      options.meter === undefined
        ? '/api/v1/events'
        : `/api/v1/meters/${(await meterOf(client, options.meter)).id}/events`;
    let any = false;
    for await (const page of client.pages<Page>(path, { ...query, limit })) {
      if (page.events.length > 0)
        terminal.out(options.json ? jsonLines(page.events) : tableOf(COLUMNS, page.events, terminal.columns));
      any ||= page.events.length > 0;
      if (!options.all || terminal.signal.aborted) {
        if (page.next !== null && !options.json)
          terminal.err('There are more; --all shows them, --since and --until narrow.\n');
        break;
      }
    }
    if (!any && !options.json) terminal.err('No such event.\n');
  });
}

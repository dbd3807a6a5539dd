/** `amiable log`: the transaction log as a tree in a terminal, or while it is written. */
import { harmless, type Terminal } from '@amiable/io/terminal';
import type { Command } from 'commander';
import { action, UsageError } from '../action.ts';
import type { Client, Query } from '../client.ts';
import { meterOf } from '../named.ts';
import { createBar } from '../progress.ts';
import { jsonLines } from '../table.ts';
import { lengthText, momentOf, timeText } from './span.ts';

export interface Entry {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly text: string;
  readonly started: string;
  readonly ended: string | null;
  readonly parent: string | null;
  readonly run: string | null;
  readonly meter: string | null;
  readonly detail: unknown;
  readonly children: number;
}
interface Page {
  readonly transactions: readonly Entry[];
  readonly next: string | null;
}
type Progress = Readonly<Record<string, Readonly<Record<string, number>>>>;

const EXAMPLES = `
Examples:
  amiable log                            what was done last
  amiable log --depth 3 --state failed   failed tasks with their meters and associations
  amiable log 912345678901234567         one entry and what is below it
  amiable log --meter 42 --since 7d      everything about one meter
  amiable log -q "does not answer"       words
  amiable log --follow                   while it happens`;

const MARKS: Readonly<Record<string, string>> = { running: '…', done: '✓', failed: '✗', cancelled: '–', partial: '±' };

interface Options {
  readonly meter?: string;
  readonly run?: string;
  readonly kind?: string;
  readonly state?: string;
  readonly query?: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit: string;
  readonly depth: string;
  readonly detail?: boolean;
  readonly follow?: boolean;
}

/** One entry as a line. */
export function lineOf(entry: Entry, indent: string): string {
  const took = entry.ended === null ? '' : ` (${lengthText(Date.parse(entry.ended) - Date.parse(entry.started))})`;
  const below =
    entry.children > 0
      ? ` [${entry.children > 10_000 ? 'more than 10,000' : entry.children.toLocaleString('en')}]`
      : '';
  return `${timeText(entry.started)}  ${entry.id}  ${indent}${MARKS[entry.state] ?? '?'} ${entry.kind}: ${harmless(entry.text)}${took}${below}\n`;
}

const detailOf = (entry: Entry, indent: string): string =>
  entry.detail === null ? '' : `${' '.repeat(22)}${indent}  ${harmless(JSON.stringify(entry.detail))}\n`;

async function tree(
  client: Client,
  terminal: Terminal,
  entries: readonly Entry[],
  depth: number,
  options: Options & { json?: boolean },
  indent = '',
): Promise<void> {
  for (const entry of entries) {
    if (terminal.signal.aborted) return;
    terminal.out(
      options.json ? jsonLines([entry]) : lineOf(entry, indent) + (options.detail ? detailOf(entry, indent) : ''),
    );
    if (depth <= 1 || entry.children === 0) continue;
    const query: Query = {
      parent: entry.id,
      limit: Number(options.limit),
      ...(options.state === undefined ? {} : { state: options.state }),
    };
    const below = await client.get<Page>('/api/v1/transactions', query);
    await tree(client, terminal, below.transactions, depth - 1, options, `${indent}  `);
    if (below.next !== null && !options.json)
      terminal.out(`${' '.repeat(42)}${indent}  … and more: amiable log ${entry.id}\n`);
  }
}

async function follow(client: Client, terminal: Terminal, parents: readonly string[], json: boolean): Promise<void> {
  const bar = createBar(terminal);
  const path = `/api/v1/transactions/live${parents.length === 0 ? '' : `?parents=${parents.join(',')}`}`;
  for await (const { event, data } of client.events(path, terminal.signal)) {
    bar.clear();
    if (event === 'reset') {
      terminal.err('Too much happened while the line was broken; some entries are left out here.\n');
      continue;
    }
    const { transactions, progress } = JSON.parse(data) as { transactions: Entry[]; progress: Progress };
    for (const entry of transactions)
      terminal.out(json ? jsonLines([entry]) : lineOf(entry, entry.parent === null ? '' : '  '));
    const [newest] = Object.entries(progress).sort(([a], [b]) => Number(BigInt(b) - BigInt(a) > 0n) || -1);
    if (!newest || json) continue;
    const counts = newest[1];
    const all = Object.values(counts).reduce((a, n) => a + n, 0);
    const over = all - (counts.running ?? 0);
    bar.set(over, all, `of ${newest[0]} begun so far${counts.failed ? `, ${counts.failed} failed` : ''}`);
  }
  bar.clear();
}

export function logCommand(parent: Command): Command {
  const command = parent
    .command('log')
    .description('the transaction log: what was done, as a tree, or while it happens')
    .argument('[id]', 'one entry and what is below it')
    .option('--meter <meter>', 'about one meter: serial number or number')
    .option('--run <id>', 'of one run')
    .option('--kind <kind>', 'flow, task, meter, association, apdu or command')
    .option('--state <state>', 'running, done, failed, cancelled or partial')
    .option('-q, --query <words>', 'words of the text')
    .option('--since <time>', 'begun since: 2026-11-20, or 2h, 7d ago')
    .option('--until <time>', 'begun before')
    .option('--limit <n>', 'entries of each level', '50')
    .option('--depth <n>', 'levels', '1')
    .option('--detail', 'with the details')
    .option('-f, --follow', 'go on while it is written; with an id: what is below it too')
    .addHelpText('after', EXAMPLES);
  return action<Options>(command, async ({ client, terminal, words, options }) => {
    const [id] = words;
    const now = terminal.clock.now();
    const limit = Number(options.limit);
    const depth = Number(options.depth);
    if (!Number.isInteger(limit) || limit < 1 || limit > 1000) throw new UsageError('--limit: 1 to 1000');
    if (!Number.isInteger(depth) || depth < 1 || depth > 6) throw new UsageError('--depth: 1 to 6');
    if (id !== undefined && !/^\d{1,18}$/.test(id))
      throw new UsageError(`${id} is no id; one stands in each line of \`amiable log\``);
    if (id !== undefined) {
      const entry = await client.get<Entry & { ancestors: Entry[] }>(`/api/v1/transactions/${id}`);
      const { ancestors, ...own } = entry;
      for (const [k, above] of ancestors.entries())
        terminal.out(options.json ? jsonLines([above]) : lineOf(above, '  '.repeat(k)));
      await tree(client, terminal, [own], Math.max(2, depth), options, '  '.repeat(ancestors.length));
    } else {
      const from = momentOf(options.since, '--since', now);
      const to = momentOf(options.until, '--until', now);
      const page = await client.get<Page>('/api/v1/transactions', {
        meter: options.meter === undefined ? undefined : (await meterOf(client, options.meter)).id,
        run: options.run,
        kind: options.kind,
        state: options.state,
        q: options.query,
        from,
        to,
        limit,
      });
      if (page.transactions.length === 0 && !options.follow && !options.json)
        terminal.err('Nothing of that kind is in the log.\n');
      // The newest at the bottom, where one looks.
      await tree(client, terminal, [...page.transactions].reverse(), depth, options);
    }
    if (options.follow) await follow(client, terminal, id === undefined ? [] : [id], options.json === true);
  });
}

/** `amiable validation exceptions`, and what people do about them: accept, dismiss, correct, reopen, assign, comment, explain. */
import type { Command } from 'commander';
import { action, type Job, UsageError } from '../action.ts';
import { momentOf, timeText } from '../journal/span.ts';
import { meterOf, nodeIdOf } from '../named.ts';
import { type Column, factsOf, jsonLines, tableOf } from '../table.ts';

interface Exception {
  readonly id: string;
  readonly meter: string;
  readonly serial: string;
  readonly quantity: string;
  readonly from: string;
  readonly to: string;
  readonly day: string;
  readonly rule: string;
  readonly check: string;
  readonly severity: string;
  readonly usable: boolean;
  readonly sentence: string;
  readonly group: string | null;
  readonly ruleSet: string | null;
  readonly rulesVersion: number;
  readonly state: string;
  readonly owner: string | null;
  readonly note: string | null;
  readonly changedBy: string | null;
}
interface Estimate {
  readonly quantity: string;
  readonly from: string;
  readonly to: string;
  readonly method: string;
  readonly scaled: boolean;
  readonly sentence: string;
}
interface Summary {
  readonly open: number;
  readonly byRule: readonly {
    readonly rule: string;
    readonly check: string;
    readonly severity: string;
    readonly count: number;
    readonly open: number;
  }[];
  readonly byDay: readonly { readonly day: string; readonly count: number; readonly open: number }[];
}

interface Filter {
  readonly state?: string;
  readonly severity?: string;
  readonly rule?: string;
  readonly check?: string;
  readonly quantity?: string;
  readonly owner?: string;
  readonly meter?: string;
  readonly under?: string;
  readonly since?: string;
  readonly until?: string;
}

const COLUMNS: readonly Column<Exception>[] = [
  { name: 'id', of: (e) => e.id },
  { name: 'serial', of: (e) => e.serial, cut: true },
  { name: 'quantity', of: (e) => e.quantity },
  { name: 'from (UTC)', of: (e) => timeText(e.from) },
  { name: 'severity', of: (e) => e.severity },
  { name: 'state', of: (e) => e.state },
  { name: 'owner', of: (e) => e.owner ?? '' },
  { name: 'rule', of: (e) => e.rule, cut: true },
  { name: 'what', of: (e) => e.sentence, cut: true },
];

const filtered = (command: Command): Command =>
  command
    .option('--state <states>', 'open, accepted, corrected, dismissed, solved; several with commas')
    .option('--severity <weight>', 'info, warning or error, and above')
    .option('--rule <name>', 'found by this rule')
    .option('--check <name>', 'found by this check of the catalogue: gap, spike …')
    .option('--quantity <name>', 'energyImport, gasVolume …')
    .option('--owner <name>', 'assigned to')
    .option('--meter <meter>', 'of one meter: serial number or number')
    .option('--under <node>', 'below a node of the network: region:NORTH, or its number')
    .option('--since <time>', '2026-11-20, or 2h, 7d ago')
    .option('--until <time>', 'before');

/** As a query takes it. */
async function filterOf({ client, terminal, options }: Job<Filter>): Promise<Record<string, string | undefined>> {
  const now = terminal.clock.now();
  return {
    state: options.state,
    severity: options.severity,
    rule: options.rule,
    check: options.check,
    quantity: options.quantity,
    owner: options.owner,
    meter: options.meter === undefined ? undefined : (await meterOf(client, options.meter)).id,
    under: await nodeIdOf(client, options.under),
    from: momentOf(options.since, '--since', now),
    to: momentOf(options.until, '--until', now),
  };
}

async function change(
  job: Job<Filter>,
  ids: readonly string[],
  what: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { client, terminal, options } = job;
  const { state, meter, ...rest } = await filterOf(job);
  const filter = Object.fromEntries(
    Object.entries({
      ...rest,
      state: state?.split(',').map((one) => one.trim()),
      meters: meter === undefined ? undefined : [meter],
    }).filter(([, value]) => value !== undefined),
  );
  if (ids.length > 0 && Object.keys(filter).length > 0)
    throw new UsageError('name exceptions by their ids, or say which by options; not both');
  if (ids.length === 0 && Object.keys(filter).length === 0)
    throw new UsageError(
      'say which: their ids, or options such as --rule and --meter; --state open means all that are open',
    );
  const found = await client.post<{ changed: number; ids: string[] }>('/api/v1/exceptions/change', {
    ...(ids.length > 0 ? { ids } : { filter }),
    change: what,
  });
  terminal.out(options.json ? jsonLines([found]) : `${found.changed} changed\n`);
}

const STATES = [
  ['accept', 'accepted', 'the values hold as they are'],
  ['dismiss', 'dismissed', 'no fault'],
  ['correct', 'corrected', 'corrected by hand'],
  ['reopen', 'open', 'to be looked at again'],
] as const;

export function exceptionCommands(parent: Command): void {
  action<Filter & { all?: boolean; summary?: boolean }>(
    filtered(parent.command('exceptions').description('what validation found, newest first'))
      .option('--all', 'all of them, page after page')
      .option('--summary', 'counts by rule and day'),
    async (job) => {
      const { client, terminal, options } = job;
      const filter = await filterOf(job);
      if (options.summary) return summarise(await client.get<Summary>('/api/v1/exceptions/summary', filter), job);
      let any = false;
      for await (const page of client.pages<{ exceptions: Exception[]; next: string | null }>(
        '/api/v1/exceptions',
        filter,
      )) {
        if (page.exceptions.length > 0)
          terminal.out(options.json ? jsonLines(page.exceptions) : tableOf(COLUMNS, page.exceptions, terminal.columns));
        any ||= page.exceptions.length > 0;
        if (!options.all || terminal.signal.aborted) {
          if (page.next !== null && !options.json) terminal.err('There are more; --all shows them.\n');
          break;
        }
      }
      if (!any && !options.json) terminal.err('Nothing was found.\n');
    },
  );
  for (const [name, state, meaning] of STATES)
    action<Filter & { note?: string }>(
      filtered(parent.command(name).description(`${meaning}; of some exceptions, or of all that options say`))
        .argument('[ids...]')
        .option('--note <text>', 'why'),
      (job) => change(job, job.words, { state, ...(job.options.note === undefined ? {} : { note: job.options.note }) }),
    );
  action<Filter & { to?: string; note?: string }>(
    filtered(parent.command('assign').description('say who sees to them'))
      .argument('<who>', 'a name; - for nobody')
      .argument('[ids...]')
      .option('--note <text>', 'what about'),
    (job) => {
      const [who = '', ...ids] = job.words;
      return change(job, ids, {
        owner: who === '-' ? null : who,
        ...(job.options.note === undefined ? {} : { note: job.options.note }),
      });
    },
  );
  action(
    parent
      .command('explain')
      .description('one finding: the numbers, the rule, what stands in its place')
      .argument('<id>'),
    async ({ client, terminal, words: [id = ''], options }) => {
      const e = await client.get<Exception & { estimates: Estimate[]; definition: Record<string, unknown> | null }>(
        `/api/v1/exceptions/${encodeURIComponent(id)}`,
      );
      if (options.json) return terminal.out(jsonLines([e]));
      terminal.out(`${e.sentence}\n\n`);
      terminal.out(
        factsOf([
          ['meter', `${e.serial} (${e.meter})`],
          ['quantity', e.quantity],
          ['from', e.from],
          ['to', e.to],
          ['local day', e.day],
          ['rule', `${e.rule} (${e.check}) of ${e.ruleSet ?? 'the rules of the program'}, version ${e.rulesVersion}`],
          ['as it was', e.definition === null ? undefined : JSON.stringify(e.definition)],
          ['severity', e.severity],
          ['values', e.usable ? 'hold as they are' : 'were taken out'],
          ['group', e.group ?? undefined],
          ['state', `${e.state}${e.changedBy === null ? '' : ` by ${e.changedBy}`}`],
          ['owner', e.owner],
          ['note', e.note],
        ]),
      );
      for (const one of e.estimates)
        terminal.out(`\nestimated ${one.from} to ${one.to} by ${one.method}: ${one.sentence}\n`);
    },
  );
  action<{ quantity?: string; since?: string; until?: string }>(
    parent
      .command('estimates')
      .description('how values of a meter were estimated')
      .argument('<meter>')
      .option('--quantity <name>', 'energyImport, gasVolume …')
      .option('--since <time>', '2026-11-20, or 2h, 7d ago')
      .option('--until <time>', 'before'),
    async ({ client, terminal, words: [meter = ''], options }) => {
      const now = terminal.clock.now();
      const { id } = await meterOf(client, meter);
      const { estimates } = await client.get<{ estimates: Estimate[] }>(`/api/v1/meters/${id}/estimates`, {
        quantity: options.quantity,
        from: momentOf(options.since, '--since', now),
        to: momentOf(options.until, '--until', now),
        limit: 1000,
      });
      if (options.json) return terminal.out(jsonLines(estimates));
      const columns: Column<Estimate>[] = [
        { name: 'from (UTC)', of: (e) => timeText(e.from) },
        { name: 'to', of: (e) => timeText(e.to) },
        { name: 'quantity', of: (e) => e.quantity },
        { name: 'method', of: (e) => e.method },
        { name: 'how', of: (e) => e.sentence, cut: true },
      ];
      terminal.out(
        estimates.length === 0
          ? 'Nothing was estimated in that time.\n'
          : tableOf(columns, estimates, terminal.columns),
      );
    },
  );
}

function summarise(found: Summary, { terminal, options }: Pick<Job<Filter>, 'terminal' | 'options'>): void {
  if (options.json) {
    terminal.out(jsonLines([found]));
    return;
  }
  terminal.out(
    tableOf(
      [
        { name: 'rule', of: (r: Summary['byRule'][number]) => r.rule, cut: true },
        { name: 'check', of: (r) => r.check },
        { name: 'severity', of: (r) => r.severity },
        { name: 'found', of: (r) => r.count, right: true },
        { name: 'open', of: (r) => r.open, right: true },
      ],
      found.byRule,
      terminal.columns,
    ),
  );
  terminal.out(
    `\n${tableOf(
      [
        { name: 'day', of: (d: Summary['byDay'][number]) => d.day },
        { name: 'found', of: (d) => d.count, right: true },
        { name: 'open', of: (d) => d.open, right: true },
      ],
      found.byDay,
      terminal.columns,
    )}`,
  );
}

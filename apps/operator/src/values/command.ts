/** `amiable values`: intervals with their qualities, their history, and edits of them. */
import { readFile } from 'node:fs/promises';
import type { EditAnswer, MeterIntervalsAnswer, Meterings, ValueStates } from '@amiable/model';
import type { Command } from 'commander';
import { action, Ended, type Job, UsageError } from '../action.ts';
import type { Client, Query } from '../client.ts';
import { momentOf, timeText } from '../journal/span.ts';
import { meterIdsOf, meterOf } from '../named.ts';
import { type Column, jsonLines, tableOf } from '../table.ts';
import { editsOfFile, type FileEdit, type IntervalRow, LEGEND, rowsOf, SIGNS, stateOf, summaryOf } from './words.ts';

const DAY = 86_400_000;
const EXAMPLES = `
Examples:
  amiable values show 6970631401753985 --from 2026-11-18 --to 2026-11-19
  amiable values show 17 --quantity gasVolume --as-of 2026-11-05T12:00:00Z    what a bill of that day saw
  amiable values history 17 --from 2026-11-18T06:00:00Z --to 2026-11-18T07:00:00Z
  amiable values edit 17 --from 2026-11-18T06:00:00Z --values 120,118,131 --reason "read off the display"
  amiable values edit --file corrections.csv --reason "meter 17 and 18 were swapped"
  amiable values edits --state waiting
  amiable values approve 5
  amiable values undo 5 --reason "wrong meter"
A meter is named by its serial number or its number in the system. Times without a zone are UTC.`;

interface Which {
  readonly quantity: string;
  readonly period?: string;
  readonly from?: string;
  readonly to?: string;
}

const which = (command: Command): Command =>
  command
    .argument('<meter>', 'serial number, or number in the system')
    .option('--quantity <name>', 'energyImport, energyExport, gasVolume … or a calculated profile', 'energyImport')
    .option('--period <seconds>', '900, 3600 … (default: the finest that there is)')
    .option('--from <time>', '2026-11-18, 2026-11-18T06:00:00Z, or so long ago: 2d (default: one day before the end)')
    .option('--to <time>', 'end, not included (default: now)');

function periodOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = Number(text);
  if (!Number.isInteger(seconds) || seconds < 1) throw new UsageError(`--period ${text}: seconds, such as 900`);
  return seconds;
}

function queryOf({ quantity, period, from, to }: Which, now: number): Query & { from: string; to: string } {
  const end = momentOf(to, '--to', now) ?? new Date(now).toISOString();
  const begin = momentOf(from, '--from', now) ?? new Date(Date.parse(end) - DAY).toISOString();
  if (begin >= end) throw new UsageError('--from has to lie before --to');
  return { quantity, period: periodOf(period), from: begin, to: end };
}

const EDIT_COLUMNS: readonly Column<EditAnswer>[] = [
  { name: 'edit', of: (e) => e.id, right: true },
  { name: 'made (UTC)', of: (e) => timeText(e.at) },
  { name: 'meter', of: (e) => e.meter, right: true },
  { name: 'quantity', of: (e) => e.quantity },
  { name: 'from (UTC)', of: (e) => timeText(e.from) },
  { name: 'to', of: (e) => timeText(e.to) },
  { name: 'values', of: (e) => valuesText(e), cut: true },
  { name: 'state', of: (e) => stateOf(e), cut: true },
  { name: 'reason', of: (e) => e.reason, cut: true },
];
const valuesText = ({ values, unit }: EditAnswer): string => {
  const shown = values
    .slice(0, 3)
    .map((v) => v ?? 'none')
    .join(', ');
  return `${shown}${values.length > 3 ? ` … (${values.length})` : ''} ${unit ?? ''}`.trimEnd();
};

function showEdits({ terminal, options }: Pick<Job<object>, 'terminal' | 'options'>, edits: readonly EditAnswer[]) {
  terminal.out(options.json ? jsonLines(edits) : tableOf(EDIT_COLUMNS, edits, terminal.columns));
}

interface EditOptions extends Which {
  readonly values?: string;
  readonly value?: string;
  readonly takeAway?: boolean;
  readonly file?: string;
  readonly reason?: string;
  readonly dry?: boolean;
}

/** One edit of the options. @throws UsageError */
function single(options: EditOptions, meter: string, now: number, period: number): FileEdit {
  const said = [options.values, options.value, options.takeAway].filter((x) => x !== undefined);
  if (said.length !== 1) throw new UsageError('say one of --values, --value and --take-away');
  const from = momentOf(options.from, '--from', now);
  if (from === undefined) throw new UsageError('--from: the start of the first interval');
  const list: (string | null)[] = options.takeAway
    ? [null]
    : ((options.values ?? options.value) as string).split(',').map((v) => (v.trim() === '-' ? null : v.trim()));
  const to = momentOf(options.to, '--to', now);
  if (options.values === undefined && to === undefined)
    throw new UsageError('--to: the end of the last interval, for one value of all of them');
  return {
    meter,
    quantity: options.quantity,
    period,
    from,
    to: to ?? new Date(Date.parse(from) + list.length * period * 1000).toISOString(),
    values: list,
  };
}

/** The finest period that a meter has of a quantity, as the API takes it; a quarter of an hour where it has none, which the server then says. */
async function finestOf(client: Client, id: string, quantity: string): Promise<number> {
  const { meterings } = await client.get<Meterings>(`/api/v1/meters/${id}/meterings`);
  const periods = meterings.filter((m) => m.quantity === quantity).map((m) => m.period);
  return periods.length === 0 ? 900 : Math.min(...periods);
}

async function wanted(
  client: Client,
  words: readonly string[],
  options: EditOptions,
  now: number,
): Promise<readonly FileEdit[]> {
  if (options.file === undefined) {
    if (words[0] === undefined) throw new UsageError('which meter? or --file');
    // Understood before anything is asked of the server.
    const period = periodOf(options.period);
    single(options, words[0], now, period ?? 900);
    const { id } = await meterOf(client, words[0]);
    return [single(options, id, now, period ?? (await finestOf(client, id, options.quantity)))];
  }
  if (words[0] !== undefined) throw new UsageError('--file names the meters itself');
  const text = await readFile(options.file, 'utf8').catch((error: Error) => {
    throw new UsageError(`${options.file}: ${error.message}`);
  });
  const period = periodOf(options.period);
  const edits = editsOfFile(text, { quantity: options.quantity, period: period ?? 900 });
  if (edits.length === 0) throw new UsageError(`${options.file} has no values`);
  const names = [...new Set(edits.map((e) => e.meter))];
  const ids = await meterIdsOf(client, names);
  const of = new Map(names.map((name, i) => [name, ids[i] as string]));
  const finest = new Map<string, number>();
  if (period === undefined && !/\bperiod\b/i.test(text.split('\n', 1)[0] as string))
    for (const { meter, quantity } of edits)
      if (!finest.has(`${meter} ${quantity}`))
        finest.set(`${meter} ${quantity}`, await finestOf(client, of.get(meter) as string, quantity));
  const periodFor = (meter: string, quantity: string): number => period ?? finest.get(`${meter} ${quantity}`) ?? 900;
  const runs = editsOfFile(text, { quantity: options.quantity, period: periodFor });
  if (runs.length > 1000)
    throw new UsageError(`${options.file} has ${runs.length} runs of values; up to 1000 go together: split it`);
  return runs.map((e) => ({ ...e, meter: of.get(e.meter) as string }));
}

export function valuesCommand(parent: Command): Command {
  const values = parent
    .command('values')
    .description('validated intervals: list, show, history, edit, edits, approve, refuse, undo, rule')
    .addHelpText('after', EXAMPLES);

  action(
    values.command('list').description('which meterings a meter has').argument('<meter>', 'serial number, or number'),
    async ({ client, terminal, words, options }) => {
      const { id } = await meterOf(client, words[0] ?? '');
      const { meterings } = await client.get<Meterings>(`/api/v1/meters/${id}/meterings`);
      type One = Meterings['meterings'][number];
      const columns: Column<One>[] = [
        { name: 'quantity', of: (m) => m.quantity },
        { name: 'period', of: (m) => `${m.period} s`, right: true },
        { name: 'unit', of: (m) => m.unit },
        { name: 'OBIS', of: (m) => m.obis },
        { name: 'from', of: (m) => m.first.slice(0, 10) },
        { name: 'to', of: (m) => m.last.slice(0, 10) },
      ];
      terminal.out(options.json ? jsonLines(meterings) : tableOf(columns, meterings, terminal.columns));
    },
  );

  const show = which(values.command('show').description('values with their qualities, now or as they stood')).option(
    '--as-of <time>',
    'as everything stood then',
  );
  action<Which & { asOf?: string }>(show, async ({ client, terminal, words, options }) => {
    const now = terminal.clock.now();
    const query = { ...queryOf(options, now), asOf: momentOf(options.asOf, '--as-of', now) };
    const { id } = await meterOf(client, words[0] ?? '');
    const answer = await client.get<MeterIntervalsAnswer>(`/api/v1/meters/${id}/intervals`, query);
    const rows = rowsOf(answer);
    if (options.json) return terminal.out(jsonLines(rows));
    if (rows.length === 0) return terminal.err(`Meter ${words[0]} has no ${options.quantity} in this time.\n`);
    const columns: Column<IntervalRow>[] = [
      { name: 'from (UTC)', of: (r) => timeText(r.time) },
      { name: answer.unit ?? 'value', of: (r) => r.value, right: true },
      { name: '', of: (r) => SIGNS[r.quality] },
    ];
    terminal.out(tableOf(columns, rows, terminal.columns));
    terminal.err(`${summaryOf(answer)}\n${LEGEND}\n`);
  });

  const history = which(values.command('history').description('every state that the values of a time had')).option(
    '--limit <n>',
    'at most',
    '1000',
  );
  action<Which & { limit: string }>(history, async ({ client, terminal, words, options }) => {
    const limit = Number(options.limit);
    if (!Number.isInteger(limit) || limit < 1 || limit > 10_000) throw new UsageError('--limit: 1 to 10000');
    const query = { ...queryOf(options, terminal.clock.now()), limit };
    const { id } = await meterOf(client, words[0] ?? '');
    const { states, more } = await client.get<ValueStates>(`/api/v1/meters/${id}/intervals/history`, query);
    if (options.json) return terminal.out(jsonLines(states));
    type State = ValueStates['states'][number];
    const columns: Column<State>[] = [
      { name: 'interval (UTC)', of: (s) => timeText(s.time) },
      { name: 'value', of: (s) => s.value, right: true },
      { name: 'quality', of: (s) => (s.kept ? `(${s.quality})` : s.quality) },
      { name: 'since (UTC)', of: (s) => s.at && timeText(s.at) },
      { name: 'source', of: (s) => (s.edit === null ? s.source : `${s.source} ${s.edit}`), cut: true },
      { name: 'user', of: (s) => s.user, cut: true },
      { name: 'reason', of: (s) => s.reason, cut: true },
    ];
    terminal.out(tableOf(columns, states, terminal.columns));
    if (states.some((s) => s.kept)) terminal.err('(…) came and did not count: what was there is better.\n');
    if (more) terminal.err('There are more; --from and --to narrow, --limit widens.\n');
  });

  const edit = values
    .command('edit')
    .description('edit values of a meter, or of many from a file')
    .argument('[meter]', 'serial number, or number in the system')
    .option('--quantity <name>', 'energyImport, gasVolume …', 'energyImport')
    .option('--period <seconds>', 'of the metering (default: the finest that there is)')
    .option('--from <time>', 'start of the first interval')
    .option('--to <time>', 'end of the last one')
    .option('--values <list>', 'one for each interval: 120,118.5,- (- takes away)')
    .option('--value <decimal>', 'the same for all')
    .option('--take-away', 'the values are no good: nothing is there any more')
    .option('--file <csv>', 'many: columns meter,time,value and where needed quantity,period')
    .option('--reason <text>', 'why; it stays with the values')
    .option('--dry', 'say what would be edited');
  action<EditOptions>(edit, async (job) => {
    const { client, terminal, words, options } = job;
    if (!options.reason?.trim()) throw new UsageError('--reason: an edit has a reason');
    const edits = await wanted(client, words, options, terminal.clock.now());
    const n = edits.reduce(
      (sum, e) => sum + Math.round((Date.parse(e.to) - Date.parse(e.from)) / (e.period * 1000)),
      0,
    );
    const meters = new Set(edits.map((e) => e.meter)).size;
    const what = `${n} value${n === 1 ? '' : 's'} of ${meters} meter${meters === 1 ? '' : 's'}`;
    if (options.dry) {
      if (options.json) terminal.out(jsonLines(edits));
      terminal.err(`${what} would be edited.\n`);
      return;
    }
    const made = await client.post<{ edits: EditAnswer[] }>('/api/v1/edits', { edits, reason: options.reason });
    showEdits(job, made.edits);
    const waits = made.edits[0]?.state === 'waiting';
    terminal.err(waits ? `${what} wait for another person: \`amiable values approve\`.\n` : `${what} edited.\n`);
  });

  const edits = values
    .command('edits')
    .description('edits, newest first')
    .option('--meter <meter>', 'of one meter')
    .option('--state <state>', 'waiting, applied, refused or undone')
    .option('--limit <n>', 'at most', '100')
    .option('--all', 'all of them, page after page');
  action<{ meter?: string; state?: string; limit: string; all?: boolean }>(edits, async (job) => {
    const { client, terminal, options } = job;
    const limit = Number(options.limit);
    if (!Number.isInteger(limit) || limit < 1 || limit > 1000) throw new UsageError('--limit: 1 to 1000');
    const meter = options.meter === undefined ? undefined : (await meterOf(client, options.meter)).id;
    let any = false;
    type Page = { edits: EditAnswer[]; next: string | null };
    for await (const page of client.pages<Page>('/api/v1/edits', { meter, state: options.state, limit })) {
      if (page.edits.length > 0) showEdits(job, page.edits);
      any ||= page.edits.length > 0;
      if (!options.all || terminal.signal.aborted) {
        if (page.next !== null && !options.json) terminal.err('There are more; --all shows them.\n');
        break;
      }
    }
    if (!any && !options.json) terminal.err('No such edit.\n');
  });

  for (const [word, description] of [
    ['approve', 'approve edits that wait: they are applied'],
    ['refuse', 'refuse edits that wait, or withdraw your own'],
    ['undo', 'undo edits: what was there before is there again'],
  ] as const) {
    const command = values.command(word).description(description).argument('<edit...>', 'their numbers');
    if (word === 'undo') command.requiredOption('--reason <text>', 'why');
    action<{ reason?: string }>(command, async (job) => {
      const { client, words, options, terminal } = job;
      for (const id of words) if (!/^\d{1,18}$/.test(id)) throw new UsageError(`${id} is no number of an edit`);
      let failed = 0;
      const done: EditAnswer[] = [];
      // Later ones first: an edit is undone before those that it stands on.
      const order = word === 'undo' ? [...words].sort((a, b) => Number(b) - Number(a)) : words;
      for (const id of order)
        try {
          done.push(
            await client.post<EditAnswer>(
              `/api/v1/edits/${id}/${word}`,
              word === 'undo' ? { reason: options.reason } : {},
            ),
          );
        } catch (error) {
          if (order.length === 1) throw error;
          failed++;
          terminal.err(`amiable: ${id}: ${(error as Error).message}\n`);
        }
      if (done.length > 0) showEdits(job, done);
      if (failed > 0) throw new Ended(1);
    });
  }

  action(
    values
      .command('rule')
      .description('whether edits wait for a second person')
      .argument('[on|off]', 'sets it: two persons, or one'),
    async ({ client, terminal, words, options }) => {
      if (words[0] !== undefined && words[0] !== 'on' && words[0] !== 'off') throw new UsageError('on or off');
      const rule =
        words[0] === undefined
          ? await client.get<{ twoPersons: boolean }>('/api/v1/edits/rule')
          : await client.put<{ twoPersons: boolean }>('/api/v1/edits/rule', { twoPersons: words[0] === 'on' });
      if (options.json) terminal.out(jsonLines([rule]));
      else terminal.out(rule.twoPersons ? 'Edits wait for a second person.\n' : 'Edits are applied at once.\n');
    },
  );
  return values;
}

/** `amiable report`: reports on the terminal, as files, and set up on the server. */
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { action, Ended, type Job, UsageError } from '../action.ts';
import { type Column, jsonLines, tableOf } from '../table.ts';

interface Kind {
  readonly name: string;
  readonly title: string;
  readonly summary: string;
  readonly may: boolean;
  readonly parameters: { readonly properties?: Readonly<Record<string, { readonly description?: string }>> };
}
interface Table {
  readonly columns: readonly { readonly name: string }[];
  readonly rows: readonly (readonly (string | number | null)[])[];
}
interface Report {
  readonly id: number;
  readonly name: string;
  readonly definition: { readonly kind: string; readonly format: string };
  readonly version: number;
  readonly creator: string;
  readonly changed: string;
}
interface Output {
  readonly to: string;
  readonly fault: string | null;
}
interface Result {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  readonly format: string;
  readonly lines: number;
  readonly bytes: number;
  readonly made: string;
  readonly who: string;
  readonly outputs: readonly Output[];
}

interface Asking {
  readonly period?: string;
  readonly from?: string;
  readonly to?: string;
  readonly under?: string;
  readonly group?: string;
  readonly set: readonly string[];
  readonly title?: string;
}

const KINDS = '/api/v1/report-kinds';
const REPORTS = '/api/v1/reports';
const RESULTS = '/api/v1/report-results';
const FORMATS = ['html', 'xlsx', 'csv', 'text'];
const ENDINGS: Readonly<Record<string, string>> = { html: 'html', htm: 'html', xlsx: 'xlsx', csv: 'csv', txt: 'text' };

const collect = (one: string, all: readonly string[]): string[] => [...all, one];

function asking(command: Command): Command {
  return command
    .option('--period <period>', 'local days by name: `month -1`, `week`, `day -7`, `year`')
    .option('--from <day>', 'first day, instead of a period')
    .option('--to <day>', 'the day after the last')
    .option('--under <node>', 'below this node of the network, by its number')
    .option('--group <name>', 'meters of this group')
    .option('--title <words>', 'instead of the usual heading')
    .option('--set <name=value>', 'another parameter of the report; may be given several times', collect, []);
}

function askedOf(kind: string | undefined, { period, from, to, under, group, set, title }: Asking) {
  const parameters: Record<string, unknown> = {};
  for (const [name, value] of Object.entries({ period, from, to, under, group }))
    if (value !== undefined) parameters[name] = value;
  for (const pair of set) {
    const at = pair.indexOf('=');
    if (at < 1) throw new UsageError(`--set wants name=value, not ${pair}`);
    parameters[pair.slice(0, at)] = settingOf(pair.slice(at + 1));
  }
  return { kind, parameters, ...(title === undefined ? {} : { title }) };
}

/** Numbers, true and false as such; all else is text. */
function settingOf(text: string): unknown {
  if (/^-?\d{1,15}(\.\d{1,15})?$/.test(text)) return Number(text);
  return text === 'true' ? true : text === 'false' ? false : text;
}

function formatOf(format: string | undefined, file: string | undefined): string {
  const found = format ?? ENDINGS[/\.([a-z]+)$/i.exec(file ?? '')?.[1]?.toLowerCase() ?? ''];
  if (found === undefined)
    throw new UsageError(`say the form with --format ${FORMATS.join(', ')} or by the name of the file`);
  if (!FORMATS.includes(found)) throw new UsageError(`--format is ${FORMATS.join(', ')}`);
  return found;
}

async function bytesOf(
  { client }: Pick<Job<object>, 'client'>,
  method: string,
  path: string,
  body?: object,
): Promise<Buffer> {
  const answer = await client.send(method, path, {
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  return Buffer.from(await answer.arrayBuffer());
}

async function byName({ client }: Pick<Job<object>, 'client'>, name: string | undefined): Promise<Report> {
  for await (const { reports } of client.pages<{ reports: readonly Report[]; next: string | null }>(REPORTS)) {
    const found = reports.find((report) => report.name === name);
    if (found) return found;
  }
  throw new UsageError(`there is no report ${name}; \`amiable report list\` names them`);
}

const outputWords = (outputs: readonly Output[]): string =>
  outputs.map(({ to, fault }) => (fault === null ? to : `${to}: ${fault}`)).join('; ');

const RESULT_COLUMNS: readonly Column<Result>[] = [
  { name: 'number', of: (r) => r.id, right: true },
  { name: 'report', of: (r) => r.name },
  { name: 'kind', of: (r) => r.kind },
  { name: 'form', of: (r) => r.format },
  { name: 'rows', of: (r) => String(r.lines), right: true },
  { name: 'made', of: (r) => r.made.slice(0, 16).replace('T', ' ') },
  { name: 'for', of: (r) => r.who },
  { name: 'went to', of: (r) => outputWords(r.outputs), cut: true },
];

export function reportCommand(parent: Command): Command {
  const command = parent.command('report').description('reports: on the terminal, as files, by a schedule');

  action(
    command.command('kinds', { isDefault: true }).description('which there are, and their parameters'),
    async ({ client, terminal, options }) => {
      const { kinds } = await client.get<{ kinds: readonly Kind[] }>(KINDS);
      if (options.json) return terminal.out(jsonLines(kinds));
      const columns: readonly Column<Kind>[] = [
        { name: 'report', of: (k) => (k.may ? k.name : `${k.name} (not for you)`) },
        { name: 'what', of: (k) => k.summary },
        { name: 'parameters', of: (k) => Object.keys(k.parameters.properties ?? {}).join(' '), cut: true },
      ];
      terminal.out(tableOf(columns, kinds, terminal.columns));
    },
  );

  action<Asking>(
    asking(command.command('show').description('make one and show it here').argument('<kind>', 'as `kinds` names it')),
    async (job) => {
      const { client, terminal, options, words } = job;
      const asked = askedOf(words[0], options);
      if (!options.json) {
        terminal.out((await bytesOf(job, 'POST', `${REPORTS}/file`, { ...asked, format: 'text' })).toString());
        return;
      }
      const table = await client.post<Table>(`${REPORTS}/table`, asked);
      const names = table.columns.map(({ name }) => name);
      terminal.out(
        jsonLines(table.rows.map((row) => Object.fromEntries(names.map((name, i) => [name, row[i] ?? null])))),
      );
    },
  );

  action<Asking & { readonly out: string; readonly format?: string }>(
    asking(command.command('make').description('make one as a file').argument('<kind>', 'as `kinds` names it'))
      .requiredOption('--out <file>', 'where to write it; its ending says the form')
      .option('--format <form>', FORMATS.join(', ')),
    async (job) => {
      const { options, words, terminal } = job;
      const format = formatOf(options.format, options.out);
      const content = await bytesOf(job, 'POST', `${REPORTS}/file`, { ...askedOf(words[0], options), format });
      await writeFile(options.out, content);
      terminal.err(`${options.out}: ${content.length.toLocaleString('en')} bytes\n`);
    },
  );

  action(command.command('list').description('reports that were set up'), async ({ client, terminal, options }) => {
    const all: Report[] = [];
    for await (const { reports } of client.pages<{ reports: readonly Report[]; next: string | null }>(REPORTS))
      all.push(...reports);
    if (options.json) return terminal.out(jsonLines(all));
    if (all.length === 0) return terminal.out('No report is set up; `amiable report put` does it.\n');
    const columns: readonly Column<Report>[] = [
      { name: 'report', of: (r) => r.name },
      { name: 'kind', of: (r) => r.definition.kind },
      { name: 'form', of: (r) => r.definition.format },
      { name: 'version', of: (r) => String(r.version), right: true },
      { name: 'by', of: (r) => r.creator },
      { name: 'changed', of: (r) => r.changed.slice(0, 16).replace('T', ' ') },
    ];
    terminal.out(tableOf(columns, all, terminal.columns));
  });

  action<
    Asking & {
      readonly kind: string;
      readonly format: string;
      readonly file?: string | true;
      readonly email: readonly string[];
      readonly printer?: string | true;
    }
  >(
    asking(command.command('put').description('set one up, or change it').argument('<name>', 'what to call it'))
      .requiredOption('--kind <kind>', 'as `kinds` names it')
      .option('--format <form>', FORMATS.join(', '), 'html')
      .option('--file [folder]', 'into this folder of the outbox')
      .option('--email <address>', 'by mail; may be given several times', collect, [])
      .option('--printer [name]', 'to this printer of the server, or its default one'),
    async ({ client, terminal, words, options }) => {
      const { file, email, printer } = options;
      const report = await client.put<Report>(`${REPORTS}/${encodeURIComponent(words[0] ?? '')}`, {
        ...askedOf(options.kind, options),
        format: formatOf(options.format, undefined),
        outputs: {
          ...(file === undefined ? {} : { file: file === true ? {} : { folder: file } }),
          ...(email.length === 0 ? {} : { email: { to: email } }),
          ...(printer === undefined ? {} : { printer: printer === true ? {} : { name: printer } }),
        },
      });
      terminal.out(
        options.json
          ? jsonLines([report])
          : `${report.name}, version ${report.version}. By a schedule: amiable task create with kind report (docs/reports.md).\n`,
      );
    },
  );

  action(
    command.command('run').description('make one now and send it where it says').argument('<name>'),
    async (job) => {
      const { client, terminal, words, options } = job;
      const { id } = await byName(job, words[0]);
      const made = await client.post<{ id: string; lines: number; outputs: readonly Output[] }>(`${REPORTS}/${id}/run`);
      terminal.out(
        options.json
          ? jsonLines([made])
          : `number ${made.id}, ${made.lines} rows${made.outputs.length ? `: ${outputWords(made.outputs)}` : ''}\n`,
      );
      if (made.outputs.some(({ fault }) => fault !== null)) throw new Ended(1);
    },
  );

  action(
    command.command('remove').description('take one away; what was made stays').argument('<name>'),
    async (job) => {
      const { id } = await byName(job, job.words[0]);
      await job.client.delete(`${REPORTS}/${id}`);
    },
  );

  action(command.command('results').description('what was made, newest first').argument('[name]'), async (job) => {
    const { client, terminal, words, options } = job;
    const of = words[0] === undefined ? undefined : (await byName(job, words[0])).id;
    const { results } = await client.get<{ results: readonly Result[] }>(RESULTS, { report: of });
    terminal.out(options.json ? jsonLines(results) : tableOf(RESULT_COLUMNS, results, terminal.columns));
  });

  action<{ readonly out: string }>(
    command
      .command('get')
      .description('the file of one that was made')
      .argument('<number>', 'as `results` tells it')
      .requiredOption('--out <file>', 'where to write it'),
    async (job) => {
      const content = await bytesOf(job, 'GET', `${RESULTS}/${encodeURIComponent(job.words[0] ?? '')}`);
      await writeFile(job.options.out, content);
      job.terminal.err(`${job.options.out}: ${content.length.toLocaleString('en')} bytes\n`);
    },
  );
  return command;
}

/** `amiable import` and `amiable export`: registry files to and from the central system (docs/import.md). */
import { createReadStream, createWriteStream, existsSync, readFileSync, statSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { sleep } from '@amiable/io';
import { harmless, type Terminal } from '@amiable/io/terminal';
import { type Command, Option } from 'commander';
import { action, Ended, UsageError } from '../action.ts';
import { ApiError, type Client } from '../client.ts';
import { createBar } from '../progress.ts';
import { jsonLines, tableOf } from '../table.ts';

interface Fault {
  readonly line: number;
  readonly column: number;
  readonly field?: string;
  readonly message: string;
}
interface Status {
  readonly id: string;
  readonly state: 'receiving' | 'running' | 'done' | 'refused' | 'failed' | 'cancelled' | 'interrupted';
  readonly dry: boolean;
  readonly progress: {
    readonly phase: string;
    readonly bytes: number;
    readonly ofBytes: number | null;
    readonly rows: number;
    readonly faults: number;
  } | null;
  readonly report: {
    readonly inserted: number;
    readonly changed: number;
    readonly same: number;
    readonly refused: number;
    readonly kinds: readonly { kind: string; rows: number; inserted: number; changed: number; same: number }[];
    readonly faultCount: number;
    readonly faults: readonly Fault[];
    readonly error?: string;
  } | null;
}

const PAUSE = 300;
/** Lines of faults on a terminal; a pipe gets all that the answer has. */
const SHOWN = 20;

const PHASES: Readonly<Record<string, string>> = {
  waiting: 'waiting for another import',
  receiving: 'sending',
  reading: 'reading',
  checking: 'checking against the registry',
  writing: 'writing',
  indexing: 'building indexes',
};

interface ImportWords {
  readonly kind?: string;
  readonly dryRun?: boolean;
  readonly mapping?: string;
  readonly takeGood?: boolean;
  readonly encoding?: string;
  readonly separator?: string;
  readonly check?: readonly string[];
}

const SEPARATORS: Readonly<Record<string, string>> = {
  comma: ',',
  semicolon: ';',
  tab: '\t',
  ',': ',',
  ';': ';',
  '\t': '\t',
};

export function importCommand(parent: Command): Command {
  const command = parent
    .command('import')
    .description('meters, network, installations out of a CSV or XML file into the registry; all of it or nothing')
    .argument('<file>', 'FILE.csv or FILE.xml; - reads a CSV from standard input')
    .option('--kind <kind>', 'what the rows of a CSV are: meter, metering-point, transformer …')
    .option('--dry-run', 'check everything, change nothing')
    .option('--take-good', 'leave out wrong lines and take the others')
    .option('--mapping <file>', 'JSON file: names of the file’s columns to ours, null to leave one out')
    .option('--encoding <name>', 'utf-8 (default), utf-16le, utf-16be or latin1')
    .addOption(new Option('--separator <which>', 'found out unless said').choices(['comma', 'semicolon', 'tab']))
    .option(
      '--check <column=rule>',
      'check numbers, such as meter.utility-serial=asset or metering-point.code=gsrn; may be given again',
      (word: string, before: readonly string[] = []) => [...before, word],
    )
    .addHelpText(
      'after',
      `
Examples:
  amiable import meters.csv --kind meter --dry-run
  amiable import network.xml
  amiable import points.csv --kind metering-point --check metering-point.code=gsrn --take-good`,
    );
  return action<ImportWords>(command, async ({ client, terminal, words, options }) => {
    const [file = ''] = words;
    const fromStdin = file === '-';
    if (!fromStdin && !existsSync(file)) throw new UsageError(`${file}: there is no such file`);
    if (!fromStdin && !statSync(file).isFile()) throw new UsageError(`${file} is no file`);
    const format = /\.xml$/i.test(file) ? 'xml' : 'csv';
    if (format === 'csv' && options.kind === undefined)
      throw new UsageError('say what the rows are with --kind, for example --kind meter');
    const size = fromStdin ? undefined : statSync(file).size;
    const bar = createBar(terminal);
    let sent = 0;
    const counted = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        sent += chunk.length;
        bar.set(sent, size, 'bytes sent');
        done(null, chunk);
      },
    });
    const source = fromStdin ? process.stdin : createReadStream(file);
    source.on('error', (error: Error) => counted.destroy(error));
    source.pipe(counted);
    let status: Status;
    try {
      const response = await client.send('POST', '/api/v1/imports', {
        query: {
          format,
          kind: options.kind,
          dry: options.dryRun,
          takeGood: options.takeGood,
          encoding: options.encoding,
          separator: options.separator === undefined ? undefined : SEPARATORS[options.separator],
          name: basename(file).slice(0, 200),
          mapping: options.mapping === undefined ? undefined : mappingOf(options.mapping),
          checks: options.check === undefined ? undefined : checksOf(options.check),
        },
        body: Readable.toWeb(counted) as ReadableStream,
        headers: { 'content-type': format === 'xml' ? 'application/xml' : 'text/csv' },
        signal: terminal.signal,
      });
      status = (await response.json()) as Status;
      status = await follow(client, terminal, status, (progress) => {
        const { phase, bytes, ofBytes, rows, faults } = progress;
        const words = `${PHASES[phase] ?? phase}, ${rows.toLocaleString('en')} lines${faults > 0 ? `, ${faults.toLocaleString('en')} faults` : ''}`;
        if (phase === 'reading') bar.set(bytes, ofBytes ?? undefined, `bytes: ${words}`);
        else bar.set(rows, undefined, `lines; ${PHASES[phase] ?? phase}`);
      });
    } finally {
      bar.clear();
      source.destroy();
    }
    if (options.json) terminal.out(jsonLines([status]));
    else tell(terminal, file, status);
    if (status.state !== 'done') throw new Ended(1);
  });
}

function mappingOf(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
    JSON.parse(text);
  } catch (error) {
    throw new UsageError(`--mapping ${file}: ${(error as Error).message}`);
  }
  return text;
}

function checksOf(words: readonly string[]): string {
  const pairs = words.map((word) => {
    const [column, rule, ...more] = word.split('=');
    if (!column || !rule || more.length > 0)
      throw new UsageError(`--check ${word}: write COLUMN=RULE, such as metering-point.code=gsrn`);
    return [column, rule];
  });
  return JSON.stringify(Object.fromEntries(pairs));
}

/** Looks until the run has ended; stopped by the user, it is called off. */
async function follow(
  client: Client,
  terminal: Terminal,
  begun: Status,
  show: (progress: NonNullable<Status['progress']>) => void,
): Promise<Status> {
  const path = `/api/v1/imports/${begun.id}`;
  let called = false;
  for (let status = begun; ; ) {
    if (status.state !== 'receiving' && status.state !== 'running') return status;
    if (status.progress) show(status.progress);
    if (terminal.signal.aborted && !called) {
      called = true;
      await client.delete(path).catch((error: unknown) => {
        if (!(error instanceof ApiError)) throw error;
      });
    }
    await sleep(terminal.clock, PAUSE);
    status = await client.get<Status>(path);
  }
}

function tell(terminal: Terminal, file: string, { id, state, dry, report }: Status): void {
  const n = (value: number): string => value.toLocaleString('en');
  if (!report) {
    terminal.err(`amiable: import ${id} is ${state}\n`);
    return;
  }
  const shown = terminal.columns === undefined ? report.faults : report.faults.slice(0, SHOWN);
  for (const { line, column, field, message } of shown)
    terminal.err(`${harmless(`${file}:${line}:${column}: ${field === undefined ? '' : `${field}: `}${message}`)}\n`);
  if (report.faultCount > shown.length)
    terminal.err(
      `${n(report.faultCount - shown.length)} more; \`amiable api get /api/v1/imports/${id}/faults\` has all\n`,
    );
  if (report.error !== undefined) terminal.err(`amiable: ${harmless(report.error)}\n`);
  if (report.kinds.length > 0 && state !== 'refused')
    terminal.out(
      tableOf(
        [
          { name: dry ? 'would be' : 'kind', of: (k) => k.kind },
          { name: 'inserted', of: (k) => n(k.inserted), right: true },
          { name: 'changed', of: (k) => n(k.changed), right: true },
          { name: 'same', of: (k) => n(k.same), right: true },
        ],
        report.kinds,
        terminal.columns,
      ),
    );
  if (state === 'refused')
    terminal.err(
      `amiable: refused: ${n(report.faultCount)} ${report.faultCount === 1 ? 'fault' : 'faults'}; nothing was changed. Correct them, or --take-good takes the lines that are right\n`,
    );
  else if (state === 'done' && report.refused > 0) terminal.err(`${n(report.refused)} lines were left out\n`);
}

interface ExportWords {
  readonly output?: string;
  readonly selection?: string;
}

export function exportCommand(parent: Command): Command {
  const command = parent
    .command('export')
    .description('the registry as a file that can be imported again')
    .argument('<what>', 'KIND.csv, KIND.xml or all.xml; KIND as in `amiable import --kind`')
    .option('-o, --output <file>', 'where to (default: standard output)')
    .option('--selection <json>', 'which meters, such as {"q":"storgata"}')
    .addHelpText(
      'after',
      `
Examples:
  amiable export meter.csv > meters.csv
  amiable export all.xml -o registry.xml`,
    );
  return action<ExportWords>(command, async ({ client, terminal, words, options }) => {
    const [what = ''] = words;
    const response = await client.send('GET', `/api/v1/exports/${encodeURIComponent(what)}`, {
      query: { selection: options.selection },
      signal: terminal.signal,
    });
    if (!response.body) throw new ApiError(response.status, 'the answer has no body');
    const body = Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]);
    if (options.output === undefined) {
      const text = new TextDecoder();
      for await (const piece of body) terminal.out(text.decode(piece as Buffer, { stream: true }));
      return;
    }
    const bar = createBar(terminal);
    const part = `${options.output}.part`;
    let got = 0;
    body.on('data', (piece: Buffer) => {
      got += piece.length;
      bar.set(got, undefined, 'bytes');
    });
    try {
      await pipeline(body, createWriteStream(part));
      // A file that is there is whole.
      await rename(part, options.output);
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    } finally {
      bar.clear();
    }
  });
}

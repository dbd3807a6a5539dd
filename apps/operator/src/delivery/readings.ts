/** `amiable readings`: readings out of files of other systems (docs/delivery.md). */
import { createReadStream, statSync } from 'node:fs';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { harmless } from '@amiable/io/terminal';
import { type Command, Option } from 'commander';
import { action, Ended, UsageError } from '../action.ts';
import { type Column, jsonLines, tableOf } from '../table.ts';
import { encoded, type Fault, tellFaults } from './parts.ts';

interface ReadingsImport {
  readonly id: string;
  readonly state: string;
  readonly dry: boolean;
  readonly name: string | null;
  readonly who: string;
  readonly started: string;
  readonly report: {
    values: number;
    meters: number;
    fresh: number;
    changed: number;
    same: number;
    kept: number;
    faultCount: number;
    faults: Fault[];
    error?: string;
  } | null;
}
const IMPORTS: readonly Column<ReadingsImport>[] = [
  { name: 'id', of: (i) => i.id, right: true },
  { name: 'file', of: (i) => i.name, cut: true },
  { name: 'state', of: (i) => (i.dry ? `${i.state} (dry run)` : i.state) },
  { name: 'values', of: (i) => i.report?.values, right: true },
  { name: 'meters', of: (i) => i.report?.meters, right: true },
  { name: 'new', of: (i) => i.report?.fresh, right: true },
  { name: 'changed', of: (i) => i.report?.changed, right: true },
  { name: 'same', of: (i) => i.report?.same, right: true },
  { name: 'faults', of: (i) => i.report?.faultCount, right: true },
];
const readingFormat = (file: string): string =>
  /\.xml$/i.test(file) ? 'cim' : /\.(edi|mscons)$/i.test(file) ? 'mscons' : 'csv';

export function readingsCommand(parent: Command): Command {
  const command = parent.command('readings').description('readings out of files of other systems: import, list, show');
  action<{
    format?: string;
    flat?: string;
    meter?: string;
    quantity?: string;
    period?: string;
    profile?: string;
    zone?: string;
    dryRun?: boolean;
    again?: boolean;
  }>(
    command
      .command('import')
      .description('all of a file or nothing; faults by line')
      .argument('<file>')
      .addOption(
        new Option('--format <which>', 'by the ending of the file unless said').choices([
          'csv',
          'flat',
          'cim',
          'espi',
          'mscons',
        ]),
      )
      .option('--flat <name>', 'by this designed format')
      .option('--meter <serial>', 'of a file that does not name its meter')
      .option('--quantity <name>', 'energyImport … or an OBIS code, of a file that does not say')
      .option('--period <seconds>', 'of an interval where the file does not say; 0: showings of registers')
      .option('--profile <seconds>', 'showings go to the meter’s profile of this period')
      .option('--zone <zone>', 'of local times')
      .option('--dry-run', 'check everything, change nothing')
      .option('--again', 'although the same bytes were imported before')
      .addHelpText(
        'after',
        `
Examples:
  amiable readings import readings.csv --dry-run
  amiable readings import usage.xml --format espi --meter 6970631401753985
  amiable readings import profile.txt --flat billing --period 900`,
      ),
    async ({ client, terminal, words, options }) => {
      const [file = ''] = words;
      if (!statSync(file, { throwIfNoEntry: false })?.isFile()) throw new UsageError(`${file}: there is no such file`);
      const { flat, dryRun: dry, again, meter, quantity, period, profile, zone } = options;
      const response = await client.send('POST', '/api/v1/readings-imports', {
        query: {
          format: options.format ?? (flat === undefined ? readingFormat(file) : 'flat'),
          flat,
          meter,
          quantity,
          period,
          profile,
          zone,
          dry,
          again,
          name: basename(file).slice(0, 200),
        },
        body: Readable.toWeb(createReadStream(file)) as ReadableStream,
        headers: { 'content-type': 'application/octet-stream' },
        signal: terminal.signal,
      });
      const done = (await response.json()) as ReadingsImport;
      if (options.json) terminal.out(jsonLines([done]));
      else {
        tellFaults(terminal, file, done.report?.faults ?? []);
        if (done.report?.error !== undefined) terminal.err(`amiable: ${harmless(done.report.error)}\n`);
        terminal.out(tableOf(IMPORTS, [done], terminal.columns));
      }
      if (done.state !== 'done') throw new Ended(1);
    },
  );
  action(
    command.command('list', { isDefault: true }).description('imports, the newest first'),
    async ({ client, terminal, options }) => {
      const { imports } = await client.get<{ imports: ReadingsImport[] }>('/api/v1/readings-imports');
      terminal.out(
        options.json
          ? jsonLines(imports)
          : imports.length === 0
            ? 'No readings were imported.\n'
            : tableOf(IMPORTS, imports, terminal.columns),
      );
    },
  );
  action(
    command.command('show').description('an import with its faults').argument('<id>'),
    async ({ client, terminal, words, options }) => {
      const one = await client.get<ReadingsImport>(`/api/v1/readings-imports/${encoded(words[0])}`);
      if (options.json) return terminal.out(jsonLines([one]));
      terminal.out(tableOf(IMPORTS, [one], terminal.columns));
      tellFaults(terminal, one.name ?? '', one.report?.faults ?? []);
    },
  );
  return command;
}

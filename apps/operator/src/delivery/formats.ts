/** `amiable format`: flat-file formats that are designed here (docs/delivery.md). */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { action, Ended } from '../action.ts';
import { type Column, jsonLines, tableOf } from '../table.ts';
import { encoded, type Fault, jsonFile, tellFaults } from './parts.ts';

interface Format {
  readonly name: string;
  readonly version: number;
  readonly definition: Record<string, unknown>;
  readonly changed: string;
  readonly by: string;
}
const FORMATS: readonly Column<Format>[] = [
  { name: 'name', of: (f) => f.name },
  { name: 'version', of: (f) => f.version, right: true },
  { name: 'changed', of: (f) => f.changed },
  { name: 'by', of: (f) => f.by, cut: true },
];

export function formatCommand(parent: Command): Command {
  const command = parent
    .command('format')
    .description('flat-file formats that you design: list, show, put, try, remove')
    .addHelpText(
      'after',
      `
Examples:
  amiable format put billing billing-format.json
  amiable format try billing                        a file of invented values in it
  amiable format try billing-format.json            the same of a definition that is not kept yet
  amiable format try billing --read file.csv        what a file says when it is read with it`,
    );
  action(
    command.command('list', { isDefault: true }).description('which there are'),
    async ({ client, terminal, options }) => {
      const { formats } = await client.get<{ formats: Format[] }>('/api/v1/formats');
      if (options.json) return terminal.out(jsonLines(formats));
      terminal.out(
        formats.length === 0
          ? 'There is no format yet; `amiable format put` makes one.\n'
          : tableOf(FORMATS, formats, terminal.columns),
      );
    },
  );
  action(
    command.command('show').description('its definition, as a file that can be put again').argument('<name>'),
    async ({ client, terminal, words }) => {
      const { definition } = await client.get<Format>(`/api/v1/formats/${encoded(words[0])}`);
      terminal.out(`${JSON.stringify(definition, null, 2)}\n`);
    },
  );
  action(
    command
      .command('put')
      .description('write one; earlier versions stay')
      .argument('<name>')
      .argument('<file>', 'JSON; - reads standard input'),
    async ({ client, terminal, words, options }) => {
      const put = await client.put<Format>(`/api/v1/formats/${encoded(words[0])}`, jsonFile(words[1]));
      terminal.out(options.json ? jsonLines([put]) : `Format ${put.name} is version ${put.version}.\n`);
    },
  );
  action<{ read?: string; quantity?: string; period?: string }>(
    command
      .command('try')
      .description('a file of invented values, or what a file says when it is read with it')
      .argument('<name>', 'name of a format, or a JSON file')
      .option('--read <file>', 'read this file; nothing is kept')
      .option('--period <seconds>', 'length of intervals where no column says it (900)')
      .option('--quantity <name>', 'of the invented values (energyImport)'),
    async ({ client, terminal, words, options }) => {
      const [name = ''] = words;
      const text = options.read === undefined ? undefined : readFileSync(options.read, 'utf8').slice(0, 500_000);
      const tried = await client.post<{ text?: string; rows?: Record<string, unknown>[]; faults?: Fault[] }>(
        '/api/v1/formats/try',
        {
          ...(/\.json$|^-$/.test(name) ? { definition: jsonFile(name) } : { name }),
          ...(options.quantity === undefined ? {} : { quantity: options.quantity }),
          ...(options.period === undefined ? {} : { period: Number(options.period) }),
          ...(text === undefined ? {} : { text }),
        },
      );
      if (options.json) return terminal.out(jsonLines([tried]));
      if (tried.text !== undefined) return terminal.out(tried.text);
      terminal.out(
        tableOf(
          ['line', 'meter', 'what', 'time', 'value', 'unit', 'quality'].map((one) => ({
            name: one,
            of: (row: Record<string, unknown>) => row[one] as string,
          })),
          tried.rows ?? [],
          terminal.columns,
        ),
      );
      tellFaults(terminal, options.read ?? '', tried.faults ?? []);
      if ((tried.faults ?? []).length > 0) throw new Ended(1);
    },
  );
  action(
    command.command('remove').description('take one away that no destination uses').argument('<name>'),
    async ({ client, words }) => {
      await client.delete(`/api/v1/formats/${encoded(words[0])}`);
    },
  );
  return command;
}

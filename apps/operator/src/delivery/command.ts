/** `amiable format`, `delivery`, `readings`, `command`: what goes to other systems and comes from them (docs/delivery.md, docs/commands.md). */
import { createReadStream, createWriteStream, readFileSync, statSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { sleep } from '@amiable/io';
import { harmless } from '@amiable/io/terminal';
import { type Command, Option } from 'commander';
import { createSecrets } from '../access/secret.ts';
import { action, Ended, UsageError } from '../action.ts';
import { ApiError, type Client } from '../client.ts';
import { type Column, factsOf, jsonLines, tableOf } from '../table.ts';

const encoded = (word: string | undefined): string => encodeURIComponent(word ?? '');

function jsonFile(file: string | undefined): Record<string, unknown> {
  if (file === undefined) throw new UsageError('which file? give a JSON file');
  try {
    const value: unknown = JSON.parse(readFileSync(file === '-' ? 0 : file, 'utf8'));
    if (value === null || typeof value !== 'object' || Array.isArray(value)) throw new Error('an object is wanted');
    return value as Record<string, unknown>;
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`);
  }
}

// ---------------------------------------------------------------- formats

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
interface Fault {
  readonly line: number;
  readonly column: number;
  readonly field?: string;
  readonly message: string;
}

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

function tellFaults(
  terminal: { err(text: string): void; readonly columns?: number | undefined },
  file: string,
  faults: readonly Fault[],
): void {
  for (const { line, column, field, message } of terminal.columns === undefined ? faults : faults.slice(0, 20))
    terminal.err(`${harmless(`${file}:${line}:${column}: ${field === undefined ? '' : `${field}: `}${message}`)}\n`);
}

// ---------------------------------------------------------------- deliveries

interface Destination {
  readonly name: string;
  readonly version: number;
  readonly enabled: boolean;
  readonly definition: {
    readonly where: Record<string, unknown>;
    readonly format: { kind: string; name?: string };
    readonly period: string;
  };
  readonly secrets: readonly string[];
}
interface Delivery {
  readonly id: string;
  readonly destination: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly meters: number;
  readonly rows: number;
  readonly corrected: number;
  readonly bytes: number;
  readonly state: string;
  readonly tries: number;
  readonly reason: string | null;
  readonly created: string;
  readonly sent: string | null;
}
const placeOf = ({ definition: { where } }: Destination): string =>
  where.kind === 'folder'
    ? String(where.folder)
    : where.kind === 'http'
      ? String(where.url)
      : `${where.user}@${where.host}:${where.port}/${where.folder}`;
const DESTINATIONS: readonly Column<Destination>[] = [
  { name: 'name', of: (d) => d.name },
  { name: 'kind', of: (d) => String(d.definition.where.kind) },
  { name: 'to', of: placeOf, cut: true },
  { name: 'format', of: (d) => d.definition.format.name ?? d.definition.format.kind },
  { name: 'period', of: (d) => d.definition.period },
  { name: 'secrets', of: (d) => d.secrets.join(', ') || 'none' },
  { name: 'enabled', of: (d) => (d.enabled ? 'yes' : 'no') },
];
const DELIVERIES: readonly Column<Delivery>[] = [
  { name: 'id', of: (d) => d.id, right: true },
  { name: 'destination', of: (d) => d.destination },
  { name: 'file', of: (d) => d.file, cut: true },
  { name: 'meters', of: (d) => d.meters, right: true },
  { name: 'values', of: (d) => d.rows, right: true },
  { name: 'changed', of: (d) => d.corrected, right: true },
  { name: 'state', of: (d) => d.state },
  { name: 'tries', of: (d) => d.tries, right: true },
  { name: 'why', of: (d) => d.reason, cut: true },
];

export function deliveryCommand(parent: Command): Command {
  const command = parent
    .command('delivery')
    .description(
      'meter data to other systems: destinations, destination, secret, run, list, show, file, resend, acknowledge, cancel',
    )
    .addHelpText(
      'after',
      `
Examples:
  amiable delivery destination billing billing.json       writes a destination; see docs/delivery.md
  amiable delivery secret billing password
  amiable delivery run billing --period "day -1"
  amiable task add delivery Nightly --every day --at 04:00 --param destination=billing
  amiable delivery list --state waiting
  amiable delivery file 17 -o sent.xml                    the very bytes that were sent`,
    );
  const shown = (client: Client, id: string | undefined): Promise<Delivery> =>
    client.get<Delivery>(`/api/v1/deliveries/${encoded(id)}`);

  action(
    command.command('destinations').description('where meter data are delivered'),
    async ({ client, terminal, options }) => {
      const { destinations } = await client.get<{ destinations: Destination[] }>('/api/v1/destinations');
      if (options.json) return terminal.out(jsonLines(destinations));
      terminal.out(
        destinations.length === 0
          ? 'There is no destination yet; `amiable delivery destination NAME FILE` makes one.\n'
          : tableOf(DESTINATIONS, destinations, terminal.columns),
      );
    },
  );
  action<{ remove?: boolean }>(
    command
      .command('destination')
      .description('show one, or write it from a JSON file')
      .argument('<name>')
      .argument('[file]', 'JSON; - reads standard input')
      .option('--remove', 'take it away with its secrets'),
    async ({ client, terminal, words, options }) => {
      const path = `/api/v1/destinations/${encoded(words[0])}`;
      if (options.remove) {
        await client.delete(path);
        return;
      }
      const one =
        words[1] === undefined
          ? await client.get<Destination>(path)
          : await client.put<Destination>(path, jsonFile(words[1]));
      if (options.json) return terminal.out(jsonLines([one]));
      if (words[1] === undefined)
        terminal.out(`${JSON.stringify({ enabled: one.enabled, ...one.definition }, null, 2)}\n`);
      else terminal.out(tableOf(DESTINATIONS, [one], terminal.columns));
    },
  );
  action<{ take?: boolean }>(
    command
      .command('secret')
      .description('set a secret of a destination, asked for without echo or read from standard input')
      .argument('<name>')
      .addArgument(command.createArgument('<which>').choices(['password', 'private-key', 'passphrase', 'token']))
      .option('--take', 'take it away'),
    async ({ client, terminal, words, options }) => {
      const [name, which = ''] = words;
      const secret = options.take ? null : await secretOf(which);
      const { secrets } = await client.put<Destination>(`/api/v1/destinations/${encoded(name)}/secrets`, {
        [which]: secret,
      });
      terminal.out(`Set: ${secrets.join(', ') || 'none'}\n`);
    },
  );
  action<{ period?: string; from?: string; to?: string; send: boolean }>(
    command
      .command('run')
      .description('make a file now and send it')
      .argument('<destination>')
      .option('--period <period>', 'such as "day -1", instead of the destination’s')
      .option('--from <time>', 'ISO 8601 with zone')
      .option('--to <time>')
      .option('--no-send', 'make it; it goes with the next turn'),
    async ({ client, terminal, words, options }) => {
      const { period, from, to, send } = options;
      const { delivery } = await client.post<{ delivery: Delivery | null }>(
        `/api/v1/destinations/${encoded(words[0])}/deliveries`,
        {
          ...(period === undefined ? {} : { period }),
          ...(from === undefined ? {} : { from }),
          ...(to === undefined ? {} : { to }),
          send,
        },
      );
      if (options.json) return terminal.out(jsonLines([{ delivery }]));
      if (!delivery) return terminal.out('There was nothing to send.\n');
      terminal.out(tableOf(DELIVERIES, [delivery], terminal.columns));
      if (delivery.state === 'refused' || delivery.state === 'failed') throw new Ended(1);
    },
  );
  action<{ destination?: string; state?: string; limit: string }>(
    command
      .command('list', { isDefault: true })
      .description('what was made and sent, the newest first')
      .option('--destination <name>')
      .option('--state <state>', 'waiting, sent, acknowledged, refused, failed …')
      .option('--limit <n>', 'at most', '100'),
    async ({ client, terminal, options }) => {
      const { deliveries } = await client.get<{ deliveries: Delivery[] }>('/api/v1/deliveries', {
        destination: options.destination,
        state: options.state,
        limit: options.limit,
      });
      if (options.json) return terminal.out(jsonLines(deliveries));
      terminal.out(
        deliveries.length === 0 ? 'Nothing was delivered.\n' : tableOf(DELIVERIES, deliveries, terminal.columns),
      );
    },
  );
  action(
    command.command('show').description('one delivery').argument('<id>'),
    async ({ client, terminal, words, options }) => {
      const one = await shown(client, words[0]);
      terminal.out(
        options.json
          ? jsonLines([one])
          : factsOf(Object.entries(one).map(([name, value]): [string, string] => [name, String(value ?? '–')])),
      );
    },
  );
  action<{ output?: string }>(
    command
      .command('file')
      .description('the very bytes that were sent')
      .argument('<id>')
      .option('-o, --output <file>', 'where to (default: its own name here)'),
    async ({ client, terminal, words, options }) => {
      const one = await shown(client, words[0]);
      const output = options.output ?? basename(one.file);
      const response = await client.send('GET', `/api/v1/deliveries/${encoded(words[0])}/file`, {
        signal: terminal.signal,
      });
      if (!response.body) throw new ApiError(response.status, 'the answer has no body');
      const part = `${output}.part`;
      try {
        await pipeline(
          Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]),
          createWriteStream(part),
        );
        await rename(part, output);
      } catch (error) {
        await rm(part, { force: true });
        throw error;
      }
      terminal.err(`${output}: ${one.bytes} bytes\n`);
    },
  );
  const change = (
    name: string,
    description: string,
    body: (options: { refuse?: boolean; reason?: string }) => object,
  ): void => {
    const sub = command.command(name).description(description).argument('<id>');
    if (name === 'acknowledge') sub.option('--refuse', 'the other system does not take it').option('--reason <text>');
    action<{ refuse?: boolean; reason?: string }>(sub, async ({ client, terminal, words, options }) => {
      const one = await client.post<Delivery>(`/api/v1/deliveries/${encoded(words[0])}/${name}`, body(options));
      terminal.out(options.json ? jsonLines([one]) : tableOf(DELIVERIES, [one], terminal.columns));
    });
  };
  change('resend', 'send the same bytes once more', () => ({}));
  change('cancel', 'try one no more that waits', () => ({}));
  change('acknowledge', 'the other system took it, or refuses it', ({ refuse, reason }) => ({
    good: refuse !== true,
    ...(reason === undefined ? {} : { reason }),
  }));
  return command;
}

/** Typed without being shown, or all of standard input: a key has many lines. */
async function secretOf(which: string): Promise<string> {
  if (!process.stdin.isTTY) return readFileSync(0, 'utf8').replace(/\r?\n$/, '');
  const secrets = createSecrets();
  try {
    return await secrets.read(`${which}: `);
  } finally {
    secrets.close();
  }
}

// ---------------------------------------------------------------- readings

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

// ---------------------------------------------------------------- commands

interface Ordered {
  readonly id: string;
  readonly reference: string;
  readonly kind: string;
  readonly state: string;
  readonly sentence: string | null;
  readonly created: string;
  readonly result: Record<string, unknown> | null;
}
const COMMANDS: readonly Column<Ordered>[] = [
  { name: 'id', of: (c) => c.id, right: true },
  { name: 'reference', of: (c) => c.reference },
  { name: 'kind', of: (c) => c.kind },
  { name: 'state', of: (c) => c.state },
  { name: 'how it stands', of: (c) => c.sentence, cut: true },
];
const isOpen = ({ state }: Ordered): boolean => state === 'waiting' || state === 'running';

export function commandCommand(parent: Command): Command {
  const command = parent
    .command('command')
    .description('what other systems order: contract, tariff, read, parameter; send, status, cancel')
    .addHelpText(
      'after',
      `
Examples:
  amiable command send R-1 read meter=6970631401753985 set=billing --wait
  amiable command send C-7 tariff point=707057500000000001 product=grid tariff=day-night from=2026-12-01
  amiable command status R-1`,
    );
  action<{ wait?: boolean }>(
    command
      .command('send')
      .description('order one')
      .argument('<reference>', 'your own: the same one is carried out once')
      .argument('<kind>', 'contract, tariff, read or parameter')
      .argument('[words...]', 'name=value, see docs/commands.md')
      .option('--wait', 'until it has ended'),
    async ({ client, terminal, words, options }) => {
      const [reference = '', kind = '', ...pairs] = words;
      const given = Object.fromEntries(
        pairs.map((pair) => {
          const at = pair.indexOf('=');
          if (at < 1) throw new UsageError(`${pair}: write NAME=VALUE`);
          return [pair.slice(0, at), pair.slice(at + 1)];
        }),
      );
      let one = await client.post<Ordered>('/api/v1/commands', { reference, kind, ...given });
      while (options.wait && isOpen(one) && !terminal.signal.aborted) {
        await sleep(terminal.clock, 1000);
        one = await client.get<Ordered>(`/api/v1/commands/${one.id}`);
      }
      tell(one, options.json === true, terminal);
    },
  );
  action(
    command.command('status').description('the newest, or one by its number or your reference').argument('[which]'),
    async ({ client, terminal, words, options }) => {
      const [which] = words;
      const { commands } = await client.get<{ commands: Ordered[] }>(
        '/api/v1/commands',
        which === undefined ? {} : { reference: which },
      );
      if (which === undefined)
        return terminal.out(
          options.json
            ? jsonLines(commands)
            : commands.length === 0
              ? 'Nothing was ordered.\n'
              : tableOf(COMMANDS, commands, terminal.columns),
        );
      tell(
        commands[0] ?? (await client.get<Ordered>(`/api/v1/commands/${encoded(which)}`)),
        options.json === true,
        terminal,
      );
    },
  );
  action(
    command.command('cancel').description('call one off that was not begun').argument('<id>'),
    async ({ client, terminal, words, options }) => {
      tell(await client.delete<Ordered>(`/api/v1/commands/${encoded(words[0])}`), options.json === true, terminal);
    },
  );
  return command;
}

function tell(
  one: Ordered,
  json: boolean,
  terminal: { out(text: string): void; readonly columns?: number | undefined },
): void {
  if (json) terminal.out(jsonLines([one]));
  else {
    terminal.out(tableOf(COMMANDS, [one], terminal.columns));
    if (one.result)
      for (const line of JSON.stringify(one.result, null, 2).split('\n')) terminal.out(`${harmless(line)}\n`);
  }
  if (one.state === 'failed' || one.state === 'refused') throw new Ended(1);
}

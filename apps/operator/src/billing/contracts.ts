/** `amiable contract`: which tariff holds for a product at a metering point, from when to when. */
import { type Command, Option } from 'commander';
import { action, UsageError } from '../action.ts';
import { nodeIdOf } from '../named.ts';
import { jsonLines, tableOf } from '../table.ts';
import { MOST_ROWS } from './read.ts';

interface Contract {
  readonly id: string;
  readonly code: string;
  readonly product: string;
  readonly tariff: string;
  readonly cycle: string;
  readonly reference: string | null;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly from: string;
  readonly to: string | null;
  readonly replacedAt: string | null;
}
interface Fields {
  readonly product?: string;
  readonly tariff?: string;
  readonly from?: string;
  readonly to?: string;
  readonly reference?: string;
  readonly cycle?: string;
  readonly day?: string;
  readonly parameter?: readonly string[];
}

const columns = [
  { name: 'contract', of: (c: Contract) => c.id, right: true },
  { name: 'point', of: (c: Contract) => c.code },
  { name: 'product', of: (c: Contract) => c.product },
  { name: 'tariff', of: (c: Contract) => c.tariff, cut: true },
  { name: 'cycle', of: (c: Contract) => c.cycle },
  { name: 'from', of: (c: Contract) => c.from },
  { name: 'to', of: (c: Contract) => c.to },
  { name: 'reference', of: (c: Contract) => c.reference, cut: true },
];

function parametersOf(words: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const [name, value, ...more] = word.split('=');
      if (!name || !value || more.length > 0)
        throw new UsageError(`${word}: write NAME=NUMBER, such as contractedPower=4.6`);
      return [name, value];
    }),
  );
}
const point = async (client: Parameters<typeof nodeIdOf>[0], word = ''): Promise<string> =>
  (await nodeIdOf(client, /^\d+$/.test(word) || word.includes(':') ? word : `metering-point:${word}`)) as string;

export function contractCommand(program: Command): Command {
  const contract = program.command('contract').description('contracts: tariffs at metering points over time');
  const fields = (command: Command): Command =>
    command
      .requiredOption('--tariff <name>')
      .requiredOption('--from <day>', 'first local day: 2027-01-01')
      .option('--to <day>', 'the day after the last')
      .option('--reference <text>', 'its number elsewhere')
      .addOption(new Option('--cycle <how>', 'how often it is billed').choices(['month', 'quarter', 'year', 'dates']))
      .option('--day <number>', 'day of the month on which its periods begin, 1 to 28')
      .option(
        '--parameter <name=number>',
        'what the tariff asks of the customer; may be given again',
        (word, all: string[] = []) => [...all, word],
      );
  const body = (o: Fields): Record<string, unknown> => ({
    tariff: o.tariff,
    from: o.from,
    ...(o.to === undefined ? {} : { to: o.to }),
    ...(o.reference === undefined ? {} : { reference: o.reference }),
    ...(o.cycle === undefined ? {} : { cycle: o.cycle }),
    ...(o.day === undefined ? {} : { cycleDay: Number(o.day) }),
    ...(o.parameter === undefined ? {} : { parameters: parametersOf(o.parameter) }),
  });

  action<{ point?: string; product?: string; tariff?: string; all?: boolean }>(
    contract
      .command('list')
      .description('contracts')
      .option('--point <point>', 'code or number of a metering point')
      .option('--product <name>')
      .option('--tariff <name>')
      .option('--all', 'also what was found wrong or ended by another'),
    async ({ client, terminal, options }) => {
      const rows: Contract[] = [];
      const query = {
        limit: 1000,
        product: options.product,
        tariff: options.tariff,
        replaced: options.all ? 'true' : undefined,
        meteringPoint: options.point === undefined ? undefined : await point(client, options.point),
      };
      for await (const page of client.pages<{ contracts: Contract[]; next: string | null }>(
        '/api/v1/contracts',
        query,
      )) {
        rows.push(...page.contracts);
        if (rows.length >= MOST_ROWS) break;
      }
      terminal.out(options.json ? jsonLines(rows) : tableOf(columns, rows, terminal.columns));
    },
  );

  action<Fields>(
    fields(
      contract
        .command('put')
        .description('write a contract down; an open one of the same product ends where it begins')
        .argument('<point>', 'code or number of a metering point')
        .argument('<product>', 'supply, grid …'),
    ),
    async ({ client, terminal, words, options }) => {
      const made = await client.post<Contract>('/api/v1/contracts', {
        meteringPoint: await point(client, words[0]),
        product: words[1],
        ...body(options),
      });
      terminal.out(options.json ? jsonLines([made]) : tableOf(columns, [made], terminal.columns));
    },
  );

  action<{ to?: string }>(
    contract
      .command('end')
      .description('end a contract')
      .argument('<id>')
      .requiredOption('--to <day>', 'the day after the last'),
    async ({ client, terminal, words, options }) => {
      const ended = await client.post<Contract>(`/api/v1/contracts/${words[0]}/end`, { to: options.to });
      terminal.out(options.json ? jsonLines([ended]) : tableOf(columns, [ended], terminal.columns));
    },
  );

  action<{ reason?: string }>(
    contract
      .command('remove')
      .description('say that a contract never was; what was billed stays')
      .argument('<id>')
      .requiredOption('--reason <text>'),
    async ({ client, terminal, words, options }) => {
      await client.post(`/api/v1/contracts/${words[0]}/correct`, { reason: options.reason });
      if (!options.json) terminal.out(`contract ${words[0]} never was: ${options.reason}\n`);
    },
  );
  return contract;
}

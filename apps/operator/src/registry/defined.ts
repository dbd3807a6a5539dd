/** `amiable registry types, attributes, groups, multipliers, summary, person`: what is defined, counted, and known of people. */
import type { Command } from 'commander';
import { action, UsageError } from '../action.ts';
import { type Column, factsOf, jsonLines, tableOf } from '../table.ts';
import { short } from './show.ts';
import { conditionOf, fieldsOf, find, findNode, type NodeJson, timeOf } from './words.ts';

interface TypeJson {
  readonly name: string;
  readonly maker: string | null;
  readonly description: string | null;
  readonly medium: string;
  readonly readout: string | null;
  readonly registerNames: Readonly<Record<string, string>>;
}
interface DefinitionJson {
  readonly object: string;
  readonly name: string;
  readonly type: string;
  readonly description: string | null;
  readonly required: boolean;
  readonly lowest: number | null;
  readonly highest: number | null;
  readonly choices: readonly string[];
  readonly searchable: boolean;
}
interface GroupJson {
  readonly name: string;
  readonly description: string | null;
  readonly selection: Readonly<Record<string, unknown>> | null;
  readonly members: number;
}
interface RatioJson {
  readonly id: string;
  readonly kind: string;
  readonly primary: number;
  readonly secondary: number;
  readonly from: string;
  readonly to: string | null;
  readonly replacedAt: string | null;
}
interface CountsJson {
  readonly code?: string;
  readonly name?: string | null;
  readonly planned: number;
  readonly new: number;
  readonly installed: number;
  readonly removed: number;
  readonly lost: number;
  readonly silent: number;
  readonly failed: number | null;
}

const one = (path: string, name: string): string => `${path}/${encodeURIComponent(name)}`;
/** `1-0:1.8.0=Import` names registers; the rest are fields. */
function typeFields(words: readonly string[]): Record<string, unknown> {
  const names = words.filter((word) => /^\d+-\d+:/.test(word));
  const rest = fieldsOf(words.filter((word) => !names.includes(word)));
  if (names.length === 0) return rest;
  return {
    ...rest,
    registerNames: Object.fromEntries(
      names.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]),
    ),
  };
}

export function definedCommands(parent: Command): void {
  types(parent.command('types').description('types of meters: list, show, add, set, remove'));
  attributes(parent.command('attributes').description('user-defined attributes: list, add, remove'));
  groups(parent.command('groups').description('groups of meters: list, add, members, remove'));
  multipliers(parent);
  summary(parent);
  person(parent);
}

function types(command: Command): void {
  const PATH = '/api/v1/meter-types';
  const columns: readonly Column<TypeJson>[] = [
    { name: 'type', of: (t) => t.name },
    { name: 'maker', of: (t) => t.maker, cut: true },
    { name: 'medium', of: (t) => t.medium },
    { name: 'read-out set', of: (t) => t.readout ?? t.name, cut: true },
    { name: 'description', of: (t) => t.description, cut: true },
  ];
  const facts = (t: TypeJson): string =>
    factsOf([
      ['type', t.name],
      ['maker', t.maker],
      ['medium', t.medium],
      ['read-out set', t.readout ?? t.name],
      ['description', t.description],
      ...Object.entries(t.registerNames),
    ]);
  action(
    command.command('list', { isDefault: true }).description('which there are'),
    async ({ client, terminal, options }) => {
      const { types: all } = await client.get<{ types: TypeJson[] }>(PATH);
      terminal.out(options.json ? jsonLines(all) : tableOf(columns, all, terminal.columns));
    },
  );
  action(
    command.command('show').description('one, with its registers’ names').argument('<name>'),
    async ({ client, terminal, words, options }) => {
      const type = await client.get<TypeJson>(one(PATH, words[0] ?? ''));
      terminal.out(options.json ? jsonLines([type]) : facts(type));
    },
  );
  for (const [name, what] of [
    ['add', 'a new one'],
    ['set', 'change one'],
  ] as const)
    action(
      command
        .command(name)
        .description(what)
        .argument('<name>')
        .argument('[fields...]', 'maker=, description=, medium=, readout=, and names of registers: 1-0:1.8.0=Import'),
      async ({ client, terminal, words, options }) => {
        const [type = '', ...fields] = words;
        const made = await (name === 'add'
          ? client.post<TypeJson>(PATH, { name: type, ...typeFields(fields) })
          : client.patch<TypeJson>(one(PATH, type), typeFields(fields)));
        terminal.out(options.json ? jsonLines([made]) : facts(made));
      },
    );
  action(
    command.command('remove').description('delete one that no meter is of').argument('<name>'),
    async ({ client, words }) => {
      await client.delete(one(PATH, words[0] ?? ''));
    },
  );
}

function attributes(command: Command): void {
  const PATH = '/api/v1/attributes';
  const columns: readonly Column<DefinitionJson>[] = [
    { name: 'of', of: (d) => d.object },
    { name: 'attribute', of: (d) => d.name },
    { name: 'type', of: (d) => d.type },
    { name: 'required', of: (d) => (d.required ? 'yes' : '') },
    { name: 'searchable', of: (d) => (d.searchable ? 'yes' : '') },
    {
      name: 'bounds',
      of: (d) =>
        d.choices.length > 0 ? d.choices.join(', ') : `${d.lowest ?? ''}…${d.highest ?? ''}`.replace(/^…$/, ''),
      cut: true,
    },
    { name: 'description', of: (d) => d.description, cut: true },
  ];
  action<{ object?: string }>(
    command
      .command('list', { isDefault: true })
      .description('which there are')
      .option('--object <kind>', 'meter or a kind of node'),
    async ({ client, terminal, options }) => {
      const { attributes: all } = await client.get<{ attributes: DefinitionJson[] }>(PATH, { object: options.object });
      terminal.out(options.json ? jsonLines(all) : tableOf(columns, all, terminal.columns));
    },
  );
  action<{
    required?: boolean;
    searchable?: boolean;
    lowest?: string;
    highest?: string;
    choices?: string;
    description?: string;
  }>(
    command
      .command('add')
      .description('define one')
      .argument('<object>', 'meter or a kind of node')
      .argument('<name>')
      .argument('<type>', 'text, number, boolean, date or choice')
      .option('--required', 'nothing is saved without it')
      .option('--searchable', 'with an index of its own')
      .option('--lowest <n>', 'of a number, or of the length of a text')
      .option('--highest <n>', 'of a number, or of the length of a text')
      .option('--choices <list>', 'a,b,c')
      .option('--description <words>'),
    async ({ client, terminal, words, options }) => {
      const [object, name, type] = words;
      const made = await client.post<DefinitionJson>(PATH, {
        object,
        name,
        type,
        ...(options.required ? { required: true } : {}),
        ...(options.searchable ? { searchable: true } : {}),
        ...(options.lowest === undefined ? {} : { lowest: Number(options.lowest) }),
        ...(options.highest === undefined ? {} : { highest: Number(options.highest) }),
        ...(options.choices === undefined ? {} : { choices: options.choices.split(',').map((c) => c.trim()) }),
        ...(options.description === undefined ? {} : { description: options.description }),
      });
      terminal.out(options.json ? jsonLines([made]) : tableOf(columns, [made], terminal.columns));
    },
  );
  action(
    command.command('remove').description('delete one that no object has').argument('<object>').argument('<name>'),
    async ({ client, words }) => {
      await client.delete(`${one(PATH, words[0] ?? '')}/${encodeURIComponent(words[1] ?? '')}`);
    },
  );
}

function groups(command: Command): void {
  const PATH = '/api/v1/meter-groups';
  const columns: readonly Column<GroupJson>[] = [
    { name: 'group', of: (g) => g.name },
    {
      name: 'meters',
      of: (g) => (g.selection !== null ? 'by selection' : g.members > 10_000 ? 'more than 10,000' : g.members),
      right: true,
    },
    { name: 'selection', of: (g) => g.selection && JSON.stringify(g.selection), cut: true },
    { name: 'description', of: (g) => g.description, cut: true },
  ];
  action(
    command.command('list', { isDefault: true }).description('which there are'),
    async ({ client, terminal, options }) => {
      const all: GroupJson[] = [];
      for await (const page of client.pages<{ groups: GroupJson[]; next: string | null }>(PATH, { limit: 1000 }))
        all.push(...page.groups);
      terminal.out(options.json ? jsonLines(all) : tableOf(columns, all, terminal.columns));
    },
  );
  action<{ under?: string; description?: string }>(
    command
      .command('add')
      .description('a list (add meters later), or with conditions a selection')
      .argument('<name>')
      .argument('[conditions...]', 'such as maker=Kaifa')
      .option('--under <object>', 'those under this node')
      .option('--description <words>'),
    async ({ client, terminal, words, options }) => {
      const [name = '', ...rest] = words;
      const where = rest.flatMap((word) => conditionOf(word) ?? []);
      const q = rest.filter((word) => conditionOf(word) === undefined).join(' ');
      const under = options.under === undefined ? undefined : (await findNode(client, options.under)).id;
      const selected = where.length > 0 || q !== '' || under !== undefined;
      const made = await client.post<GroupJson>(PATH, {
        name,
        ...(options.description === undefined ? {} : { description: options.description }),
        ...(selected
          ? {
              selection: {
                ...(q === '' ? {} : { q }),
                ...(where.length > 0 ? { where } : {}),
                ...(under === undefined ? {} : { under }),
              },
            }
          : {}),
      });
      terminal.out(options.json ? jsonLines([made]) : tableOf(columns, [made], terminal.columns));
    },
  );
  action<{ add?: string[]; remove?: string[] }>(
    command
      .command('members')
      .description('add meters to a list, take them out; `search --group` shows them')
      .argument('<name>')
      .option('--add <serials...>', 'serial numbers')
      .option('--remove <serials...>', 'serial numbers'),
    async ({ client, terminal, words, options }) => {
      const ids = async (serials: readonly string[] = []): Promise<string[]> => {
        const out: string[] = [];
        for (const serial of serials) {
          const found = await find(client, `meter:${serial}`);
          if (found.what === 'meter') out.push(found.entry.id);
        }
        return out;
      };
      const done = await client.post<{ added: number; removed: number }>(`${one(PATH, words[0] ?? '')}/members`, {
        add: await ids(options.add),
        remove: await ids(options.remove),
      });
      if (options.json) return terminal.out(jsonLines([done]));
      terminal.err(`${done.added} added, ${done.removed} taken out.\n`);
    },
  );
  action(
    command.command('remove').description('delete one; the meters stay').argument('<name>'),
    async ({ client, words }) => {
      await client.delete(one(PATH, words[0] ?? ''));
    },
  );
}

function multipliers(parent: Command): void {
  const columns: readonly Column<RatioJson>[] = [
    { name: 'ratio', of: (r) => r.id, right: true },
    { name: 'transformers', of: (r) => r.kind },
    { name: 'primary/secondary', of: (r) => `${r.primary}/${r.secondary}`, right: true },
    { name: 'from', of: (r) => short(r.from) },
    { name: 'to', of: (r) => short(r.to) ?? 'now' },
  ];
  action<{ from?: string; at?: string; end?: string }>(
    parent
      .command('multipliers')
      .description('ratios of current and voltage transformers at a metering point')
      .argument('<object>', 'point:CODE')
      .argument('[ratios...]', 'current=600/5, voltage=22000/110: hold from now, or --from')
      .option('--from <time>', 'since when (default: now)')
      .option('--end <kind>', 'no transformers of this kind any more: current or voltage')
      .option('--at <time>', 'by what values of that time are multiplied'),
    async ({ client, terminal, words, options }) => {
      const [object = '', ...ratios] = words;
      const node = await findNode(client, object);
      if (node.kind !== 'metering-point') throw new UsageError(`${object} is no metering point`);
      const base = `/api/v1/metering-points/${node.id}`;
      const from = timeOf(options.from);
      for (const word of ratios) {
        const found = /^(current|voltage)=(\d{1,10})\/(\d{1,10})$/.exec(word);
        if (!found) throw new UsageError(`${word}: give current=600/5 or voltage=22000/110`);
        await client.post(`${base}/ratios`, {
          kind: found[1],
          primary: Number(found[2]),
          secondary: Number(found[3]),
          ...(from === undefined ? {} : { from }),
        });
      }
      if (options.end !== undefined)
        await client.post(`${base}/ratios/end`, { kind: options.end, ...(from === undefined ? {} : { to: from }) });
      const { ratios: all } = await client.get<{ ratios: RatioJson[] }>(`${base}/ratios`);
      const now = await client.get<{ at: string; numerator: string; denominator: string; multiplier: number }>(
        `${base}/multiplier`,
        { at: timeOf(options.at) },
      );
      if (options.json) return terminal.out(jsonLines([{ ratios: all, multiplier: now }]));
      if (all.length > 0) terminal.out(tableOf(columns, all, terminal.columns));
      terminal.out(
        `Values are multiplied by ${now.denominator === '1' ? now.numerator : `${now.numerator}/${now.denominator}`} (${short(now.at)}).\n`,
      );
    },
  );
}

function summary(parent: Command): void {
  const columns: readonly Column<CountsJson>[] = [
    { name: 'where', of: (c) => (c.code === undefined ? 'all' : c.name ? `${c.code} ${c.name}` : c.code), cut: true },
    ...(['planned', 'new', 'installed', 'lost', 'silent', 'failed', 'removed'] as const).map((name) => ({
      name,
      of: (c: CountsJson) => c[name]?.toLocaleString('en') ?? null,
      right: true,
    })),
  ];
  action<{ by: string; under?: string; days: string }>(
    parent
      .command('summary')
      .description('new, installed, lost and failed meters by region')
      .option('--by <kind>', 'region, substation, transformer, feeder or concentrator', 'region')
      .option('--under <object>', 'below this node')
      .option('--days <n>', 'lost: not heard for so many days', '2'),
    async ({ client, terminal, options }) => {
      const under = options.under === undefined ? undefined : (await findNode(client, options.under)).id;
      const found = await client.get<{ total: CountsJson; below: CountsJson[] }>('/api/v1/registry/summary', {
        by: options.by,
        under,
        days: options.days,
      });
      terminal.out(
        options.json ? jsonLines([found]) : tableOf(columns, [...found.below, found.total], terminal.columns),
      );
    },
  );
}

interface PersonJson {
  readonly customer: string | null;
  readonly account: string | null;
  readonly address: string | null;
  readonly contact: string | null;
  readonly erasedAt: string | null;
}
function person(parent: Command): void {
  const facts = (node: NodeJson, p: PersonJson): string =>
    factsOf([
      ['premises', node.code],
      ['customer', p.customer],
      ['account', p.account],
      ['address', p.address],
      ['contact', p.contact],
      ['erased', short(p.erasedAt) ?? undefined],
    ]);
  action<{ customer?: string; account?: string; address?: string }>(
    parent
      .command('person')
      .description('personal data of premises; the look is written to the audit log')
      .argument('[object]', 'premises:CODE')
      .argument('[fields...]', 'customer=, account=, address=, contact=: changes them')
      .option('--customer <words>', 'find by words that the name begins with')
      .option('--account <words>', 'find by the account')
      .option('--address <words>', 'find by words that the address begins with'),
    async ({ client, terminal, words, options }) => {
      const { customer, account, address } = options;
      const asked = Object.fromEntries(
        Object.entries({ customer, account, address }).filter(([, value]) => value !== undefined),
      );
      if (Object.keys(asked).length > 0) {
        const { premises } = await client.post<{ premises: { node: NodeJson; personal: PersonJson }[] }>(
          '/api/v1/premises/search',
          asked,
        );
        if (options.json) return terminal.out(jsonLines(premises));
        return terminal.out(premises.map((p) => facts(p.node, p.personal)).join('\n') || 'Nobody is found.\n');
      }
      const [object, ...fields] = words;
      if (object === undefined) throw new UsageError('give premises:CODE, or --customer, --account or --address');
      const node = await findNode(client, object);
      if (node.kind !== 'premises') throw new UsageError(`${object} is no premises`);
      const path = `/api/v1/premises/${node.id}/personal`;
      if (fields.length > 0) await client.patch(path, fieldsOf(fields));
      const found = await client.get<PersonJson>(path);
      terminal.out(options.json ? jsonLines([found]) : facts(node, found));
    },
  );
}

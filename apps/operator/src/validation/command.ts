/** `amiable validation`: rule sets, runs, and what they found. */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { action, UsageError } from '../action.ts';
import { factsOf, jsonLines, tableOf } from '../table.ts';
import { exceptionCommands } from './exceptions.ts';
import { runCommand } from './run.ts';

interface RuleSet {
  readonly name: string;
  readonly description: string | null;
  readonly isDefault: boolean;
  readonly version: number;
  readonly definition: {
    readonly rules: {
      readonly for?: Readonly<Record<string, readonly string[]>>;
      readonly profile?: readonly Rule[];
      readonly periodic?: readonly Rule[];
    };
    readonly estimation?: Readonly<Record<string, unknown>>;
  };
  readonly changedAt: string | null;
  readonly changedBy: string | null;
  readonly versions?: readonly {
    readonly version: number;
    readonly changedAt: string;
    readonly changedBy: string;
    readonly reason: string | null;
  }[];
}
type Rule = Readonly<Record<string, unknown>> & { readonly name: string; readonly check: string };

const NAMED = new Set(['name', 'check', 'severity', 'action', 'group', 'enabled', 'note']);
const whom = ({ rules }: RuleSet['definition']): string =>
  Object.entries(rules.for ?? {})
    .filter(([, names]) => names.length > 0)
    .map(([what, names]) => `${what} ${names.join(', ')}`)
    .join('; ');
const rest = (rule: Rule): string =>
  Object.entries(rule)
    .filter(([name]) => !NAMED.has(name))
    .map(([name, value]) => `${name} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
    .join(', ');

async function read(file: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}`);
  }
  try {
    const found: unknown = JSON.parse(text);
    if (typeof found === 'object' && found !== null && !Array.isArray(found)) return found as Record<string, unknown>;
  } catch (error) {
    throw new UsageError(`${file} is no JSON: ${(error as Error).message}`);
  }
  throw new UsageError(`${file}: an object is wanted: { "rules": { "profile": [ … ] } }`);
}

/** Rules alone, or what goes with them too. */
const bodyOf = (found: Record<string, unknown>): Record<string, unknown> =>
  'rules' in found ? found : { rules: found };

const path = (name: string): string => `/api/v1/validation/rules/${encodeURIComponent(name)}`;

export function validationCommand(program: Command): Command {
  const command = program
    .command('validation')
    .description('check and complete what meters sent: rule sets, runs, exceptions');
  const rules = command.command('rules').description('rule sets: what is looked for, and for whom');
  action(
    rules.command('list', { isDefault: true }).description('those there are'),
    async ({ client, terminal, options }) => {
      const { ruleSets } = await client.get<{ ruleSets: RuleSet[] }>('/api/v1/validation/rules');
      if (options.json) return terminal.out(jsonLines(ruleSets));
      terminal.out(
        tableOf(
          [
            { name: 'name', of: (s) => s.name, cut: true },
            { name: 'version', of: (s) => s.version, right: true },
            { name: 'default', of: (s) => (s.isDefault ? 'yes' : '') },
            {
              name: 'rules',
              of: (s) => (s.definition.rules.profile?.length ?? 0) + (s.definition.rules.periodic?.length ?? 0),
              right: true,
            },
            { name: 'for', of: (s) => whom(s.definition) || (s.isDefault ? 'all others' : ''), cut: true },
            { name: 'by', of: (s) => s.changedBy },
          ],
          ruleSets,
          terminal.columns,
        ),
      );
    },
  );
  action(
    rules.command('show').description('one rule set with its rules and versions').argument('<name>'),
    async ({ client, terminal, words: [name = ''], options }) => {
      const set =
        name === 'given'
          ? (await client.get<{ ruleSets: RuleSet[] }>('/api/v1/validation/rules')).ruleSets.find(
              (s) => s.name === name,
            )
          : await client.get<RuleSet>(path(name));
      if (!set) throw new UsageError(`there is no rule set ${name}`);
      if (options.json) return terminal.out(jsonLines([set]));
      terminal.out(
        factsOf([
          ['name', set.name],
          ['for', whom(set.definition) || (set.isDefault ? 'all others' : '–')],
          ['version', set.version],
          ['estimation', JSON.stringify(set.definition.estimation ?? {})],
        ]),
      );
      const all = [...(set.definition.rules.profile ?? []), ...(set.definition.rules.periodic ?? [])];
      terminal.out(
        `\n${tableOf(
          [
            { name: 'rule', of: (r: Rule) => r.name, cut: true },
            { name: 'check', of: (r) => r.check },
            { name: 'severity', of: (r) => String(r.severity ?? 'warning') },
            { name: 'action', of: (r) => String(r.action ?? 'unchanged') },
            { name: 'group', of: (r) => (r.group === undefined ? '' : String(r.group)) },
            { name: 'with', of: rest, cut: true },
          ],
          all,
          terminal.columns,
        )}`,
      );
      for (const v of set.versions ?? [])
        terminal.out(`version ${v.version}: ${v.changedAt} ${v.changedBy}${v.reason ? `: ${v.reason}` : ''}\n`);
    },
  );
  action(
    rules
      .command('shipped')
      .description('rule sets that come with the program, to begin with: their names, or one as a file for `put`')
      .argument('[name]'),
    async ({ client, terminal, words: [name] }) => {
      const { shipped } = await client.get<{ shipped: { rules: { name: string; note?: string } }[] }>(
        '/api/v1/validation/rules',
      );
      if (name === undefined) {
        for (const { rules: one } of shipped) terminal.out(`${one.name}: ${one.note ?? ''}\n`);
        return;
      }
      const found = shipped.find(({ rules: one }) => one.name === name);
      if (!found) throw new UsageError(`${name} is none of ${shipped.map(({ rules: one }) => one.name).join(', ')}`);
      terminal.out(`${JSON.stringify(found, null, 2)}\n`);
    },
  );
  action<{ default?: boolean; description?: string; reason?: string }>(
    rules
      .command('put')
      .description('make a rule set of a JSON file, or change it')
      .argument('<name>')
      .argument('<file>', 'rules, or { "rules": …, "estimation": … }')
      .option('--default', 'holds where no other fits')
      .option('--description <text>', 'for people')
      .option('--reason <text>', 'why, for the list of versions'),
    async ({ client, terminal, words: [name = '', file = ''], options }) => {
      const set = await client.put<RuleSet>(path(name), {
        ...bodyOf(await read(file)),
        ...(options.default ? { isDefault: true } : {}),
        ...(options.description === undefined ? {} : { description: options.description }),
        ...(options.reason === undefined ? {} : { reason: options.reason }),
      });
      terminal.out(options.json ? jsonLines([set]) : `rule set ${set.name}, version ${set.version}\n`);
    },
  );
  action(
    rules.command('remove').description('take a rule set away; its versions stay').argument('<name>'),
    async ({ client, terminal, words: [name = ''], options }) => {
      await client.delete(path(name));
      if (!options.json) terminal.out('Taken away.\n');
    },
  );
  action(
    command
      .command('check')
      .description('whether a rule set in a file could be kept; says what is wrong and keeps nothing')
      .argument('<file>'),
    async ({ client, terminal, words: [file = ''], options }) => {
      const { rules: only, estimation } = bodyOf(await read(file));
      const found = await client.post<{ rules: number }>('/api/v1/validation/rules/check', {
        rules: only,
        ...(estimation === undefined ? {} : { estimation }),
      });
      terminal.out(options.json ? jsonLines([found]) : `${found.rules} rules, nothing is wrong with them.\n`);
    },
  );
  runCommand(command);
  exceptionCommands(command);
  return command;
}

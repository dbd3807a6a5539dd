/** `amiable group`, `segment`, `token` and `audit`. */
import type { Command } from 'commander';
import { action, UsageError } from '../action.ts';
import { meterIdsOf } from '../named.ts';
import { factsOf, jsonLines, tableOf } from '../table.ts';
import { type Group, gather, groupsOf, idOf, type Segment, scopeOf, segmentsOf, userOf } from './names.ts';

interface Privileged {
  readonly privilege?: string[];
  readonly description?: string;
  readonly name?: string;
}

export function groupCommand(parent: Command): Command {
  const command = parent
    .command('group')
    .description('groups of users and their privileges: list, show, add, set, remove');
  action(
    command.command('list', { isDefault: true }).description('which there are'),
    async ({ client, terminal, options }) => {
      const groups = await groupsOf(client);
      if (options.json) return terminal.out(jsonLines(groups));
      terminal.out(
        tableOf<Group>(
          [
            { name: 'id', of: (g) => g.id, right: true },
            { name: 'name', of: (g) => g.name },
            { name: 'members', of: (g) => g.members, right: true },
            { name: 'privileges', of: (g) => g.privileges.length, right: true },
            { name: 'for', of: (g) => g.description, cut: true },
          ],
          groups,
          terminal.columns,
        ),
      );
    },
  );
  action(
    command.command('show').description('what members of a group may').argument('<group>'),
    async ({ client, terminal, words, options }) => {
      const groups = await groupsOf(client);
      const id = idOf('group', groups, words[0] as string);
      const group = groups.find((each) => each.id === id) as Group;
      if (options.json) return terminal.out(jsonLines([group]));
      terminal.out(
        factsOf([
          ['group', group.name],
          ['for', group.description],
          ['members', group.members],
        ]),
      );
      terminal.out(`${group.privileges.map((privilege) => `  ${privilege}`).join('\n')}\n`);
    },
  );
  const withPrivileges = (on: Command): Command =>
    on
      .option('-p, --privilege <privilege>', 'such as meter:view or execute:read-now; again for more', gather)
      .option('--description <text>', 'what it is for');
  action<Privileged>(
    withPrivileges(command.command('add').description('make a group').argument('<name>')),
    async ({ client, terminal, words, options }) => {
      const made = await client.post<Group>('/api/v1/groups', {
        name: words[0],
        description: options.description,
        privileges: options.privilege ?? [],
      });
      terminal.out(options.json ? jsonLines([made]) : `Group ${made.id}: ${made.name}.\n`);
    },
  );
  action<Privileged>(
    withPrivileges(
      command
        .command('set')
        .description('change a group; privileges given replace all there were')
        .argument('<group>')
        .option('--name <name>', 'another name'),
    ),
    async ({ client, terminal, words, options }) => {
      const id = idOf('group', await groupsOf(client), words[0] as string);
      const changed = await client.patch<Group>(`/api/v1/groups/${id}`, {
        name: options.name,
        description: options.description,
        privileges: options.privilege,
      });
      terminal.out(options.json ? jsonLines([changed]) : `Group ${changed.name} is changed.\n`);
    },
  );
  action(
    command.command('remove').description('delete a group').argument('<group>'),
    async ({ client, terminal, words }) => {
      await client.delete(`/api/v1/groups/${idOf('group', await groupsOf(client), words[0] as string)}`);
      terminal.err(`The group ${words[0]} is deleted.\n`);
    },
  );
  return command;
}

export function segmentCommand(parent: Command): Command {
  const command = parent.command('segment').description('segments of the data: list, add, rename, move, remove');
  action(
    command.command('list', { isDefault: true }).description('which you see'),
    async ({ client, terminal, options }) => {
      const segments = await segmentsOf(client);
      if (options.json) return terminal.out(jsonLines(segments));
      terminal.out(
        tableOf<Segment>(
          [
            { name: 'id', of: (s) => s.id, right: true },
            { name: 'name', of: (s) => s.name },
            { name: 'meters', of: (s) => s.meters, right: true },
            { name: 'for', of: (s) => s.description, cut: true },
          ],
          segments,
          terminal.columns,
        ),
      );
    },
  );
  action<{ description?: string }>(
    command
      .command('add')
      .description('make a segment')
      .argument('<name>')
      .option('--description <text>', 'what it is for'),
    async ({ client, terminal, words, options }) => {
      const made = await client.post<Segment>('/api/v1/segments', { name: words[0], description: options.description });
      terminal.out(options.json ? jsonLines([made]) : `Segment ${made.id}: ${made.name}.\n`);
    },
  );
  action(
    command.command('rename').description('give a segment another name').argument('<segment>').argument('<name>'),
    async ({ client, terminal, words }) => {
      const id = idOf('segment', await segmentsOf(client), words[0] as string);
      await client.patch(`/api/v1/segments/${id}`, { name: words[1] });
      terminal.err(`Segment ${id} is called ${words[1]} now.\n`);
    },
  );
  action(
    command
      .command('move')
      .description('put meters into a segment')
      .argument('<segment>')
      .argument('<meters...>', 'serial numbers, or numbers in the system'),
    async ({ client, terminal, words, options }) => {
      const id = idOf('segment', await segmentsOf(client), words[0] as string);
      const { moved } = await client.put<{ moved: number }>(`/api/v1/segments/${id}/meters`, {
        meters: await meterIdsOf(client, words.slice(1)),
      });
      terminal.out(options.json ? jsonLines([{ moved }]) : `${moved} of ${words.length - 1} meters moved.\n`);
    },
  );
  action(
    command.command('remove').description('delete a segment that nothing is in').argument('<segment>'),
    async ({ client, terminal, words }) => {
      await client.delete(`/api/v1/segments/${idOf('segment', await segmentsOf(client), words[0] as string)}`);
      terminal.err(`The segment ${words[0]} is deleted.\n`);
    },
  );
  return command;
}

interface Token {
  readonly id: string;
  readonly userName: string;
  readonly name: string;
  readonly privileges: readonly string[];
  readonly expiresAt: string | null;
  readonly lastUsed: string | null;
}
const day = (time: string | null): string | null => time?.slice(0, 10) ?? null;

export function tokenCommand(parent: Command): Command {
  const command = parent.command('token').description('tokens of programs: list, create, remove');
  action<{ all?: boolean; user?: string }>(
    command
      .command('list', { isDefault: true })
      .description('your own')
      .option('--all', 'of all users')
      .option('--user <name>', 'of one user'),
    async ({ client, terminal, options }) => {
      const tokens: Token[] = [];
      if (options.all || options.user !== undefined) {
        const user = options.user === undefined ? undefined : (await userOf(client, options.user)).id;
        for await (const page of client.pages<{ tokens: Token[]; next: string | null }>('/api/v1/tokens', {
          user,
          limit: 1000,
        }))
          tokens.push(...page.tokens);
      } else tokens.push(...(await client.get<{ tokens: Token[] }>('/api/v1/me/tokens')).tokens);
      if (options.json) return terminal.out(jsonLines(tokens));
      terminal.out(
        tableOf<Token>(
          [
            { name: 'id', of: (t) => t.id, right: true },
            { name: 'user', of: (t) => t.userName },
            { name: 'name', of: (t) => t.name },
            { name: 'ends', of: (t) => day(t.expiresAt) ?? 'never' },
            { name: 'last used', of: (t) => day(t.lastUsed) },
            { name: 'privileges', of: (t) => t.privileges.join(' '), cut: true },
          ],
          tokens,
          terminal.columns,
        ),
      );
    },
  );
  action<{ privilege?: string[]; segment?: string[]; days?: string; forever?: boolean }>(
    command
      .command('create')
      .description('make a token that acts for you; it is shown this once')
      .argument('<name>', 'what it is for')
      .requiredOption('-p, --privilege <privilege>', 'what it may, of what you may; again for more', gather)
      .option('-s, --segment <name>', 'segment it sees; again for more (default: yours)', gather)
      .option('--days <n>', 'when it ends (default: 365)')
      .option('--forever', 'it does not end'),
    async ({ client, terminal, words, options }) => {
      if (options.days !== undefined && !/^\d{1,4}$/.test(options.days))
        throw new UsageError(`--days ${options.days}: a number of days is wanted`);
      const segments = options.segment ? await scopeOf(client, options.segment) : 'all';
      const made = await client.post<Token & { token: string }>('/api/v1/tokens', {
        name: words[0],
        privileges: options.privilege,
        ...(segments === 'all' ? {} : { segments }),
        ...(options.forever ? { days: null } : options.days === undefined ? {} : { days: Number(options.days) }),
      });
      if (options.json) return terminal.out(jsonLines([made]));
      terminal.err(
        `Token ${made.id}, until ${day(made.expiresAt) ?? 'it is removed'}. Keep it now, it is shown this once:\n`,
      );
      terminal.out(`${made.token}\n`);
    },
  );
  action(command.command('remove').description('end a token').argument('<id>'), async ({ client, terminal, words }) => {
    const { tokens } = await client.get<{ tokens: Token[] }>('/api/v1/me/tokens');
    const own = tokens.some((token) => token.id === words[0]);
    await client.delete(`/api/v1/${own ? 'me/' : ''}tokens/${words[0]}`);
    terminal.err(`Token ${words[0]} has ended.\n`);
  });
  return command;
}

interface Entry {
  readonly id: string;
  readonly at: string;
  readonly who: string;
  readonly action: string;
  readonly object: string | null;
  readonly detail: unknown;
  readonly address: string | null;
}

export function auditCommand(parent: Command): Command {
  const command = parent
    .command('audit')
    .description('who changed or revealed what, newest first')
    .option('--user <name>', 'of one user')
    .option('--object <text>', 'such as "meter 7", or "meter*"')
    .option('--action <text>', 'such as log-in, or "DELETE*"')
    .option('--from <time>', 'ISO 8601, such as 2026-11-01T00:00:00Z')
    .option('--to <time>', 'likewise')
    .option('--limit <n>', 'how many', '50');
  return action<{ user?: string; object?: string; action?: string; from?: string; to?: string; limit: string }>(
    command,
    async ({ client, terminal, options }) => {
      if (!/^\d{1,6}$/.test(options.limit)) throw new UsageError(`--limit ${options.limit}: a number is wanted`);
      const user = options.user === undefined ? undefined : (await userOf(client, options.user)).id;
      const wanted = Number(options.limit);
      const found: Entry[] = [];
      for (let before: string | undefined; found.length < wanted; ) {
        const page = await client.get<{ audit: Entry[]; next: string | null }>('/api/v1/audit', {
          user,
          object: options.object,
          action: options.action,
          from: options.from,
          to: options.to,
          before,
          limit: Math.min(1000, wanted - found.length),
        });
        found.push(...page.audit);
        if (page.next === null) break;
        before = page.next;
      }
      if (options.json) return terminal.out(jsonLines(found));
      terminal.out(
        tableOf<Entry>(
          [
            { name: 'when', of: (e) => e.at.slice(0, 19).replace('T', ' ') },
            { name: 'who', of: (e) => e.who, cut: true },
            { name: 'what', of: (e) => e.action, cut: true },
            { name: 'object', of: (e) => e.object },
            { name: 'from', of: (e) => e.address },
            { name: 'detail', of: (e) => (e.detail === null ? null : JSON.stringify(e.detail)), cut: true },
          ],
          found,
          terminal.columns,
        ),
      );
    },
  );
}

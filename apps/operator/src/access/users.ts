/** `amiable user` and `amiable person`: users of the central system, and the erasure of what is kept of a person. */
import type { Command } from 'commander';
import { action, UsageError } from '../action.ts';
import { jsonLines, tableOf } from '../table.ts';
import { gather, groupIds, groupsOf, nameIn, scopeOf, segmentsOf, type User, userOf } from './names.ts';
import { createSecrets, newPassword, type Secrets } from './secret.ts';

interface Fields {
  readonly group?: string[];
  readonly segment?: string[];
  readonly language?: string;
  readonly set?: string[];
  readonly name?: string;
}

const withFields = (command: Command): Command =>
  command
    .option('-g, --group <name>', 'group the user is in; again for more', gather)
    .option('-s, --segment <name>', 'segment the user sees, or all; again for more', gather)
    .option('--language <tag>', 'such as nb')
    .option('--set <name=value>', 'attribute such as fullName="Kari Nordmann"; again for more', gather);

function attributesOf(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=');
      if (at < 1) throw new UsageError(`--set ${text}: NAME=VALUE is wanted`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

async function askPassword(secretsOf: () => Secrets, interactive: boolean): Promise<string> {
  const secrets = secretsOf();
  try {
    return await newPassword(secrets, interactive);
  } finally {
    secrets.close();
  }
}

export function userCommand(parent: Command, secretsOf: () => Secrets = createSecrets): Command {
  const command = parent
    .command('user')
    .description('users: list, add, set, password, disable, enable, logout, remove');

  action<{ search?: string }>(
    command
      .command('list', { isDefault: true })
      .description('who there is')
      .option('--search <text>', 'part of the name'),
    async ({ client, terminal, options }) => {
      const users: User[] = [];
      for await (const page of client.pages<{ users: User[]; next: string | null }>('/api/v1/users', {
        limit: 1000,
        q: options.search,
      }))
        users.push(...page.users);
      if (options.json) return terminal.out(jsonLines(users));
      const [groups, segments] = [await groupsOf(client).catch(() => []), await segmentsOf(client).catch(() => [])];
      terminal.out(
        tableOf<User>(
          [
            { name: 'id', of: (u) => u.id, right: true },
            { name: 'name', of: (u) => u.name },
            { name: 'groups', of: (u) => u.groups.map((id) => nameIn(groups, id)).join(', '), cut: true },
            {
              name: 'segments',
              of: (u) => (u.segments === 'all' ? 'all' : u.segments.map((id) => nameIn(segments, id)).join(', ')),
              cut: true,
            },
            { name: 'last log-in', of: (u) => u.lastLogin?.slice(0, 16).replace('T', ' ') },
            {
              name: 'state',
              of: (u) => (u.disabled ? 'disabled' : u.failed > 0 ? `${u.failed} wrong log-ins` : 'well'),
            },
          ],
          users,
          terminal.columns,
        ),
      );
    },
  );
  action<Fields & { noPassword?: boolean; password?: boolean }>(
    withFields(
      command
        .command('add')
        .description('make a user; the password is asked for, and has to be changed at the first log-in')
        .argument('<name>')
        .option('--no-password', 'a user who cannot log in: the owner of tokens'),
    ),
    async ({ client, terminal, words, options }) => {
      const [groups, segments] = [
        await groupIds(client, options.group ?? []),
        await scopeOf(client, options.segment ?? ['1']),
      ];
      const password = options.password === false ? undefined : await askPassword(secretsOf, terminal.interactive);
      const made = await client.post<User>('/api/v1/users', {
        name: words[0],
        groups,
        segments,
        password,
        language: options.language,
        ...(options.set ? { attributes: attributesOf(options.set) } : {}),
      });
      terminal.out(options.json ? jsonLines([made]) : `User ${made.id}: ${made.name}.\n`);
    },
  );
  action<Fields>(
    withFields(
      command
        .command('set')
        .description('change a user; groups, segments and attributes given replace all there were')
        .argument('<user>')
        .option('--name <name>', 'another name'),
    ),
    async ({ client, terminal, words, options }) => {
      const user = await userOf(client, words[0] as string);
      const changed = await client.patch<User>(`/api/v1/users/${user.id}`, {
        name: options.name,
        language: options.language,
        ...(options.group ? { groups: await groupIds(client, options.group) } : {}),
        ...(options.segment ? { segments: await scopeOf(client, options.segment) } : {}),
        ...(options.set ? { attributes: attributesOf(options.set) } : {}),
      });
      terminal.out(options.json ? jsonLines([changed]) : `User ${changed.id}: ${changed.name} is changed.\n`);
    },
  );
  action(
    command.command('password').description('give a user another password').argument('<user>'),
    async ({ client, terminal, words }) => {
      const user = await userOf(client, words[0] as string);
      const password = await askPassword(secretsOf, terminal.interactive);
      await client.patch(`/api/v1/users/${user.id}`, { password });
      terminal.err(`${user.name} logs in with it once, and then chooses another.\n`);
    },
  );
  for (const [word, does, disabled] of [
    ['disable', 'may not log in; sessions and tokens end at once', true],
    ['enable', 'may log in again', false],
  ] as const)
    action(command.command(word).description(does).argument('<user>'), async ({ client, terminal, words }) => {
      const user = await userOf(client, words[0] as string);
      await client.patch(`/api/v1/users/${user.id}`, { disabled });
      terminal.err(`${user.name} ${does}.\n`);
    });
  action(
    command.command('logout').description('end all sessions of a user').argument('<user>'),
    async ({ client, terminal, words }) => {
      const user = await userOf(client, words[0] as string);
      await client.post(`/api/v1/users/${user.id}/logout`, {});
      terminal.err(`${user.name} is logged out everywhere.\n`);
    },
  );
  action<{ yes?: boolean }>(
    command.command('remove').description('delete a user').argument('<user>').option('-y, --yes', 'do not ask'),
    async ({ client, terminal, words, options }) => {
      const user = await userOf(client, words[0] as string);
      if (
        !options.yes &&
        !(terminal.interactive && (await terminal.ask(`Delete ${user.name} with all tokens? [y/N] `)))
      )
        throw new UsageError('nothing was deleted; --yes does not ask');
      await client.delete(`/api/v1/users/${user.id}`);
      terminal.err(`${user.name} is deleted.\n`);
    },
  );
  return command;
}

export function personCommand(parent: Command): Command {
  const command = parent.command('person').description('what is kept of people: erase');
  action<{ yes?: boolean }>(
    command
      .command('erase')
      .description(
        'blank the personal data of a user or of premises; readings stay, under a number that leads to nobody',
      )
      .argument('<person>', 'user-7 or premises-7')
      .option('-y, --yes', 'do not ask'),
    async ({ client, terminal, words, options }) => {
      const person = words[0] as string;
      if (!/^(user|premises)-\d+$/.test(person)) throw new UsageError(`${person}: user-7 or premises-7 is wanted`);
      if (
        !options.yes &&
        !(
          terminal.interactive &&
          (await terminal.ask(`Erase the personal data of ${person}? It cannot be undone. [y/N] `))
        )
      )
        throw new UsageError('nothing was erased; --yes does not ask');
      await client.post(`/api/v1/persons/${person}/erase`, {});
      terminal.err(`${person} is erased. Backups made before still have it until they are let go.\n`);
    },
  );
  return command;
}

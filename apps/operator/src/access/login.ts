/** `amiable login`, `logout`, `password`, `whoami`: the session of this command line, kept as a token in a file of its owner's alone. */
import type { Command } from 'commander';
import { action, type Job, UsageError } from '../action.ts';
import { ApiError, type Client, createClient } from '../client.ts';
import { keepLogin } from '../login-file.ts';
import { factsOf } from '../table.ts';
import { createSecrets, newPassword, type Secrets } from './secret.ts';

interface Me {
  readonly name: string;
  readonly kind: string;
  readonly groups: readonly string[];
  readonly privileges: readonly string[];
  readonly segments: 'all' | readonly { readonly id: number; readonly name: string }[];
  readonly mustChangePassword: boolean;
  readonly firstNeeded: boolean;
  readonly session: { readonly endsAt: string } | null;
}

const HELP = `
The password is asked for, or taken as a line of standard input. It is never a word of the command line.

  amiable login anna
  amiable login --first K7QX-M2PD-7RTW-9HJK admin      makes the first administrator with the code that the start tells
  pass show amiable | amiable login anna --url https://amiable.example`;

type SecretsOf = () => Secrets;

async function withSecrets<T>(secretsOf: SecretsOf, work: (secrets: Secrets) => Promise<T>): Promise<T> {
  const secrets = secretsOf();
  try {
    return await work(secrets);
  } finally {
    secrets.close();
  }
}

/** A client without the token of an earlier log-in. */
const fresh = (client: Client): Client => createClient({ url: client.url, token: 'none' });

async function enter(client: Client, name: string, password: string): Promise<{ me: Me; token: string }> {
  const { token, ...me } = await fresh(client).post<Me & { token: string }>('/api/v1/login', {
    name,
    password,
    as: 'token',
  });
  keepLogin(client.url, { token, user: me.name });
  return { me, token };
}

async function change(client: Client, user: string, old: string, password: string): Promise<void> {
  const { token } = await client.put<{ token?: string }>('/api/v1/me/password', { old, password });
  if (token !== undefined) keepLogin(client.url, { token, user });
}

export function loginCommand(parent: Command, secretsOf: SecretsOf = createSecrets): Command {
  const command = parent
    .command('login')
    .description('log in at a central system; other commands then act as this user')
    .argument('<name>')
    .option('--first <code>', 'make this the first administrator')
    .addHelpText('after', HELP);
  return action<{ first?: string }>(command, ({ client, terminal, words, options }) =>
    withSecrets(secretsOf, async (secrets) => {
      const name = words[0] as string;
      let password: string;
      if (options.first === undefined) password = await secrets.read(`Password of ${name}: `);
      else {
        password = await newPassword(secrets, terminal.interactive);
        await fresh(client).post('/api/v1/first', { code: options.first, name, password });
      }
      const { me, token } = await enter(client, name, password);
      if (me.mustChangePassword) {
        terminal.err('This password was given by somebody else; choose one of your own.\n');
        const own = await newPassword(secrets, terminal.interactive);
        await change(createClient({ url: client.url, token }), me.name, password, own);
      }
      if (options.json) terminal.out(`${JSON.stringify({ url: client.url, name: me.name, groups: me.groups })}\n`);
      else terminal.out(`Logged in at ${client.url} as ${me.name} (${me.groups.join(', ') || 'no group'}).\n`);
    }),
  );
}

export function logoutCommand(parent: Command): Command {
  const command = parent
    .command('logout')
    .description('end the session of this command line')
    .option('--everywhere', 'all sessions of the user, in browsers too');
  return action<{ everywhere?: boolean }>(command, async ({ client, terminal, options }) => {
    try {
      if (client.token !== undefined) await client.post('/api/v1/logout', { everywhere: options.everywhere === true });
    } finally {
      // Also when the server is away: the file is ours.
      keepLogin(client.url, undefined);
    }
    terminal.err(`Logged out at ${client.url}.\n`);
  });
}

export function passwordCommand(parent: Command, secretsOf: SecretsOf = createSecrets): Command {
  const command = parent.command('password').description('change your own password; ends your other sessions');
  return action(command, ({ client, terminal }) =>
    withSecrets(secretsOf, async (secrets) => {
      const me = await client.get<Me>('/api/v1/me');
      if (me.kind !== 'user') throw new UsageError('log in first with `amiable login`');
      const old = await secrets.read('Old password: ');
      await change(client, me.name, old, await newPassword(secrets, terminal.interactive));
      terminal.err('The password is changed; other sessions have ended.\n');
    }),
  );
}

export function whoamiCommand(parent: Command): Command {
  return action(parent.command('whoami').description('who you are there, and what you may'), show);
}

async function show({ client, terminal, options }: Job<object>): Promise<void> {
  const me = await client.get<Me>('/api/v1/me');
  if (options.json) return terminal.out(`${JSON.stringify(me)}\n`);
  if (me.kind === 'guest' && client.token !== undefined)
    throw new ApiError(401, 'the session of this command line has ended; log in with `amiable login`');
  terminal.out(
    factsOf([
      ['server', client.url],
      ['name', me.name],
      ['groups', me.groups.join(', ')],
      ['segments', me.segments === 'all' ? 'all' : me.segments.map((s) => s.name).join(', ')],
      ['session ends', me.session?.endsAt],
      ['privileges', me.privileges.join(' ')],
    ]),
  );
}

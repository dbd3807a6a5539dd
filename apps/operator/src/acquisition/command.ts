/** `amiable connection`: how meters are reached, their secrets (written, never shown), and how their reading went last. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { action, UsageError } from '../action.ts';
import type { Client } from '../client.ts';
import { meterOf } from '../named.ts';
import { type Column, factsOf, jsonLines, tableOf } from '../table.ts';

interface State {
  readonly tried: string;
  readonly read: string | null;
  readonly outcome: string;
  readonly reason: string | null;
  readonly failures: number;
  readonly deviation: number | null;
  readonly stranger: string | null;
}
interface Connection {
  readonly meter: string;
  readonly serial: string;
  readonly protocol: string;
  readonly address: string;
  readonly transport: string;
  readonly readout: string;
  readonly channel?: string;
  readonly secrets: readonly string[];
  readonly state: State | null;
}

const seconds = (ms: number | null | undefined): string | null =>
  ms === null || ms === undefined ? null : `${(ms / 1000).toFixed(1)} s`;

const COLUMNS: readonly Column<Connection>[] = [
  { name: 'meter', of: (c) => c.meter, right: true },
  { name: 'serial', of: (c) => c.serial },
  { name: 'address', of: (c) => c.address },
  { name: 'read-out', of: (c) => c.readout },
  { name: 'last read', of: (c) => c.state?.read?.slice(0, 16).replace('T', ' ') },
  { name: 'went', of: (c) => c.state?.outcome },
  { name: 'clock', of: (c) => seconds(c.state?.deviation), right: true },
  { name: 'reason', of: (c) => c.state?.stranger ?? c.state?.reason, cut: true },
];
const NUMBERS = ['client', 'server', 'physical', 'suite'] as const;
const SECRETS = ['password', 'unicast-key', 'authentication-key', 'client-title', 'server-title'] as const;

const path = async (client: Client, meter: string | undefined): Promise<string> =>
  `/api/v1/meters/${(await meterOf(client, meter ?? '')).id}/connection`;

interface SetOptions {
  readonly protocol: string;
  readonly transport?: string;
  readonly readout: string;
  readonly [name: string]: string | boolean | undefined;
}

export function connectionCommand(parent: Command): Command {
  const command = parent.command('connection').description('how meters are reached, and how their reading went last');
  action<{ channel?: string; outcome?: string; q?: string; limit: string }>(
    command
      .command('list', { isDefault: true })
      .description('connections')
      .option('--channel <name>', 'of this channel')
      .option('--outcome <word>', 'whose last reading went so: done, partial, failed, unreachable, refused, stranger')
      .option('--q <words>', 'part of serial number, name, place or address')
      .option('--limit <n>', 'so many at most', '100'),
    async ({ client, terminal, options }) => {
      const { channel, outcome, q } = options;
      const most = Number(options.limit);
      if (!Number.isInteger(most) || most < 1) throw new UsageError('--limit: a whole number from 1 is needed');
      const query = { channel, outcome, q, limit: Math.min(1000, most) };
      const rows: Connection[] = [];
      for await (const page of client.pages<{ connections: Connection[]; next: string | null }>(
        '/api/v1/connections',
        query,
      )) {
        rows.push(...page.connections);
        if (rows.length >= most) break;
      }
      const shown = rows.slice(0, most);
      terminal.out(options.json ? jsonLines(shown) : tableOf(COLUMNS, shown, terminal.columns));
    },
  );
  action(
    command.command('show').description('one of them').argument('<meter>', 'serial number, or number in the system'),
    async ({ client, terminal, words, options }) => {
      const connection = await client.get<Connection>(await path(client, words[0]));
      if (options.json) return terminal.out(jsonLines([connection]));
      const { state, secrets, ...rest } = connection;
      terminal.out(
        factsOf([
          ...(Object.entries(rest) as [string, string | number | boolean][]),
          ['secrets', secrets.join(', ') || 'none'],
          ['last tried', state?.tried ?? null],
          ['last read', state?.read ?? null],
          ['went', state?.outcome ?? null],
          ['reason', state?.reason ?? null],
          ['clock deviation', seconds(state?.deviation)],
        ]),
      );
    },
  );
  action<SetOptions>(
    command
      .command('set')
      .description('set how a meter is reached; its secrets stay')
      .argument('<meter>', 'serial number, or number in the system')
      .argument('<address>', 'tcp://host:port, tls://host:port, modem:NUMBER, or via:METER')
      .option('--protocol <name>', 'dlms or iec62056-21', 'dlms')
      .option('--transport <name>', 'wrapper, hdlc or iec; wrapper for dlms unless given')
      .option('--readout <set>', 'the read-out set: what is read of it', 'amiable-virtual')
      .option('--referencing <LN|SN>', 'logical or short names')
      .option('--client <n>', 'wPort or HDLC address of the client')
      .option('--server <n>', 'wPort or upper HDLC address of the logical device')
      .option('--physical <n>', 'lower HDLC address')
      .option('--authentication <name>', 'none, low, gmac or sha256')
      .option('--suite <n>', 'security suite')
      .option('--device-address <text>', 'of IEC 62056-21')
      .option('--channel <name>', 'whose windows and limits hold')
      .option('--identity <text>', 'what the meter must say of itself; its serial number unless given'),
    async ({ client, terminal, words, options }) => {
      const body: Record<string, unknown> = {
        address: words[1],
        transport: options.transport ?? (options.protocol === 'dlms' ? 'wrapper' : 'iec'),
      };
      for (const name of [
        'protocol',
        'readout',
        'referencing',
        'authentication',
        'deviceAddress',
        'channel',
        'identity',
      ])
        if (options[name] !== undefined) body[name] = options[name];
      for (const name of NUMBERS) {
        if (options[name] === undefined) continue;
        body[name] = Number(options[name]);
        if (!Number.isInteger(body[name]))
          throw new UsageError(`--${name} ${String(options[name])}: a whole number is needed`);
      }
      const connection = await client.put<Connection>(await path(client, words[0]), body);
      if (options.json) terminal.out(jsonLines([connection]));
    },
  );
  action<{ remove?: boolean }>(
    command
      .command('secret')
      .description('set a password or key; it is read from standard input, so that it stands in no history and no list')
      .argument('<meter>', 'serial number, or number in the system')
      .argument('<name>', SECRETS.join(', '))
      .option('--remove', 'take it away'),
    async ({ client, words, options }) => {
      const name = words[1] ?? '';
      if (!(SECRETS as readonly string[]).includes(name)) throw new UsageError(`${name}: ${SECRETS.join(', ')}`);
      const text = options.remove ? null : readFileSync(0, 'utf8').replace(/\r?\n$/, '');
      if (text === '') throw new UsageError('nothing came on standard input: pipe the secret in, or use --remove');
      await client.put(`${await path(client, words[0])}/secrets`, { [name]: text });
    },
  );
  action(
    command
      .command('remove')
      .description('take one away, with its secrets')
      .argument('<meter>', 'serial number, or number in the system'),
    async ({ client, words }) => {
      await client.delete(await path(client, words[0]));
    },
  );
  return command;
}

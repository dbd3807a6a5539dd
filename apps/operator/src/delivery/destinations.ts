/** `amiable delivery destination`, `destinations`, `secret`: where meter data go (docs/delivery.md). */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { createSecrets } from '../access/secret.ts';
import { action } from '../action.ts';
import { type Column, jsonLines, tableOf } from '../table.ts';
import { encoded, jsonFile } from './parts.ts';

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

export function destinationCommands(command: Command): void {
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

/** `amiable delivery`: files of meter data to other systems, and what became of them (docs/delivery.md). */
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { action, Ended } from '../action.ts';
import { ApiError, type Client } from '../client.ts';
import { type Column, factsOf, jsonLines, tableOf } from '../table.ts';
import { destinationCommands } from './destinations.ts';
import { encoded } from './parts.ts';

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

  destinationCommands(command);
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
        deliveries.length === 0
          ? options.destination === undefined && options.state === undefined
            ? 'Nothing was delivered.\n'
            : 'There is no such delivery.\n'
          : tableOf(DELIVERIES, deliveries, terminal.columns),
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

/** `amiable command`: what other systems order (docs/commands.md). */
import { sleep } from '@amiable/io';
import { harmless } from '@amiable/io/terminal';
import type { Command } from 'commander';
import { action, Ended, UsageError } from '../action.ts';
import { type Column, jsonLines, tableOf } from '../table.ts';
import { encoded } from './parts.ts';

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

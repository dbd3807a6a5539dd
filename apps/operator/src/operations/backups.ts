/** `amiable backups`: what the server keeps of itself. (`amiable backup FILE` writes one here and now, without a server.) */
import type { Command } from 'commander';
import { action, Ended } from '../action.ts';
import type { Client } from '../client.ts';
import { createBar } from '../progress.ts';
import { type Column, jsonLines, tableOf } from '../table.ts';

interface Backup {
  readonly name: string;
  readonly takenAt: number;
  readonly bytes: number;
  readonly rows: number;
  readonly seconds: number;
  readonly restored: { readonly at: number; readonly seconds: number; readonly fault: string | null } | null;
}
interface State {
  readonly folder: string;
  readonly underWay: { readonly what: string; readonly bytes: number } | null;
  readonly fault: string | null;
  readonly backups: readonly Backup[];
}

const LIST = '/api/v1/backups';
const PAUSE = 500;

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
const COLUMNS: readonly Column<Backup>[] = [
  { name: 'backup', of: (b) => b.name },
  { name: 'size', of: (b) => megabytes(b.bytes), right: true },
  { name: 'rows', of: (b) => b.rows.toLocaleString('en'), right: true },
  { name: 'took', of: (b) => `${b.seconds.toFixed(1)} s`, right: true },
  {
    name: 'restore tried',
    of: (b) => (b.restored === null ? 'no' : (b.restored.fault ?? `good, ${b.restored.seconds.toFixed(1)} s`)),
    cut: true,
  },
];

export function backupsCommand(parent: Command): Command {
  const command = parent.command('backups').description('the backups that the server keeps of itself');
  action(
    command.command('list', { isDefault: true }).description('which there are'),
    async ({ client, terminal, options }) => {
      const state = await client.get<State>(LIST);
      if (options.json) return terminal.out(jsonLines(state.backups));
      if (state.backups.length === 0)
        terminal.out(`There is no backup in ${state.folder} yet; \`amiable backups now\` makes one.\n`);
      else terminal.out(tableOf(COLUMNS, state.backups, terminal.columns));
      if (state.underWay) terminal.err(`A ${state.underWay.what} is under way.\n`);
      if (state.fault !== null) terminal.err(`The last one failed: ${state.fault}\n`);
    },
  );
  action<{ check: boolean }>(
    command.command('now').description('make one').option('--no-check', 'without trying its restore'),
    async ({ client, terminal, options }) => {
      await client.post(LIST, { check: options.check });
      await follow(client, terminal, options.json === true);
    },
  );
  action(
    command.command('check').description('try the restore of one').argument('<name>', 'as the list names it'),
    async ({ client, terminal, words, options }) => {
      await client.post(`${LIST}/${encodeURIComponent(words[0] ?? '')}/check`);
      await follow(client, terminal, options.json === true);
    },
  );
  action(
    command.command('remove').description('take one away').argument('<name>', 'as the list names it'),
    async ({ client, words }) => {
      await client.delete(`${LIST}/${encodeURIComponent(words[0] ?? '')}`);
    },
  );
  return command;
}

async function follow(client: Client, terminal: Parameters<typeof createBar>[0], json: boolean): Promise<void> {
  const bar = createBar(terminal);
  for (;;) {
    const state = await client.get<State>(LIST);
    if (state.underWay === null || terminal.signal.aborted) {
      bar.clear();
      if (state.fault !== null) {
        terminal.err(`amiable: ${state.fault}\n`);
        throw new Ended(1);
      }
      terminal.out(
        json ? jsonLines(state.backups.slice(0, 1)) : tableOf(COLUMNS, state.backups.slice(0, 1), terminal.columns),
      );
      return;
    }
    bar.set(Math.round(state.underWay.bytes / 1e6), undefined, `MB, ${state.underWay.what}`);
    await new Promise((resolve) => terminal.clock.after(PAUSE, () => resolve(undefined)));
  }
}

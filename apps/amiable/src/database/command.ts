/** `amiable backup`, `amiable restore` and `amiable reprocess`: the database as a whole. */
import { existsSync, statSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { databaseOf } from './open.ts';
import { serverUrl } from './url.ts';

interface Where {
  readonly data: string;
  readonly databaseUrl?: string;
}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

const rows = (tables: readonly { readonly rows: number }[]): number => tables.reduce((n, table) => n + table.rows, 0);

const say = (text: string): void => {
  process.stderr.write(text);
};

function withDatabase(command: Command): Command {
  return command
    .option('--data <folder>', 'data folder of the embedded database', './data')
    .addOption(
      new Option('--database-url <url>', 'a PostgreSQL server in place of the embedded one')
        .env('DATABASE_URL')
        .argParser(serverUrl),
    );
}

/** Shows how far a long copy has come, on a terminal only. */
function meter(verb: string): (progress: { readonly table: string; readonly bytes: number }) => void {
  if (!process.stderr.isTTY) return () => {};
  return ({ table, bytes }) => say(`\r${verb}  ${mebibytes(bytes).padStart(12)}  ${table.padEnd(30)}`);
}

export function backupCommand(program: Command): void {
  withDatabase(program.command('backup').description('write the whole database into one file'))
    .argument('<file>', 'where to; an older file of this name stays until the new one is complete')
    .addHelpText(
      'after',
      '\nWorks while Amiable runs. Keys of meters are inside as they are kept: sealed. Keep data/master-key too, elsewhere.\n',
    )
    .action(async (file: string, where: Where) => {
      const { backup } = await import('@amiable/store');
      const database = await databaseOf(where);
      try {
        const result = await backup({ url: database.url, file, now: new Date(), progress: meter('backing up') });
        say(
          `${process.stderr.isTTY ? '\r' : ''}${file}: ${mebibytes(statSync(file).size)}, ${result.tables.length} tables, ${rows(result.tables)} rows\n`,
        );
      } finally {
        await database.close();
      }
    });
}

export function restoreCommand(program: Command): void {
  withDatabase(program.command('restore').description('fill an empty database from a backup'))
    .argument('<file>', 'a file that `amiable backup` wrote')
    .option('--force', 'replace what the database holds')
    .action(async (file: string, where: Where & { force?: boolean }) => {
      if (!existsSync(file)) throw new Error(`there is no file ${file}`);
      const { restore } = await import('@amiable/store');
      const database = await databaseOf(where, 'alone');
      try {
        const result = await restore({
          url: database.url,
          file,
          force: where.force ?? false,
          progress: meter('restoring'),
        });
        say(
          `${process.stderr.isTTY ? '\r' : ''}restored what was backed up at ${result.takenAt}: ${rows(result.tables)} rows\n`,
        );
      } finally {
        await database.close();
      }
    });
}

export function reprocessCommand(program: Command): void {
  withDatabase(
    program.command('reprocess').description('decode messages that were kept until their key or meter is known'),
  )
    .option(
      '-k, --key <[id=]hex>',
      'a key to try; again for more',
      (value: string, before: string[]) => [...before, value],
      [],
    )
    .option(
      '--auth-key <[id=]hex>',
      'its authentication key',
      (value: string, before: string[]) => [...before, value],
      [],
    )
    .addHelpText(
      'after',
      '\nKeys given on the page or to `amiable start` are tried by themselves. A key given here with its meter (ID=HEX) is kept, sealed.\n',
    )
    .action(async (options: Where & { key: string[]; authKey: string[] }) => {
      const { reprocess } = await import('./reprocess.ts');
      const { reprocessed, left } = await reprocess(options);
      say(`${reprocessed} kept messages were read and stored; ${left} are still kept\n`);
    });
}

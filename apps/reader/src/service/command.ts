/** The subcommand `reader`: its options and help. What it does is in run.ts, loaded when the command is used. */
import type { Command } from 'commander';

const gather = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value];

const MORE = `
Without a configuration it opens a set-up page at http://127.0.0.1:8090/ and prints a one-time code for it.
The configuration is a file of NAME=VALUE lines; see docs/reader.md for the names. Every name may also stand in the
environment (port.1.device is AMIABLE_PORT_1_DEVICE) or be given with --set.

Examples:
  amiable reader --data /var/lib/amiable                     config.txt and spool in that folder
  amiable reader --set port.device=/dev/ttyUSB0 --set mqtt.host=broker.example

Messages are on disk before anything else is done with them; they stay until every uplink has handed them on.
Ctrl-C or SIGTERM ends it, SIGHUP reads the configuration anew.`;

export function readerCommand(parent: Command): Command {
  const command = parent
    .command('reader')
    .description('read ports for ever: keep every message on disk until brokers and servers have it')
    .option('--data <folder>', 'folder of configuration and spool', './reader-data')
    .option('--config <file>', 'configuration (default: config.txt in the folder)')
    .option('--set <name=value>', 'one setting, before those of the file; again for more', gather)
    .addHelpText('after', MORE);
  command.action(async (options: { data: string; config?: string; set?: string[] }, self: Command) => {
    const [{ machineIo }, { runReader }] = await Promise.all([import('../machine.ts'), import('./run.ts')]);
    const io = machineIo();
    try {
      process.exitCode = await runReader(
        { ...options, dataGiven: self.getOptionValueSource('data') === 'cli' },
        io,
        process.env,
      );
    } finally {
      io.release();
    }
  });
  return command;
}

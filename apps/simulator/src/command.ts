/**
 * The subcommand `simulate`: names of its options and their help. What they may be is in options.ts, what they do in
 * run.ts, both loaded when the command is used.
 */
import { type Command, CommanderError } from 'commander';
import type { SimulateOptions } from './options.ts';

const EXAMPLES = `
Examples:
  amiable simulate han | amiable read -f - --json          a Kaifa MA304H3E, now, at 2400 baud
  amiable simulate han --model Aidon-6525 --to pty         prints the path that "amiable read -d" opens
  amiable simulate han --to tcp:7700 --encrypt             the keys to read it are printed
  amiable simulate han --fast --from 2026-10-25T00:00:00Z --duration 4h --to autumn.dat --truth autumn.json
  amiable simulate han --fast --duration 1d --hex --noise flip=0.02,cut=0.01,join=0.02 > damaged.hex

Models: MA105H2E, MA304H3E, MA304H4, MA304T3, MA304T4, MA304H4-SE (Kaifa), Aidon-6515, Aidon-6525, Aidon-6534,
Aidon-6534-SE, Kamstrup-6861, Kamstrup-6841.
The same seed is the same meter: serial number, household, weather, keys. stdout carries the meter's bytes only.`;

/** Adds the subcommand; returns it so that tests can look at it. */
export function simulateCommand(parent: Command): Command {
  const command = parent.command('simulate').description('be a meter that is not there');
  command
    .command('han')
    .description("one virtual HAN meter: what a household's meter sends on its customer port")
    .optionsGroup('The meter:')
    .option('--model <name>', 'see below', 'MA304H3E')
    .option('--seed <number>', 'which meter and household', '1')
    .option('--serial <digits>', 'its number (from the seed when not given)')
    .option('--car', 'the household has an electric car')
    .option('--solar', 'its roof has solar panels')
    .option('--tz <zone>', "time zone of the meter's clock", 'Europe/Oslo')
    .option('--list <numbers>', 'only these lists, e.g. 1 or 2,3 (1: power, 2: with voltages, 3: with registers)')
    .optionsGroup('Security:')
    .option('--encrypt', 'cipher with keys of its own, which are printed')
    .option('-k, --key <hex>', 'cipher with this encryption key, 32 hex digits')
    .option('--auth-key <hex>', 'and authenticate with this key')
    .optionsGroup('When:')
    .option('--from <time>', 'what its clock says at the start, ISO 8601 (now when not given)')
    .option('--duration <time>', 'how long, e.g. 90s, 10m, 2h, 7d (until stopped; with --fast 1h)')
    .option('--fast', 'do not wait: all at once')
    .optionsGroup('Where to:')
    .option('--to <where>', 'stdout, a file, tcp:[HOST:]PORT to listen on, pty or pty:PATH', 'stdout')
    .option('--baud <baud>', 'speed of the line, 300 to 115200', '2400')
    .option('-P, --parity <parity>', "N, E or O; decides the time that a character takes (the model's when not given)")
    .option('--hex', 'hex text, a frame a line')
    .option('--truth <file>', 'write the canonical messages that were put in, one JSON a line')
    .optionsGroup('A bad line:')
    .option('--noise <rates>', 'damage frames at these rates: drop=, flip=, duplicate=, cut=, join=')
    .option('--noise-seed <number>', 'which damage', '1')
    .addHelpText('after', EXAMPLES)
    .action(async (given: Record<string, unknown>, self: Command) => {
      const [{ simulateOptions }, { runSimulator, machineOutput }] = await Promise.all([
        import('./options.ts'),
        import('./run.ts'),
      ]);
      let options: SimulateOptions;
      try {
        options = simulateOptions(given);
      } catch (error) {
        if (!(error instanceof CommanderError)) throw error;
        // Commander tells only what it has refused itself.
        return self.error(`amiable simulate: ${error.message}`, { exitCode: 2 });
      }
      const stop = new AbortController();
      const end = (): void => stop.abort();
      process.once('SIGINT', end);
      process.once('SIGTERM', end);
      try {
        await runSimulator(options, await machineOutput(options, stop), stop.signal);
      } finally {
        process.off('SIGINT', end);
        process.off('SIGTERM', end);
      }
    });
  return command;
}

/** The subcommand `simulate p1`: names of its options and their help. */
import { type Command, CommanderError } from 'commander';

const EXAMPLES = `
Examples:
  amiable simulate p1 | amiable read -f - --json           a DSMR 5 meter, now, a telegram a second
  amiable simulate p1 --model emucs --to pty               prints the path that "amiable read -d" opens
  amiable simulate p1 --model luxembourg --to tcp:7710     ciphered; the keys to read it are printed
  amiable simulate p1 --fast --from 2026-10-25T00:00:00Z --duration 3h --to autumn.txt --truth autumn.json
  amiable simulate p1 --channels gas,water,heat --message "No power on 3 June" --noise flip=0.02,cut=0.01

Models: dsmr2 (9600 7E1, no check sum), dsmr4, dsmr5 (Netherlands), emucs (Belgium: peaks), luxembourg (ciphered), swedish.
The same seed is the same meter: number, household, weather, power failures, keys. docs/p1.md tells more.`;

export function p1Command(simulate: Command): void {
  simulate
    .command('p1')
    .description("one virtual P1 meter: what a household's meter sends on its customer port")
    .optionsGroup('The meter:')
    .option('--model <name>', 'see below', 'dsmr5')
    .option('--seed <number>', 'which meter and household', '1')
    .option('--tz <zone>', "time zone of the meter's clock (the model's when not given)")
    .option('--channels <media>', "meters on its M-Bus: gas, water, heat, or none (the model's when not given)")
    .option('--message <text>', 'shown to the customer')
    .option('--car', 'the household has an electric car')
    .option('--solar', 'its roof has solar panels')
    .optionsGroup('Security (luxembourg):')
    .option(
      '-k, --key <hex>',
      'cipher with this encryption key, 32 hex digits (its own, which is printed, when not given)',
    )
    .option('--auth-key <hex>', 'and authenticate with this key')
    .optionsGroup('When:')
    .option('--from <time>', 'what its clock says at the start, ISO 8601 (now when not given)')
    .option('--duration <time>', 'how long, e.g. 90s, 10m, 2h, 7d (until stopped; with --fast 10m)')
    .option('--fast', 'do not wait: all at once')
    .optionsGroup('Where to:')
    .option('--to <where>', 'stdout, a file, tcp:[HOST:]PORT to listen on, pty or pty:PATH', 'stdout')
    .option('--baud <baud>', "speed of the line (the model's when not given)")
    .option('--hex', 'hex text, a telegram a line')
    .option('--truth <file>', 'write the canonical messages that were put in, one JSON a line')
    .optionsGroup('A bad line:')
    .option('--noise <rates>', 'damage telegrams at these rates: drop=, flip=, duplicate=, cut=, join=')
    .option('--noise-seed <number>', 'which damage', '1')
    .addHelpText('after', EXAMPLES)
    .action(async (given: Record<string, unknown>, self: Command) => {
      const [{ p1Options }, { runP1 }, { machineOutput }] = await Promise.all([
        import('./options.ts'),
        import('./run.ts'),
        import('../run.ts'),
      ]);
      let options: ReturnType<typeof p1Options>;
      try {
        options = p1Options(given);
      } catch (error) {
        if (!(error instanceof CommanderError)) throw error;
        return self.error(`amiable simulate p1: ${error.message}`, { exitCode: 2 });
      }
      const stop = new AbortController();
      const end = (): void => stop.abort();
      process.once('SIGINT', end);
      process.once('SIGTERM', end);
      try {
        await runP1(options, await machineOutput(options, stop), stop.signal);
      } finally {
        process.off('SIGINT', end);
        process.off('SIGTERM', end);
      }
    });
}

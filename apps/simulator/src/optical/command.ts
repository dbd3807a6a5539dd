/** The subcommand `simulate optical`: names of its options and their help. */
import { type Command, CommanderError } from 'commander';

const EXAMPLES = `
Examples:
  amiable simulate optical                                a meter in mode C on a pseudo-terminal; its path is printed
  amiable simulate optical --to tcp:7710 --mode B --baud 2400
  amiable simulate optical --mode E                       signs on into HDLC too: amiable dlms ls … --mode-e
  amiable simulate optical --mode D --fast --duration 1m | amiable read -f - --json

The same seed is the same meter. docs/optical.md has the exchange, the codes that can be written, and the passwords.`;

export function opticalCommand(simulate: Command): void {
  simulate
    .command('optical')
    .description('an electricity meter behind an optical port: IEC 62056-21, modes A to E')
    .optionsGroup('The meter:')
    .option('--seed <number>', 'which meter and household', '1')
    .option('--tz <zone>', "time zone of the meter's clock", 'Europe/Oslo')
    .option('--single-phase', 'one phase (three when not given)')
    .option('--car', 'the household has an electric car')
    .option('--solar', 'its roof has solar panels')
    .option('--history <time>', 'lived before the start', '40d')
    .optionsGroup('The port:')
    .option('--mode <mode>', 'A, B, C, D, or E (C and the hand-over to HDLC)', 'C')
    .option('--baud <baud>', 'fastest rate (9600 when not given; mode A 300, mode D 2400)')
    .option('--address <address>', 'answers to this address, and to none')
    .option('--identification <text>', 'behind the maker and the rate', 'AMIABLE21')
    .option('--password <text>', 'of P1', '00000000')
    .option('--password2 <text>', 'of P2', '11111111')
    .option('--wake-up', 'sleeps until NULs wake it')
    .option('--every <time>', 'mode D: a telegram this often', '10s')
    .optionsGroup('When and where to:')
    .option('--from <time>', 'what its clock says at the start, ISO 8601 (now when not given)')
    .option('--duration <time>', 'how long (until stopped when not given)')
    .option('--fast', 'answers at once and does not wait for the line')
    .option('--to <where>', 'pty, pty:PATH, tcp:[HOST:]PORT, a serial port; in mode D also stdout or a file')
    .option('--truth <file>', 'write the canonical message of each read-out, one JSON a line')
    .addHelpText('after', EXAMPLES)
    .action(async (given: Record<string, unknown>, self: Command) => {
      const [{ opticalOptions }, { startOptical }] = await Promise.all([import('./options.ts'), import('./run.ts')]);
      let options: ReturnType<typeof opticalOptions>;
      try {
        options = opticalOptions(given);
      } catch (error) {
        if (!(error instanceof CommanderError)) throw error;
        return self.error(`amiable simulate optical: ${error.message}`, { exitCode: 2 });
      }
      const running = await startOptical(options, (line) => process.stderr.write(`${line}\n`));
      await Promise.race([
        running.done,
        new Promise<void>((resolve) => {
          process.once('SIGINT', resolve);
          process.once('SIGTERM', resolve);
        }),
      ]);
      await running.close();
    });
}

/** The subcommand `optical`: meters with an optical port or current loop after IEC 62056-21. */
import type { Command } from 'commander';
import { action } from '../action.ts';

const EXAMPLES = `
Examples:
  amiable simulate optical                                  a meter to try this on (another terminal prints its path)
  amiable optical read /dev/ttyUSB0                         the exchange on stderr, the data as a table
  amiable optical read /dev/ttyUSB0 --json                  one canonical message
  amiable optical read /dev/ttyUSB0 --live 10               again every 10 s
  amiable optical read 192.0.2.7:7001 --address 12345678    through a serial server, one of several meters
  amiable optical program /dev/ttyUSB0 read 1.8.0 0.9.1
  amiable optical program /dev/ttyUSB0 write 0.9.1 120000
  amiable optical shell /dev/ttyUSB0

Passwords come from AMIABLE_OPTICAL_PASSWORD, --password-file, or are asked for; they are never shown. Results go to stdout, all else to
stderr. The exit code is 0 when all went well, 1 when the meter or the line said no, 2 for a command that cannot be.
docs/optical.md has more.`;

/** Adds the subcommand; returns it so that tests can look at it. */
export function opticalCommand(parent: Command): Command {
  const optical = parent
    .command('optical')
    .description('read and program meters through their optical port (IEC 62056-21)')
    .addHelpText('after', EXAMPLES);
  action(
    line(
      optical.command('read').description('the data set of the meter').argument('<device>', 'serial port or host:port'),
    )
      .option('--json', 'one canonical message a line')
      .option('--live <seconds>', 'again and again')
      .option('--option <character>', "another data set of the maker's own: 6 to 9, A to Z"),
    async (terminal, [device = ''], given) => (await import('./read.ts')).runRead(terminal, device, given),
  );
  action(
    password(
      line(
        optical
          .command('program')
          .description('read, write and execute in programming mode')
          .argument('<device>', 'serial port or host:port')
          .argument('<actions...>', 'read CODE…, write CODE VALUE, execute CODE VALUE'),
      ),
    )
      .option(
        '--type <digit>',
        'command type of reads and writes: 1 unless said; 5 for P.01 and P.98; 3, 6 partial blocks',
      )
      .option('-y, --yes', 'do not ask before something is changed')
      .option('--json', 'what was read as one canonical message'),
    async (terminal, [device = '', ...words], given) =>
      (await import('./program.ts')).runProgram(terminal, device, words, given),
  );
  action(
    password(
      line(
        optical
          .command('shell')
          .description('commands one by one: readout, read, write, break, help')
          .argument('<device>', 'serial port or host:port'),
      ),
    ),
    async (terminal, [device = ''], given) => (await import('./shell.ts')).runShell(terminal, device, given),
  );
  return optical;
}

function line(command: Command): Command {
  return command
    .optionsGroup('Line:')
    .option('--mode <mode>', 'A, B, C, D (the meter sends unasked), or auto', 'auto')
    .option('--address <address>', 'of one of several meters')
    .option('--baud-max <rate>', 'fastest rate of the head, 300 to 19200', '19200')
    .option('--wake-up', 'wake a battery-powered meter first')
    .option('--timeout <seconds>', 'for an answer, beyond the time that the line takes', '2.2')
    .option('--tz <zone>', "zone of the meter's clock; this machine's unless said")
    .option('--trace', 'the exchange on stderr')
    .optionsGroup('Options:');
}

function password(command: Command): Command {
  return command
    .optionsGroup('Password:')
    .option('--password-file <file>', 'its first line')
    .option('--level <level>', '1 (P1) or 2 (P2)', '1')
    .option('--no-password', 'send none')
    .optionsGroup('Options:');
}

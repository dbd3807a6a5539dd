/**
 * The subcommand `simulate`: names of its options and their help. What they may be is in options.ts, what they do in
 * run.ts, both loaded when the command is used.
 */
import { type Command, CommanderError } from 'commander';
import { mbusCommand } from './mbus/command.ts';
import { opticalCommand } from './optical/command.ts';
import type { SimulateOptions } from './options.ts';
import { p1Command } from './p1/command.ts';

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
  meterCommand(command);
  mbusCommand(command);
  opticalCommand(command);
  p1Command(command);
  return command;
}

const METER_EXAMPLES = `
Examples:
  amiable simulate meter                                    one meter on TCP 4059 (wrapper) and 4062 (HDLC), page on 4080
  amiable simulate meter --history 40d --slaves gas,water-cold
  amiable simulate meter --from 2026-10-25T00:00:00Z --speed 600x
  amiable simulate meter --to pty                           an optical port besides: mode E, then HDLC
  amiable simulate meter --count 10000                      a fleet: wrapper destination is the meter's number
  amiable simulate meter --ports 100 --port 5000            a hundred meters, one on each port

How to read it, with keys, is printed when it starts (on stderr). The same seed is the same meter, keys included: they are no secret.`;

/** The subcommand `simulate meter`. */
function meterCommand(simulate: Command): void {
  simulate
    .command('meter')
    .description('an electricity meter with communication module that answers DLMS/COSEM')
    .optionsGroup('The meter:')
    .option('--seed <number>', 'which meter and household', '1')
    .option('--tz <zone>', "time zone of the meter's clock", 'Europe/Oslo')
    .option('--single-phase', 'one phase (three when not given)')
    .option('--module <kind>', 'gprs or plc', 'gprs')
    .option('--no-disconnecter', 'without disconnecter')
    .option('--interface <kind>', 'relay, s0 or rate-input', 'relay')
    .option('--input <kind>', 'second input: none, alert or s0', 'none')
    .option('--slaves <media>', 'slaves on its M-Bus, e.g. gas,water-cold,heat; also ocr-gas, ocr-water, gas-module')
    .option('--mbus <line>', 'where its slaves are: inside, tcp:HOST:PORT, or a serial port or pty', 'inside')
    .option('--period <minutes>', 'of the periodic profile: 15, 30 or 60', '60')
    .option('--columns <registers>', 'of the periodic profile, one to four: 1.8.0,2.8.0,1.8.1,1.8.2 …')
    .option('--car', 'the household has an electric car')
    .option('--solar', 'its roof has solar panels')
    .optionsGroup('Security:')
    .option('--suite <number>', 'security suite 0, 1 or 2', '0')
    .optionsGroup('When:')
    .option('--history <time>', 'lived before the start, e.g. 40d (3d, for many meters 0, when not given)')
    .option('--from <time>', 'begins then, ISO 8601 (now when not given)')
    .option('--speed <factor>', 'how fast time goes, e.g. 60x', '1x')
    .option('--state <folder>', 'keeps the state there over restarts')
    .optionsGroup('Where:')
    .option('--host <address>', 'to listen on', '127.0.0.1')
    .option('--port <port>', 'wrapper on TCP, 0 for any', '4059')
    .option('--hdlc-port <port>', 'HDLC on TCP (4062 when not given)')
    .option('--udp', 'the wrapper on UDP as well')
    .option('--tls-cert <file>', 'TLS on the TCP ports: certificate, PEM')
    .option('--tls-key <file>', 'and its key')
    .option('--to <line>', 'an optical port besides: pty, pty:PATH or a serial port')
    .option('--page <port>', 'HTTP port of its page (4080 when not given)')
    .option('--no-page', 'without page')
    .option(
      '--disturbances <times>',
      'so many times as often as in an ordinary network is the supply disturbed (1; of many meters 0)',
    )
    .optionsGroup('Many:')
    .option('--count <number>', 'so many meters behind one port')
    .option('--ports <number>', 'so many ports, a meter each (up to 1000)')
    .option('--keys <file>', 'write passwords and keys of all meters there, as CSV')
    .option('--sweep <time>', 'bring all meters up to the present this often (only when asked, when not given)')
    .addHelpText('after', METER_EXAMPLES)
    .action(async (given: Record<string, unknown>, self: Command) => {
      const [{ meterOptions }, { startMeters }] = await Promise.all([
        import('./electricity-server/options.ts'),
        import('./electricity-server/run.ts'),
      ]);
      let options: ReturnType<typeof meterOptions>;
      try {
        options = meterOptions(given);
      } catch (error) {
        if (!(error instanceof CommanderError)) throw error;
        return self.error(`amiable simulate meter: ${error.message}`, { exitCode: 2 });
      }
      const running = await startMeters(options, (line) => process.stderr.write(`${line}\n`));
      await new Promise<void>((resolve) => {
        process.once('SIGINT', resolve);
        process.once('SIGTERM', resolve);
        // Started by another program of ours: without it there is nobody to read the meters.
        if (process.connected) process.once('disconnect', resolve);
      });
      await running.close();
    });
}

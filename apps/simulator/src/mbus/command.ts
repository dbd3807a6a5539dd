/** The subcommand `simulate mbus`: names of its options and their help. */
import { type Command, CommanderError } from 'commander';

const EXAMPLES = `
Examples:
  amiable simulate mbus                                   gas, cold water and heat on a pseudo-terminal; its path is printed
  amiable simulate mbus --slaves rf,gas-module --to tcp:7720 --credit 20
  amiable simulate mbus --slaves gas,gas,heat --collide identification --fault 2=busy,3=checksum
  amiable simulate mbus --to stdout --fast --duration 7d | amiable mbus decode - --json
  amiable simulate mbus --wireless --encrypt --slaves rf --fast --duration 1d > telegrams.hex

Slaves: gas, water-cold, water-hot, heat, electricity; ocr-gas, ocr-water (a camera on a mechanical meter); gas-module (valve, block tariff,
prepayment); rf (a converter with two radio devices behind it). They follow one household; the same seed is the same household.
docs/simulate-mbus.md has their records, and what may be written to them.`;

export function mbusCommand(simulate: Command): void {
  simulate
    .command('mbus')
    .description('M-Bus slaves: gas, water and heat meters, OCR module, gas smart module, RF converter')
    .optionsGroup('The slaves:')
    .option('--slaves <kinds>', 'see below; addresses count on from 1', 'gas,water-cold,heat')
    .option('--seed <number>', 'which household', '1')
    .option('--tz <zone>', 'time zone of their clocks', 'Europe/Oslo')
    .option('--credit <money>', 'gas smart modules are on prepayment, with so much to begin with')
    .option('--collide <how>', 'same identification, full secondary address, or primary address')
    .option('--fault <list>', 'faulty slaves, e.g. 2=busy,3=checksum; silent, busy, error, checksum, cut, late')
    .optionsGroup('Over the air:')
    .option('--wireless', 'what radio devices send (those behind rf, else all), as hex')
    .option('--form <form>', 'frame format A or B with link CRCs, or bare (A when not given)')
    .option('--encrypt', 'security mode 5 with keys of its own, which are printed')
    .option('-k, --key <hex>', 'security mode 5 with this key, 32 hex digits')
    .optionsGroup('When:')
    .option('--from <time>', 'what clocks say at the start, ISO 8601 (now when not given)')
    .option('--duration <time>', 'how long, e.g. 10m, 7d (until stopped; with --fast 1d)')
    .option('--speed <factor>', 'how fast time goes, e.g. 60x', '1x')
    .option('--every <time>', 'to stdout or a file: asked, or sent, this often', '15m')
    .option('--fast', 'to stdout or a file: do not wait')
    .optionsGroup('Where to:')
    .option(
      '--to <where>',
      'pty, pty:PATH, tcp:[HOST:]PORT or a serial port for a master; stdout or a file for answers',
    )
    .option('--baud <baud>', '300 to 38400', '2400')
    .option('--truth <file>', 'write the canonical message of each telegram, one JSON a line')
    .optionsGroup('A bad line:')
    .option('--noise <rates>', 'damage answers at these rates: drop=, flip=, duplicate=, cut=, join=')
    .option('--noise-seed <number>', 'which damage', '1')
    .addHelpText('after', EXAMPLES)
    .action(async (given: Record<string, unknown>, self: Command) => {
      const [{ mbusOptions }, { runMbus }] = await Promise.all([import('./options.ts'), import('./run.ts')]);
      let options: ReturnType<typeof mbusOptions>;
      try {
        options = mbusOptions(given);
      } catch (error) {
        if (!(error instanceof CommanderError)) throw error;
        return self.error(`amiable simulate mbus: ${error.message}`, { exitCode: 2 });
      }
      const stop = new AbortController();
      const end = (): void => stop.abort();
      process.once('SIGINT', end);
      process.once('SIGTERM', end);
      try {
        await runMbus(options, stop, (line) => process.stderr.write(`${line}\n`));
      } finally {
        process.off('SIGINT', end);
        process.off('SIGTERM', end);
      }
    });
}

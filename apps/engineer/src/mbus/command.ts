/**
 * The subcommand `mbus`: wired and wireless M-Bus. Each of its commands stands in a file of its own, which is loaded when the
 * command is used.
 */
import type { Command } from 'commander';

const gather = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value];

const DECODE_EXAMPLES = `
Examples:
  amiable mbus decode telegrams.hex                     names, values and units
  amiable mbus decode telegrams.hex --json              one canonical message a line
  amiable mbus decode - -k 00112233445566778899AABBCCDDEEFF < telegram.hex
  amiable mbus decode log.txt -k 12345678=00…FF -k 87654321=FF…00
  amiable mbus decode 684D4D6808017201000000965B…16     the frame itself instead of a file

A file holds one frame a line in hex text: wired (68 … 16) or wireless (formats A and B), with or without link CRCs, bare or
as rtl_wmbus, CUL and similar sticks print it. An encrypted meter's key is given by its number (ID=HEX) or for all (HEX).

Exit code: 0 when at least one frame was good, 3 when none was, 2 for wrong usage.`;

/** Adds the subcommand; returns it so that tests can look at it. */
export function mbusCommand(parent: Command): Command {
  const mbus = parent.command('mbus').description('wired and wireless M-Bus: decode, scan, read, write, wave');
  decode(mbus);
  scan(mbus);
  read(mbus);
  write(mbus);
  wave(mbus);
  return mbus;
}

function decode(mbus: Command): void {
  mbus
    .command('decode')
    .description('what M-Bus frames say, wired or wireless')
    .argument('<file...>', 'files with one frame a line in hex text, hex itself, or - for standard input')
    .option('--json', 'one JSON object a line')
    .option('-k, --key <[id=]hex>', 'AES-128 key, 32 hex digits; ID: number of the meter, 8 digits', gather)
    .option('--bad', 'also show refused frames')
    .option('--raw', 'add the bytes')
    .option('--trace', 'explain every byte')
    .option('--tz <zone>', "time zone of the meter's clock, e.g. Europe/Oslo")
    .option('--reader <name>', 'name of this reader (the name of the machine when not given)')
    .option('--port <name>', 'name of the port', 'mbus0')
    .addHelpText('after', DECODE_EXAMPLES)
    .action(async (files: string[], given: Record<string, unknown>) => {
      const { runDecode } = await import('./decode.ts');
      process.exitCode = await runDecode(files, given);
    });
}

const WAVE_EXAMPLES = `
Examples:
  amiable mbus wave 105B015C16 -o request.svg                 the picture of a request: 36 V and 24 V
  amiable mbus wave frame.hex --noise 0.5 --wrong-parity 7 --svg > bad.svg
  amiable mbus wave E5 --baud 300 --csv > acknowledge.csv     samples: a slave's 1.5 mA and 16.5 mA
  amiable mbus wave scope.csv                                 what an oscilloscope recorded, as hex, a burst a line
  amiable mbus wave scope.csv --column CH2 --json             and its records
  amiable mbus wave scope.csv -o scope.svg

Levels, baud rate, polarity and parity of a recording are found. stdout carries data only; facts and faults, with the sample at
which they are, go to stderr.

Exit code: 0, 3 when a recording holds no signal, 2 for wrong usage.`;

function wave(mbus: Command): void {
  mbus
    .command('wave')
    .description('octets as they look on the bus, as picture or samples; and recordings of an oscilloscope as octets')
    .argument('<input...>', 'hex, a file with hex, a recording as CSV, or - for standard input')
    .option('-o, --output <file>', 'write there; .svg or .csv')
    .option('--svg', 'a picture to stdout (for hex, when nothing else is said)')
    .option('--csv', 'samples to stdout')
    .option('--title <text>', 'above the picture')
    .optionsGroup('Both ways:')
    .option('--baud <baud>', '300 to 9600; 2400 for hex, found in a recording')
    .option('--parity <parity>', 'even, odd or none')
    .option('--rate <number>', 'samples a second')
    .optionsGroup('From hex:')
    .option('--from <sender>', 'master (voltage) or slave (current); told by the first octet when not given')
    .option('--noise <level>', 'RMS, V or mA')
    .option('--seed <number>', 'which noise', '1')
    .option('--ripple <level>', 'amplitude of the supply, V or mA')
    .option('--ripple-frequency <hertz>', 'of the ripple (100 when not given)')
    .option('--mark <level>', 'V or mA, 36 or 1.5 when not given')
    .option('--space <level>', 'V or mA, 24 or 16.5 when not given')
    .option('--slaves <number>', 'idle slaves on the bus, 1.5 mA each')
    .option('--resistance <ohm>', 'of driver and cable')
    .option('--capacitance <nF>', 'of the cable; 180 is the most')
    .option('--transition <µs>', "of the driver's edges")
    .option('--gap <bits>', 'idle time between characters')
    .option('--baud-error <percent>', "by which the sender's clock is fast")
    .option('--wrong-parity <numbers>', 'octets with a wrong parity bit, e.g. 3,4')
    .option('--wrong-stop <numbers>', 'octets whose stop bit is a space')
    .option('--swapped', 'the two wires are swapped')
    .optionsGroup('From a recording:')
    .option('--column <name>', 'which column holds the values: number from 1 or name')
    .option('--json', 'canonical messages of the frames, one a line')
    .option('-k, --key <[id=]hex>', 'AES-128 key, 32 hex digits; ID: number of the meter, 8 digits', gather)
    .option('--tz <zone>', "time zone of the meter's clock, e.g. Europe/Oslo")
    .addHelpText('after', WAVE_EXAMPLES)
    .action(async (input: string[], given: Record<string, unknown>) => {
      const { runWave } = await import('./wave.ts');
      process.exitCode = await runWave(input, given);
    });
}

const DEVICE = 'serial port of the level converter, or host:port of a converter on the network';

const SCAN_EXAMPLES = `
Examples:
  amiable mbus scan /dev/ttyUSB0                          search by secondary address
  amiable mbus scan 192.168.1.20:10001 --baud 300
  amiable mbus scan /dev/ttyUSB0 --primary                all primary addresses, 0 to 250
  amiable mbus scan /dev/ttyUSB0 --primary 1-20
  amiable mbus scan /dev/ttyUSB0 --secondary 12FFFFFF-KAM

Exit code: 0 when somebody was found, 3 when nobody was, 1 when the line failed, 2 for wrong usage.`;

const READ_EXAMPLES = `
Examples:
  amiable mbus read /dev/ttyUSB0 5                        by primary address
  amiable mbus read /dev/ttyUSB0 12345678 87654321        by number (secondary address)
  amiable mbus read converter:10001 12345678-KAM-1-7 --json

Exit code: 0 when all were read, 1 when one was not, 3 when nothing could be read, 2 for wrong usage.`;

/** What every command that speaks on the bus takes. */
const onBus = (command: Command): Command =>
  command
    .option('--baud <baud>', 'rate of the bus, 300 to 38400', '2400')
    .option('--parity <parity>', 'even (the standard), none or odd')
    .option('--latency <ms>', 'what adapter and network add to an answer')
    .option('--repeats <number>', 'how often a question is repeated', '2')
    .option('--trace', 'show every frame on stderr');

function scan(mbus: Command): void {
  onBus(mbus.command('scan').description('who is on the bus').argument('<device>', DEVICE))
    .option('--primary [range]', 'by primary address, e.g. 1-20; all when no range is given')
    .option('--secondary [pattern]', 'by secondary address (when nothing is said), F for any digit')
    .option('--json', 'the canonical messages of what was found, one a line')
    .addHelpText('after', SCAN_EXAMPLES)
    .action(async (device: string, given: Record<string, unknown>) => {
      const { runScan } = await import('./scan.ts');
      process.exitCode = await runScan(device, given);
    });
}

function read(mbus: Command): void {
  onBus(
    mbus
      .command('read')
      .description('all telegrams of slaves')
      .argument('<device>', DEVICE)
      .argument('<address...>', 'primary address (0 to 250) or secondary one (8 digits)'),
  )
    .option('--alarm', 'the alarm data (class 1) instead')
    .option('--json', 'one canonical message a line')
    .option('--bad', 'also show refused telegrams')
    .option('-k, --key <[id=]hex>', 'AES-128 key, 32 hex digits; ID: number of the meter, 8 digits', gather)
    .option('--tz <zone>', "time zone of the meters' clocks, e.g. Europe/Oslo")
    .option('--reader <name>', 'name of this reader (the name of the machine when not given)')
    .option('--port <name>', 'name of the port', 'mbus0')
    .addHelpText('after', READ_EXAMPLES)
    .action(async (device: string, addresses: string[], given: Record<string, unknown>) => {
      const { runRead } = await import('./read.ts');
      process.exitCode = await runRead(device, addresses, given);
    });
}

function write(mbus: Command): void {
  onBus(
    mbus
      .command('write')
      .description('tell a slave its address or rate, reset it, send it records')
      .argument('<device>', DEVICE)
      .argument('<address>', 'primary address (0 to 250) or secondary one (8 digits)'),
  )
    .option('--primary <address>', 'its primary address from now on')
    .option('--set-baud <baud>', 'its rate from now on; the line follows')
    .option('--reset [subcode]', 'application reset')
    .option('--records <hex>', 'data records (CI 51)')
    .action(async (device: string, address: string, given: Record<string, unknown>) => {
      const { runWrite } = await import('./read.ts');
      process.exitCode = await runWrite(device, address, given);
    });
}

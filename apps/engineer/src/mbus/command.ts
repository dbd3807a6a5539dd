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
  const mbus = parent.command('mbus').description('wired and wireless M-Bus: decode, scan, read, wave');
  decode(mbus);
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

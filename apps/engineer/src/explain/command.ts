/** The subcommand `explain`: what every byte of any layer is. */
import type { Command } from 'commander';

const EXAMPLES = `
Examples:
  amiable explain 7E A0 07 03 21 93 0F 01 7E
  amiable explain c001c1000301000108 00ff0200 --xml
  amiable explain session.log --key 0001…0F --auth-key D0D1…DF   a log of both directions, deciphered
  amiable explain capture.pcap                                   every conversation in it
  amiable explain telegram.txt                                   a P1 telegram or a read-out, as it stands
  xclip -o | amiable explain -                                   what was copied
  amiable explain --to-hex request.xml                           the bytes of an APDU written as XML-like text

Bytes may be bare hex, C arrays, hexdump -C, xxd, Wireshark's hex pane, a log whose lines say TX and RX, or the text of a P1
telegram or a read-out. Which layer they are (HDLC, wrapper, M-Bus of wire and radio, P1, IEC 62056-21, APDU, A-XDR value) is
found out. Keys never leave this machine.`;

/** Adds the subcommand; returns it so that tests can look at it. */
export function explainCommand(parent: Command): Command {
  return parent
    .command('explain')
    .description('what every byte of a frame, an APDU, a log or a capture is')
    .argument('[what...]', 'hex, files, or - for standard input')
    .option('--as <layer>', 'hdlc, wrapper, mbus, wmbus, p1, iec62056-21, apdu or data (found out when not given)')
    .option('-k, --key <hex>', 'encryption key (DLMS, P1, M-Bus), 32 hex digits (64 in suite 2), or @file with it')
    .option('--auth-key <hex>', 'authentication key, or @file')
    .option('--dedicated-key <hex>', 'dedicated key of the association (learnt from the AARQ where that is there)')
    .option('--master-key <hex>', 'key-encrypting key, for wrapped keys')
    .option('--client-title <hex>', "the client's system title, 16 hex digits (learnt from AARQ and general envelopes)")
    .option('--meter-title <hex>', "the meter's system title (learnt from AARE and general envelopes)")
    .option('--brief', 'one line for each part')
    .option('--xml', 'the APDUs as XML-like text')
    .option('--json', 'one JSON object for each part')
    .option('--to-hex', 'the other way: XML-like text to bytes')
    .addHelpText('after', EXAMPLES)
    .action(async (words: string[], given: Record<string, unknown>, self: Command) => {
      if (words.length === 0 && process.stdin.isTTY) {
        self.outputHelp({ error: true });
        process.exitCode = 2;
        return;
      }
      const { runExplain } = await import('./run.ts');
      await runExplain(words.length === 0 ? ['-'] : words, given);
    });
}

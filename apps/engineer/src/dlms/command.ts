/** The subcommand `dlms`: the client for people. */
import type { Command } from 'commander';
import { action } from '../action.ts';

const EXAMPLES = `
Examples:
  amiable simulate meter                                          a meter to try all this on (another terminal);
                                                                  it prints the password that comes next
  amiable dlms ls -l tcp://127.0.0.1:4059 --client 2 --password 38342241             what is there, with values
  amiable dlms get tcp://127.0.0.1:4059 1.8.0 clock:time --client 2 --password 38342241    energy and time
  amiable dlms ls -l tcp://192.0.2.7:4059 --client 2 --password @password.txt
  amiable dlms get tcp://192.0.2.7:4059 1.8.0 --key @ek.hex --auth-key @ak.hex
  amiable dlms profile hdlc+tcp://192.0.2.7:4059 1-0:99.1.0 --last 2d --csv
  amiable dlms ls /dev/ttyUSB0 --mode-e                           through an optical head
  amiable dlms scan tcp://192.0.2.7:4059                          which addresses answer

An address is tcp://host:port, tls://host:port, hdlc+tcp://host:port, udp://host:port or a serial port; 4059 is the port unless said. Results
go to stdout, all else to stderr. The exit code is 0 when all went well, 1 when the meter or the line said no, 2 for a
command that cannot be. docs/dlms.md has all options with examples.`;

/** Adds the subcommand; returns it so that tests can look at it. */
export function dlmsCommand(parent: Command): Command {
  const dlms = parent.command('dlms').description('read and set DLMS/COSEM meters').addHelpText('after', EXAMPLES);

  action(
    connection(
      dlms
        .command('ls')
        .description('the objects of a meter, and with -l what they hold')
        .argument('<address>', 'where the meter is')
        .argument('[words...]', 'only objects whose code, name or class has these words'),
    )
      .option('-l, --long', 'read the values too')
      .option('--json', 'one JSON object for each object'),
    async (terminal, [address = '', ...words], given) =>
      (await import('./ls.ts')).runLs(terminal, address, given, words),
  );

  action(
    connection(
      dlms
        .command('get')
        .description('read attributes')
        .argument('<address>', 'where the meter is')
        .argument('<objects...>', '1-0:1.8.0, 1-0:1.8.0:scaler_unit, 3:1-0:1.8.0:2, clock:time'),
    )
      .option('-a, --all', 'all attributes of the objects')
      .option('--raw', 'the bytes as hex')
      .option('--plain', 'the values alone, one a line')
      .option('--json', 'one JSON object for each value'),
    async (terminal, [address = '', ...words], given) =>
      (await import('./get.ts')).runGet(terminal, address, words, given),
  );

  action(
    connection(
      dlms
        .command('set')
        .description('write an attribute')
        .argument('<address>', 'where the meter is')
        .argument('<object>', 'as for get')
        .argument('<value>', 'as get prints it; now; JSON; long-unsigned:5; @file'),
    )
      .option('-y, --yes', 'do not ask')
      .option('--dry-run', 'only show what would be written'),
    async (terminal, [address = '', target = '', value = ''], given) =>
      (await import('./set.ts')).runSet(terminal, address, target, value, given),
  );

  action(
    connection(
      dlms
        .command('do')
        .description('invoke a method')
        .argument('<address>', 'where the meter is')
        .argument('<object>', 'as for get')
        .argument('[method-and-parameter...]', 'remote_disconnect, or its number; then its parameter'),
    )
      .option('-y, --yes', 'do not ask; needed without a terminal for what cuts the supply, erases or changes keys')
      .option('--dry-run', 'only show what would be done')
      .option('--raw', 'what comes back as hex'),
    async (terminal, [address = '', target = '', ...words], given) =>
      (await import('./set.ts')).runDo(terminal, address, target, words, given),
  );

  action(
    connection(
      dlms
        .command('profile')
        .description('rows of a profile')
        .argument('<address>', 'where the meter is')
        .argument('<profile>', '1-0:99.1.0'),
    )
      .option('--from <time>', '2026-11-01, 2026-11-01 00:15, today, -2d')
      .option('--to <time>', 'as --from; now unless said')
      .option('--last <span>', '2d, 12h, or a number of rows')
      .option('--entries <range>', '1..10, 5, 100..')
      .option('--columns <list>', 'only these, by number, code or name, with commas')
      .option('--csv', 'as CSV')
      .option('--json', 'one JSON object for each row'),
    async (terminal, [address = '', target = ''], given) =>
      (await import('./profile.ts')).runProfile(terminal, address, target, given),
  );

  action(
    security(common(dlms.command('push').description('receive what meters send unasked')))
      .option(
        '--listen <address>',
        'tcp, udp, hdlc, or an address to listen on: udp://0.0.0.0:4059, hdlc+tcp://:4059, /dev/ttyUSB0; :4059 on this machine unless said',
      )
      .option('--wrapper', 'wrapper on a serial line')
      .option('--baud <rate>', 'of a serial port; 9600 unless said')
      .option('--parity <parity>', 'N, E or O; N unless said')
      .option(
        '--objects <list>',
        "what the values are, in order, as the meter's push_object_list has it: 8:0-0:1.0.0:2,1-0:1.8.0",
      )
      .option('--count <n>', 'end after so many')
      .option('--raw', 'bytes too, in JSON')
      .option('--json', 'one JSON object for each message'),
    async (terminal, _words, given) => (await import('./push.ts')).runPush(terminal, given),
  );

  action(
    line(
      common(
        dlms
          .command('scan')
          .description('find out which addresses, names and log-ins a meter answers to; tries no passwords')
          .argument('<address>', 'where to look'),
      ),
    )
      .option('--clients <list>', 'e.g. 1-5,16')
      .option('--servers <list>', 'e.g. 1,16-20')
      .option('--physicals <list>', 'HDLC: lower addresses, e.g. 16,1234')
      .option('--limit <n>', 'attempts at most; 150 unless said')
      .option('--pace <ms>', 'between attempts; 100 unless said')
      .option('-a, --all', 'show refusals that lead nowhere too')
      .option('--json', 'one JSON object for each answer'),
    async (terminal, [address = ''], given) => (await import('./scan.ts')).runScan(terminal, address, given),
  );

  return dlms;
}

function common(command: Command): Command {
  command
    .optionsGroup('Watching:')
    .option('--trace [form]', 'every APDU on stderr, byte by byte; --trace xml as XML-like text')
    .option('--pcap <file>', 'write a capture for Wireshark')
    .option('--tz <zone>', 'times in this zone, e.g. Europe/Oslo; those of this machine and of the meter unless said')
    .option('--timeout <seconds>', 'for an answer; 10 unless said')
    .optionsGroup('Options:');
  // A word behind `--trace` or `--mode-e` is mostly an address of a meter, not their value.
  const parse = command.parseOptions.bind(command);
  command.parseOptions = (words) => parse(withoutGuests(words));
  return command;
}

/** Options whose value may be left out, with the value that was meant written into them. */
function withoutGuests(words: readonly string[]): string[] {
  const out: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    const next = words[i + 1] ?? '';
    if (word === '--mode-e') out.push('--mode-e=');
    else if (word !== '--trace') out.push(word);
    else if (/^(xml|bytes)$/.test(next)) {
      out.push(`--trace=${next}`);
      i++;
    } else out.push('--trace=bytes');
  }
  return out;
}

function line(command: Command): Command {
  return command
    .optionsGroup('Line:')
    .option('--hdlc', 'HDLC (the rule on serial lines)')
    .option('--wrapper', 'the TCP/UDP wrapper (the rule there)')
    .option(
      '--ca <file>',
      'tls://: authorities that the certificate is checked with (PEM); those of this machine unless said',
    )
    .option('--tls-cert <file>', 'tls://: our certificate (PEM), where the other end asks for one')
    .option('--tls-key <file>', 'tls://: its private key (PEM)')
    .option('--tls-name <name>', 'tls://: name that the certificate must be for; the host unless said')
    .option('--baud <rate>', 'of a serial port, 9600 unless said; with --mode-e the fastest')
    .option('--parity <parity>', 'N, E or O; N unless said')
    .option(
      '--mode-e [address]',
      'sign on at 300 Bd first (IEC 62056-21 mode E), for optical heads; --mode-e=12345678 for one of several meters',
    )
    .optionsGroup('Options:');
}

function security(command: Command): Command {
  return command
    .optionsGroup('Log-in and security (secrets also as @file):')
    .option('--password <text>', 'low-level log-in; bytes as 0x…')
    .option('--hls <mechanism>', 'high-level log-in: gmac, sha256, sha1, md5, ecdsa, aes')
    .option('--secret <text>', 'for --hls sha256, sha1, md5, aes')
    .option('-k, --key <hex>', 'encryption key (GUEK); makes messages ciphered and --hls gmac the log-in')
    .option('--auth-key <hex>', 'authentication key (GAK)')
    .option('--master-key <hex>', 'master key (KEK), for wrapped keys')
    .option('--suite <n>', '0, 1 or 2; by the length of the keys unless said')
    .option('--policy <policy>', 'what each message is: auth, encrypt, both (unless said), signed, none')
    .option('--title <hex>', 'our system title; 414D494300000001 unless said')
    .option('--meter-title <hex>', "the meter's, where it does not tell it")
    .option('--dedicated', 'a key of its own for this association')
    .option('--general', 'general-glo (general-ded) ciphering')
    .option('--general-ciphering <key>', 'general-ciphering with an identified, wrapped, one-pass-dh or static-dh key')
    .option('--signing-key <key>', 'our private EC key: PEM or DER file, or hex')
    .option('--agreement-key <key>', 'our private EC key for key agreement; the signing key unless said')
    .option('--peer-key <key>', "the meter's certificate or public key")
    .option('--peer-agreement-key <key>', "the meter's for key agreement; --peer-key unless said")
    .option('--certificate <file>', 'our certificate, sent when associating')
    .option('--gurux', 'bind general-ciphering and signatures as Gurux does')
    .option('--state <file>', 'where invocation counters are kept')
    .optionsGroup('Options:');
}

function connection(command: Command): Command {
  line(common(command))
    .optionsGroup('Association:')
    .option('--client <n>', 'client address; 16 (public), with a log-in 1 (management), unless said')
    .option('--server <n>', 'server address (logical device); 1 unless said')
    .option('--physical <n>', 'HDLC: physical device, the lower address')
    .option('--address-size <n>', 'HDLC: octets of the server address, 1, 2 or 4')
    .option('--sn', 'short names')
    .option('--max-pdu <n>', 'longest APDU that we take')
    .option('--window <n>', 'HDLC: frames at a time, 1 to 7; wrapper: blocks at a time, 1 to 63')
    .option('--max-info <n>', 'HDLC: longest information field')
    .optionsGroup('Options:');
  security(command);
  return command
    .optionsGroup('Log-in and security (secrets also as @file):')
    .option(
      '--counter <which>',
      'first invocation counter: auto (from the file, else from the meter), a number, or the object that holds it',
    )
    .optionsGroup('Options:');
}

/**
 * The subcommand `read`: the names of its options and their help. What they may be is in options.ts, what they do in
 * run.ts, both loaded when the command is used.
 */
import type { Command } from 'commander';

const gather = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value];

const EXAMPLES = `
Examples:
  amiable read -d /dev/ttyUSB0                  show and log what the meter sends
  amiable read -n -d /dev/ttyUSB0               show only
  amiable read -d 192.168.1.20:3001 -P N        from a serial server on the network
  amiable read -d /dev/ttyUSB0 --protocol mbus --poll 900 --meters "1 5 12345678"
  amiable read -f han-data-MA304T3-2017-01-23_13:03-15:57.dat
  amiable read -f log.dat -k 00112233445566778899AABBCCDDEEFF --json
  amiable read -d /dev/ttyUSB0 -q --mqtt mqtts://user@broker.example --mqtt-password-file secret
  amiable read -l                               show what another reader multicasts

Exit code: 0 when at least one message was good, 3 when none was, 2 for wrong usage, 1 when an uplink did not take
everything. stdout carries messages only; everything else goes to stderr.
What uplinks have not taken yet is kept in memory: it survives an outage of the broker or server, and with --spool FOLDER
an end of this program too.`;

/** Adds the subcommand; returns it so that tests can look at it. */
export function readCommand(parent: Command): Command {
  const command = parent
    .command('read')
    .description("read a meter's port, a capture file or the multicast of another reader")
    .argument('[files...]', 'more capture files, after -f')
    .optionsGroup('Where from:')
    .option(
      '-f, --file <file>',
      'replay a capture: bytes or hex text; - is standard input; several may be given',
      gather,
    )
    .option('-d, --device <device>', 'serial port, host:port of a serial server, or :port to wait for one')
    .option('-l, --listen', 'listen to the multicast of another reader')
    .option('-P, --parity <parity>', 'N, E or O (found by itself when not given)')
    .option('--baud <baud>', 'speed of the serial port, 300 to 115200 (found by itself when not given)')
    .option('--patience <seconds>', 'how long a parity may stay without a message', '20')
    .option('--protocol <protocol>', 'auto, han, p1, iec62056-21, mbus or wmbus', 'auto')
    .option('--speed <speed>', "of a replay: max, a baud rate (2400), or times the meter's clock (1x, 60x)", 'max')
    .option('--pause <seconds>', 'wait after each message')
    .optionsGroup('Meters that do not speak unasked:')
    .option('--poll <seconds>', 'ask them so often; with --protocol iec62056-21 or mbus')
    .option(
      '--meters <list>',
      'of an M-Bus: addresses, numbers, primary or secondary (all addresses are searched once)',
    )
    .option('--address <address>', 'of an optical meter on a line of several')
    .option('--mode <mode>', 'of an optical meter: auto, A, B, C or D (D sends by itself)')
    .option('--wake-up', 'wake a battery-powered optical meter first')
    .option('--data-request [lines]', 'hold rts, dtr or both high: the Data Request of some P1 cables')
    .optionsGroup('What for:')
    .option('-k, --key <[id=]hex>', 'encryption key of the port, 32 hex digits; ID: meter id or system title', gather)
    .option('--auth-key <[id=]hex>', 'authentication key: then every message is checked for forgery', gather)
    .option('--tz <zone>', "time zone of the meter's clock, e.g. Europe/Oslo (from the market when not given)")
    .option('--reader <name>', 'name of this reader (the name of the machine when not given)')
    .option('--port <name>', 'name of the port', 'han0')
    .optionsGroup('To the screen:')
    .option('--text', 'names as in the port guide (the default)')
    .option('--json [form]', 'one JSON object a line: canonical, or thesis')
    .option('--raw', 'add the bytes')
    .option('--trace', 'explain every byte')
    .option(
      '--max-clock-error <minutes>',
      "how far a live meter's clock may be off before its messages say clockWrong",
      '60',
    )
    .option('--bad', 'also show refused frames')
    .option('-q, --quiet', 'show no messages')
    .option('--counters <form>', 'text or json', 'text')
    .optionsGroup('To a file:')
    .option('--log', 'log the bytes to a file (with -d the default)')
    .option('-n, --no-log', 'do not log')
    .option('--log-dir <folder>', 'folder of the log files', '.')
    .optionsGroup('To the network (multicast):')
    .option('-m, --multicast', 'multicast each message on the LAN')
    .option('-M, --multicast-paced', 'the same with a pause of 1 s after each, for replaying a file')
    .option('--multicast-address <group:port>', 'where to', '239.192.77.1:7701')
    .option('--multicast-ttl <hops>', 'how many routers it may pass', '1')
    .option('--multicast-interface <address>', 'address of the interface to use')
    .optionsGroup('To an MQTT broker:')
    .option('--mqtt <url>', 'mqtt[s]://[user[:password]@]host[:port]')
    .option('--mqtt-topic <topic>', 'where to publish (default: amiable/READER/message)')
    .option('--mqtt-client-id <id>', 'client id (default: amiable-READER)')
    .option('--mqtt-user <name>', 'user')
    .option('--mqtt-password <password>', 'password; others on this machine may see it, a file is better')
    .option('--mqtt-password-file <file>', 'file with the password')
    .option('--mqtt-ca <file>', "certificate authority (PEM) that the broker's certificate is checked with")
    .option('--mqtt-cert <file>', 'certificate (PEM) of this client')
    .option('--mqtt-key <file>', 'private key (PEM) of this client')
    .optionsGroup('To a server:')
    .option('--post <url>', 'POST to a server, e.g. https://central.example/api/v1/messages')
    .option('--api-key <key>', 'API key, or @file with it')
    .option('--post-ca <file>', "certificate authority (PEM) that the server's certificate is checked with")
    .optionsGroup('For the uplinks:')
    .option(
      '--spool <folder>',
      'keep messages there until the uplinks have taken them, over an end of this program too',
    )
    .option('--spool-size <MB>', 'how large it may grow before old fast values are thinned (default: 512)')
    .optionsGroup('At the end:')
    .option('--wait <seconds>', 'how long to wait at the end until the uplinks have taken everything', '30')
    .addHelpText('after', EXAMPLES);
  command.action(async (files: string[], options: Record<string, unknown>) => {
    const [{ machineIo }, { runOptions }] = await Promise.all([import('./machine.ts'), import('./run.ts')]);
    const io = machineIo();
    try {
      process.exitCode = await runOptions(options, files, io);
    } finally {
      io.release();
    }
  });
  return command;
}

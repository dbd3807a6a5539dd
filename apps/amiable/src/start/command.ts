/** `amiable start`: what it takes, checked before anything is begun. */
import { isValidZone } from '@amiable/calendar';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { serverUrl } from '../database/url.ts';
import { ROLES, type Role, type StartOptions } from './options.ts';

const ROLE_HELP = `
Roles (--roles, joined by commas; default: all that have something to do)
  database   the embedded PostgreSQL in the data folder (not when --database-url names a server)
  broker     the embedded MQTT broker for readers elsewhere
  central    takes messages in, keeps them, answers the page and the API, makes due tasks into work
  worker     reads meters: takes work from the database; any number of processes, each on a machine of its own if you like
  street     the simulated neighbourhood (not when --device names a real port)
  fleet      its virtual DLMS meters, in a process of their own (likewise)
  reader     reads the real ports named with --device

Examples
  amiable start                                   a simulated street, at http://localhost:8080
  amiable start --history 1y                      the same with a year behind it
  amiable start --speed 60                        an hour of the street each minute
  amiable start -d /dev/ttyUSB0                   a real meter on its port
  amiable start -d '/dev/ttyUSB1,protocol=mbus,poll=15m,meters=1 5'
                                                  an M-Bus whose meters are asked; see docs/reader.md for the names
  amiable start --database-url postgres://amiable:secret@db/amiable
  amiable start --roles worker --database-url postgres://amiable:secret@db/amiable --master-key /etc/amiable/master-key
                                                  another process that reads meters; see docs/operations.md

The first start prints a link by which the first administrator is made. Everything binds to this machine alone; --host opens it, with
--tls-cert and --tls-key, or behind a proxy that does TLS (--trusted-proxy).
`;

function whole(low: number, high: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < low || value > high)
      throw new InvalidArgumentError(`a whole number from ${low} to ${high} is wanted.`);
    return value;
  };
}

const DAY = 86_400_000;
const SPANS: Record<string, number> = { h: DAY / 24, d: DAY, w: 7 * DAY, m: 30 * DAY, y: 365 * DAY };

/** `1y`, `90d`, `12h`: a span of time in ms. */
export function parseSpan(text: string): number {
  const found = /^(\d{1,5})([hdwmy])$/.exec(text);
  const span = found ? Number(found[1]) * (SPANS[found[2] as string] as number) : 0;
  if (span <= 0 || span > 10 * 366 * DAY)
    throw new InvalidArgumentError('a span is wanted such as 1y, 6m, 90d or 12h, ten years at most.');
  return span;
}

function speed(text: string): number {
  const value = Number(text);
  if (!(value >= 0.1 && value <= 100_000)) throw new InvalidArgumentError('a number from 0.1 to 100000 is wanted.');
  return value;
}

function zone(text: string): string {
  if (!isValidZone(text)) throw new InvalidArgumentError('an IANA time zone is wanted such as Europe/Oslo.');
  return text;
}

function roles(text: string): Role[] {
  const wanted = text.split(',').map((role) => role.trim());
  for (const role of wanted)
    if (!ROLES.includes(role as Role))
      throw new InvalidArgumentError(`${role || 'nothing'} is no role; roles are ${ROLES.join(', ')}.`);
  return wanted as Role[];
}

const gather = (value: string, before: readonly string[]): string[] => [...before, value];

export function startCommand(program: Command): void {
  program
    .command('start')
    .description('run everything: database, broker, simulated street or real ports, page')
    .option('--port <port>', 'port of the page and the API (default: 8080, or the next free one)', whole(0, 65535))
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--mqtt-port <port>', 'port of the embedded broker (default: 1883, or the next free one)', whole(0, 65535))
    .option('--data <folder>', 'folder of the database and the keys', './data')
    .addOption(
      new Option('--database-url <url>', 'a PostgreSQL server (15 or newer) in place of the embedded one')
        .env('DATABASE_URL')
        .argParser(serverUrl),
    )
    .option(
      '-d, --device <device>',
      'a real port: /dev/ttyUSB0 or host:port, and behind it settings as ,NAME=VALUE; again for more',
      gather,
      [],
    )
    .option('-k, --key <[id=]hex>', 'key of a meter that encrypts; again for more', gather, [])
    .option('--auth-key <[id=]hex>', 'its authentication key', gather, [])
    .option(
      '--max-clock-error <minutes>',
      "how far a real meter's clock may be off before its messages are kept by receive time",
      whole(1, 527_040),
      60,
    )
    .option('--subscribe <url>', 'read messages from an MQTT broker elsewhere, mqtt[s]://[user:password@]host')
    .option(
      '--host-name <name>',
      'a name besides this machine’s by which the page may be asked for; again for more',
      gather,
      [],
    )
    .option('--tls-cert <file>', 'TLS for page and API: certificate chain, PEM')
    .option('--tls-key <file>', 'and its key')
    .option(
      '--trusted-proxy <address>',
      'a proxy that does TLS, whose word on who asks is believed; again for more',
      gather,
      [],
    )
    .option('--plain-login', 'take passwords over plain HTTP from other machines, in a network that protects itself')
    .option(
      '--master-key <file>',
      'the key under which meters’ keys are sealed (default: master-key in the data folder)',
    )
    .option('--backups <folder>', 'where the server keeps backups of itself (default: backups in the data folder)')
    .option('--keep-backups <n>', 'how many', whole(1, 1000), 7)
    .option('--inbox <folder>', 'below it tasks of kind import look for registry files; without it there are none')
    .option('--outbox <folder>', 'below it tasks of kind export write registry files, and reports go')
    .option('--smtp <url>', 'mail server for reports: smtp://host:port, smtps://user:password@host:port')
    .option('--mail-from <address>', 'whom mail comes from', 'amiable@localhost')
    .option('--print-command <program>', 'what prints: takes the options of lp and text on its standard input', 'lp')
    .option('--health-port <port>', 'where a process without a page answers /health and /metrics', whole(0, 65535))
    .option('--sessions <n>', 'meters that a worker reads at once', whole(1, 5000), 200)
    .option('--meters <n>', 'virtual DLMS meters of the simulation; 0: none', whole(0, 16_381), 200)
    .option('--houses <n>', 'houses of the simulated street', whole(1, 10_000), 12)
    .option('--seed <n>', 'another street', whole(0, 2 ** 31 - 1), 1)
    .option('--speed <factor>', 'simulated seconds per second', speed, 1)
    .option(
      '--history <span>',
      'write this much of the past first, as the retention policy would have left it: 1y, 90d',
      parseSpan,
    )
    .option(
      '--tz <zone>',
      'time zone of the place (default: Europe/Oslo for the page and the street; a real meter by its market)',
      zone,
    )
    .option('--roles <roles>', 'what this process is', roles, [...ROLES])
    .addOption(
      new Option('--log <form>', 'form of the log on stderr')
        .choices(['text', 'json'])
        .default('text')
        .env('AMIABLE_LOG'),
    )
    .option('--no-page', 'the API without the page')
    .addHelpText('after', ROLE_HELP)
    .action(async ({ databaseUrl, ...options }: StartOptions) => {
      const { start } = await import('./run.ts');
      await start(databaseUrl ? { ...options, databaseUrl } : options);
    });
}

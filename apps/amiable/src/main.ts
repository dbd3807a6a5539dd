/**
 * The command `amiable`. Each subcommand lives with its role; this file only joins them, loading a role's code when
 * its name is on the command line so that a start stays quick.
 */
import { Command, CommanderError } from 'commander';

const VERSION = '0.1.0';

/** Name, one line, and how to load the code that fills the subcommand in. */
const COMMANDS: readonly (readonly [string, string, () => Promise<(parent: Command) => void>])[] = [
  [
    'start',
    'run everything: database, broker, simulated street or real ports, page',
    async () => (await import('./start/command.ts')).startCommand,
  ],
  [
    'read',
    "read a meter's port, a capture file or the multicast of another reader",
    async () => (await import('@amiable/reader')).readCommand,
  ],
  [
    'reader',
    'read ports for ever: keep every message on disk until brokers and servers have it',
    async () => (await import('@amiable/reader')).readerCommand,
  ],
  [
    'dlms',
    'read and set DLMS/COSEM meters: ls, get, set, do, profile, push, scan',
    async () => (await import('@amiable/engineer')).dlmsCommand,
  ],
  [
    'mbus',
    'wired and wireless M-Bus: decode, scan, read, wave',
    async () => (await import('@amiable/engineer')).mbusCommand,
  ],
  [
    'optical',
    'read and program meters through their optical port: read, program, shell',
    async () => (await import('@amiable/engineer')).opticalCommand,
  ],
  [
    'handheld',
    'visit many meters, keep what they gave in files, upload or present it: visit, status, upload, serve',
    async () => (await import('@amiable/engineer')).handheldCommand,
  ],
  [
    'connection',
    'how meters are reached, their secrets, and how their reading went last: list, show, set, secret, remove',
    async () => (await import('@amiable/operator')).connectionCommand,
  ],
  [
    'explain',
    'what every byte of a frame, an APDU, a log or a capture is',
    async () => (await import('@amiable/engineer')).explainCommand,
  ],
  [
    'api',
    'one request to the central system, whatever it is',
    async () => (await import('@amiable/operator')).apiCommand,
  ],
  [
    'import',
    'meters, network and installations out of a CSV or XML file into the registry',
    async () => (await import('@amiable/operator')).importCommand,
  ],
  [
    'ondemand',
    'read a meter now: registers, a profile or events, as for somebody on the phone',
    async () => (await import('@amiable/operator')).onDemandCommand,
  ],
  [
    'format',
    'flat-file formats that you design: list, show, put, try, remove',
    async () => (await import('@amiable/operator')).formatCommand,
  ],
  [
    'delivery',
    'meter data to other systems: destinations, run, list, show, file, resend, acknowledge',
    async () => (await import('@amiable/operator')).deliveryCommand,
  ],
  [
    'readings',
    'readings out of files of other systems: import, list, show',
    async () => (await import('@amiable/operator')).readingsCommand,
  ],
  [
    'command',
    'what other systems order: contract and tariff changes, readings, parameters: send, status, cancel',
    async () => (await import('@amiable/operator')).commandCommand,
  ],
  ['export', 'the registry as a CSV or XML file', async () => (await import('@amiable/operator')).exportCommand],
  [
    'login',
    'log in at a central system; other commands then act as this user',
    async () => (await import('@amiable/operator')).loginCommand,
  ],
  ['logout', 'end the session of this command line', async () => (await import('@amiable/operator')).logoutCommand],
  ['password', 'change your own password', async () => (await import('@amiable/operator')).passwordCommand],
  ['whoami', 'who you are there, and what you may', async () => (await import('@amiable/operator')).whoamiCommand],
  ['user', 'users of the central system', async () => (await import('@amiable/operator')).userCommand],
  ['group', 'groups of users and their privileges', async () => (await import('@amiable/operator')).groupCommand],
  ['segment', 'segments of the data', async () => (await import('@amiable/operator')).segmentCommand],
  ['token', 'tokens of programs', async () => (await import('@amiable/operator')).tokenCommand],
  ['audit', 'who changed or revealed what', async () => (await import('@amiable/operator')).auditCommand],
  ['person', 'what is kept of people: erase', async () => (await import('@amiable/operator')).personCommand],
  [
    'log',
    'what the central system did: the transaction log as a tree, or while it happens',
    async () => (await import('@amiable/operator')).logCommand,
  ],
  [
    'events',
    'events of meters: power failures, tampering, clocks, disconnecters',
    async () => (await import('@amiable/operator')).eventsCommand,
  ],
  [
    'outages',
    'interruptions of supply; SAIDI, SAIFI, CAIDI, MAIFI; announced work',
    async () => (await import('@amiable/operator')).outagesCommand,
  ],
  [
    'completeness',
    'what is there of what should be, by day and area; what lacks',
    async () => (await import('@amiable/operator')).completenessCommand,
  ],
  [
    'formula',
    'profiles calculated out of profiles: list, show, set, check, calculate, versions, runs, remove',
    async () => (await import('@amiable/operator')).formulaCommand,
  ],
  [
    'balance',
    'losses of areas of the grid: list, show, set, compute, days, alarms, alarm, remove',
    async () => (await import('@amiable/operator')).balanceCommand,
  ],
  [
    'history',
    'a household’s own CSV history of a meter: import',
    async () => (await import('@amiable/operator')).historyCommand,
  ],
  [
    'prices',
    'spot prices and others by time: list, add, show, days, history, set, import, source, fetch',
    async () => (await import('@amiable/operator')).pricesCommand,
  ],
  ['simulate', 'be a meter that is not there', async () => (await import('@amiable/simulator')).simulateCommand],
  [
    'validation',
    'check and complete what meters sent: rule sets, runs, exceptions',
    async () => (await import('@amiable/operator')).validationCommand,
  ],
  [
    'values',
    'validated intervals: list, show, history, edit, edits, approve, refuse, undo, rule',
    async () => (await import('@amiable/operator')).valuesCommand,
  ],
  [
    'report',
    'reports on the terminal, as files, by mail and to a printer: kinds, show, make, put, run, results',
    async () => (await import('@amiable/operator')).reportCommand,
  ],
  [
    'backups',
    'the backups that the server keeps of itself: list, now, check, remove',
    async () => (await import('@amiable/operator')).backupsCommand,
  ],
  [
    'task',
    'what is read of which meters, and when: add, list, show, change, run, pause, resume, remove, due, kinds',
    async () => (await import('@amiable/operator')).taskCommand,
  ],
  [
    'flow',
    'tasks that follow one another: add, list, show, change, run, pause, resume, remove, due',
    async () => (await import('@amiable/operator')).flowCommand,
  ],
  [
    'run',
    'runs of tasks and flows: list, show, jobs, watch, pause, resume, cancel; limits of channels, workers',
    async () => (await import('@amiable/operator')).runCommand,
  ],
  [
    'registry',
    'what stands where, who was where when: search, show, tree, history, add, set, move, link, types, groups, summary',
    async () => (await import('@amiable/operator')).registryCommand,
  ],
  ['tariff', 'tariffs: versions, checks, publication', async () => (await import('@amiable/operator')).tariffCommand],
  [
    'contract',
    'contracts: tariffs at metering points over time',
    async () => (await import('@amiable/operator')).contractCommand,
  ],
  [
    'bill',
    'billing runs, bills and why, what if, the gate',
    async () => (await import('@amiable/operator')).billCommand,
  ],
  [
    'backup',
    'write the whole database into one file',
    async () => (await import('./database/command.ts')).backupCommand,
  ],
  [
    'restore',
    'fill an empty database from a backup',
    async () => (await import('./database/command.ts')).restoreCommand,
  ],
  [
    'reprocess',
    'decode messages that were kept until their key or meter is known',
    async () => (await import('./database/command.ts')).reprocessCommand,
  ],
];

export async function main(argv: readonly string[]): Promise<void> {
  // `amiable … | head` closes the pipe early: that is no fault of ours, whatever is being written. A full disk is one, but
  // must not end what runs: commands whose data goes there tell it themselves, for the others it is told at the end.
  let unwritten: Error | undefined;
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') unwritten ??= error;
    });
  process.once('exit', () => {
    if (!unwritten || process.exitCode) return;
    process.stderr.write(`amiable: the output could not be written: ${unwritten.message}\n`);
    process.exitCode = 1;
  });
  const program = new Command('amiable')
    .description('Amiable, the open Advanced Metering Infrastructure')
    .version(VERSION, '-V, --version')
    .showSuggestionAfterError()
    .showHelpAfterError('(--help says what is wanted)')
    .configureHelp({ showGlobalOptions: true })
    .exitOverride();
  const wanted = argv.slice(2).find((word) => !word.startsWith('-'));
  const named = wanted === 'help' ? argv.slice(2).filter((word) => !word.startsWith('-'))[1] : wanted;
  for (const [name, summary, load] of COMMANDS) {
    if (name === named) (await load())(program);
    else program.command(name).description(summary).allowUnknownOption();
  }
  if (wanted === undefined && argv.length <= 2) {
    program.outputHelp({ error: true });
    process.exitCode = 2;
    return;
  }
  try {
    await program.parseAsync(argv as string[]);
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
    else {
      process.stderr.write(`amiable: ${error instanceof Error ? error.message : String(error)}\n`);
      if (process.env.AMIABLE_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
      process.exitCode = 1;
    }
  }
}

/** The subcommand `handheld`: many meters read into files on the way, given to the central system afterwards. */
import type { Command } from 'commander';
import { action as actionOf, type Run } from '../action.ts';

const EXAMPLES = `
Examples:
  amiable handheld list tour.csv                    the meters to visit, and when each was visited last
  amiable handheld visit tour.csv --credentials secrets.json
  amiable handheld visit tour.csv M-0007 --read identity,load:7d
  amiable handheld status                           what the store holds, and what was uploaded
  amiable handheld show M-0007                      what the last visit gave
  amiable handheld upload http://192.0.2.1:8080 --api-key @key.txt
  amiable handheld serve --listen :4059             be a DLMS server that shows each visited meter (SERVER_MODE)

A list is CSV (meter,serial,place,device,protocol,credentials,read,write,codes,tz, …) or JSON. Secrets stand in the file of
--credentials by name, never in the list. Results go to stdout, all else to stderr. The exit code is 0 when all went well, 1
when a meter or the line said no, 2 for a command that cannot be. docs/handheld.md has more.`;

/** Adds the subcommand; returns it so that tests can look at it. */
export function handheldCommand(parent: Command): Command {
  const handheld = parent
    .command('handheld')
    .description('visit meters with a laptop, keep what they gave in files, upload or present it')
    .addHelpText('after', EXAMPLES);
  action(
    store(handheld.command('list').description('the meters to visit').argument('<list>', 'CSV or JSON')).option(
      '--json',
      'one JSON object for each meter, as understood',
    ),
    async (terminal, [path = ''], given) => (await import('./status.ts')).runList(terminal, path, given),
  );
  action(
    store(
      handheld
        .command('visit')
        .description('read the meters of a list (CLIENT_MODE), write their parameters')
        .argument('<list>', 'CSV or JSON')
        .argument('[meters...]', 'only these'),
    )
      .option('--credentials <file>', 'JSON: name of the credentials → password, keys, …')
      .option('--read <groups>', 'identity, instantaneous, energy, demand, billing, load, events; load:7d, load:new')
      .option('--again', 'a new visit even where one was made or begun within a day')
      .option('-y, --yes', 'write parameters and go from meter to meter without asking'),
    async (terminal, [path = '', ...names], given) =>
      (await import('./visit.ts')).runVisit(terminal, path, names, given),
  );
  action(
    store(handheld.command('status').description('what the store holds')).option('--json', 'one JSON object a visit'),
    async (terminal, _words, given) => (await import('./status.ts')).runStatus(terminal, given),
  );
  action(
    store(
      handheld
        .command('show')
        .description('what a visit gave')
        .argument('<visit>', 'a meter (its last visit), or the name of a file'),
    )
      .option('--rows <n>', 'of each profile; 10 unless said')
      .option('--json', 'the canonical messages'),
    async (terminal, [which = ''], given) => (await import('./status.ts')).runShow(terminal, which, given),
  );
  action(
    store(
      handheld
        .command('upload')
        .description('give what was read to the central system')
        .argument('<server>', 'http://host:port or https://…'),
    )
      .option('--api-key <key>', 'also as @file, or in AMIABLE_API_KEY')
      .option('--again', 'also what it has taken already: it knows duplicates'),
    async (terminal, [server = ''], given) => (await import('./upload.ts')).runUpload(terminal, server, given),
  );
  action(
    store(
      handheld
        .command('serve')
        .description('be a DLMS server that presents each visited meter as a logical device (SERVER_MODE)'),
    )
      .option('--listen <address>', 'host:port, :port, or a serial port; 127.0.0.1:4059 unless said')
      .option('--hdlc', 'HDLC over TCP (the rule on serial ports)')
      .option('--baud <rate>', 'of a serial port; 9600 unless said')
      .option('--password <text>', 'clients must log in with it (LLS); also as @file'),
    async (terminal, _words, given) => (await import('./serve.ts')).runServe(terminal, given),
  );
  return handheld;
}

const action = (command: Command, run: Run): void => actionOf(command, run, 'amiable handheld');
const store = (command: Command): Command =>
  command.option('--store <folder>', 'where visits are kept; visits unless said');

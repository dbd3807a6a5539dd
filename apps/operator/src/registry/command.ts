/** `amiable registry`: what stands where, who was where when, and what the utility defines. */
import { harmless } from '@amiable/io/terminal';
import type { Command } from 'commander';
import { action, UsageError } from '../action.ts';
import { ROOM } from '../named.ts';
import { jsonLines } from '../table.ts';
import { definedCommands } from './defined.ts';
import {
  type HistoryJson,
  historyText,
  type LinkJson,
  meterFacts,
  metersTable,
  nodeFacts,
  nodesTable,
  staysTable,
  treeLines,
} from './show.ts';
import { conditionOf, type EntryJson, fieldsOf, find, findNode, KINDS, type NodeJson, timeOf } from './words.ts';

const EXAMPLES = `
Objects are KIND:CODE, such as region:NORTH, transformer:T-17, point:735999100000000017, meter:LGZ00000001.

Examples:
  amiable registry search storgata 12                      words of serial number, name or place
  amiable registry search maker=Kaifa 'x.fuse>=25' --under region:NORTH
  amiable registry search 'type=[E450,E650]' 'paramId?' --group winter --json
  amiable registry tree --depth 3
  amiable registry show meter:LGZ00000001
  amiable registry add transformer T-17 --under region:NORTH name="Elm Street"
  amiable registry link meter:LGZ00000001 point:735999100000000017 --from 2026-11-01
  amiable registry link meter:GAS4711 meter:LGZ00000001 --channel 1
  amiable registry multipliers point:735999100000000017 current=600/5
  amiable registry history meter:LGZ00000001

Conditions: = != < <= > >=, ~ (contains), ^ (begins), =[a,b] (one of), NAME? (is there), NAME! (is not).`;

interface Found {
  readonly meters: EntryJson[];
  readonly total: number | null;
  readonly more: boolean;
  readonly next: string | null;
}

export function registryCommand(parent: Command): Command {
  const command = parent
    .command('registry')
    .description('what stands where, who was where when, and what is defined')
    .addHelpText('after', EXAMPLES);

  action<{ under?: string; group?: string; at?: string; limit: string; nodes?: string }>(
    command
      .command('search')
      .description('meters by words and conditions; with --nodes KIND, nodes')
      .argument('[words...]', 'words, and conditions such as maker=Kaifa')
      .option('--under <object>', 'those under this node')
      .option('--group <name>', 'those of this group of meters')
      .option('--at <time>', 'where they stood then')
      .option('--nodes <kind>', `nodes instead of meters: ${KINDS.join(', ')}`)
      .option('--limit <n>', 'so many at most', '100'),
    async ({ client, terminal, words, options }) => {
      const limit = Number(options.limit);
      if (!Number.isInteger(limit) || limit < 1) throw new UsageError('--limit: a whole number above zero');
      const under = options.under === undefined ? undefined : (await findNode(client, options.under)).id;
      if (options.nodes !== undefined) {
        const room = ROOM[options.nodes];
        if (room === undefined) throw new UsageError(`--nodes: one of ${KINDS.join(', ')}`);
        const { nodes } = await client.get<{ nodes: NodeJson[] }>(`/api/v1/${room}`, {
          ...(words.length > 0 ? { q: words.join(' ') } : {}),
          ...(room === 'nodes' ? { kind: options.nodes } : {}),
          under,
          limit: Math.min(limit, 1000),
        });
        return terminal.out(options.json ? jsonLines(nodes) : nodesTable(nodes, terminal.columns));
      }
      const where = words.flatMap((word) => conditionOf(word) ?? []);
      const q = words.filter((word) => conditionOf(word) === undefined).join(' ');
      const asked = {
        ...(q === '' ? {} : { q }),
        ...(where.length === 0 ? {} : { where }),
        ...(under === undefined ? {} : { under }),
        ...(options.group === undefined ? {} : { group: options.group }),
        ...(options.at === undefined ? {} : { at: timeOf(options.at) }),
      };
      const meters: EntryJson[] = [];
      let shown = 0;
      let first: Found | undefined;
      for (let after: string | null | undefined; after !== null && shown < limit; ) {
        const page: Found = await client.post<Found>('/api/v1/meters/search', {
          ...asked,
          ...(after ? { after } : {}),
          limit: Math.min(limit - shown, 1000),
          count: first === undefined && !options.json,
        });
        first ??= page;
        shown += page.meters.length;
        // A table needs all rows for its widths; for programs a page at a time.
        if (options.json) terminal.out(jsonLines(page.meters));
        else meters.push(...page.meters);
        after = page.next;
      }
      if (options.json) return;
      if (meters.length === 0) return terminal.err('No meter fits.\n');
      terminal.out(metersTable(meters, terminal.columns));
      const total = `${first?.more ? 'more than ' : ''}${(first?.total ?? 0).toLocaleString('en')}`;
      if (first?.more || (first?.total ?? 0) > meters.length)
        terminal.err(`${meters.length} of ${total} meters; --limit shows more.\n`);
    },
  );

  action(
    command.command('show').description('all that is known of an object').argument('<object>', 'KIND:CODE'),
    async ({ client, terminal, words, options }) => {
      const found = await find(client, words[0] ?? '');
      if (options.json) return terminal.out(jsonLines([found.what === 'meter' ? found.entry : found.node]));
      if (found.what === 'meter') return terminal.out(meterFacts(found.entry));
      const above: NodeJson[] = [];
      for (const id of found.node.path.slice(0, -1))
        for (const room of ['nodes', 'premises'])
          await client.get<NodeJson>(`/api/v1/${room}/${id}`).then(
            (node) => above.push(node),
            () => {},
          );
      terminal.out(nodeFacts(found.node, above));
    },
  );

  action<{ depth: string }>(
    command
      .command('tree')
      .description('the network, from the top or from a node')
      .argument('[object]', 'KIND:CODE')
      .option('--depth <n>', 'levels', '2'),
    async ({ client, terminal, words, options }) => {
      const depth = Number(options.depth);
      if (!Number.isInteger(depth) || depth < 1 || depth > 32) throw new UsageError('--depth: 1 to 32');
      const under = words[0] === undefined ? undefined : (await findNode(client, words[0])).id;
      let lines = 0;
      for await (const { line, node } of treeLines(client, under, depth)) {
        lines++;
        if (!options.json) terminal.out(`${harmless(line)}\n`);
        else if (node) terminal.out(jsonLines([node]));
        if (terminal.signal.aborted) return;
      }
      if (lines === 0 && !options.json) terminal.err('Nothing stands there.\n');
    },
  );

  action(
    command
      .command('history')
      .description('where an object was when, and what was changed about it')
      .argument('<object>', 'KIND:CODE'),
    async ({ client, terminal, words, options }) => {
      const found = await find(client, words[0] ?? '');
      const history = await client.get<HistoryJson>(`${found.path}/history`);
      terminal.out(options.json ? jsonLines([history]) : historyText(history, terminal.columns));
    },
  );

  action<{ under?: string; from?: string }>(
    command
      .command('add')
      .description('a node, or a meter that is planned')
      .argument('<kind>', `meter, ${KINDS.join(', ')}`)
      .argument('<code>', 'the code; of a meter the serial number')
      .argument('[fields...]', 'NAME=VALUE')
      .option('--under <object>', 'what it stands under')
      .option('--from <time>', 'since when (default: now)'),
    async ({ client, terminal, words, options }) => {
      const [given = '', code = '', ...fields] = words;
      const kind = given === 'point' ? 'metering-point' : given;
      if (kind === 'meter') {
        const entry = await client.post<EntryJson>('/api/v1/meters', { serial: code, ...fieldsOf(fields) });
        return terminal.out(options.json ? jsonLines([entry]) : meterFacts(entry));
      }
      const room = Object.hasOwn(ROOM, kind) ? ROOM[kind] : undefined;
      if (room === undefined) throw new UsageError(`${kind}: there are meter, ${KINDS.join(', ')}`);
      const above = options.under === undefined ? undefined : await findNode(client, options.under);
      const node = await client.post<NodeJson>(`/api/v1/${room}`, {
        ...(room === 'nodes' ? { kind } : {}),
        code,
        ...(above ? { parent: above.id } : {}),
        ...(options.from === undefined ? {} : { from: timeOf(options.from) }),
        ...fieldsOf(fields),
      });
      terminal.out(options.json ? jsonLines([node]) : nodeFacts(node, above ? [above] : []));
    },
  );

  action(
    command
      .command('set')
      .description('change fields and attributes')
      .argument('<object>', 'KIND:CODE')
      .argument('<fields...>', 'NAME=VALUE, x.NAME=VALUE; NAME= takes it away'),
    async ({ client, terminal, words, options }) => {
      const [object = '', ...rest] = words;
      const fields = fieldsOf(rest);
      const found = await find(client, object);
      if (found.what === 'meter') {
        const { name, place, timeZone, ...registry } = fields;
        const own = Object.fromEntries(
          Object.entries({ name, place, timeZone }).filter(([, value]) => value !== undefined),
        );
        if (Object.keys(own).length > 0) await client.patch(found.path, own);
        const entry = await client.patch<EntryJson>(`${found.path}/registry`, registry);
        return terminal.out(options.json ? jsonLines([entry]) : meterFacts(entry));
      }
      const node = await client.patch<NodeJson>(found.path, fields);
      terminal.out(options.json ? jsonLines([node]) : nodeFacts(node, []));
    },
  );

  action(
    command.command('remove').description('delete a node on which nothing hangs').argument('<object>', 'KIND:CODE'),
    async ({ client, terminal, words }) => {
      const found = await find(client, words[0] ?? '');
      if (found.what === 'meter')
        throw new UsageError('a meter is not deleted here: `amiable registry unlink` ends its stay');
      await client.delete(found.path);
      terminal.err(`${found.node.kind} ${found.node.code} is deleted.\n`);
    },
  );

  action<{ from?: string }>(
    command
      .command('move')
      .description('put a node under another, with all that stands below')
      .argument('<object>', 'KIND:CODE')
      .argument('[parent]', 'KIND:CODE; without it, to the top')
      .option('--from <time>', 'since when (default: now)'),
    async ({ client, terminal, words, options }) => {
      const found = await find(client, words[0] ?? '');
      if (found.what === 'meter') throw new UsageError('a meter is moved by `amiable registry link`');
      const at = timeOf(options.from);
      const link =
        words[1] === undefined
          ? await client.post<LinkJson>(`${found.path}/detach`, at === undefined ? {} : { to: at })
          : await client.post<LinkJson>(`${found.path}/move`, {
              parent: (await findNode(client, words[1])).id,
              ...(at === undefined ? {} : { from: at }),
            });
      terminal.out(options.json ? jsonLines([link]) : staysTable([link], terminal.columns));
    },
  );

  action<{ channel?: string; from?: string; to?: string }>(
    command
      .command('link')
      .description('a meter came: to a metering point, behind a master meter, to a concentrator')
      .argument('<meter>', 'meter:SERIAL')
      .argument('<object>', 'point:CODE, meter:SERIAL or concentrator:CODE')
      .option('--channel <n>', 'channel of the master, 1 to 4')
      .option('--from <time>', 'since when (default: now)')
      .option('--to <time>', 'until when, for the past'),
    async ({ client, terminal, words, options }) => {
      const meter = await find(client, words[0] ?? '');
      const at = await find(client, words[1] ?? '');
      if (meter.what !== 'meter') throw new UsageError(`${words[0]} is no meter`);
      const kind = at.what === 'meter' ? 'behind' : at.node.kind === 'concentrator' ? 'served' : 'installed';
      if (kind === 'behind' && options.channel === undefined)
        throw new UsageError('--channel: which of the master’s, 1 to 4');
      const link = await client.post<LinkJson>(`${meter.path}/links`, {
        kind,
        parent: at.what === 'meter' ? at.entry.id : at.node.id,
        ...(options.channel === undefined ? {} : { channel: Number(options.channel) }),
        ...(options.from === undefined ? {} : { from: timeOf(options.from) }),
        ...(options.to === undefined ? {} : { to: timeOf(options.to) }),
      });
      if (options.json) return terminal.out(jsonLines([link]));
      terminal.err(`${meter.entry.serial} is ${kind} ${words[1]} since ${link.from} (stay ${link.id}).\n`);
    },
  );

  action<{ to?: string }>(
    command
      .command('unlink')
      .description('a meter left')
      .argument('<meter>', 'meter:SERIAL')
      .argument('[kind]', 'installed, behind or served', 'installed')
      .option('--to <time>', 'until when it was there (default: now)'),
    async ({ client, terminal, words, options }) => {
      const meter = await find(client, words[0] ?? '');
      if (meter.what !== 'meter') throw new UsageError(`${words[0]} is no meter`);
      const to = timeOf(options.to);
      const link = await client.post<LinkJson>(`${meter.path}/links/end`, {
        kind: words[1] ?? 'installed',
        ...(to === undefined ? {} : { to }),
      });
      if (options.json) return terminal.out(jsonLines([link]));
      terminal.err(`${meter.entry.serial} was there until ${link.to}.\n`);
    },
  );

  action<{ from?: string; to?: string; still?: boolean; never?: boolean; at?: string; reason: string }>(
    command
      .command('correct')
      .description('a stay was written down wrongly; the wrong one is kept, marked')
      .argument('<object>', 'KIND:CODE')
      .argument('<stay>', 'its number, as `history` shows')
      .requiredOption('--reason <words>', 'why')
      .option('--from <time>', 'since when it was')
      .option('--to <time>', 'until when it was')
      .option('--still', 'it has not ended')
      .option('--at <object>', 'where it was')
      .option('--never', 'it never was'),
    async ({ client, terminal, words, options }) => {
      const found = await find(client, words[0] ?? '');
      const other = options.at === undefined ? undefined : await find(client, options.at);
      const { link } = await client.patch<{ link: LinkJson | null }>(
        `${found.path}/links/${encodeURIComponent(words[1] ?? '')}`,
        {
          reason: options.reason,
          ...(options.never ? { never: true } : {}),
          ...(options.from === undefined ? {} : { from: timeOf(options.from) }),
          ...(options.still ? { to: null } : options.to === undefined ? {} : { to: timeOf(options.to) }),
          ...(other ? { parent: other.what === 'meter' ? other.entry.id : other.node.id } : {}),
        },
      );
      if (options.json) return terminal.out(jsonLines([{ link }]));
      terminal.err(link ? `Stay ${link.id} holds in its place.\n` : 'It is written down that it never was.\n');
    },
  );

  definedCommands(command);
  return command;
}

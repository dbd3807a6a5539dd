/** `amiable task`, `amiable flow`, `amiable run`: what is due, what runs, and what came of it. */
import { readFileSync } from 'node:fs';
import { PRESETS } from '@amiable/tasks';
import type { Command } from 'commander';
import { action, UsageError } from '../action.ts';
import type { Client } from '../client.ts';
import { meterIdsOf, nodeIdOf } from '../named.ts';
import { factsOf, jsonLines, tableOf } from '../table.ts';
import { follow } from './follow.ts';
import {
  FLOW_COLUMNS,
  inWords,
  JOB_COLUMNS,
  type JobShape,
  localTime,
  RUN_COLUMNS,
  type RunShape,
  TASK_COLUMNS,
  type TaskShape,
  targetInWords,
  windowsInWords,
} from './shapes.ts';
import { definitionOf, type TaskWords } from './words.ts';

const TASK_EXAMPLES = `
Examples:
  amiable task kinds                                       what there is to do, and how it is set up at first
  amiable task add daily --every day --at 00:30 --group households
  amiable task add profile "Night profiles" --window "22:00-06:00" --tries 8 --pause 2m --enough 98%
  amiable task add monthly --every month --on "workday 1" --at 02:00 --special 12-25,01-01
  amiable task add events --every 6h --type E450 --type ZMF100
  amiable task add registers Audit --once "2026-12-01 06:00" --meter 17,18 --param set=billing
  amiable task run "Night profiles"                        now; a bar shows how far it is
  amiable task due 3                                       when it comes next`;

const FLOW_EXAMPLES = `
A flow is a JSON file: {"steps":[{"name":"read","task":"Night profiles"},
  {"name":"again","task":"Night profiles","after":[{"step":"read","when":{"share":"failed","is":">","value":0}}],"meters":{"step":"read"}}],
  "schedule":{"recurrence":{"type":"daily","at":["01:00"]}}}; see docs/tasks.md.
Examples:
  amiable flow add Night night.json
  amiable flow show Night
  amiable flow run Night`;

const RUN_EXAMPLES = `
Examples:
  amiable run list --state failed
  amiable run jobs 41 --state given-up
  amiable run watch 41
  amiable run limit channel gsm --most 4 --window "mon-fri 20:00-06:00"
  amiable run ways                                         what waits and runs through each channel
  amiable run workers                                      what workers had of the queue`;

const many = (value: string, before: string[] = []): string[] => [...before, value];

/** By number or name. @throws UsageError */
async function find(client: Client, what: 'task' | 'flow', word: string | undefined): Promise<TaskShape> {
  if (word === undefined) throw new UsageError(`which ${what}? give its number or name`);
  if (/^\d{1,18}$/.test(word)) return client.get<TaskShape>(`/api/v1/${what}s/${word}`);
  const found: TaskShape[] = [];
  for await (const page of client.pages<{ next: string | null } & Record<string, unknown>>(`/api/v1/${what}s`, {
    limit: 1000,
  }))
    found.push(...(page[`${what}s`] as TaskShape[]).filter(({ name }) => name.toLowerCase() === word.toLowerCase()));
  if (found.length !== 1) throw new UsageError(`there is no ${what} ${word}; amiable ${what} list shows them`);
  return found[0] as TaskShape;
}

function scheduleOptions(command: Command): Command {
  return command
    .option('--every <span>', 'day, weekday, week, month, hour, 15m, 6h')
    .option('--at <time>', 'local time, 00:30; again for more', many)
    .option('--on <day>', 'of the week: mon; of the month: 1, last, "2nd tue", "workday 1"; again for more', many)
    .option('--cron <expression>', 'minute hour day month weekday')
    .option('--once <time>', 'local date and time, "2026-12-01 06:00"')
    .option('--order', 'only when it is ordered')
    .option('--spontaneous', 'only when somebody starts it')
    .option('--shift <way>', 'off days that are no working days: none, next, previous, nearest, skip')
    .option('--special <day>', 'no working day: 2026-12-25, or 12-25 of each year; again for more', many)
    .option('--each', 'in the hour that is repeated in autumn: each time, not the first time only')
    .option('--from <date>', 'the first day')
    .option('--until <date>', 'the last day')
    .option('--zone <name>', "time zone (default: the server's)")
    .option('--missed <rule>', 'what was missed while nothing ran: last, all, none')
    .option('--lifetime <span>', 'after it a run ends unfinished: 90m, 12h, 3d');
}

function taskOptions(command: Command): Command {
  return scheduleOptions(command)
    .option('--group <name>', 'meters of a stored group')
    .option('--type <name>', 'meters of a type; again for more', many)
    .option('--q <words>', 'meters that the registry finds by these words')
    .option('--where <condition>', 'attribute=value, >=, name~word, name^begin; again for more', many)
    .option('--under <node>', 'meters under this node of the network: region:NORTH, or its number')
    .option('--meter <meters>', 'these meters, by serial number or number; again for more', many)
    .option('--priority <0-9>', '9 goes first')
    .option('--window <times>', 'when meters may be called: "mon-fri 22:00-06:00"; again for more', many)
    .option('--tries <count>', 'tries in all')
    .option('--pause <span>', 'pause before the second try')
    .option('--factor <number>', 'each further pause is so much longer')
    .option('--decay <count>', 'what the priority loses with each failed try')
    .option('--give-up-after <span>', 'given up so long after it was due')
    .option('--enough <share>', 'share of meters with which a run counts as done: 95%')
    .option('--param <name=value>', 'what is read: profile=load, days=3, registers=…, set=true; again for more', many);
}

function describe(one: TaskShape): string {
  const { definition: d } = one;
  const schedule = d.schedule as Parameters<typeof inWords>[0] extends infer R
    ? { recurrence: R; shift?: string }
    : never;
  const retry = d.retry as { tries: number; pause: number; factor: number; decay: number } | undefined;
  const facts: [string, string | number | null][] = [
    ['number', one.id],
    ['name', one.name],
    ['state', one.state],
    ['when', `${inWords(schedule.recurrence)} (${String(d.timeZone)})`],
    ['next', localTime(one.nextDue)],
    ['made by', one.creator],
    ['version', one.version],
    ['missed', String(d.missed)],
  ];
  if (schedule.shift) facts.splice(4, 0, ['no working day', schedule.shift]);
  if (one.kind) {
    facts.splice(2, 0, ['kind', one.kind]);
    facts.push(
      ['meters', targetInWords(d.target as Record<string, unknown>)],
      ['parameters', JSON.stringify(d.parameters)],
      ['priority', d.priority as number],
      ['windows', windowsInWords(d.windows as never)],
      ['enough', `${(d.enough as number) * 100} %`],
    );
    if (retry)
      facts.push([
        'tries',
        `${retry.tries}, after ${retry.pause / 1000} s, × ${retry.factor}, priority −${retry.decay}`,
      ]);
  }
  let text = factsOf(facts);
  for (const step of (d.steps as { name: string; task: string; after: unknown[]; join: string; meters?: unknown }[]) ??
    []) {
    const after = (step.after as { step: string; when: object }[]).map((l) => `${l.step} ${JSON.stringify(l.when)}`);
    text += `  ${step.name}: task ${step.task}${after.length ? ` after ${after.join(step.join === 'any' ? ' or ' : ' and ')}` : ''}${step.meters ? `, meters of ${JSON.stringify(step.meters)}` : ''}\n`;
  }
  return text;
}

/** What tasks and flows have alike. */
function common(parent: Command, what: 'task' | 'flow'): void {
  const many = `${what}s`;
  action(parent.command('list').description(`all ${many}`), async ({ client, terminal, options }) => {
    const rows: TaskShape[] = [];
    for await (const page of client.pages<{ next: string | null } & Record<string, unknown>>(`/api/v1/${many}`, {
      limit: 1000,
    }))
      rows.push(...(page[many] as TaskShape[]));
    terminal.out(
      options.json ? jsonLines(rows) : tableOf(what === 'task' ? TASK_COLUMNS : FLOW_COLUMNS, rows, terminal.columns),
    );
  });
  action(
    parent.command('show').description(`what a ${what} says`).argument('<name>', 'or number'),
    async ({ client, terminal, words, options }) => {
      const one = await find(client, what, words[0]);
      terminal.out(options.json ? jsonLines([one]) : describe(one));
    },
  );
  for (const [word, summary] of [
    ['pause', `make no runs of a ${what} until it is resumed`],
    ['resume', `make runs of a ${what} again`],
  ] as const)
    action(
      parent.command(word).description(summary).argument('<name>', 'or number'),
      async ({ client, terminal, words, options }) => {
        const { id } = await find(client, what, words[0]);
        const one = await client.post<TaskShape>(`/api/v1/${many}/${id}/${word}`);
        terminal.out(options.json ? jsonLines([one]) : `${one.name}: ${one.state}\n`);
      },
    );
  action(
    parent.command('remove').description(`take a ${what} away; its runs stay`).argument('<name>', 'or number'),
    async ({ client, terminal, words, options }) => {
      const one = await find(client, what, words[0]);
      await client.delete(`/api/v1/${many}/${one.id}`);
      terminal.out(options.json ? jsonLines([{ id: one.id }]) : `${one.name} was taken away\n`);
    },
  );
  action(
    parent
      .command('due')
      .description(`when a ${what} comes next`)
      .argument('<name>', 'or number')
      .option('--count <n>', 'how many', '10'),
    async ({ client, terminal, words, options }) => {
      const { id } = await find(client, what, words[0]);
      const { count } = options as { count?: string };
      const { occurrences } = await client.get<{ occurrences: { nominal: string; at: number; skipped?: boolean }[] }>(
        `/api/v1/${many}/${id}/occurrences`,
        { count: count ?? '10' },
      );
      const columns = [
        { name: 'local', of: (o: (typeof occurrences)[number]) => o.nominal.replace('T', ' ') },
        { name: 'instant', of: (o: (typeof occurrences)[number]) => new Date(o.at).toISOString() },
        { name: '', of: (o: (typeof occurrences)[number]) => (o.skipped ? 'in the skipped hour: runs after it' : '') },
      ];
      terminal.out(options.json ? jsonLines(occurrences) : tableOf(columns, occurrences, terminal.columns));
    },
  );
  const run = parent
    .command('run')
    .description(`run a ${what} now and watch it`)
    .argument('<name>', 'or number')
    .option('--detach', 'do not wait for its end');
  if (what === 'task')
    run.option(
      '--meter <meters>',
      'these meters, whatever its target says; again for more',
      (v: string, b: string[] = []) => [...b, v],
    );
  run.option('--priority <0-9>', '9 goes first');
  action<{ detach?: boolean; meter?: string[]; priority?: string }>(
    run,
    async ({ client, terminal, words, options }) => {
      const { id } = await find(client, what, words[0]);
      const made = await client.post<RunShape>(`/api/v1/${many}/${id}/run`, {
        ...(options.meter
          ? {
              meters: await meterIdsOf(
                client,
                options.meter.flatMap((text) => text.split(',')),
              ),
            }
          : {}),
        ...(options.priority === undefined ? {} : { priority: Number(options.priority) }),
      });
      if (options.detach) terminal.out(options.json ? jsonLines([made]) : `run ${made.id} was made\n`);
      else await follow(client, terminal, made, options.json === true);
    },
  );
}

/** Meters and nodes as the server numbers them. */
const placed = async (client: Client, words: TaskWords): Promise<TaskWords> => ({
  ...words,
  ...(words.under === undefined ? {} : { under: (await nodeIdOf(client, words.under)) as string }),
  ...(words.meter === undefined
    ? {}
    : {
        meter: await meterIdsOf(
          client,
          words.meter.flatMap((text) => text.split(',')),
        ),
      }),
});

export function taskCommand(parent: Command): Command {
  const command = parent
    .command('task')
    .description(
      'what is read of which meters, and when: add, list, show, change, run, pause, resume, remove, due, kinds',
    )
    .addHelpText('after', TASK_EXAMPLES);
  common(command, 'task');
  action(
    command.command('kinds').description('the kinds of readings, and how each is set up at first'),
    async ({ terminal, options }) => {
      const rows = Object.values(PRESETS);
      const columns = [
        { name: 'kind', of: (p: (typeof rows)[number]) => p.kind },
        { name: 'when', of: (p: (typeof rows)[number]) => inWords(p.definition.schedule.recurrence) },
        { name: 'priority', of: (p: (typeof rows)[number]) => p.definition.priority, right: true },
        { name: 'what', of: (p: (typeof rows)[number]) => p.summary, cut: true },
      ];
      terminal.out(options.json ? jsonLines(rows) : tableOf(columns, rows, terminal.columns));
    },
  );
  action<TaskWords>(
    taskOptions(
      command
        .command('add')
        .description('make a task; what is not said is as `amiable task kinds` shows it')
        .argument(
          '<kind>',
          'daily, monthly, profile, events, status, quality, outage, registers, clock; completeness, import, export, backup, retention',
        )
        .argument('[name]', 'what it is called (default: its kind)'),
    ),
    async ({ client, terminal, words, options }) => {
      const [kind = '', name = kind] = words;
      const made = await client.post<TaskShape>('/api/v1/tasks', {
        name,
        definition: definitionOf(kind, await placed(client, options)),
      });
      terminal.out(options.json ? jsonLines([made]) : describe(made));
    },
  );
  action<TaskWords & { name?: string }>(
    taskOptions(
      command
        .command('change')
        .description('change what a task says; what is not said stays')
        .argument('<task>', 'name or number')
        .option('--name <name>', 'another name'),
    ),
    async ({ client, terminal, words, options }) => {
      const one = await find(client, 'task', words[0]);
      const changed = await client.patch<TaskShape>(`/api/v1/tasks/${one.id}`, {
        version: one.version,
        ...(options.name === undefined ? {} : { name: options.name }),
        definition: definitionOf(one.kind as string, await placed(client, options), one.definition),
      });
      terminal.out(options.json ? jsonLines([changed]) : describe(changed));
    },
  );
  return command;
}

/** Steps may name their tasks; the server wants numbers. */
async function flowFile(client: Client, path: string | undefined): Promise<Record<string, unknown>> {
  if (path === undefined) throw new UsageError('which file?');
  let flow: { steps?: { task?: unknown }[] } & Record<string, unknown>;
  try {
    flow = JSON.parse(readFileSync(path === '-' ? 0 : path, 'utf8'));
  } catch (error) {
    throw new UsageError(`${path}: ${(error as Error).message}`);
  }
  for (const step of Array.isArray(flow.steps) ? flow.steps : [])
    if (typeof step?.task === 'string') step.task = (await find(client, 'task', step.task)).id;
  return flow;
}

export function flowCommand(parent: Command): Command {
  const command = parent
    .command('flow')
    .description('tasks that follow one another: add, list, show, change, run, pause, resume, remove, due')
    .addHelpText('after', FLOW_EXAMPLES);
  common(command, 'flow');
  action(
    command.command('add').description('make a flow').argument('<name>').argument('<file>', 'JSON; - is stdin'),
    async ({ client, terminal, words, options }) => {
      const made = await client.post<TaskShape>('/api/v1/flows', {
        name: words[0],
        definition: await flowFile(client, words[1]),
      });
      terminal.out(options.json ? jsonLines([made]) : describe(made));
    },
  );
  action(
    command
      .command('change')
      .description('change a flow')
      .argument('<flow>', 'name or number')
      .argument('<file>', 'JSON; - is stdin'),
    async ({ client, terminal, words, options }) => {
      const one = await find(client, 'flow', words[0]);
      const definition = await flowFile(client, words[1]);
      const changed = await client.patch<TaskShape>(`/api/v1/flows/${one.id}`, { version: one.version, definition });
      terminal.out(options.json ? jsonLines([changed]) : describe(changed));
    },
  );
  return command;
}

const runNumber = (words: readonly string[]): string => {
  if (!/^\d{1,18}$/.test(words[0] ?? ''))
    throw new UsageError('which run? give its number; amiable run list shows them');
  return words[0] as string;
};

export function runCommand(parent: Command): Command {
  const command = parent
    .command('run')
    .description('runs of tasks and flows: list, show, jobs, watch, pause, resume, cancel; limits of channels, workers')
    .addHelpText('after', RUN_EXAMPLES);
  action<{ task?: string; flow?: string; state?: string; limit?: string }>(
    command
      .command('list')
      .description('runs, newest first')
      .option('--task <name>', 'of this task')
      .option('--flow <name>', 'of this flow')
      .option('--state <state>', 'waiting, running, paused, done, failed, cancelled')
      .option('--limit <n>', 'how many', '30'),
    async ({ client, terminal, options }) => {
      const { runs } = await client.get<{ runs: RunShape[] }>('/api/v1/runs', {
        task: options.task === undefined ? undefined : (await find(client, 'task', options.task)).id,
        flow: options.flow === undefined ? undefined : (await find(client, 'flow', options.flow)).id,
        state: options.state,
        limit: options.limit,
      });
      terminal.out(options.json ? jsonLines(runs) : tableOf(RUN_COLUMNS, runs, terminal.columns));
    },
  );
  action(
    command.command('show').description('one run').argument('<number>'),
    async ({ client, terminal, words, options }) => {
      const run = await client.get<RunShape>(`/api/v1/runs/${runNumber(words)}`);
      const { counts: c } = run;
      terminal.out(
        options.json
          ? jsonLines([run])
          : factsOf([
              ['number', run.id],
              ['name', run.name],
              ['state', run.state],
              ['due', localTime(run.due)],
              ['began', localTime(run.started)],
              ['ended', localTime(run.ended)],
              ['ordered by', run.creator],
              ['meters', c.total],
              ['done', c.done],
              ['failed', c.failed],
              ['given up', c.givenUp],
              ['expired', c.expired],
              ['cancelled', c.cancelled],
              ['tries', c.tries],
              ['values and events', c.stored],
              ['note', run.note],
            ]),
      );
      if (options.json || run.what === 'task') return;
      const { runs } = await client.get<{ runs: RunShape[] }>('/api/v1/runs', { parent: run.id, limit: 1000 });
      terminal.out(`\n${tableOf(RUN_COLUMNS, [...runs].reverse(), terminal.columns)}`);
    },
  );
  action<{ state?: string; limit?: string }>(
    command
      .command('jobs')
      .description('what became of each meter')
      .argument('<number>')
      .option('--state <state>', 'waiting, leased, done, failed, given-up, cancelled, expired')
      .option('--limit <n>', 'how many', '1000'),
    async ({ client, terminal, words, options }) => {
      const { jobs } = await client.get<{ jobs: JobShape[] }>(`/api/v1/runs/${runNumber(words)}/jobs`, {
        state: options.state,
        limit: options.limit,
      });
      terminal.out(options.json ? jsonLines(jobs) : tableOf(JOB_COLUMNS, jobs, terminal.columns));
    },
  );
  action(
    command.command('watch').description('watch a run to its end; its outcome is the exit code').argument('<number>'),
    async ({ client, terminal, words, options }) =>
      follow(client, terminal, await client.get<RunShape>(`/api/v1/runs/${runNumber(words)}`), options.json === true),
  );
  for (const [word, summary] of [
    ['pause', 'call no more meters of a run; what is under way ends'],
    ['resume', 'go on with a run'],
    ['cancel', 'end a run; what is under way ends'],
  ] as const)
    action(
      command.command(word).description(summary).argument('<number>'),
      async ({ client, terminal, words, options }) => {
        const run = await client.post<RunShape>(`/api/v1/runs/${runNumber(words)}/${word}`);
        terminal.out(options.json ? jsonLines([run]) : `run ${run.id} (${run.name}): ${run.state}\n`);
      },
    );
  action(
    command.command('ways').description('what waits and runs through each channel, concentrator and network'),
    async ({ client, terminal, options }) => {
      type Way = {
        channel: string;
        concentrator: string;
        network: string;
        meters: number;
        queued: number;
        leased: number;
      };
      const { ways } = await client.get<{ ways: Way[] }>('/api/v1/channels/use');
      const columns = (['channel', 'concentrator', 'network', 'meters', 'queued', 'leased'] as const).map((name) => ({
        name,
        of: (way: Way) => (way[name] === '' ? null : way[name]),
        right: name === 'meters' || name === 'queued' || name === 'leased',
      }));
      terminal.out(options.json ? jsonLines(ways) : tableOf(columns, ways, terminal.columns));
    },
  );
  action(
    command
      .command('workers')
      .description('what workers had of the queue, and how much they stood in each other’s way'),
    async ({ client, terminal, options }) => {
      type Worker = Record<string, string | number>;
      const { workers } = await client.get<{ workers: Worker[] }>('/api/v1/workers');
      const names = [
        'worker',
        'leases',
        'meters',
        'jobs',
        'empty',
        'conflicts',
        'retries',
        'finished',
        'refused',
        'lost',
      ];
      const columns = [
        ...names.map((name) => ({
          name,
          of: (w: Worker) => w[name],
          right: name !== 'worker',
          cut: name === 'worker',
        })),
        { name: 'waited ms', of: (w: Worker) => Math.round(Number(w.waited) / 1000), right: true },
        { name: 'seen', of: (w: Worker) => localTime(Number(w.seen) || null) },
      ];
      terminal.out(options.json ? jsonLines(workers) : tableOf(columns, workers, terminal.columns));
    },
  );
  action(
    command.command('limits').description('limits and windows of channels, concentrators and networks'),
    async ({ client, terminal, options }) => {
      type Channel = { kind: string; name: string; most: number | null; windows: never[]; address: string | null };
      const { channels } = await client.get<{ channels: Channel[] }>('/api/v1/channels');
      const columns = [
        { name: 'kind', of: (c: Channel) => c.kind },
        { name: 'name', of: (c: Channel) => c.name, cut: true },
        { name: 'at a time', of: (c: Channel) => c.most, right: true },
        { name: 'windows', of: (c: Channel) => windowsInWords(c.windows), cut: true },
        { name: 'addresses', of: (c: Channel) => c.address },
      ];
      terminal.out(options.json ? jsonLines(channels) : tableOf(columns, channels, terminal.columns));
    },
  );
  action<{ most?: string; window?: string[]; zone?: string; address?: string; remove?: boolean }>(
    command
      .command('limit')
      .description('limit a channel, a concentrator or a network, or give it time windows')
      .argument('<kind>', 'channel, concentrator or network')
      .argument('<name>', '* for all that have no limit of their own')
      .option('--most <count>', 'meters at a time')
      .option('--window <times>', '"mon-fri 20:00-06:00"; again for more', many)
      .option('--zone <name>', "time zone of the windows (default: the server's)")
      .option('--address <range>', 'of a network: 10.20.0.0/16')
      .option('--remove', 'take limit and windows away'),
    async ({ client, terminal, words, options }) => {
      const [kind = '', name = ''] = words;
      const path = `/api/v1/channels/${encodeURIComponent(kind)}/${encodeURIComponent(name)}`;
      if (options.remove) {
        await client.delete(path);
        return terminal.out(options.json ? jsonLines([{ kind, name }]) : `${kind} ${name} has no limit\n`);
      }
      const set = await client.put(path, {
        ...(options.most === undefined ? {} : { most: Number(options.most) }),
        ...(options.window ? { windows: options.window } : {}),
        ...(options.zone === undefined ? {} : { timeZone: options.zone }),
        ...(options.address === undefined ? {} : { address: options.address }),
      });
      terminal.out(
        options.json
          ? jsonLines([set])
          : `${kind} ${name}: ${options.most ?? 'no limit'}, ${options.window?.join('; ') ?? 'always'}\n`,
      );
    },
  );
  return command;
}

/** `amiable validation run`: orders a run and watches it to its end. */
import type { Command } from 'commander';
import { action, Ended, UsageError } from '../action.ts';
import { momentOf } from '../journal/span.ts';
import { meterIdsOf, nodeIdOf } from '../named.ts';
import { createBar } from '../progress.ts';

interface RunShape {
  readonly id: string;
  readonly state: string;
  readonly progress: {
    readonly done?: number;
    readonly total?: number;
    readonly findings?: number;
    readonly estimates?: number;
  } | null;
  readonly note: string | null;
}

interface Options {
  readonly meter?: readonly string[];
  readonly group?: string;
  readonly type?: readonly string[];
  readonly under?: string;
  readonly quantity?: readonly string[];
  readonly days?: string;
  readonly since?: string;
  readonly until?: string;
  readonly again?: boolean;
  readonly rules?: string;
  readonly detach?: boolean;
}

const isOver = (state: string): boolean => state === 'done' || state === 'failed' || state === 'cancelled';

export function runCommand(parent: Command): Command {
  return action<Options>(
    parent
      .command('run')
      .description('validate and estimate now what has changed')
      .option('--meter <meters...>', 'serial numbers or numbers; all when left out')
      .option('--group <name>', 'meters of a group')
      .option('--type <names...>', 'meters of types')
      .option('--under <node>', 'below a node of the network: region:NORTH, or its number')
      .option('--quantity <names...>', 'energyImport, gasVolume …; all when left out')
      .option('--days <n>', 'so many days back (35)')
      .option('--since <time>', 'instead of days: from this day on')
      .option('--until <time>', 'to before this day')
      .option('--again', 'also what has not changed since')
      .option('--rules <name>', 'by this rule set, instead of the one that holds for each')
      .option('--detach', 'do not wait for its end'),
    async ({ client, terminal, options }) => {
      if (options.days !== undefined && !/^\d{1,3}$/.test(options.days))
        throw new UsageError(`--days ${options.days}: a number of days is meant`);
      const now = terminal.clock.now();
      const under = await nodeIdOf(client, options.under);
      const first = await client.post<RunShape>('/api/v1/validation/run', {
        target: {
          ...(options.meter ? { meters: await meterIdsOf(client, options.meter) } : {}),
          ...(options.group === undefined ? {} : { group: options.group }),
          ...(options.type ? { types: options.type } : {}),
          ...(under === undefined ? {} : { under }),
        },
        ...(options.quantity ? { quantities: options.quantity } : {}),
        ...(options.days === undefined ? {} : { days: Number(options.days) }),
        ...(options.since === undefined ? {} : { from: momentOf(options.since, '--since', now) }),
        ...(options.until === undefined ? {} : { to: momentOf(options.until, '--until', now) }),
        ...(options.again ? { again: true } : {}),
        ...(options.rules === undefined ? {} : { ruleSet: options.rules }),
      });
      if (options.detach) {
        terminal.out(options.json ? `${JSON.stringify(first)}\n` : `run ${first.id}\n`);
        return;
      }
      const bar = createBar(terminal);
      let run = first;
      try {
        for await (const { event, data } of client.events(`/api/v1/runs/${first.id}/events`, terminal.signal)) {
          if (event !== 'run') break;
          run = JSON.parse(data) as RunShape;
          if (options.json) terminal.out(`${JSON.stringify(run)}\n`);
          const { done = 0, total, findings = 0, estimates = 0 } = run.progress ?? {};
          bar.set(done, total, `meters, ${findings} findings, ${estimates} estimates`);
          if (isOver(run.state)) break;
        }
        // The stream may have ended before the run: what stands counts.
        if (!isOver(run.state) && !terminal.signal.aborted)
          run = await client.get<RunShape>(`/api/v1/runs/${first.id}`);
      } finally {
        bar.clear();
      }
      if (terminal.signal.aborted) {
        terminal.err(`amiable: run ${run.id} goes on; amiable run cancel ${run.id} ends it.\n`);
        throw new Ended(130);
      }
      if (!options.json) terminal.out(`run ${run.id}: ${run.state}${run.note ? `; ${run.note}` : ''}\n`);
      if (run.state !== 'done') throw new Ended(1);
    },
  );
}

/** A run watched to its end: a bar where somebody looks on, the outcome as exit code. */
import type { Terminal } from '@amiable/io/terminal';
import { Ended } from '../action.ts';
import type { Client } from '../client.ts';
import { createBar } from '../progress.ts';
import { type RunShape, undone } from './shapes.ts';

export const isOver = ({ state }: RunShape): boolean => state === 'done' || state === 'failed' || state === 'cancelled';

export function outcomeOf(run: RunShape): string {
  const { total, done, stored } = run.counts;
  const meters = total === 0 ? '' : `, ${done} of ${total} meters, ${stored} values and events stored`;
  return `run ${run.id} (${run.name}): ${run.state}${meters}${run.note ? `; ${run.note}` : ''}`;
}

/** @throws Ended with 1 when it failed or was cancelled */
export async function follow(client: Client, terminal: Terminal, first: RunShape, json: boolean): Promise<void> {
  const bar = createBar(terminal);
  let run = first;
  const show = (): void => {
    const bad = undone(run);
    const words = `${run.name}${bad > 0 ? `, ${bad} not done` : ''}${run.state === 'paused' ? ', paused' : ''}`;
    bar.set(run.counts.done + bad, run.expanded && run.what === 'task' ? run.counts.total : undefined, words);
  };
  try {
    show();
    for await (const { event, data } of client.events(`/api/v1/runs/${first.id}/events`, terminal.signal)) {
      if (event !== 'run') break;
      run = JSON.parse(data) as RunShape;
      if (json) terminal.out(`${JSON.stringify(run)}\n`);
      show();
      if (isOver(run)) break;
    }
    // The stream may have ended before the run: what stands counts.
    if (!isOver(run) && !terminal.signal.aborted) run = await client.get<RunShape>(`/api/v1/runs/${first.id}`);
  } finally {
    bar.clear();
  }
  if (terminal.signal.aborted) {
    terminal.err(`amiable: run ${run.id} goes on; amiable run cancel ${run.id} ends it.\n`);
    throw new Ended(130);
  }
  if (!json) terminal.out(`${outcomeOf(run)}\n`);
  if (run.state !== 'done') throw new Ended(1);
}

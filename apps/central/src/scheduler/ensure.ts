/** Tasks that a program brings along (the demo's): made where there is none of the name, and then run at once where asked for. */

import { recurring } from '@amiable/calendar';
import type { Store } from '@amiable/store';
import { scheduleOf } from '@amiable/tasks';
import { parseTask } from '@amiable/tasks/schemas';
import { newRun } from './scheduler-runs.ts';

export interface GivenTask {
  readonly name: string;
  /** As in the API. */
  readonly definition: Readonly<Record<string, unknown>>;
  /** Runs at once when it is made. */
  readonly now?: boolean;
}

/** What people have changed, paused or taken away by name stays as they left it while the name is there. */
export async function ensureTasks(
  parts: { readonly store: Store; readonly now: () => number; readonly timeZone: string; readonly wake: () => void },
  given: readonly GivenTask[],
): Promise<void> {
  const { tasks, runs } = parts.store.work;
  for (const { name, definition: written, now: atOnce } of given) {
    const now = parts.now();
    const definition = parseTask(written, parts.timeZone);
    const made = await tasks.create(
      {
        name,
        kind: definition.kind,
        definition,
        creator: 'system',
        scope: null,
        nextDue: recurring(scheduleOf(definition)).next(now)?.at ?? null,
      },
      now,
    );
    if (made && atOnce) await runs.create(newRun('task', made, now, now));
  }
  parts.wake();
}

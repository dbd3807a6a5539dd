/** The task kind `backup`: a backup on a schedule, its restore tried. */
import { z } from 'zod';
import type { OwnTask } from '../scheduler/own.ts';
import type { Backups } from './backups.ts';

const SHOWN = 1000;

const parametersOf = z.strictObject({ check: z.boolean().optional() });

export function backupTask(backups: Backups): OwnTask {
  const run: OwnTask = async ({ parameters, progress }) => {
    const telling = setInterval(() => {
      if (backups.progress) progress({ what: backups.progress.what, bytes: backups.progress.bytes });
    }, SHOWN);
    telling.unref();
    try {
      const made = await backups.make({ check: parameters.check !== false });
      const tried = made.restored ? `, its restore tried in ${made.restored.seconds.toFixed(1)} s` : '';
      return { note: `${made.name}, ${(made.bytes / 1e6).toFixed(1)} MB${tried}`, stored: made.rows };
    } finally {
      clearInterval(telling);
    }
  };
  return Object.assign(run, { check: (parameters: unknown) => void parametersOf.parse(parameters) });
}

/** The task kinds `import` and `export`: registry files from and into folders by a schedule, with the rights of who made the task. */
import { MisuseError } from '@amiable/bytes';
import type { Caller } from '@amiable/model';

import type { Context } from '../../context.ts';
import type { OwnTask } from '../../scheduler/own.ts';
import { callerOf } from '../../scheduler/rights.ts';
import { checkSelection } from '../registry/meters.ts';
import { selectionOf } from '../registry/shapes.ts';
import { FILE_KINDS } from './columns.ts';
import { exportedTo } from './export.ts';
import { folderBelow, makeFolderBelow } from './folders.ts';
import { importFolder, inboxParameters } from './inbox.ts';
import { exportToFolder, outboxParameters } from './outbox.ts';
import type { Imports } from './run.ts';

/** Files of an import that a note names. */
const NAMED = 20;

const rootOf = (root: string | undefined, what: 'inbox' | 'outbox'): string => {
  if (root === undefined)
    throw new MisuseError(`this server has no ${what}: start it with --${what} FOLDER (see docs/import.md)`);
  return root;
};

export function importTask(context: Context, imports: Imports): OwnTask {
  const run: OwnTask = async ({ run, parameters, signal }) => {
    const { files } = await importFolder({
      imports,
      root: rootOf(context.inbox, 'inbox'),
      parameters,
      caller: await callerOf(context.store, run),
      // Files are dated by the machine, whatever the street's time.
      now: Date.now(),
      signal,
    });
    const words = files
      .slice(0, NAMED)
      .map((f) => `${f.name}: ${f.state}, ${f.inserted} new, ${f.changed} changed, ${f.refused} refused`)
      .join('; ');
    if (files.some((file) => file.state !== 'done')) throw new MisuseError(words);
    return { note: files.length === 0 ? 'no files' : words };
  };
  return Object.assign(run, {
    check: async (parameters: unknown) => {
      const { folder } = inboxParameters.parse(parameters);
      await folderBelow(rootOf(context.inbox, 'inbox'), folder, 'inbox');
    },
  });
}

export function exportTask(context: Context): OwnTask {
  const { store } = context;
  const run: OwnTask = async ({ run, parameters, due, signal }) => {
    const caller = await callerOf(store, run);
    const { timeZone = context.timeZone } = run.definition as { timeZone?: string };
    const { file, bytes } = await exportToFolder({
      store,
      root: rootOf(context.outbox, 'outbox'),
      parameters,
      caller,
      run: run.id,
      due,
      timeZone,
      signal,
    });
    // What leaves the system is written down, whoever takes it.
    await store.access.audit({
      at: context.access.clock(),
      who: caller.name,
      ...(run.creatorId === null ? {} : { user: run.creatorId }),
      action: 'task export',
      object: `export ${file}`,
      detail: { run: run.id, bytes },
    });
    return { note: `${file}, ${bytes} bytes` };
  };
  return Object.assign(run, {
    check: async (parameters: unknown, caller: Caller) => {
      const { folder, kind, selection } = outboxParameters.parse(parameters);
      exportedTo(caller, kind === 'all' ? FILE_KINDS : [kind]);
      if (selection) checkSelection(selectionOf(selection), caller);
      await makeFolderBelow(rootOf(context.outbox, 'outbox'), folder, 'outbox', true);
      if (!selection) return;
      checkSelection(selectionOf(selection), caller);
      await store.registry.count(selectionOf(selection), caller.scope, 1);
    },
  });
}

/** The task kind `readings`: files of readings, or of commands, out of a folder of the inbox, with the rights of who made the task. */
import { MisuseError } from '@amiable/bytes';
import { type Caller, may } from '@amiable/model';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import type { OwnTask } from '../../scheduler/own.ts';
import { callerOf } from '../../scheduler/rights.ts';
import { folderBelow } from '../exchange/folders.ts';
import { csvLine, type Taken, takeFolder } from './folder.ts';
import { importReadings } from './run.ts';
import { importOptions, READING_FORMATS, type Report } from './shapes.ts';

const parameters = z.strictObject({
  folder: z.string().min(1).max(500).default('.').describe('below the inbox of the server'),
  ...importOptions,
  format: z
    .enum([...READING_FORMATS, 'commands'])
    .default('csv')
    .describe('commands: files of commands, CSV or XML'),
});

const ENDINGS = {
  csv: /\.(csv|txt)$/i,
  flat: /\.(csv|txt|dat)$/i,
  cim: /\.xml$/i,
  espi: /\.xml$/i,
  mscons: /\.(edi|txt|mscons)$/i,
  commands: /\.(csv|xml)$/i,
} as const;

export type TakeCommands = (name: string, bytes: AsyncIterable<Uint8Array>, caller: Caller) => Promise<Taken>;

export function readingsTask(
  context: Context,
  commands: { take: TakeCommands; settled(folder: string, caller: Caller): Promise<void> },
): OwnTask {
  const { store } = context;
  const rootOf = (): string => {
    if (context.inbox === undefined)
      throw new MisuseError('this server has no inbox: start it with --inbox FOLDER (see docs/delivery.md)');
    return context.inbox;
  };
  const run: OwnTask = async ({ run, parameters: given, signal }) => {
    const { folder, ...options } = parameters.parse(given);
    const caller = await callerOf(store, run);
    const { format } = options;
    const words: string[] = [];
    if (format === 'commands') {
      checkCommands(caller);
      await commands.settled(await folderBelow(rootOf(), folder, 'inbox'), caller);
    }
    const taken = await takeFolder({
      root: rootOf(),
      folder,
      endings: ENDINGS[format],
      // Files are dated by the machine, whatever the street's time.
      now: Date.now(),
      signal,
      async take(name, bytes) {
        if (format === 'commands') return commands.take(name, bytes, caller);
        const done = await importReadings(
          { store, now: context.now, clock: context.access.clock, zone: context.timeZone },
          { options: { ...options, format }, dry: false, again: false, name, caller },
          bytes,
        );
        const report = done.report as Report | null;
        words.push(
          `${name}: ${done.state}, ${report?.fresh ?? 0} new, ${report?.changed ?? 0} changed, ${report?.faultCount ?? 0} faults`,
        );
        const lines = (report?.faults ?? []).map((fault) =>
          csvLine([fault.line, fault.column, fault.field, fault.message]),
        );
        if (report?.error !== undefined) lines.push(csvLine([1, 1, '', report.error]));
        return {
          good: done.state === 'done',
          id: done.id,
          ...(lines.length === 0
            ? {}
            : { beside: { ending: '.faults.csv', text: `line,column,field,message\r\n${lines.join('')}` } }),
        };
      },
    });
    const note =
      words.length > 0 ? words.slice(0, 20).join('; ') : taken.length === 0 ? 'no files' : `${taken.length} files`;
    if (taken.some(({ good }) => !good)) throw new MisuseError(note);
    return { note };
  };
  return Object.assign(run, {
    check: async (given: unknown, caller: Caller) => {
      const { folder, format } = parameters.parse(given);
      if (format === 'commands') checkCommands(caller);
      await folderBelow(rootOf(), folder, 'inbox');
    },
  });
}

function checkCommands(caller: Caller): void {
  if (!may(caller, 'execute:command')) throw new MisuseError(`${caller.name} lacks the privilege execute:command`);
}

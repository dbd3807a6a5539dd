/**
 * Commands as files in a folder of the inbox: CSV with a heading, or XML with an element `command` each; beside what is done lies a file of
 * results, written anew until the last command of the file has ended.
 *
 * Decides: all of a file is looked at before any of it is taken, and one wrong line refuses it; references make a file that is given
 * twice harmless. Leaves out: folders (readings/folder.ts).
 */
import { readdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MisuseError } from '@amiable/bytes';
import { createXmlEvents, type ReadingFault } from '@amiable/formats';
import type { Caller } from '@amiable/model';
import type { StoredCommand } from '@amiable/store';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import { refusalOf } from '../../http/refusals.ts';
import { createCsvReader } from '../exchange/read/csv.ts';
import { csvLine, type Taken } from '../readings/folder.ts';
import type { Executor } from './execute.ts';
import { type Command, commandBody } from './shapes.ts';
import { takeCommand } from './take.ts';

/** Commands of one file. */
const MOST = 10_000;
const PENDING = '.pending.json';
const isOver = (state: StoredCommand['state']): boolean => state !== 'waiting' && state !== 'running';

interface Line {
  readonly line: number;
  readonly command: Command;
}

/** @returns the commands, or what is wrong by line */
export async function readCommands(
  name: string,
  bytes: AsyncIterable<Uint8Array>,
): Promise<{ readonly lines: readonly Line[]; readonly faults: readonly ReadingFault[] }> {
  const lines: Line[] = [];
  const faults: ReadingFault[] = [];
  const add = (line: number, given: Readonly<Record<string, string>>): void => {
    if (lines.length + faults.length >= MOST) {
      if (faults.length === 0 || faults.at(-1)?.line !== line)
        faults.push({ line, column: 1, message: `a file has at most ${MOST} commands` });
      return;
    }
    const parsed = commandBody.safeParse(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== '')));
    if (parsed.success) lines.push({ line, command: parsed.data });
    else faults.push({ line, column: 1, message: refusalOf(parsed.error as z.ZodError) });
  };
  const fault = (one: { line: number; column: number; message: string }): void =>
    void (faults.length < MOST && faults.push(one));
  if (/\.xml$/i.test(name)) {
    let depth = 0;
    const reader = createXmlEvents({
      open(local, _, attributes, at) {
        depth++;
        if (depth === 1 && local !== 'commands')
          fault({ ...at, message: `<commands> is wanted, not <${local.slice(0, 60)}>` });
        else if (depth === 2 && local !== 'command')
          fault({ ...at, message: `<command> is wanted, not <${local.slice(0, 60)}>` });
        else if (depth === 2) add(at.line, Object.fromEntries(attributes));
        else if (depth > 2) fault({ ...at, message: 'a command has attributes, no elements' });
      },
      close: () => void depth--,
      fault: (at, message) => fault({ ...at, message }),
    });
    let going = true;
    for await (const piece of bytes) if (going) going = reader.push(piece);
    if (going) reader.end();
  } else {
    const reader = createCsvReader({
      record: ({ line, names, values }) =>
        add(line, Object.fromEntries(names.map((one, i) => [one, values[i]?.trim() ?? '']))),
      fault,
    });
    let going = true;
    for await (const piece of bytes) if (going) going = reader.push(piece);
    if (going) reader.end();
    if (reader.fatal) fault(reader.fatal);
  }
  return { lines, faults };
}

const HEAD = 'line,reference,id,state,sentence,result\r\n';
const row = (line: number, command: StoredCommand): string =>
  csvLine([
    line,
    command.reference,
    command.id,
    command.state,
    command.sentence,
    command.result === null ? '' : JSON.stringify(command.result),
  ]);

export function commandFiles(context: Context, executor: Executor) {
  const { commands } = context.store.delivery;
  return {
    async take(name: string, bytes: AsyncIterable<Uint8Array>, caller: Caller): Promise<Taken> {
      const { lines, faults } = await readCommands(name, bytes);
      const id = String(context.now());
      if (faults.length > 0 || lines.length === 0) {
        const told = faults.length > 0 ? faults : [{ line: 1, column: 1, message: 'the file has no commands' }];
        return {
          good: false,
          id,
          beside: {
            ending: '.faults.csv',
            text: `line,column,message\r\n${told.map((one) => csvLine([one.line, one.column, one.message])).join('')}`,
          },
        };
      }
      const taken: { line: number; id: string }[] = [];
      let text = HEAD;
      for (const { line, command } of lines)
        try {
          taken.push({ line, id: (await takeCommand(context, command, caller)).command.id });
        } catch (error) {
          if (!(error instanceof HttpError) && !(error instanceof MisuseError)) throw error;
          text += csvLine([line, command.reference, '', 'refused', error.message, '']);
        }
      await executor.turn();
      let open = false;
      for (const { line, id } of taken) {
        const found = await commands.get(id, 'all');
        if (!found) continue;
        open ||= !isOver(found.state);
        text += row(line, found);
      }
      if (!open) return { good: true, id, beside: { ending: '.result.csv', text } };
      const refused = text.split('\r\n').filter((one) => /^\d+,"[^"]*","","refused"/.test(one));
      return { good: true, id, beside: { ending: PENDING, text: JSON.stringify({ taken, refused }) } };
    },

    /** Files whose last command has ended meanwhile get their results. */
    async settled(folder: string): Promise<void> {
      const done = join(folder, 'done');
      for (const entry of await readdir(done, { withFileTypes: true }).catch(() => [])) {
        if (!entry.isFile() || !entry.name.endsWith(PENDING)) continue;
        const path = join(done, entry.name);
        const pending = z
          .object({
            taken: z.array(z.object({ line: z.number(), id: z.string() })).max(MOST),
            refused: z.array(z.string()).max(MOST),
          })
          .safeParse(JSON.parse(await readFile(path, 'utf8').catch(() => 'null')));
        if (!pending.success) continue;
        let text = `${HEAD}${pending.data.refused.map((one) => `${one}\r\n`).join('')}`;
        let open = false;
        for (const { line, id } of pending.data.taken) {
          const found = await commands.get(id, 'all');
          if (!found) continue;
          open ||= !isOver(found.state);
          text += row(line, found);
        }
        if (open) continue;
        const target = path.slice(0, -PENDING.length);
        await writeFile(`${target}.result.part`, text);
        await rename(`${target}.result.part`, `${target}.result.csv`);
        await unlink(path);
      }
    },
  };
}

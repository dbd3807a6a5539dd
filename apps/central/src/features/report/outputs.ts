/**
 * Where a report goes: a file in the outbox, an e-mail, a printer of CUPS. What becomes of each is told; one that fails keeps none of the
 * others from going.
 */
import { spawn } from 'node:child_process';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MisuseError } from '@amiable/bytes';
import { toLocal } from '@amiable/calendar';
import type { ReportFormat, ReportOutput } from '@amiable/store';
import type { Context } from '../../context.ts';
import { makeFolderBelow } from '../exchange/folders.ts';
import { ENDINGS, MEDIA_TYPES, type Outputs } from './make.ts';
import { renderText } from './render/text.ts';
import type { ReportTable } from './table.ts';

/** Real ms. */
const PATIENCE = 60_000;

export interface Made {
  readonly name: string;
  readonly table: ReportTable;
  readonly format: ReportFormat;
  readonly content: Uint8Array;
}

/** @throws MisuseError where the server cannot do what is asked, for a definition that is saved */
export async function checkOutputs(outputs: Outputs, context: Pick<Context, 'outbox' | 'mail'>): Promise<void> {
  if (outputs.email && !context.mail)
    throw new MisuseError('outputs.email: this server sends no mail; start it with --smtp URL (see docs/reports.md)');
  if (outputs.file) await makeFolderBelow(rootOf(context.outbox), outputs.file.folder, 'outbox', true);
}

function rootOf(outbox: string | undefined): string {
  if (outbox === undefined)
    throw new MisuseError(
      'outputs.file: this server has no outbox: start it with --outbox FOLDER (see docs/reports.md)',
    );
  return outbox;
}

const two = (value: number): string => String(value).padStart(2, '0');

export function fileName(pattern: string, made: Pick<Made, 'name' | 'table' | 'format'>): string {
  const local = new Date(toLocal(made.table.timeZone, made.table.made));
  const parts: Readonly<Record<string, string>> = {
    name: made.name.replace(/[^\p{L}\p{N} _.-]/gu, '_'),
    date: local.toISOString().slice(0, 10),
    time: `${two(local.getUTCHours())}${two(local.getUTCMinutes())}${two(local.getUTCSeconds())}`,
  };
  const stem = pattern.replace(/\{(name|date|time)\}/g, (_, part: string) => parts[part] as string);
  return `${stem.replace(/[/\\{}]|^\.+/g, '_').slice(0, 150)}.${ENDINGS[made.format]}`;
}

async function toFile({ folder, name }: NonNullable<Outputs['file']>, made: Made, root: string): Promise<string> {
  const place = await makeFolderBelow(root, folder, 'outbox');
  const file = fileName(name, made);
  const part = join(place, `.${file}.part`);
  try {
    await writeFile(part, made.content, { mode: 0o640 });
    await rename(part, join(place, file));
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
  return file;
}

async function toPrinter(
  { name, copies }: NonNullable<Outputs['printer']>,
  made: Made,
  command: string,
): Promise<void> {
  const options = [
    ...(name === undefined ? [] : ['-d', name]),
    '-n',
    String(copies),
    '-t',
    made.table.title.slice(0, 80),
  ];
  await new Promise<void>((resolve, reject) => {
    const lp = spawn(command, [...options, '-'], { stdio: ['pipe', 'ignore', 'pipe'], timeout: PATIENCE });
    let said = '';
    lp.stderr.on('data', (chunk: Buffer) => {
      if (said.length < 2000) said += chunk.toString();
    });
    lp.on('error', (error) => reject(new Error(`${command} cannot be started (${error.message}): is CUPS installed?`)));
    lp.on('close', (code) =>
      code === 0 ? resolve() : reject(new Error(said.trim() || `${command} ended with ${code}`)),
    );
    // It may end before it has read all; its exit code tells.
    lp.stdin.on('error', () => {});
    lp.stdin.end(renderText(made.table, true));
  });
}

/** @returns what became of each; never throws for one of them */
export async function sendOut(outputs: Outputs, made: Made, context: Context): Promise<ReportOutput[]> {
  const out: ReportOutput[] = [];
  const attempt = async (to: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
      out.push({ to, fault: null });
    } catch (error) {
      out.push({ to, fault: (error as Error).message });
    }
  };
  const { file, email, printer } = outputs;
  if (file)
    await attempt(`file ${join(file.folder, fileName(file.name, made))}`, async () =>
      toFile(file, made, rootOf(context.outbox)),
    );
  if (email)
    await attempt(`mail to ${email.to.join(', ')}`, async () => {
      if (!context.mail) throw new MisuseError('this server sends no mail; start it with --smtp URL');
      await context.mail.send({
        to: email.to,
        subject: email.subject ?? made.table.title,
        text: `${made.table.title}: ${made.table.rows.length} rows, made ${new Date(made.table.made).toISOString()}. The report is attached.`,
        file: { name: fileName('{name}-{date}', made), type: MEDIA_TYPES[made.format], content: made.content },
      });
    });
  if (printer)
    await attempt(`printer ${printer.name ?? '(default)'}`, () => toPrinter(printer, made, context.printCommand));
  return out;
}

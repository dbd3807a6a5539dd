/** `amiable history import`: a household's own CSV of intervals into one meter. */
import { readFile } from 'node:fs/promises';
import { harmless } from '@amiable/io/terminal';
import type { Command } from 'commander';
import { action, UsageError } from '../action.ts';
import { timeText } from '../journal/span.ts';
import { meterOf } from '../named.ts';
import { jsonLines } from '../table.ts';

interface Answer {
  readonly read: number;
  readonly written: boolean;
  readonly changed: number;
  readonly kept: number;
  readonly from: string | null;
  readonly to: string | null;
  readonly minutes: number | null;
  readonly notes: readonly string[];
  readonly faults: readonly { readonly line: number; readonly message: string }[];
}
interface Words {
  readonly quantity?: string;
  readonly zone?: string;
  readonly unit?: string;
  readonly decimal?: string;
  readonly separator?: string;
  readonly time?: string;
  readonly clock?: string;
  readonly value?: string;
  readonly dayFirst?: boolean;
  readonly monthFirst?: boolean;
  readonly stamp?: string;
  readonly cumulative?: boolean;
  readonly dry?: boolean;
  readonly takeGood?: boolean;
  readonly overBilled?: boolean;
}

export function historyCommand(parent: Command): Command {
  const history = parent.command('history').description("a household's own CSV history of a meter: import");
  action<Words>(
    history
      .command('import')
      .description('intervals of one meter out of a CSV file of a portal, an application or a spreadsheet')
      .argument('<meter>', 'serial number or number')
      .argument('<file>')
      .option('--quantity <name>', 'energyImport, energyExport, gasVolume … (energyImport)')
      .option('--zone <name>', 'time zone of times without an offset; UTC for files in UTC')
      .option('--unit <unit>', 'kWh, Wh, m3, where the file does not say it')
      .option('--decimal <char>', '. or ,')
      .option('--separator <char>', '; , | or tab')
      .option('--time <column>', 'heading, or number from 1')
      .option('--clock <column>', 'time of day in a column of its own')
      .option('--value <column>', 'heading, or number from 1')
      .option('--day-first', '20/11/2026')
      .option('--month-first', '11/20/2026')
      .option('--stamp <which>', 'start or end of the interval (start)')
      .option('--cumulative', 'values are what a register showed')
      .option('--dry', 'only look')
      .option('--take-good', 'leave out lines that are wrong')
      .option('--over-billed', 'a time that was billed too: the next run makes differences'),
    async ({ client, terminal, words, options }) => {
      const [meter = '', file = ''] = words;
      const { id } = await meterOf(client, meter);
      const body = await readFile(file).catch((error: Error) => {
        throw new UsageError(`${file}: ${error.message}`);
      });
      const { zone, separator, dayFirst, monthFirst, ...rest } = options;
      const response = await client.send('POST', `/api/v1/meters/${id}/history`, {
        query: {
          timeZone: zone,
          separator: separator === 'tab' ? '\t' : separator,
          ...(dayFirst ? { dayFirst: true } : monthFirst ? { dayFirst: false } : {}),
          quantity: rest.quantity,
          unit: rest.unit,
          decimal: rest.decimal,
          time: rest.time,
          clock: rest.clock,
          value: rest.value,
          stamp: rest.stamp,
          cumulative: rest.cumulative,
          dry: rest.dry,
          takeGood: rest.takeGood,
          overBilled: rest.overBilled,
        },
        body,
        headers: { 'content-type': 'text/csv' },
        signal: terminal.signal,
      });
      const found = (await response.json()) as Answer;
      if (options.json) terminal.out(jsonLines([found]));
      else {
        for (const { line, message } of found.faults.slice(0, 20))
          terminal.err(`${harmless(`${file}:${line}: ${message}`)}\n`);
        if (found.faults.length > 20) terminal.err(`${found.faults.length - 20} more wrong lines\n`);
        for (const note of found.notes) terminal.err(`${harmless(note)}\n`);
        const span =
          found.from === null || found.to === null
            ? ''
            : ` of ${found.minutes} minutes, ${timeText(found.from)} to ${timeText(found.to)} UTC`;
        terminal.out(
          `${found.read} values${span}: ${found.written ? `written, ${found.changed} changed, ${found.kept} left as they were` : 'nothing was written'}\n`,
        );
      }
      if (!found.written && !options.dry) process.exitCode = 1;
    },
  );
  return history;
}

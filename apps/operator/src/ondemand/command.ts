/** `amiable ondemand`: a meter read now, as for somebody on the phone. */
import type { Terminal } from '@amiable/io/terminal';
import type { Command } from 'commander';
import { action, Ended } from '../action.ts';
import type { Client } from '../client.ts';
import { meterOf } from '../named.ts';
import { jsonLines, tableOf } from '../table.ts';
import { type Given, type OneRead, type ReadRegister, requestOf } from './request.ts';

const EXAMPLES = `
Examples:
  amiable ondemand 6970631401753985                      the billing registers, now
  amiable ondemand 6970631401753985 --set instantaneous
  amiable ondemand 17 --registers 1-0:1.8.0,1-0:2.8.0
  amiable ondemand 17 --profile load --from 2026-11-18 --to 2026-11-20
  amiable ondemand 17 --events --json
A meter is named by its serial number or its number in the system. Ctrl-C cancels the read.`;

const isOver = ({ state }: OneRead): boolean => state === 'done' || state === 'failed' || state === 'cancelled';

/** Follows the read until it is over; each new sentence is shown where somebody looks on. */
async function follow(client: Client, terminal: Terminal, first: OneRead): Promise<OneRead> {
  let read = first;
  const say = ({ sentence }: OneRead): void => {
    if (terminal.watched) terminal.err(`\r\x1b[K${sentence}`);
  };
  say(read);
  const cancel = (): void => void client.delete(`/api/v1/reads/${first.id}`).catch(() => {});
  terminal.signal.addEventListener('abort', cancel, { once: true });
  try {
    for await (const { event, data } of client.events(`/api/v1/reads/${first.id}/events`, terminal.signal)) {
      if (event !== 'read') break;
      read = JSON.parse(data) as OneRead;
      say(read);
      if (isOver(read)) break;
    }
    // The stream may have ended before the read: what stands counts.
    return isOver(read) ? read : await client.get<OneRead>(`/api/v1/reads/${first.id}`);
  } finally {
    terminal.signal.removeEventListener('abort', cancel);
    if (terminal.watched) terminal.err('\r\x1b[K');
  }
}

/** What came, as tables. */
export function printed({ result }: OneRead, width?: number): string {
  const out: string[] = [];
  if (result?.registers?.length)
    out.push(
      tableOf<ReadRegister>(
        [
          { name: 'OBIS', of: ({ obis }) => obis },
          { name: 'register', of: ({ name }) => name, cut: true },
          { name: 'value', of: ({ value }) => value, right: true },
          { name: 'unit', of: ({ unit }) => unit },
          { name: 'time', of: ({ time }) => time },
        ],
        result.registers,
        width,
      ),
    );
  const profile = result?.profile;
  if (profile?.rows.length) {
    out.push(
      tableOf<(typeof profile.rows)[number]>(
        [
          { name: 'time', of: ({ time }) => time },
          ...profile.columns.map(({ obis, unit }, c) => ({
            name: unit ? `${obis} ${unit}` : obis,
            of: ({ values }: (typeof profile.rows)[number]) => values[c],
            right: true,
          })),
        ],
        profile.rows,
        width,
      ),
    );
    if (profile.cut) out.push('There are more rows; ask for a shorter span.\n');
  }
  if (result?.events?.length)
    out.push(
      tableOf<{ time: string; code: number; event: string; log: string }>(
        [
          { name: 'time', of: ({ time }) => time },
          { name: 'event', of: ({ event }) => event, cut: true },
          { name: 'code', of: ({ code }) => code, right: true },
          { name: 'log', of: ({ log }) => log },
        ],
        result.events,
        width,
      ),
    );
  return out.join('\n');
}

export function onDemandCommand(parent: Command): Command {
  const command = parent
    .command('ondemand')
    .description('read a meter now: registers, a profile or events, as for somebody on the phone')
    .argument('<meter>', 'serial number, or number in the system')
    .option('--set <name>', 'a set of registers of the meter type (default: billing)')
    .option('--registers <codes>', 'OBIS codes, joined by commas')
    .option('--profile <name>', 'a profile: load, daily, monthly')
    .option('--from <time>', '2026-11-18, 2026-11-18T12:00 (local) or with a zone')
    .option('--to <time>', 'end, not included (default: now)')
    .option('--events', 'the event logs')
    .option('--log <name>', 'one event log')
    .option('--again', 'of a profile also what is stored already')
    .addHelpText('after', EXAMPLES);
  return action<Given>(command, async ({ client, terminal, words, options }) => {
    const body = requestOf(options, terminal.clock.now());
    const meter = await meterOf(client, words[0] ?? '');
    const ordered = await client.post<OneRead>(`/api/v1/meters/${meter.id}/reads`, body);
    const read = await follow(client, terminal, ordered);
    if (options.json) terminal.out(jsonLines([read]));
    else {
      terminal.out(printed(read, terminal.watched ? terminal.columns : undefined));
      terminal.err(`${read.serial}: ${read.sentence}\n`);
    }
    if (read.state !== 'done') throw new Ended(1);
  });
}

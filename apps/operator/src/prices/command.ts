/** `amiable prices`: series, what they were when, files in, and the services that they are fetched from. */
import { readFile } from 'node:fs/promises';
import { harmless } from '@amiable/io/terminal';
import type { Command } from 'commander';
import { action, UsageError } from '../action.ts';
import { momentOf, timeText } from '../journal/span.ts';
import { type Column, jsonLines, tableOf } from '../table.ts';

interface Series {
  readonly name: string;
  readonly currency: string;
  readonly unit: string;
  readonly description: string | null;
}
interface Price {
  readonly from: string;
  readonly to: string;
  readonly price: string | null;
  readonly source?: string;
  readonly recordedAt?: string;
}
interface Taken {
  readonly form: string;
  readonly read: number;
  readonly fresh: number;
  readonly changed: number;
  readonly from: string | null;
  readonly to: string | null;
  readonly notes: readonly string[];
  readonly faults: readonly { readonly line: number; readonly message: string }[];
  readonly days: readonly string[];
}
interface Source {
  readonly name: string;
  readonly definition: { readonly series?: string; readonly url?: string };
  readonly hasKey: boolean;
  readonly triedAt: string | null;
  readonly outcome: string | null;
  readonly good: boolean | null;
}
interface Day {
  readonly day: string;
  readonly expected: number;
  readonly present: number;
  readonly sentence: string | null;
}
const DAY = 86_400_000;

export function pricesCommand(parent: Command): Command {
  const prices = parent
    .command('prices')
    .description('spot prices and others by time: list, add, show, days, history, set, import, source, fetch');

  action(prices.command('list').description('series of prices'), async ({ client, terminal, options }) => {
    const { series } = await client.get<{ series: Series[] }>('/api/v1/prices');
    if (options.json) return terminal.out(jsonLines(series));
    const columns: Column<Series>[] = [
      { name: 'name', of: (s) => s.name },
      { name: 'price', of: (s) => `${s.currency}/${s.unit}` },
      { name: 'description', of: (s) => s.description, cut: true },
    ];
    terminal.out(series.length === 0 ? 'There are no series of prices.\n' : tableOf(columns, series, terminal.columns));
  });

  action<{ currency: string; unit: string; description?: string }>(
    prices
      .command('add')
      .description('make a series of prices')
      .argument('<name>', 'NO1, DE-LU, a name of your own')
      .requiredOption('--currency <code>', 'EUR, NOK …')
      .requiredOption('--unit <unit>', 'kWh, MWh, m3')
      .option('--description <text>'),
    async ({ client, terminal, words, options }) => {
      const made = await client.put<Series>(`/api/v1/prices/${encodeURIComponent(words[0] ?? '')}`, {
        currency: options.currency,
        unit: options.unit,
        description: options.description ?? null,
      });
      terminal.out(options.json ? jsonLines([made]) : `${made.name}: ${made.currency}/${made.unit}\n`);
    },
  );

  const span = (command: Command): Command =>
    command.option('--from <time>', '2026-11-01, or 7d ago (2d)').option('--to <time>', 'until when (2 days ahead)');
  const spanOf = (options: { from?: string; to?: string }, now: number): { from: string; to: string } => ({
    from: momentOf(options.from, '--from', now) ?? new Date(Math.floor(now / DAY - 2) * DAY).toISOString(),
    to: momentOf(options.to, '--to', now) ?? new Date(Math.ceil(now / DAY + 2) * DAY).toISOString(),
  });

  action<{ from?: string; to?: string; step?: string; asOf?: string }>(
    span(prices.command('show').description('prices on a grid').argument('<name>'))
      .option('--step <seconds>', '900, 3600 …', '3600')
      .option('--as-of <time>', 'as they were known then'),
    async ({ client, terminal, words, options }) => {
      const now = terminal.clock.now();
      const found = await client.get<Series & { prices: Price[] }>(
        `/api/v1/prices/${encodeURIComponent(words[0] ?? '')}`,
        {
          ...spanOf(options, now),
          step: options.step,
          asOf: momentOf(options.asOf, '--as-of', now),
        },
      );
      if (options.json) return terminal.out(jsonLines(found.prices));
      const columns: Column<Price>[] = [
        { name: 'from (UTC)', of: (p) => timeText(p.from) },
        { name: `${found.currency}/${found.unit}`, of: (p) => p.price ?? '–', right: true },
      ];
      terminal.out(tableOf(columns, found.prices, terminal.columns));
    },
  );

  action<{ from?: string; to?: string; limit?: string }>(
    span(
      prices.command('history').description('every price that was known for a time, and since when').argument('<name>'),
    ).option('--limit <n>', 'at most', '100'),
    async ({ client, terminal, words, options }) => {
      const { prices: found } = await client.get<{ prices: Price[] }>(
        `/api/v1/prices/${encodeURIComponent(words[0] ?? '')}/history`,
        { ...spanOf(options, terminal.clock.now()), limit: options.limit },
      );
      if (options.json) return terminal.out(jsonLines(found));
      const columns: Column<Price>[] = [
        { name: 'from (UTC)', of: (p) => timeText(p.from) },
        { name: 'to', of: (p) => timeText(p.to) },
        { name: 'price', of: (p) => p.price, right: true },
        { name: 'known since', of: (p) => timeText(p.recordedAt ?? p.from) },
        { name: 'from where', of: (p) => p.source, cut: true },
      ];
      terminal.out(found.length === 0 ? 'No prices.\n' : tableOf(columns, found, terminal.columns));
    },
  );

  action<{ from?: string; to?: string; step?: string; zone?: string }>(
    span(prices.command('days').description('which local days have all their prices').argument('<name>'))
      .option('--step <seconds>', '900, 3600 …', '3600')
      .option('--zone <name>', 'time zone of the days (the server’s)'),
    async ({ client, terminal, words, options }) => {
      const { days } = await client.get<{ days: Day[] }>(`/api/v1/prices/${encodeURIComponent(words[0] ?? '')}/days`, {
        ...spanOf(options, terminal.clock.now()),
        step: options.step,
        timeZone: options.zone,
      });
      if (options.json) return terminal.out(jsonLines(days));
      const columns: Column<Day>[] = [
        { name: 'day', of: (d) => d.day },
        { name: 'there', of: (d) => d.present, right: true },
        { name: 'of', of: (d) => d.expected, right: true },
        { name: '', of: (d) => d.sentence, cut: true },
      ];
      terminal.out(tableOf(columns, days, terminal.columns));
    },
  );

  action<{ from: string; to: string; price: string }>(
    prices
      .command('set')
      .description('one price by hand, for any length of time; what was there before stays as history')
      .argument('<name>')
      .argument('<price>', '0.4210')
      .requiredOption('--from <time>', '2026-11-01T00:00:00Z')
      .requiredOption('--to <time>', 'until when, not in it'),
    async ({ client, terminal, words, options }) => {
      const now = terminal.clock.now();
      const done = await client.post<{ fresh: number; changed: number }>(
        `/api/v1/prices/${encodeURIComponent(words[0] ?? '')}`,
        {
          prices: [
            { from: momentOf(options.from, '--from', now), to: momentOf(options.to, '--to', now), price: words[1] },
          ],
        },
      );
      terminal.out(options.json ? jsonLines([done]) : `${done.fresh} new, ${done.changed} changed\n`);
    },
  );

  action<ReadingWords & { dry?: boolean; takeGood?: boolean }>(
    readingOptions(
      prices
        .command('import')
        .description('a file of prices: ENTSO-E XML, JSON of the usual services, CSV of any columns')
        .argument('<series>')
        .argument('<file>'),
    )
      .option('--dry', 'only look')
      .option('--take-good', 'leave out lines that are wrong')
      .addHelpText(
        'after',
        '\nExamples:\n  amiable prices import NO1 spot.xml\n  amiable prices import NO1 spot.csv --unit MWh --zone Europe/Oslo --price "NO1"',
      ),
    async ({ client, terminal, words, options }) => {
      const [series = '', file = ''] = words;
      const body = await readFile(file).catch((error: Error) => {
        throw new UsageError(`${file}: ${error.message}`);
      });
      const response = await client.send('POST', `/api/v1/prices/${encodeURIComponent(series)}/import`, {
        query: {
          how: JSON.stringify(readingOf(options)),
          name: file.split(/[\\/]/).pop()?.slice(0, 200),
          ...(options.dry ? { dry: true } : {}),
          ...(options.takeGood ? { takeGood: true } : {}),
        },
        body,
        headers: { 'content-type': 'application/octet-stream' },
        signal: terminal.signal,
      });
      const taken = (await response.json()) as Taken;
      if (options.json) terminal.out(jsonLines([taken]));
      else tell(terminal, taken, file);
      if (taken.faults.length > 0 && !options.takeGood) process.exitCode = 1;
    },
  );

  const source = prices.command('source').description('services that prices are fetched from: list, set, key, remove');
  action(source.command('list').description('sources, and how it went last'), async ({ client, terminal, options }) => {
    const { sources } = await client.get<{ sources: Source[] }>('/api/v1/price-sources');
    if (options.json) return terminal.out(jsonLines(sources));
    const columns: Column<Source>[] = [
      { name: 'name', of: (s) => s.name },
      { name: 'series', of: (s) => s.definition.series },
      { name: 'key', of: (s) => (s.hasKey ? 'yes' : 'no') },
      { name: 'asked (UTC)', of: (s) => (s.triedAt === null ? 'never' : timeText(s.triedAt)) },
      { name: 'went', of: (s) => (s.good === null ? '' : s.good ? 'well' : 'wrong') },
      { name: 'outcome', of: (s) => s.outcome, cut: true },
    ];
    terminal.out(
      sources.length === 0 ? 'There are no sources of prices.\n' : tableOf(columns, sources, terminal.columns),
    );
  });
  action<ReadingWords & { series: string; header?: string[]; perDay?: boolean; daysBack?: string; daysAhead?: string }>(
    readingOptions(
      source
        .command('set')
        .description('make a source, or say anew how it is asked')
        .argument('<name>')
        .argument('<url>', 'with {from} {to} {fromDay} {toDay} {day} {year} {month} {dayOfMonth} {area} {key}'),
    )
      .requiredOption('--series <name>', 'series that its prices go to')
      .option('--header <Name: text...>', 'sent with each request; {key} is filled in')
      .option('--per-day', 'ask once for each local day')
      .option('--days-back <n>', 'local days before today (1)')
      .option('--days-ahead <n>', 'local days from today on (2)'),
    async ({ client, terminal, words, options }) => {
      const [name = '', url] = words;
      const headers = Object.fromEntries(
        (options.header ?? []).map((line) => {
          const found = /^([A-Za-z][A-Za-z0-9-]*):\s*(.+)$/.exec(line);
          if (!found) throw new UsageError(`--header ${line}: write Name: text`);
          return [found[1], found[2]];
        }),
      );
      const made = await client.put<Source>(`/api/v1/price-sources/${encodeURIComponent(name)}`, {
        series: options.series,
        url,
        headers,
        ...(options.perDay ? { perDay: true } : {}),
        ...(options.daysBack === undefined ? {} : { daysBack: Number(options.daysBack) }),
        ...(options.daysAhead === undefined ? {} : { daysAhead: Number(options.daysAhead) }),
        reading: readingOf(options),
      });
      terminal.out(options.json ? jsonLines([made]) : `${made.name} is set${made.hasKey ? '' : '; it has no key'}\n`);
    },
  );
  action<{ remove?: boolean }>(
    source
      .command('key')
      .description('the key of a service, out of the environment’s AMIABLE_PRICE_KEY')
      .argument('<name>')
      .option('--remove', 'take it away'),
    async ({ client, terminal, words, options }) => {
      const key = options.remove ? null : process.env.AMIABLE_PRICE_KEY;
      if (key === undefined || key === '')
        throw new UsageError('set AMIABLE_PRICE_KEY to the key (arguments are seen by others), or give --remove');
      await client.put(`/api/v1/price-sources/${encodeURIComponent(words[0] ?? '')}/key`, { key });
      terminal.out(key === null ? 'The key is taken away.\n' : 'The key is kept, sealed.\n');
    },
  );
  action(
    source.command('remove').description('take a source away; its prices stay').argument('<name>'),
    async ({ client, terminal, words }) => {
      await client.delete(`/api/v1/price-sources/${encodeURIComponent(words[0] ?? '')}`);
      terminal.out('Removed.\n');
    },
  );

  action(
    prices.command('fetch').description('ask a service now').argument('<source>'),
    async ({ client, terminal, words, options }) => {
      const name = words[0] ?? '';
      const { taken } = await client.post<{ taken: Taken[] }>(
        `/api/v1/price-sources/${encodeURIComponent(name)}/fetch`,
      );
      if (options.json) return terminal.out(jsonLines(taken));
      for (const one of taken) tell(terminal, one, name);
    },
  );
  return prices;
}

interface ReadingWords {
  readonly form?: string;
  readonly area?: string;
  readonly currency?: string;
  readonly unit?: string;
  readonly zone?: string;
  readonly sequence?: string;
  readonly separator?: string;
  readonly decimal?: string;
  readonly time?: string;
  readonly hour?: string;
  readonly end?: string;
  readonly price?: string;
  readonly areaColumn?: string;
  readonly dayFirst?: boolean;
  readonly monthFirst?: boolean;
}

function readingOptions(command: Command): Command {
  return command
    .option('--form <form>', 'entsoe, json, csv (found out)')
    .option('--area <area>', 'which area of several, as the source names it')
    .option('--currency <code>', 'where the source does not say it')
    .option('--unit <unit>', 'what a price is for, where the source does not say it: MWh, kWh, m3')
    .option('--zone <name>', 'time zone of times without an offset')
    .option('--sequence <n>', 'ENTSO-E: which auction')
    .option('--separator <char>', 'CSV: ; , | or tab')
    .option('--decimal <char>', 'CSV: . or ,')
    .option('--time <column>', 'CSV: heading, or number from 1')
    .option('--hour <column>', 'CSV: column of the hour')
    .option('--end <column>', 'CSV')
    .option('--price <column>', 'CSV')
    .option('--area-column <column>', 'CSV: only lines of --area count')
    .option('--day-first', 'CSV: 20/11/2026')
    .option('--month-first', 'CSV: 11/20/2026');
}

function readingOf(o: ReadingWords): object {
  const defined = (all: Record<string, unknown>): object =>
    Object.fromEntries(Object.entries(all).filter(([, v]) => v !== undefined));
  return defined({
    form: o.form,
    area: o.area,
    currency: o.currency,
    unit: o.unit,
    timeZone: o.zone,
    sequence: o.sequence === undefined ? undefined : Number(o.sequence),
    csv: defined({
      separator: o.separator === 'tab' ? '\t' : o.separator,
      decimal: o.decimal,
      time: o.time,
      hour: o.hour,
      end: o.end,
      price: o.price,
      area: o.areaColumn,
      dayFirst: o.dayFirst ? true : o.monthFirst ? false : undefined,
    }),
  });
}

function tell(terminal: { out(text: string): void; err(text: string): void }, taken: Taken, name: string): void {
  for (const { line, message } of taken.faults.slice(0, 20))
    terminal.err(`${harmless(`${name}:${line}: ${message}`)}\n`);
  if (taken.faults.length > 20) terminal.err(`${taken.faults.length - 20} more wrong lines\n`);
  for (const words of [...taken.days, ...taken.notes]) terminal.err(`${harmless(words)}\n`);
  const span = taken.from === null || taken.to === null ? '' : `, ${timeText(taken.from)} to ${timeText(taken.to)} UTC`;
  terminal.out(`${taken.read} prices read (${taken.form})${span}: ${taken.fresh} new, ${taken.changed} changed\n`);
}

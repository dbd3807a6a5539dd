/** `amiable formula`: formulas that calculate profiles out of profiles; calculated by hand, with what changed alone. */
import { readFile } from 'node:fs/promises';
import { harmless } from '@amiable/io/terminal';
import type { Command } from 'commander';
import { action, UsageError } from '../action.ts';
import { momentOf, timeText } from '../journal/span.ts';
import { type Column, factsOf, jsonLines, tableOf } from '../table.ts';

interface Formula {
  readonly name: string;
  readonly version: number;
  readonly changedBy: string;
  readonly changedAt: string;
  readonly definition: {
    readonly expression?: string;
    readonly period?: number;
    readonly unit?: string;
    readonly result?: { readonly name?: string; readonly meter?: string };
  };
  readonly unit?: string;
  readonly dependsOn?: readonly string[];
  readonly dependents?: readonly string[];
  readonly state?: {
    readonly from: string;
    readonly to: string;
    readonly version: number;
    readonly incomplete: readonly string[];
  } | null;
}
interface Report {
  readonly formula: string;
  readonly days: number;
  readonly left: number;
  readonly meters: number;
  readonly written: number;
  readonly shares: Readonly<Record<string, number>>;
  readonly lacking: readonly { readonly input: string; readonly serial: string; readonly count: number }[];
  readonly lackingMeters: number;
  readonly fitted: readonly string[];
}
interface Value {
  readonly meter: string | null;
  readonly time: string;
  readonly value: string | null;
  readonly quality: string;
}
interface Run {
  readonly id: string;
  readonly version: number;
  readonly at: string;
  readonly by: string;
  readonly from: string;
  readonly to: string;
  readonly days: number;
  readonly written: number;
}
const path = (name: string | undefined): string => `/api/v1/formulas/${encodeURIComponent(name ?? '')}`;

export function formulaCommand(parent: Command): Command {
  const formula = parent
    .command('formula')
    .description('profiles calculated out of profiles: list, show, set, check, calculate, versions, runs, remove');

  action(formula.command('list').description('formulas'), async ({ client, terminal, options }) => {
    const all: Formula[] = [];
    for await (const page of client.pages<{ formulas: Formula[]; next: string | null }>('/api/v1/formulas'))
      all.push(...page.formulas);
    if (options.json) return terminal.out(jsonLines(all));
    const columns: Column<Formula>[] = [
      { name: 'name', of: (f) => f.name },
      { name: 'version', of: (f) => f.version, right: true },
      { name: 'result', of: (f) => f.definition.result?.name },
      { name: 'of meter', of: (f) => f.definition.result?.meter ?? 'each' },
      { name: 'expression', of: (f) => f.definition.expression, cut: true },
    ];
    terminal.out(all.length === 0 ? 'There are no formulas.\n' : tableOf(columns, all, terminal.columns));
  });

  action(
    formula.command('show').description('a formula, what it depends on, how far its results stand').argument('<name>'),
    async ({ client, terminal, words, options }) => {
      const found = await client.get<Formula>(path(words[0]));
      if (options.json) return terminal.out(jsonLines([found]));
      terminal.out(
        factsOf([
          ['name', found.name],
          ['version', `${found.version}, ${found.changedBy}, ${timeText(found.changedAt)}`],
          ['reads results of', found.dependsOn?.join(', ') || null],
          ['is read by', found.dependents?.join(', ') || null],
          ['results', found.state ? `${timeText(found.state.from)} to ${timeText(found.state.to)} UTC` : 'none yet'],
          ['days that lacked values', found.state?.incomplete.length ?? null],
        ]),
      );
      terminal.out(`${harmless(JSON.stringify(found.definition, null, 2)).replaceAll('\\n', '\n')}\n`);
    },
  );

  const save =
    (dry: boolean) =>
    async (
      client: Parameters<Parameters<typeof action>[1]>[0]['client'],
      name: string,
      file: string,
      segment: string | undefined,
    ) => {
      let definition: unknown;
      try {
        definition = JSON.parse(await readFile(file, 'utf8'));
      } catch (error) {
        throw new UsageError(`${file}: ${(error as Error).message}`);
      }
      const query = new URLSearchParams({
        ...(dry ? { dry: 'true' } : {}),
        ...(segment === undefined ? {} : { segment }),
      }).toString();
      return client.put<Formula>(`${path(name)}${query === '' ? '' : `?${query}`}`, definition);
    };
  const told = (f: Formula): string =>
    `${f.name}: result in ${f.unit || 'no unit'}${f.dependsOn?.length ? `; reads results of ${f.dependsOn.join(', ')}` : ''}${f.dependents?.length ? `; is read by ${f.dependents.join(', ')}` : ''}\n`;
  action<{ segment?: string }>(
    formula
      .command('set')
      .description('make a formula, or a new version of it')
      .argument('<name>')
      .argument('<file>', 'its definition as JSON (docs/calculation.md)')
      .option('--segment <id>', 'data segment of a new one'),
    async ({ client, terminal, words, options }) => {
      const made = await save(false)(client, words[0] ?? '', words[1] ?? '', options.segment);
      terminal.out(options.json ? jsonLines([made]) : `${harmless(told(made).trimEnd())}; version ${made.version}\n`);
    },
  );
  action(
    formula
      .command('check')
      .description('check a definition: units, inputs, cycles; nothing is saved')
      .argument('<name>')
      .argument('<file>'),
    async ({ client, terminal, words, options }) => {
      const made = await save(true)(client, words[0] ?? '', words[1] ?? '', undefined);
      terminal.out(options.json ? jsonLines([made]) : told(made));
    },
  );

  action<{ from?: string; to?: string; force?: boolean; dry?: boolean; alone?: boolean }>(
    formula
      .command('calculate')
      .description('calculate now: what is new or changed')
      .argument('<name>')
      .option('--from <time>', '2026-11-01, or 7d ago; whole local days (what stands, and what is new)')
      .option('--to <time>')
      .option('--force', 'all of it, changed or not')
      .option('--dry', 'show the values and write nothing')
      .option('--alone', 'not those that read its result'),
    async ({ client, terminal, words, options }) => {
      const now = terminal.clock.now();
      const found = await client.post<{ reports: Report[]; values: Value[] }>(`${path(words[0])}/calculate`, {
        from: momentOf(options.from, '--from', now),
        to: momentOf(options.to, '--to', now),
        force: options.force ?? false,
        dry: options.dry ?? false,
        dependents: !options.alone,
      });
      if (options.json) return terminal.out(jsonLines(options.dry ? found.values : found.reports));
      if (options.dry) {
        const columns: Column<Value>[] = [
          { name: 'meter', of: (v) => v.meter, right: true },
          { name: 'from (UTC)', of: (v) => timeText(v.time) },
          { name: 'value', of: (v) => v.value, right: true },
          { name: 'quality', of: (v) => v.quality },
        ];
        terminal.out(tableOf(columns, found.values, terminal.columns));
      }
      for (const r of found.reports) {
        const shares = Object.entries(r.shares).filter(([, n]) => n > 0);
        terminal.out(
          `${harmless(r.formula)}: ${r.days} days calculated, ${r.left} unchanged; ${r.written} values of ${r.meters} ${r.meters === 1 ? 'meter' : 'meters'}${shares.length > 0 ? ` (${shares.map(([word, n]) => `${n} ${word}`).join(', ')})` : ''}\n`,
        );
        for (const words of r.fitted) terminal.err(`${harmless(words)}\n`);
        for (const l of r.lacking.slice(0, 10))
          terminal.err(`${harmless(`${l.input}: ${l.serial} lacks ${l.count} values`)}\n`);
        if (r.lackingMeters > 10) terminal.err(`${r.lackingMeters - 10} more meters lack values\n`);
      }
    },
  );

  action(
    formula.command('versions').description('every version that it had').argument('<name>'),
    async ({ client, terminal, words, options }) => {
      const { versions } = await client.get<{ versions: Formula[] }>(`${path(words[0])}/versions`);
      if (options.json) return terminal.out(jsonLines(versions));
      const columns: Column<Formula>[] = [
        { name: 'version', of: (f) => f.version, right: true },
        { name: 'by', of: (f) => f.changedBy },
        { name: 'at (UTC)', of: (f) => timeText(f.changedAt) },
        { name: 'expression', of: (f) => f.definition.expression, cut: true },
      ];
      terminal.out(tableOf(columns, versions, terminal.columns));
    },
  );
  action(
    formula.command('runs').description('what was calculated when').argument('<name>'),
    async ({ client, terminal, words, options }) => {
      const { runs } = await client.get<{ runs: Run[] }>(`${path(words[0])}/runs`);
      if (options.json) return terminal.out(jsonLines(runs));
      const columns: Column<Run>[] = [
        { name: 'at (UTC)', of: (r) => timeText(r.at) },
        { name: 'by', of: (r) => r.by },
        { name: 'version', of: (r) => r.version, right: true },
        { name: 'from', of: (r) => timeText(r.from) },
        { name: 'to', of: (r) => timeText(r.to) },
        { name: 'days', of: (r) => r.days, right: true },
        { name: 'values', of: (r) => r.written, right: true },
      ];
      terminal.out(runs.length === 0 ? 'Nothing was calculated yet.\n' : tableOf(columns, runs, terminal.columns));
    },
  );
  action(
    formula.command('remove').description('take a formula away; what it calculated stays').argument('<name>'),
    async ({ client, terminal, words }) => {
      await client.delete(path(words[0]));
      terminal.out('Removed.\n');
    },
  );
  return formula;
}

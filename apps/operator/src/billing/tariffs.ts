/** `amiable tariff`: tariffs, their versions, checks and publication. */
import type { Command } from 'commander';
import { action, Ended, UsageError } from '../action.ts';
import type { Client } from '../client.ts';
import { jsonLines, tableOf } from '../table.ts';
import { objectOf } from './read.ts';

interface TariffRow {
  readonly name: string;
  readonly description: string | null;
  readonly published: number | null;
  readonly draft: number | null;
  readonly validFrom: string | null;
  readonly contracts: number;
}
interface Version {
  readonly version: number;
  readonly state: string;
  readonly validFrom: string;
  readonly createdAt: string;
  readonly createdBy: string | null;
  readonly publishedAt: string | null;
  readonly publishedBy: string | null;
  readonly definition?: unknown;
}
interface Check {
  readonly good: boolean;
  readonly faults: readonly { readonly path: string; readonly sentence: string }[];
  readonly meter: { readonly fits: boolean; readonly reasons: readonly string[] } | null;
}

const at = (name: string): string => `/api/v1/tariffs/${encodeURIComponent(name)}`;
const numberOf = (word: string): number => {
  const number = Number(word);
  if (!Number.isInteger(number) || number < 1) throw new UsageError(`${word} is no version; write 1, 2, 3 …`);
  return number;
};

export function tariffCommand(program: Command): Command {
  const tariff = program.command('tariff').description('tariffs: versions, checks, publication');
  action(tariff.command('list').description('all tariffs').argument('[part]', 'part of the name'), async (job) => {
    const { client, terminal, words, options } = job;
    const rows: TariffRow[] = [];
    const query = { q: words[0], limit: 1000 };
    for await (const page of client.pages<{ tariffs: TariffRow[]; next: string | null }>('/api/v1/tariffs', query))
      rows.push(...page.tariffs);
    terminal.out(
      options.json
        ? jsonLines(rows)
        : tableOf(
            [
              { name: 'tariff', of: (t) => t.name },
              { name: 'published', of: (t) => t.published, right: true },
              { name: 'from', of: (t) => t.validFrom },
              { name: 'draft', of: (t) => t.draft, right: true },
              { name: 'contracts', of: (t) => (t.contracts > 10_000 ? 'more than 10,000' : t.contracts), right: true },
              { name: 'description', of: (t) => t.description, cut: true },
            ],
            rows,
            terminal.columns,
          ),
    );
  });

  action(
    tariff
      .command('show')
      .description('versions of a tariff, or one of them whole')
      .argument('<name>')
      .argument('[version]', 'as JSON, to be changed and put again'),
    async ({ client, terminal, words, options }) => {
      const [name = '', version] = words;
      if (version !== undefined) {
        const one = await client.get<Version>(`${at(name)}/versions/${numberOf(version)}`);
        terminal.out(options.json ? jsonLines([one]) : `${JSON.stringify(one.definition, null, 2)}\n`);
        return;
      }
      const one = await client.get<TariffRow & { versions: Version[] }>(at(name));
      terminal.out(
        options.json
          ? jsonLines([one])
          : tableOf(
              [
                { name: 'version', of: (v) => v.version, right: true },
                { name: 'state', of: (v) => v.state },
                { name: 'from', of: (v) => v.validFrom },
                { name: 'written', of: (v) => v.createdAt },
                { name: 'by', of: (v) => v.createdBy },
                { name: 'published', of: (v) => v.publishedAt },
                { name: 'by', of: (v) => v.publishedBy },
              ],
              one.versions,
              terminal.columns,
            ),
      );
    },
  );

  action<{ from?: string; description?: string }>(
    tariff
      .command('put')
      .description('write the draft of a tariff out of a file')
      .argument('<name>')
      .argument('<file>', 'FILE.json, see docs/tariffs.md')
      .requiredOption('--from <day>', 'first local day on which it is to hold: 2027-01-01')
      .option('--description <text>'),
    async ({ client, terminal, words, options }) => {
      const [name = '', file = ''] = words;
      const version = await client.put<Version>(at(name), {
        validFrom: options.from,
        definition: await objectOf(file),
        ...(options.description === undefined ? {} : { description: options.description }),
      });
      terminal.out(
        options.json
          ? jsonLines([version])
          : `${name}: version ${version.version} is a draft from ${version.validFrom}; amiable tariff publish lets it bill\n`,
      );
    },
  );

  action<{ meter?: boolean }>(
    tariff
      .command('check')
      .description('whether a tariff is good; nothing is kept')
      .argument('<file>', 'FILE.json')
      .option('--meter', 'whether the calendar of a meter can hold it too'),
    async ({ client, terminal, words, options }) => {
      const [file = ''] = words;
      const found = await client.post<Check>('/api/v1/tariffs/check', {
        definition: await objectOf(file),
        meter: options.meter === true,
      });
      if (options.json) terminal.out(jsonLines([found]));
      else {
        for (const { path, sentence } of found.faults)
          terminal.err(`${file}: ${path === '' ? '' : `${path}: `}${sentence}\n`);
        for (const reason of found.meter?.reasons ?? []) terminal.err(`${file}: a meter cannot hold it: ${reason}\n`);
        if (found.good)
          terminal.out(`${file}: good${found.meter?.fits ? ', and a meter can hold its calendar' : ''}\n`);
      }
      if (!found.good || found.meter?.fits === false) throw new Ended(1);
    },
  );

  action(
    tariff
      .command('publish')
      .description('let a draft bill; it never changes from then on')
      .argument('<name>')
      .argument('[version]', 'the draft unless said'),
    async ({ client, terminal, words, options }) => {
      const [name = '', word] = words;
      const version = word === undefined ? await draftOf(client, name) : numberOf(word);
      const published = await client.post<Version>(`${at(name)}/versions/${version}/publish`, {});
      terminal.out(
        options.json
          ? jsonLines([published])
          : `${name}: version ${published.version} is published and holds from ${published.validFrom}\n`,
      );
    },
  );
  return tariff;
}

async function draftOf(client: Client, name: string): Promise<number> {
  const { draft } = await client.get<TariffRow>(at(name));
  if (draft === null) throw new UsageError(`${name} has no draft; amiable tariff put writes one`);
  return draft;
}

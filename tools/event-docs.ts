/** The tables of docs/events.md out of the catalogue: `node --import tsx tools/event-docs.ts` writes them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { CATALOGUE, EVENT_SOURCES, SEVERITIES } from '../packages/model/src/events/index.ts';

const PAGE = new URL('../docs/events.md', import.meta.url);
const BEGIN = '<!-- catalogue -->';
const END = '<!-- end of the catalogue -->';

/** Everything between the marks. */
export function eventTables(): string {
  const sources = Object.keys(EVENT_SOURCES);
  const numbers = (source: string, event: string): string =>
    Object.entries(EVENT_SOURCES[source] ?? {})
      .filter(([, word]) => word === event)
      .map(([code]) => code)
      .join(', ');
  const rows = [...CATALOGUE.values()].map((entry) => {
    const edge = entry.begins ? 'begins' : entry.ends ? `ends ${entry.ends.join(', ')}` : '';
    const cells = [entry.event, entry.category, SEVERITIES[entry.severity], entry.name, edge];
    return `| ${[...cells, ...sources.map((source) => numbers(source, entry.event))].join(' | ')} |`;
  });
  const head = ['event', 'category', 'severity', 'meaning', '', ...sources];
  return [`| ${head.join(' | ')} |`, `|${head.map(() => '---').join('|')}|`, ...rows].join('\n');
}

/** The page with its tables made anew. */
export function withTables(page: string): string {
  const from = page.indexOf(BEGIN) + BEGIN.length;
  const to = page.indexOf(END);
  return `${page.slice(0, from)}\n${eventTables()}\n${page.slice(to)}`;
}

if (process.argv[1]?.endsWith('event-docs.ts')) writeFileSync(PAGE, withTables(readFileSync(PAGE, 'utf8')));

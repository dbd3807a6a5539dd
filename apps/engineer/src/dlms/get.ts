/** `amiable dlms get`: attributes, as people read them, as JSON or as bytes. */
import { toHex } from '@amiable/bytes';
import { DlmsPeerError, dataAccessWords } from '@amiable/dlms';
import { type Terminal, table } from '@amiable/io/terminal';
import { adviceFor } from './advice.ts';
import { attributeName, mayRead, nameOf } from './catalog.ts';
import { withMeter } from './connect.ts';
import { type Given, settingsOf } from './settings.ts';
import { attributeFor, Lookup, parseReference } from './target.ts';
import { Failed, NotThere, UsageError } from './usage.ts';
import { heading, jsonRead, printRead, type ReadValue, readAttributes, type Wanted } from './values.ts';

/** The buffer of a profile and the object lists are not read by --all: they have commands of their own. */
const LONG = new Map([
  [7, 2],
  [12, 2],
  [15, 2],
]);

export async function runGet(
  terminal: Terminal,
  address: string,
  words: readonly string[],
  given: Given,
): Promise<void> {
  const references = words.map(parseReference);
  if (references.length === 0)
    throw new UsageError('What is to be read? For example: amiable dlms get tcp://192.0.2.7 1-0:1.8.0 clock:time');
  if (given.all && references.some((r) => r.member !== undefined))
    throw new UsageError('--all reads all attributes: leave the attribute away.');
  const settings = await settingsOf(address, given);
  await withMeter(terminal, settings, async ({ session, progress, note }) => {
    const lookup = new Lookup(session, note, settings);
    const wanted: Wanted[] = [];
    const missing: NotThere[] = [];
    for (const reference of references) {
      const object = await lookup.object(reference).catch((error: unknown) => {
        // One that is not there does not keep the others back.
        if (!(error instanceof NotThere) || references.length === 1) throw error;
        missing.push(error);
        return undefined;
      });
      if (!object) continue;
      if (!given.all) wanted.push({ object, attribute: attributeFor(object, reference.member) });
      else
        for (const { index } of object.table?.attributes ??
          [...(object.attributes?.keys() ?? [1])].map((index) => ({ index })))
          if (mayRead(object, index) && LONG.get(object.classId) !== index) wanted.push({ object, attribute: index });
    }
    const values = await readAttributes(session, wanted);
    progress.clear();
    terminal.out(
      given.json
        ? values.map((value) => `${JSON.stringify(jsonRead(value, given.raw === true))}\n`).join('')
        : printed(values, given),
    );
    for (const { message } of missing) note(message);
    const refused = given.all ? [] : values.filter(({ result }) => 'error' in result);
    if (refused.length === 0 && missing.length === 0) return;
    const told = new Set<string>();
    for (const value of refused) {
      const code = 'error' in value.result ? value.result.error : 0;
      note(`${heading(value)}: ${dataAccessWords(code)}.`);
      const facts = { kind: 'data-access', code, state: 'GET', expected: '', bytes: new Uint8Array(0) } as const;
      const advice = adviceFor(new DlmsPeerError('', facts), settings);
      if (advice && !told.has(advice)) terminal.err(`  ${advice}\n`);
      told.add(advice);
    }
    throw new Failed(1);
  });
}

function printed(values: readonly ReadValue[], given: Given): string {
  const good = given.all ? values : values.filter(({ result }) => 'data' in result);
  const text = (value: ReadValue): string =>
    given.raw ? ('data' in value.result ? toHex(value.result.data).toUpperCase() : printRead(value)) : printRead(value);
  if (given.plain) return good.map((value) => `${text(value)}\n`).join('');
  if (!given.all) return table(good.map((value) => [heading(value), nameOf(value.object), text(value)]));
  let out = '';
  let rows: string[][] = [];
  good.forEach((value, i) => {
    const { object, attribute } = value;
    if (good[i - 1]?.object !== object)
      out += `${i === 0 ? '' : '\n'}${object.obis}  ${nameOf(object)} (${object.table?.name ?? 'class'} ${object.classId})\n`;
    rows.push([`  ${attribute}`, attributeName(object, attribute), text(value)]);
    if (good[i + 1]?.object !== object) {
      out += table(rows, { right: [0] });
      rows = [];
    }
  });
  return out;
}

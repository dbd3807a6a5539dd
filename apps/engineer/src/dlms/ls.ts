/** `amiable dlms ls`: the objects of an association, and with -l what they hold. */
import type { JsonValue } from '@amiable/cosem';
import { harmless, type Terminal, table } from '@amiable/io/terminal';
import { type CatalogObject, mayRead, nameOf, readCatalog, rightsByName, rightsText } from './catalog.ts';
import { withMeter } from './connect.ts';
import { type Given, settingsOf } from './settings.ts';
import { Failed, UsageError } from './usage.ts';
import { jsonRead, printRead, type ReadValue, readAttributes, type Wanted } from './values.ts';

/** Attributes that tell most of an object in a line, where it is not attribute 2; none for lists and buffers. */
const SHOWN: Readonly<Record<number, readonly number[]>> = {
  7: [7, 8, 4],
  9: [],
  12: [],
  15: [3],
  18: [6],
  20: [2],
  64: [2, 3],
  70: [2, 3],
};
const LONGEST = 60;
/** Objects asked for at a time, so that the progress moves. */
const BATCH = 16;

export async function runLs(
  terminal: Terminal,
  address: string,
  given: Given,
  words: readonly string[] = [],
): Promise<void> {
  const settings = await settingsOf(address, given);
  await withMeter(terminal, settings, async (meter) => {
    meter.progress.show('reading the object list');
    const { objects } = await readCatalog(meter.session);
    const chosen = objects.filter((object) => matches(object, words));
    if (chosen.length === 0)
      throw new UsageError(
        words.length > 0
          ? `None of ${objects.length} objects matches ${words.join(' ')}.`
          : 'This association shows no objects.',
      );
    const values = given.long ? await readValues(meter, chosen) : new Map<CatalogObject, ReadValue[]>();
    meter.progress.clear();
    if (given.json)
      for (const object of chosen) terminal.out(`${JSON.stringify(objectJson(object, values.get(object)))}\n`);
    else terminal.out(listing(chosen, values, given.long === true, terminal.columns));
    if (
      [...values.values()].flat().some(({ result }) => 'error' in result && result.error !== 3 && result.error !== 13)
    )
      throw new Failed(1);
  });
}

/** A word is part of the logical name, of the name in words or of the class; several must all match. */
function matches(object: CatalogObject, words: readonly string[]): boolean {
  const text = `${object.obis} ${nameOf(object)} ${object.table?.name ?? ''} ${object.classId}`.toLowerCase();
  return words.every((word) => text.includes(word.toLowerCase()));
}

async function readValues(
  { session, progress }: Pick<Parameters<Parameters<typeof withMeter>[2]>[0], 'session' | 'progress'>,
  objects: readonly CatalogObject[],
): Promise<Map<CatalogObject, ReadValue[]>> {
  const values = new Map<CatalogObject, ReadValue[]>();
  for (let i = 0; i < objects.length; i += BATCH) {
    progress.show(`reading values: ${i} of ${objects.length} objects`);
    const wanted: Wanted[] = objects
      .slice(i, i + BATCH)
      .flatMap((object) =>
        (SHOWN[object.classId] ?? [2]).filter((n) => mayRead(object, n)).map((attribute) => ({ object, attribute })),
      );
    if (wanted.length === 0) continue;
    for (const value of await readAttributes(session, wanted))
      values.set(value.object, [...(values.get(value.object) ?? []), value]);
  }
  return values;
}

function objectJson(object: CatalogObject, values: readonly ReadValue[] | undefined): Record<string, JsonValue> {
  const { obis, classId, version, table: of, baseName } = object;
  return {
    obis,
    class: classId,
    version: version ?? null,
    className: of?.name ?? null,
    name: nameOf(object),
    ...(baseName !== undefined && { baseName: baseName.toString(16).toUpperCase().padStart(4, '0') }),
    ...(rightsByName(object) as { attributes: JsonValue; methods: JsonValue } | undefined),
    ...(values && {
      values: Object.fromEntries(
        values.map((value) => {
          const { attributeName, obis: _o, class: _c, attribute: _a, name: _n, ...rest } = jsonRead(value, false);
          return [String(attributeName), rest];
        }),
      ),
    }),
  };
}

function listing(
  objects: readonly CatalogObject[],
  values: ReadonlyMap<CatalogObject, ReadValue[]>,
  long: boolean,
  width: number | undefined,
): string {
  const names = objects.some((o) => o.baseName !== undefined);
  const name = (object: CatalogObject): string => cut(nameOf(object), long ? nameWidth(width) : undefined);
  const rows = objects.map((object) => [
    `  ${object.obis}`,
    ...(names ? [(object.baseName ?? 0).toString(16).toUpperCase().padStart(4, '0')] : []),
    name(object),
    rightsText(object),
    ...(long ? [valueText(values.get(object) ?? [])] : []),
  ]);
  const lines = table(rows).split('\n');
  let out = '';
  let group = '';
  objects.forEach((object, i) => {
    const heading = `${object.table?.name ?? 'Unknown class'} (class ${object.classId}${object.version ? `, version ${object.version}` : ''})`;
    if (heading !== group) out += `${group === '' ? '' : '\n'}${heading}\n`;
    group = heading;
    const line = lines[i] as string;
    out += `${width !== undefined && line.length > width ? `${line.slice(0, Math.max(20, width - 1))}…` : line}\n`;
  });
  return out;
}

/** Values are what -l is for: on a narrow terminal names give way. */
const nameWidth = (width: number | undefined): number | undefined =>
  width === undefined || width >= 120 ? undefined : Math.max(12, width - 54);

const cut = (text: string, width: number | undefined): string =>
  width !== undefined && text.length > width ? `${text.slice(0, width - 1)}…` : text;

function valueText(values: readonly ReadValue[]): string {
  const [first] = values;
  if (!first) return '';
  const text = first.object.classId === 7 ? profileText(values) : values.map(printRead).join(', ');
  return harmless(text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text);
}

function profileText(values: readonly ReadValue[]): string {
  const by = (attribute: number): string | undefined => {
    const found = values.find((value) => value.attribute === attribute);
    return found && 'data' in found.result ? printRead(found) : undefined;
  };
  const period = by(4);
  const every = period === undefined ? '' : /^0( s)?$/.test(period) ? ', on events' : `, every ${period}`;
  return `${by(7) ?? '?'} of ${by(8) ?? '?'} entries${every}`;
}

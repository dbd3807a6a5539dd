/**
 * `amiable dlms set` and `do`: what changes a meter.
 *
 * Decides: on a terminal both ask first, unless --yes is given. Without one nobody can be asked, so what interrupts the
 * supply, erases values or changes keys and firmware needs --yes; the rest is done as told.
 */
import { readFile } from 'node:fs/promises';
import { toHex } from '@amiable/bytes';
import { dateTimeText, encodedData, type ValueType } from '@amiable/cosem';
import { harmless, type Terminal } from '@amiable/io/terminal';
import { attributeName, type CatalogObject, methodName, nameOf } from './catalog.ts';
import { type Meter, withMeter } from './connect.ts';
import { type Given, settingsOf } from './settings.ts';
import { attributeFor, Lookup, methodFor, parseReference, printTarget } from './target.ts';
import { meterTime, parseMoment } from './times.ts';
import { Failed, UsageError } from './usage.ts';
import { decoded, printEncoded, readAttributes, typeOf } from './values.ts';
import { dataFromText } from './write-text.ts';

/** Interface classes whose attributes change keys, firmware or supply. */
const GRAVE_CLASSES = new Set([18, 64, 70, 71]);
/** Methods that do so, or erase what was measured: all of a class, or those named. */
const GRAVE_METHODS: Readonly<Record<number, readonly number[] | 'all'>> = {
  3: [1],
  4: [1],
  5: [1],
  7: [1],
  9: 'all',
  12: 'all',
  15: 'all',
  18: 'all',
  64: 'all',
  70: 'all',
  111: 'all',
  112: 'all',
  113: 'all',
  115: 'all',
};

export function isGraveMethod(classId: number, method: number): boolean {
  const grave = GRAVE_METHODS[classId];
  return grave === 'all' || grave?.includes(method) === true;
}

async function confirmed(
  meter: Pick<Meter, 'terminal' | 'progress'>,
  given: Given,
  grave: boolean,
  question: string,
): Promise<void> {
  if (given.yes) return;
  const { terminal, progress } = meter;
  progress.clear();
  if (terminal.interactive) {
    if (await terminal.ask(`${question} [y/N] `)) return;
    terminal.err('amiable: nothing was changed.\n');
    throw new Failed(1);
  }
  if (grave)
    throw new UsageError(`${question} Nobody can be asked here: say --yes if it is meant. Nothing was changed.`);
}

/** Text, or what a file holds for `@file`. */
async function textOf(given: string): Promise<string> {
  if (!given.startsWith('@')) return given;
  try {
    return (await readFile(given.slice(1), 'utf8')).trim();
  } catch (error) {
    throw new UsageError(`${given.slice(1)} cannot be read: ${(error as Error).message}`);
  }
}

export async function runSet(
  terminal: Terminal,
  address: string,
  target: string,
  value: string,
  given: Given,
): Promise<void> {
  const reference = parseReference(target);
  const text = await textOf(value);
  const settings = await settingsOf(address, given);
  await withMeter(terminal, settings, async (meter) => {
    const { session, note, progress } = meter;
    const object = await new Lookup(session, note, settings).object(reference);
    const attribute = attributeFor(object, reference.member);
    const wanted = { object, attribute };
    const [present] = await readAttributes(session, [wanted]);
    const before = present && 'data' in present.result ? present : undefined;
    const like = before && 'data' in before.result ? decoded(before.result.data) : undefined;
    const type = typeOf(wanted);
    const data = dataFromText(type, momentText(type, text, settings.zone, terminal.clock.now()), {
      now: meterTime(terminal.clock.now(), settings.zone),
      ...(like && { like }),
      ...(before?.scalerUnit && { scalerUnit: before.scalerUnit }),
    });
    const encoded = encodedData(data);
    const show = (bytes: Uint8Array) => harmless(printEncoded(type, bytes, before?.scalerUnit));
    const was = before && 'data' in before.result ? show(before.result.data) : 'not readable';
    const line = `${printTarget(object, attribute)}  ${nameOf(object)}${attribute === 2 ? '' : ` ${attributeName(object, attribute)}`}`;
    progress.clear();
    if (given.dryRun) {
      terminal.out(`${line}  ${show(encoded)}  (now ${was})\n${data.type}  ${toHex(encoded).toUpperCase()}\n`);
      note('--dry-run: nothing was written.');
      return;
    }
    await confirmed(
      meter,
      given,
      GRAVE_CLASSES.has(object.classId),
      `Set ${line.replace(/\s+/g, ' ')} from ${was} to ${show(encoded)}?`,
    );
    await session.set({ classId: object.classId, instanceId: object.instanceId, attributeId: attribute }, encoded);
    terminal.out(`${line}  ${show(encoded)}  (was ${was})\n`);
  });
}

/** `yesterday`, `-1h` and local times become a time with its offset; what is none of these stays as it is. */
function momentText(type: ValueType, text: string, zone: string, now: number): string {
  if (type.kind !== 'temporal' || type.of !== 'date-time' || text === 'now') return text;
  try {
    return dateTimeText(meterTime(parseMoment(text, zone, now), zone));
  } catch (error) {
    if (error instanceof UsageError) return text;
    throw error;
  }
}

const ANY: ValueType = { kind: 'any' };
/** The parameter of methods that need none. */
const ZERO = Uint8Array.of(0x0f, 0);

export async function runDo(
  terminal: Terminal,
  address: string,
  target: string,
  words: readonly string[],
  given: Given,
): Promise<void> {
  const reference = parseReference(target);
  // `0-0:96.3.10:remote_disconnect` and `0-0:96.3.10 remote_disconnect` are the same.
  const [method, ...parameters] = reference.member === undefined ? words : [reference.member, ...words];
  if (method === undefined)
    throw new UsageError(
      `Which method of ${target}? For example: amiable dlms do tcp://192.0.2.7 0-0:96.3.10 remote_disconnect`,
    );
  if (parameters.length > 1)
    throw new UsageError('A method takes one parameter; write several as JSON: {"service_id": 1, …} or [1, 2].');
  const text = parameters[0] === undefined ? undefined : await textOf(parameters[0]);
  const settings = await settingsOf(address, given);
  await withMeter(terminal, settings, async (meter) => {
    const { session, note, progress } = meter;
    const object: CatalogObject = await new Lookup(session, note, settings).object({ ...reference, member: '1' });
    const index = methodFor(object, method);
    const definition = object.table?.methods.find((m) => m.index === index);
    const type = definition?.type ?? ANY;
    const encoded =
      text === undefined
        ? withoutParameter(type, object, index)
        : encodedData(dataFromText(type, text, { now: meterTime(terminal.clock.now(), settings.zone) }));
    const line = `${object.obis}  ${nameOf(object)} ${methodName(object, index)}`;
    progress.clear();
    if (given.dryRun) {
      terminal.out(`${line}  ${harmless(printEncoded(type, encoded))}\n${toHex(encoded).toUpperCase()}\n`);
      note('--dry-run: nothing was done.');
      return;
    }
    await confirmed(
      meter,
      given,
      isGraveMethod(object.classId, index),
      `Do ${line.replace(/\s+/g, ' ')}${text === undefined ? '' : ` with ${text}`}?`,
    );
    const returned = await session.action(
      { classId: object.classId, instanceId: object.instanceId, methodId: index },
      encoded,
    );
    const result =
      returned === undefined
        ? 'done'
        : given.raw
          ? toHex(returned).toUpperCase()
          : harmless(printEncoded(definition?.returns ?? ANY, returned));
    terminal.out(`${line}  ${result}\n`);
  });
}

function withoutParameter(type: ValueType, object: CatalogObject, index: number): Uint8Array {
  if (type.kind === 'number' || type.kind === 'any') return ZERO;
  if (type.kind === 'null-data') return Uint8Array.of(0);
  const shape =
    type.kind === 'structure' ? ` a structure of ${Object.keys(type.fields).join(', ')}, as JSON` : ` ${type.kind}`;
  throw new UsageError(`${object.obis} ${methodName(object, index)} takes a parameter:${shape}.`);
}

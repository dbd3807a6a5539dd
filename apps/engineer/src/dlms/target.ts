/**
 * What on a meter is meant: `1-0:1.8.0`, `1-0:1.8.0:scaler_unit`, `3:1-0:1.8.0:2`, `clock:time`, `0-0:96.3.10 remote_disconnect`.
 *
 * Decides: an object is named by its logical name (short ones are completed as electricity), by its class where there is
 * one of it, or by its name in words; the class comes from the object list unless it is written before the name; without
 * an attribute the one that people mean is taken. Reading the list is spared where class and number are written.
 */
import { attributeOf, classNamed, interfaceClass, methodOf, obisToBytes, parseObis } from '@amiable/cosem';
import type { Session } from '@amiable/meter';
import {
  attributeName,
  bareObject,
  type Catalog,
  type CatalogObject,
  logicalDevices,
  nameOf,
  readCatalog,
} from './catalog.ts';
import type { Settings } from './settings.ts';
import { NotThere, UsageError } from './usage.ts';

/** As written, taken apart. */
export interface Reference {
  readonly text: string;
  /** Number or name. */
  readonly classWord?: string;
  /** Canonical; absent where the object is named in words. */
  readonly obis?: string;
  readonly words?: string;
  /** Attribute or method, number or name. */
  readonly member?: string;
}

const OBIS = String.raw`\d{1,3}-\d{1,3}:[0-9CFLP]{1,3}\.[0-9CFLP]{1,3}\.\d{1,3}(?:[*&]\d{1,3})?|\d{1,3}(?:\.\d{1,3}){5}|[0-9CFLP]{1,3}\.[0-9CFLP]{1,3}(?:\.\d{1,3})?(?:[*&]\d{1,3})?`;
const BY_NAME = new RegExp(`^(?:(\\d{1,5}|[A-Za-z][A-Za-z0-9_ &-]*)[:/])?(${OBIS})(?:[:/]([A-Za-z0-9_-]+))?$`);
const IN_WORDS = /^([A-Za-z][A-Za-z0-9_ &,-]*)(?:[:/]([A-Za-z0-9_]+))?$/;

/** @throws UsageError */
export function parseReference(text: string): Reference {
  const found = BY_NAME.exec(text.trim());
  if (found) {
    const obis = parseObis(found[2] as string);
    if (!obis) throw new UsageError(`${text}: a number of the OBIS code is above 255.`);
    return { text, obis, ...(found[1] && { classWord: found[1] }), ...(found[3] && { member: found[3] }) };
  }
  const words = IN_WORDS.exec(text.trim());
  if (words) return { text, words: words[1] as string, ...(words[2] && { member: words[2] }) };
  throw new UsageError(
    `${JSON.stringify(text)} names nothing on a meter. Write 1-0:1.8.0, 1-0:1.8.0:scaler_unit, 3:1-0:1.8.0:2 (class, name, attribute) or clock:time.`,
  );
}

/** Reads the object list when it is first asked for. */
export class Lookup {
  readonly #session: Session;
  readonly #note: (text: string) => void;
  readonly #who: Pick<Settings, 'client' | 'server'>;
  #catalog: Promise<Catalog | undefined> | undefined;

  constructor(session: Session, note: (text: string) => void, who: Pick<Settings, 'client' | 'server'>) {
    this.#session = session;
    this.#note = note;
    this.#who = who;
  }

  catalog(): Promise<Catalog | undefined> {
    this.#catalog ??= readCatalog(this.#session).catch((error: Error) => {
      if (error.name !== 'PeerError' && error.name !== 'DecodeError') throw error;
      this.#note(`the object list cannot be read (${error.message}); classes are taken from the logical names.`);
      return undefined;
    });
    return this.#catalog;
  }

  /** @throws UsageError when it names nothing, or more than one thing */
  async object(reference: Reference): Promise<CatalogObject> {
    const { classWord, obis, member } = reference;
    const classId = classWord === undefined ? undefined : classNumber(classWord);
    // With short names the list gives the addresses anyway.
    if (obis && classId !== undefined && (member === undefined || /^\d+$/.test(member) || interfaceClass(classId)))
      if (this.#session.referencing === 'LN') return bareObject(classId, obisToBytes(obis));
    const catalog = await this.catalog();
    if (!catalog) return this.#guess(reference, classId);
    const found = obis ? byLogicalName(catalog, reference, classId) : byWords(catalog, reference);
    if (typeof found !== 'string') return found;
    throw new NotThere(`${found} ${await this.elsewhere()}`);
  }

  /** Who else may have what is not here, as far as the meter tells. */
  async elsewhere(): Promise<string> {
    const { client, server } = this.#who;
    const others = (await logicalDevices(this.#session)).filter(({ sap }) => sap !== server);
    const devices = others
      .slice(0, 6)
      .map(({ sap, name }) => `--server ${sap} (${name})`)
      .join(', ');
    return `Client ${client} sees what "amiable dlms ls" lists; another --client, with its --password or keys, may see more${devices && `, and so may another logical device: ${devices}`}.`;
  }

  #guess({ obis, text, words }: Reference, classId: number | undefined): CatalogObject {
    if (!obis) {
      const named = words === undefined ? undefined : ONLY[words.toLowerCase()];
      if (named) return bareObject(named[0], obisToBytes(named[1]));
      throw new UsageError(`${text}: without an object list objects go by their logical name, e.g. 8:0-0:1.0.0:2.`);
    }
    return bareObject(classId ?? likelyClass(obis), obisToBytes(obis));
  }
}

/** The one instance that every meter has. */
const ONLY: Readonly<Record<string, readonly [number, string]>> = {
  clock: [8, '0-0:1.0.0'],
  association: [15, '0-0:40.0.0'],
};

export function classNumber(word: string): number {
  if (/^\d+$/.test(word)) return Number(word);
  const table = classNamed(word);
  if (!table)
    throw new UsageError(
      `${JSON.stringify(word)} is no interface class; write its number, or its name as in "Register".`,
    );
  return table.id;
}

/** What stands at a logical name mostly (IEC 62056-6-2 clause 6), for meters that tell no list. */
export function likelyClass(obis: string): number {
  const [, a, c, d] = /^(\d+)-\d+:(\d+)\.(\d+)\./.exec(obis)?.map(Number) ?? [];
  if (a === 0 && c === 1) return 8;
  if (c === 99 || c === 98) return 7;
  if (a === 0 && c === 40) return 15;
  if (a === 0 && c === 96 && d === 3) return 70;
  if (a !== 0 && c !== undefined && c >= 1 && c < 96) return d === 6 ? 4 : 3;
  return 1;
}

/** @returns the object, or a sentence why there is none */
function byLogicalName(
  catalog: Catalog,
  { obis, text }: Reference,
  classId: number | undefined,
): CatalogObject | string {
  const found = catalog.objects.filter((o) => o.obis === obis && (classId === undefined || o.classId === classId));
  if (found.length === 1) return found[0] as CatalogObject;
  if (found.length > 1)
    throw new UsageError(
      `${text} is ${found.length} objects; write the class before it: ${found.map((o) => `${o.classId}:${o.obis} (${o.table?.name ?? 'unknown class'})`).join(', ')}.`,
    );
  // A short code is completed as electricity; where only one object of another medium has it, that is meant.
  const short = text.includes('-')
    ? []
    : catalog.objects.filter((o) => obis?.startsWith('1-0:') && o.obis.endsWith(obis.slice(3)));
  if (classId === undefined && short.length === 1) return short[0] as CatalogObject;
  // Lists leave out what a client may still read; with the class given it is asked for.
  if (classId !== undefined && obis) return bareObject(classId, obisToBytes(obis));
  const others = catalog.objects.filter(
    (o) => o.obis.split('*')[0] === obis?.split('*')[0] || o.obis.endsWith(`:${obis?.split(':')[1]}`),
  );
  const near =
    others.length > 0
      ? ` There is ${others
          .slice(0, 5)
          .map((o) => o.obis)
          .join(', ')}.`
      : '';
  return `${text} is not in the object list of this association.${near} To ask for it all the same, write its class before it: ${likelyClass(obis as string)}:${obis}.`;
}

const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, '');

function byWords(catalog: Catalog, { words = '', text }: Reference): CatalogObject | string {
  const wanted = plain(words);
  const ways = [
    (o: CatalogObject) => plain(nameOf(o)) === wanted,
    (o: CatalogObject) => plain(o.table?.name ?? '') === wanted,
    (o: CatalogObject) => plain(nameOf(o)).includes(wanted),
  ];
  for (const way of ways) {
    const found = catalog.objects.filter(way);
    const [first] = found;
    if (found.length === 1) return first as CatalogObject;
    if (found.length > 1)
      throw new UsageError(
        `${JSON.stringify(words)} may be ${found.length} objects: ${found
          .slice(0, 8)
          .map((o) => `${o.obis} (${nameOf(o)})`)
          .join(', ')}${found.length > 8 ? ', …' : ''}. Write the logical name.`,
      );
  }
  return `${JSON.stringify(text)} names no object that this client sees.`;
}

const VALUE = 2;
const PROFILE = 7;

/** The attribute that is meant. @throws UsageError */
export function attributeFor(object: CatalogObject, member: string | undefined): number {
  if (member === undefined) {
    if (object.classId === PROFILE)
      throw new UsageError(
        `${object.obis} is a profile: read its rows with "amiable dlms profile … ${object.obis}", or name an attribute, e.g. ${object.obis}:entries_in_use.`,
      );
    return VALUE;
  }
  if (/^-?\d+$/.test(member)) {
    const n = Number(member);
    if (n > 127 || n < -128) throw new UsageError(`${member} is no attribute: they count from 1.`);
    return n;
  }
  const found = object.table && attributeOf(object.table, member);
  if (found) return found.index;
  const names = object.table?.attributes.map((a) => a.name).join(', ');
  throw new UsageError(
    names
      ? `${object.obis} (${object.table?.name}) has no attribute ${member}; it has ${names}.`
      : `class ${object.classId} is not known here; name its attributes by number.`,
  );
}

/** @throws UsageError */
export function methodFor(object: CatalogObject, member: string): number {
  if (/^\d+$/.test(member)) return Number(member);
  const found = object.table && methodOf(object.table, member);
  if (found) return found.index;
  const methods = object.table?.methods ?? [];
  throw new UsageError(
    object.table
      ? methods.length > 0
        ? `${object.obis} (${object.table.name}) has no method ${member}; it has ${methods.map((m) => m.name).join(', ')}.`
        : `${object.obis} (${object.table.name}) has no methods.`
      : `class ${object.classId} is not known here; name its methods by number.`,
  );
}

/** `1-0:1.8.0` for the value, `1-0:1.8.0:scaler_unit` for others. */
export function printTarget(object: CatalogObject, attribute: number): string {
  return attribute === VALUE ? object.obis : `${object.obis}:${attributeName(object, attribute)}`;
}

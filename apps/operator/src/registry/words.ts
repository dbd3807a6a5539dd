/**
 * What is typed for `amiable registry`: objects (`region:NORTH`, `meter:LGZ00000001`, `transformer:T-17`), conditions
 * (`maker=Kaifa`, `x.fuse>=25`, `place~storgata`), fields (`name=North`, `x.fuse=63`).
 *
 * Decides what is a condition and what a word. Leaves out which attributes there are: the server knows.
 */
import { UsageError } from '../action.ts';
import type { Client } from '../client.ts';
import { meterOf, ROOM } from '../named.ts';

export interface Condition {
  readonly attribute: string;
  readonly is: string;
  readonly value?: unknown;
}
export interface NodeJson {
  readonly id: string;
  readonly kind: string;
  readonly code: string;
  readonly name: string | null;
  readonly parent: string | null;
  readonly path: readonly string[];
  readonly segment: number;
  readonly latitude: number | null;
  readonly longitude: number | null;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}
export interface EntryJson {
  readonly id: string;
  readonly serial: string;
  readonly utilitySerial: string | null;
  readonly name: string | null;
  readonly place: string | null;
  readonly maker: string | null;
  readonly type: string | null;
  readonly state: string;
  readonly life: string;
  readonly segment: number;
  readonly meterType: string | null;
  readonly paramId: string | null;
  readonly configId: string | null;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly firstSeen: string | null;
  readonly places: readonly {
    readonly id: string;
    readonly kind: string;
    readonly code: string;
    readonly name: string | null;
  }[];
  readonly master: { readonly id: string; readonly serial: string; readonly channel: number } | null;
  readonly slaves: readonly { readonly id: string; readonly serial: string; readonly channel: number }[];
}

export const KINDS = Object.keys(ROOM);

const SIGN = /^([\p{L}][\p{L}\p{N}._-]*)(!=|<=|>=|=|<|>|~|\^)(.*)$/su;
const MARK = /^([\p{L}][\p{L}\p{N}._-]*)([?!])$/u;

/** A value as JSON where it is a number, true or false; text otherwise. What stands in quotes is text. */
export function plainValue(text: string): string | number | boolean {
  if (/^".*"$/s.test(text)) return text.slice(1, -1);
  if (text === 'true') return true;
  if (text === 'false') return false;
  return /^-?(0|[1-9]\d{0,14})(\.\d{1,15})?$/.test(text) ? Number(text) : text;
}

/** A condition; undefined for a word to search for. */
export function conditionOf(text: string): Condition | undefined {
  const mark = MARK.exec(text);
  if (mark) return { attribute: mark[1] as string, is: mark[2] === '?' ? 'exists' : 'missing' };
  const found = SIGN.exec(text);
  if (!found) return undefined;
  const [, attribute = '', sign = '', raw = ''] = found;
  if (sign === '=' && /^\[.*\]$/s.test(raw))
    return {
      attribute,
      is: 'in',
      value: raw
        .slice(1, -1)
        .split(',')
        .map((part) => typed(attribute, part.trim())),
    };
  const is = sign === '~' ? 'contains' : sign === '^' ? 'begins' : sign;
  return { attribute, is, value: is === 'contains' || is === 'begins' ? raw : typed(attribute, raw) };
}
/** Fixed attributes are text or are understood as such; the user's own may be numbers. */
const typed = (attribute: string, raw: string): string | number | boolean =>
  attribute.startsWith('x.') ? plainValue(raw) : raw;

/** `name=North`, `x.fuse=63`, `x.fuse=` (takes it away). */
export function fieldsOf(words: readonly string[]): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  const attributes: Record<string, unknown> = {};
  for (const word of words) {
    const at = word.indexOf('=');
    if (at < 1) throw new UsageError(`${word}: give NAME=VALUE, or NAME= to take it away`);
    const name = word.slice(0, at);
    const raw = word.slice(at + 1);
    const value = raw === '' ? null : plainValue(raw);
    if (name.startsWith('x.')) attributes[name.slice(2)] = value;
    else
      fields[name] =
        ['segment', 'latitude', 'longitude'].includes(name) || value === null ? value : raw.replace(/^"(.*)"$/s, '$1');
  }
  return Object.keys(attributes).length > 0 ? { ...fields, attributes } : fields;
}

export type Found =
  | { readonly what: 'meter'; readonly path: string; readonly entry: EntryJson }
  | { readonly what: 'node'; readonly path: string; readonly node: NodeJson };

/** @throws UsageError for what cannot be meant, ApiError for what is not there */
export async function find(client: Client, word: string): Promise<Found> {
  const at = word.indexOf(':');
  const kind = at < 0 ? 'meter' : word.slice(0, at) === 'point' ? 'metering-point' : word.slice(0, at);
  const code = word.slice(at + 1);
  if (code === '') throw new UsageError(`${word}: give KIND:CODE such as region:NORTH or meter:LGZ00000001`);
  if (at < 0 && /^[\p{L}-]+$/u.test(word))
    throw new UsageError(`${word}: give KIND:CODE such as region:NORTH, or the number of a meter`);
  if (kind === 'meter') {
    const entry = await meterOf<EntryJson>(client, code);
    return { what: 'meter', path: `/api/v1/meters/${entry.id}`, entry };
  }
  const room = Object.hasOwn(ROOM, kind) ? ROOM[kind] : undefined;
  if (room === undefined) throw new UsageError(`${kind}: there are meter, ${KINDS.join(', ')}`);
  const { nodes } = await client.get<{ nodes: NodeJson[] }>(`/api/v1/${room}`, {
    ...(room === 'nodes' ? { kind } : {}),
    code,
  });
  const [node] = nodes;
  if (!node) throw new UsageError(`there is no ${kind} with the code ${code}`);
  return { what: 'node', path: `/api/v1/${room}/${node.id}`, node };
}

export async function findNode(client: Client, word: string): Promise<NodeJson> {
  const found = await find(client, word);
  if (found.what !== 'node') throw new UsageError(`${word} is a meter; a node is wanted, such as region:NORTH`);
  return found.node;
}

/** ISO 8601; a day is its midnight in UTC. */
export function timeOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const at = Date.parse(text);
  if (!Number.isFinite(at)) throw new UsageError(`${text} is no time such as 2026-11-20 or 2026-11-20T12:00+01:00`);
  return new Date(at).toISOString();
}

/** Groups and segments by their names, as people call them, or by number. */
import { UsageError } from '../action.ts';
import type { Client } from '../client.ts';

export interface Named {
  readonly id: number;
  readonly name: string;
}
export interface Group extends Named {
  readonly description: string | null;
  readonly privileges: readonly string[];
  readonly builtIn: boolean;
  readonly members: number;
}
export interface Segment extends Named {
  readonly description: string | null;
  readonly meters: number;
}
export interface User {
  readonly id: string;
  readonly name: string;
  readonly language: string | null;
  readonly attributes: Readonly<Record<string, string>>;
  readonly disabled: boolean;
  readonly groups: readonly number[];
  readonly segments: 'all' | readonly number[];
  readonly lastLogin: string | null;
  readonly failed: number;
}

export const groupsOf = async (client: Client): Promise<readonly Group[]> =>
  (await client.get<{ groups: Group[] }>('/api/v1/groups')).groups;
export const segmentsOf = async (client: Client): Promise<readonly Segment[]> =>
  (await client.get<{ segments: Segment[] }>('/api/v1/segments')).segments;

/** @throws UsageError naming what there is */
export function idOf(kind: string, known: readonly Named[], word: string): number {
  const found = known.find((each) => each.name === word) ?? known.find((each) => String(each.id) === word);
  if (!found)
    throw new UsageError(
      `there is no ${kind} ${word}; there are ${known.map((each) => each.name).join(', ') || 'none'}`,
    );
  return found.id;
}

export async function groupIds(client: Client, words: readonly string[]): Promise<number[]> {
  if (words.length === 0) return [];
  const known = await groupsOf(client);
  return words.map((word) => idOf('group', known, word));
}

/** `all`, or segments by name. */
export async function scopeOf(client: Client, words: readonly string[]): Promise<'all' | number[]> {
  if (words.includes('all')) return 'all';
  const known = await segmentsOf(client);
  return words.map((word) => idOf('segment', known, word));
}

export async function userOf(client: Client, word: string): Promise<User> {
  const { users } = await client.get<{ users: User[] }>('/api/v1/users', { q: word, limit: 1000 });
  const found = users.find((user) => user.name.toLowerCase() === word.toLowerCase());
  if (found) return found;
  if (/^\d+$/.test(word)) return client.get<User>(`/api/v1/users/${word}`);
  throw new UsageError(`there is no user ${word}`);
}

export const nameIn = (known: readonly Named[], id: number): string =>
  known.find((each) => each.id === id)?.name ?? String(id);

/** For options that may be given again. */
export const gather = (value: string, before: readonly string[] = []): string[] => [...before, value];

/** Every migration from the first on, in order; a released one never changes. */
import { existsSync, readFileSync } from 'node:fs';
import type { Migration } from '../migrate.ts';

const read = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');

function migration(version: number, name: string): Migration {
  const stem = `${String(version).padStart(3, '0')}_${name}`;
  const distribute = `${stem}.distribute.sql`;
  return {
    version,
    name,
    sql: read(`${stem}.sql`),
    ...(existsSync(new URL(distribute, import.meta.url)) ? { distribute: read(distribute) } : {}),
  };
}

export const migrations: readonly Migration[] = [
  migration(1, 'base'),
  migration(2, 'access'),
  migration(3, 'registry'),
  migration(4, 'work'),
  migration(5, 'journal'),
  migration(6, 'readout'),
  migration(7, 'history'),
  migration(8, 'validation'),
  migration(9, 'billing'),
  migration(10, 'delivery'),
  migration(11, 'grid'),
  migration(12, 'report'),
];

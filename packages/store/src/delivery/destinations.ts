/** Designed formats, and where files go: definitions with a version each, secrets apart. */
import type { Database } from '../pg/database.ts';
import { deliverySql } from '../sql/delivery.ts';
import { iso, renamed, segmentsOf } from './parts.ts';
import type { Defined, Destination, DestinationSecret, DestinationStore, FormatStore } from './types.ts';

export function createFormats(db: Database): FormatStore {
  return {
    list: async () => (await db.read((client) => client.query(deliverySql.formats))).rows as Defined[],
    async get(name, version) {
      const { rows } = await db.read((client) =>
        version === undefined
          ? client.query(deliverySql.format, [name])
          : client.query(deliverySql.formatVersion, [name, version]),
      );
      return rows[0] as Defined | undefined;
    },
    put: (name, definition, by, at) =>
      db.write(async (client) => {
        const text = JSON.stringify(definition);
        const same = (await client.query(deliverySql.sameFormat, [name, text])).rows[0] as
          | { version: number }
          | undefined;
        if (same) return same.version;
        const newest = (await client.query(deliverySql.formatNewest, [name])).rows[0] as { version: number };
        const row = [name, newest.version + 1, text, iso(at), by];
        // The version comes first: two that write at once meet at its key.
        await client.query(deliverySql.putFormatVersion, row);
        await client.query(deliverySql.putFormat, row);
        return newest.version + 1;
      }),
    remove: async (name) =>
      (await db.write((client) => client.query(deliverySql.removeFormat, [name]))).rows.length > 0,
  };
}

export function createDestinations(db: Database): DestinationStore {
  return {
    async list(scope) {
      const { rows } = await db.read((client) => client.query(deliverySql.destinations, [segmentsOf(scope)]));
      return rows.map((row) => renamed<Destination>(row));
    },
    async get(name, scope) {
      const { rows } = await db.read((client) => client.query(deliverySql.destination, [name, segmentsOf(scope)]));
      return rows[0] && renamed<Destination>(rows[0]);
    },
    put: ({ name, kind, definition, segments, enabled }, by, at, forget) =>
      db.write(async (client) => {
        const row = [name, kind, JSON.stringify(definition), segments, enabled, iso(at), by];
        const { rows } = await client.query(deliverySql.putDestination, row);
        if (forget) await client.query(deliverySql.forgetSecrets, [name]);
        return (rows[0] as { version: number }).version;
      }),
    remove: (name) =>
      db.write(async (client) => {
        await client.query(deliverySql.forgetSecrets, [name]);
        return (await client.query(deliverySql.removeDestination, [name])).rows.length > 0;
      }),
    async putSecret(name, secret, ciphertext, at) {
      await db.write((client) =>
        ciphertext === null
          ? client.query(deliverySql.removeSecret, [name, secret])
          : client.query(deliverySql.putSecret, [name, secret, Buffer.from(ciphertext), iso(at)]),
      );
    },
    async secrets(name) {
      const { rows } = await db.read((client) => client.query(deliverySql.secrets, [name]));
      return new Map(
        (rows as { name: DestinationSecret; ciphertext: Buffer }[]).map(({ name, ciphertext }) => [name, ciphertext]),
      );
    },
  };
}

/**
 * Connections, their secrets, invocation counters, and how the reading of each meter went: the store's part of acquisition.
 *
 * Decides: a worker gets all it needs of a lease's meters in four questions; counters are reserved in one statement for all of
 * them and never given out twice, however a worker ends. Leaves out: opening secrets (whoever holds the vault).
 */
import type { Scope } from '@amiable/model';
import type { Client, Database } from '../pg/database.ts';
import type { Registers } from '../registers.ts';
import {
  notePeers,
  readoutSql,
  reserveCounters,
  upsertConnections,
  upsertLogStates,
  upsertSecrets,
  upsertStates,
} from '../sql/readout.ts';
import { runRows } from '../sql/values.ts';
import type { MeterId } from '../types.ts';
import { BUILT_IN_SETS } from './sets.ts';
import type {
  Connection,
  CounterGrant,
  ReadOutcome,
  ReadoutSet,
  ReadoutState,
  ReadoutStore,
  ReadTarget,
  SecretName,
  StateChange,
  StoredConnection,
} from './types.ts';

const iso = (ms: number | undefined): string | null => (ms === undefined ? null : new Date(ms).toISOString());
const segments = (scope: Scope): readonly number[] | null => (scope === 'all' ? null : scope);
const MAX_REASON = 500;

interface ConnectionRow {
  readonly meter: string | null;
  readonly protocol: Connection['protocol'];
  readonly address: string;
  readonly transport: Connection['transport'];
  readonly readout: string;
  readonly referencing: 'LN' | 'SN' | null;
  readonly client: number | null;
  readonly server: number | null;
  readonly physical: number | null;
  readonly authentication: NonNullable<Connection['authentication']> | null;
  readonly suite: 0 | 1 | 2 | null;
  readonly ciphered: boolean | null;
  readonly device_address: string | null;
  readonly channel: string | null;
  readonly identity: string | null;
}

function connectionOf(row: ConnectionRow): Connection {
  return {
    meter: row.meter as string,
    protocol: row.protocol,
    address: row.address,
    transport: row.transport,
    readout: row.readout,
    ...(row.referencing !== null && { referencing: row.referencing }),
    ...(row.client !== null && { client: row.client }),
    ...(row.server !== null && { server: row.server }),
    ...(row.physical !== null && { physical: row.physical }),
    ...(row.authentication !== null && { authentication: row.authentication }),
    ...(row.suite !== null && { suite: row.suite }),
    ...(row.ciphered !== null && { ciphered: row.ciphered }),
    ...(row.device_address !== null && { deviceAddress: row.device_address }),
    ...(row.channel !== null && { channel: row.channel }),
    ...(row.identity !== null && { identity: row.identity }),
  };
}

const connectionRow = (c: Connection, now: number): unknown[] => [
  c.meter,
  c.protocol,
  c.address,
  c.transport,
  c.readout,
  c.referencing ?? null,
  c.client ?? null,
  c.server ?? null,
  c.physical ?? null,
  c.authentication ?? null,
  c.suite ?? null,
  c.ciphered ?? null,
  c.deviceAddress ?? null,
  c.channel ?? null,
  c.identity ?? null,
  iso(now),
];

interface StateRow {
  readonly meter: string;
  readonly tried_at: Date;
  readonly read_at: Date | null;
  readonly outcome: ReadOutcome;
  readonly reason: string | null;
  readonly failures: number;
  readonly fingerprint: string | null;
  readonly configuration: Record<string, string> | null;
  readonly delivers: Record<string, string[]> | null;
  readonly deviation: number | null;
  readonly deviation_at: Date | null;
  readonly stranger: string | null;
}

const stateOf = (row: StateRow): ReadoutState => ({
  meter: row.meter,
  tried: row.tried_at.getTime(),
  ...(row.read_at && { read: row.read_at.getTime() }),
  outcome: row.outcome,
  ...(row.reason !== null && { reason: row.reason }),
  failures: row.failures,
  ...(row.fingerprint !== null && { fingerprint: row.fingerprint }),
  ...(row.configuration && { configuration: row.configuration }),
  ...(row.delivers && { delivers: row.delivers }),
  ...(row.deviation !== null && { deviation: row.deviation }),
  ...(row.deviation_at && { deviationAt: row.deviation_at.getTime() }),
  ...(row.stranger !== null && { stranger: row.stranger }),
});

const INT4 = 0x7fff_ffff;
const json = (value: object | undefined): string | null => (value === undefined ? null : JSON.stringify(value));
const GOOD: ReadonlySet<ReadOutcome> = new Set(['done', 'partial']);

const stateRow = (s: StateChange): unknown[] => [
  s.meter,
  iso(s.tried),
  iso(s.read),
  s.outcome,
  s.reason?.slice(0, MAX_REASON) ?? null,
  GOOD.has(s.outcome) ? 0 : 1,
  s.fingerprint ?? null,
  json(s.configuration),
  json(s.delivers),
  s.deviation === undefined ? null : Math.max(-INT4, Math.min(INT4, s.deviation)),
  iso(s.deviationAt),
  s.stranger ?? null,
];

/** Rows of one table in the order of its key, the last of equal keys alone. */
function byKey<T>(rows: readonly T[], key: (row: T) => string): T[] {
  const last = new Map(rows.map((row) => [key(row), row]));
  return [...last].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}
/** Ids as text that sorts like the number. */
const padded = (meter: MeterId): string => meter.padStart(19, '0');

async function allStates(client: Client, meters: readonly MeterId[]): Promise<Map<MeterId, ReadoutState>> {
  const { rows } = await client.query({ name: 'readout.states', text: readoutSql.states, values: [meters] });
  return new Map((rows as StateRow[]).map((row) => [row.meter, stateOf(row)]));
}

export function createReadout(db: Database, registers: Registers): ReadoutStore {
  async function list(values: readonly unknown[]): Promise<StoredConnection[]> {
    return db.read(async (client) => {
      const { rows } = await client.query(readoutSql.connections, [...values]);
      const found = rows as (ConnectionRow & { serial: string; secrets: SecretName[]; changed_at: Date })[];
      const states = await allStates(
        client,
        found.map((row) => row.meter as string),
      );
      return found.map((row) => {
        const state = states.get(row.meter as string);
        const { serial, secrets, changed_at } = row;
        return { ...connectionOf(row), serial, secrets, changed: changed_at.getTime(), ...(state && { state }) };
      });
    });
  }

  return {
    async sets() {
      const { rows } = await db.read((client) => client.query(readoutSql.sets));
      const own = (rows as { type: string; content: ReadoutSet }[]).map((row) => [row.type, row.content] as const);
      return new Map([...BUILT_IN_SETS, ...own]);
    },
    async putSet(name, set, now) {
      await db.write((client) => client.query(readoutSql.putSet, [name, JSON.stringify(set), iso(now)]));
    },
    async removeSet(name) {
      return (await db.write((client) => client.query(readoutSql.removeSet, [name]))).rows.length > 0;
    },

    async connections({ channel, outcome, q, after, limit, scope }) {
      if (outcome === undefined)
        return list([null, segments(scope), channel ?? null, q ?? null, after ?? null, limit, null]);
      // How it went lies with the meters, who may be seen does not: page by page until there are enough.
      const found: StoredConnection[] = [];
      for (let from = after ?? '0'; found.length < limit; ) {
        const { rows } = await db.read((client) => client.query(readoutSql.meetingOutcome, [outcome, from, 1000]));
        const meters = (rows as { meter: MeterId }[]).map((row) => row.meter);
        if (meters.length === 0) break;
        from = meters.at(-1) as string;
        found.push(...(await list([null, segments(scope), channel ?? null, q ?? null, null, 1000, meters])));
      }
      return found.slice(0, limit);
    },
    async connection(meter, scope) {
      return (await list([meter, segments(scope), null, null, null, 1, null]))[0];
    },
    async putConnections(connections, now) {
      const rows = byKey(connections, (c) => padded(c.meter)).map((c) => connectionRow(c, now));
      await db.write((client) => runRows(client, upsertConnections, rows));
    },
    async keepsSecrets(meter) {
      const { rows } = await db.read((client) => client.query(readoutSql.keepsSecrets, [meter]));
      return (rows[0] as { some: boolean }).some;
    },
    async removeConnection(meter) {
      return db.write(async (client) => {
        await client.query(readoutSql.removeSecrets, [meter]);
        return (await client.query(readoutSql.removeConnection, [meter])).rows.length > 0;
      });
    },
    async putSecrets(secrets, now) {
      await db.write(async (client) => {
        const put = secrets.filter((s) => s.ciphertext !== null);
        const rows = byKey(put, (s) => `${padded(s.meter)} ${s.name}`).map((s) => [
          s.meter,
          s.name,
          Buffer.from(s.ciphertext as Uint8Array),
          iso(now),
        ]);
        await runRows(client, upsertSecrets, rows);
        for (const { meter, name, ciphertext } of secrets)
          if (ciphertext === null) await client.query(readoutSql.removeSecret, [meter, name]);
      });
    },

    registerOf(obis, period) {
      for (const register of registers.all())
        if (register.obis === obis && register.period === period && register.stat === 'value') {
          const { name, unit } = register;
          return { obis, name, ...(unit !== undefined && { unit }), period };
        }
      return undefined;
    },

    async targets(meters) {
      return db.read(async (client) => {
        const query = async <T>(name: 'targets' | 'secrets' | 'logs'): Promise<T[]> =>
          (await client.query({ name: `readout.${name}`, text: readoutSql[name], values: [meters] })).rows as T[];
        type Row = ConnectionRow & { id: string; serial: string; utility_serial: string | null; time_zone: string };
        const rows = await query<Row>('targets');
        const states = await allStates(client, meters);
        const secrets = new Map<MeterId, Map<SecretName, Uint8Array>>();
        for (const row of await query<{ meter: string; name: SecretName; ciphertext: Buffer }>('secrets')) {
          const own = secrets.get(row.meter);
          if (own) own.set(row.name, row.ciphertext);
          else secrets.set(row.meter, new Map([[row.name, row.ciphertext]]));
        }
        const logs = new Map<MeterId, Map<string, number>>();
        for (const row of await query<{ meter: string; log: string; newest: Date }>('logs')) {
          const own = logs.get(row.meter);
          if (own) own.set(row.log, row.newest.getTime());
          else logs.set(row.meter, new Map([[row.log, row.newest.getTime()]]));
        }
        return new Map(
          rows.map((row): [MeterId, ReadTarget] => {
            const state = states.get(row.id);
            return [
              row.id,
              {
                meter: row.id,
                serial: row.serial,
                ...(row.utility_serial !== null && { utilitySerial: row.utility_serial }),
                timeZone: row.time_zone,
                ...(row.meter !== null && { connection: connectionOf(row) }),
                secrets: secrets.get(row.id) ?? new Map(),
                ...(state && { state }),
                logs: logs.get(row.id) ?? new Map(),
              },
            ];
          }),
        );
      });
    },

    async reserve(requests) {
      const wanted = byKey(requests, (r) => `${padded(r.meter)} ${r.key}`);
      const counts = new Map(wanted.map((r) => [r.meter, r.count]));
      const rows = await db.write((client) =>
        runRows(
          client,
          reserveCounters,
          wanted.map((r) => [r.meter, r.key, r.count]),
        ),
      );
      return new Map(
        (rows as [string, string, string][]).map(([meter, bound, peer]): [MeterId, CounterGrant] => [
          meter,
          { start: Number(bound) - (counts.get(meter) ?? 0), peer: Number(peer) },
        ]),
      );
    },
    async raise(meter, key, to) {
      await db.write((client) => client.query(readoutSql.raise, [meter, key, to]));
    },
    async notePeers(peers) {
      const rows = byKey(peers, (p) => `${padded(p.meter)} ${p.key}`).map((p) => [p.meter, p.key, 0, p.peer]);
      await db.write((client) => runRows(client, notePeers, rows));
    },

    async writeStates(changes) {
      const states = byKey(changes, (c) => padded(c.meter));
      const logs = byKey(
        changes.flatMap(({ meter, logs: own }) => [...(own ?? [])].map(([log, newest]) => ({ meter, log, newest }))),
        (row) => `${padded(row.meter)} ${row.log}`,
      );
      await db.write(async (client) => {
        await runRows(client, upsertStates, states.map(stateRow));
        await runRows(
          client,
          upsertLogStates,
          logs.map(({ meter, log, newest }) => [meter, log, iso(newest)]),
        );
      });
    },
  };
}

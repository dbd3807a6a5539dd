/** `store.intervals`: meterings, their history, and edits of them. */
import { DAY } from '../codec/block.ts';
import type { Partitions } from '../partitions.ts';
import type { Database } from '../pg/database.ts';
import { requireMeter } from '../query/scope.ts';
import type { Registers } from '../registers.ts';
import { intervalSql } from '../sql/intervals.ts';
import { changedSince } from './changed.ts';
import { decideEdit, findEdit, listEdits, makeEdits, undoEdit } from './edits.ts';
import { readIntervals, readOne } from './read.ts';
import { checkSpan, meteringsOf, registersOf } from './registers.ts';
import { statesOf } from './states.ts';
import type { IntervalStore, Metering, ValueState } from './types.ts';
import { writeMeterings } from './write.ts';

export interface IntervalParts {
  readonly db: Database;
  readonly registers: Registers;
  readonly partitions: Partitions;
}

const TWO_PERSONS = 'edits.two-persons';

export function createIntervalStore(parts: IntervalParts): IntervalStore {
  const { db, registers } = parts;
  return {
    read: (meters, query, take) => readIntervals(parts, meters, query, take),
    one: (meter, query, scope) => readOne(parts, meter, query, scope),
    write: (series, how) => writeMeterings(parts, series, how),
    changedSince: (query) => changedSince(parts, query),

    async list(meter, scope) {
      await registers.load();
      const ids = meteringsOf(registers).map((r) => r.id);
      const rows = await db.read(async (client) => {
        if (scope !== undefined) await requireMeter(client, meter, scope);
        return (await client.query(intervalSql.list, [meter, ids])).rows;
      });
      const found: Metering[] = [];
      for (const { register, first, last } of rows as { register: number; first: number; last: number }[]) {
        const r = registers.byId(register);
        if (r)
          found.push({
            quantity: r.name,
            period: r.period,
            obis: r.obis ?? null,
            unit: r.unit ?? null,
            first: first * DAY,
            last: last * DAY,
          });
      }
      return found.sort((a, b) => (a.quantity < b.quantity ? -1 : a.quantity > b.quantity ? 1 : a.period - b.period));
    },

    async states(meter, { quantity, period, from, to }, limit, scope) {
      checkSpan(from, to);
      await registers.load();
      const wanted = registersOf(registers, quantity, period);
      return db.read(async (client) => {
        if (scope !== undefined) await requireMeter(client, meter, scope);
        for (const register of wanted) {
          const found: ValueState[] = await statesOf(client, meter, register.id, from, to, limit);
          if (found.length > 0) return found;
        }
        return [];
      });
    },

    edit: (edits, by, at, twoPersons, scope, account) => makeEdits(parts, edits, by, at, twoPersons, scope, account),
    decide: (id, apply, by, at, scope, account) => decideEdit(parts, id, apply, by, at, scope, account),
    undo: (id, by, reason, at, scope) => undoEdit(parts, id, by, reason, at, scope),
    edits: (query) => db.read((client) => listEdits(client, query)),
    oneEdit: (id, scope) => db.read((client) => findEdit(client, id, scope)),

    async twoPersons() {
      const { rows } = await db.read((client) => client.query(intervalSql.setting, [TWO_PERSONS]));
      return (rows[0] as { value: unknown } | undefined)?.value === true;
    },
    async setTwoPersons(on, by, at) {
      await db.write((client) =>
        client.query(intervalSql.setSetting, [TWO_PERSONS, JSON.stringify(on), new Date(at).toISOString(), by]),
      );
    },
  };
}

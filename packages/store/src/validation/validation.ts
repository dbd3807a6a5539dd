/** Validation in the store: its parts joined. */
import type { Database } from '../pg/database.ts';
import type { Registers } from '../registers.ts';
import { dayText } from '../sql/partitions.ts';
import { validationSql } from '../sql/validation.ts';
import type { MeterId } from '../types.ts';
import { readBeside } from './beside.ts';
import { createExceptions } from './exceptions.ts';
import { planValidation } from './plan.ts';
import { createRuleSets } from './rules.ts';
import { saveOutcomes } from './save.ts';
import type { ValidationStore } from './types.ts';

export function createValidationStore(db: Database, registers: Registers): ValidationStore {
  return {
    rules: createRuleSets(db),
    exceptions: createExceptions(db),
    plan: (query) => planValidation({ db, registers }, query),
    beside: (tasks, query) => readBeside({ db, registers }, tasks, query),
    save: (outcomes, at) => saveOutcomes(db, outcomes, at),
    async freeOf(group, meters) {
      const { rows } = await db.read((client) => client.query(validationSql.freeOf, [group, meters]));
      const free = new Set((rows as { meter: MeterId }[]).map((row) => row.meter));
      return meters.filter((meter) => free.has(meter));
    },
    async groups() {
      const { rows } = await db.read((client) => client.query(validationSql.groups));
      return (rows as { name: string }[]).map((row) => row.name);
    },
    async forget(before) {
      await db.write((client) => client.query(validationSql.forgetStates, [dayText(before)]));
    },
  };
}

/**
 * Rule sets with their versions, and what of meters decides which of them holds.
 *
 * Decides: a new definition is a new version, the same one is none; one rule set is the default. Leaves out: whether a definition
 * is a good one (model/mdm/rules.ts; who calls has checked it), and which set fits a meter best (compute).
 */
import { MisuseError } from '@amiable/bytes';
import type { Client, Database } from '../pg/database.ts';
import { checkText } from '../registry/attributes.ts';
import { iso, type Row, segments } from '../registry/parts.ts';
import { validationSql } from '../sql/validation.ts';
import type { MeterId } from '../types.ts';
import type { RuleSets, StoredRuleSet, ValidatedMeter } from './types.ts';

const ruleSetOf = (row: Row): StoredRuleSet => ({
  id: row.id as number,
  name: row.name as string,
  description: row.description as string | null,
  isDefault: row.is_default as boolean,
  version: row.version as number,
  definition: row.definition,
  changedAt: row.changed_at as number,
  changedBy: row.changed_by as string,
});

async function read(client: Client, name: string): Promise<StoredRuleSet | undefined> {
  const row = (await client.query(validationSql.ruleSet, [name])).rows[0] as Row | undefined;
  return row && ruleSetOf(row);
}

export function createRuleSets(db: Database): RuleSets {
  return {
    async list() {
      return ((await db.read((client) => client.query(validationSql.ruleSets))).rows as Row[]).map(ruleSetOf);
    },
    get: (name) => db.read((client) => read(client, name)),
    versions: (name) =>
      db.read(async (client) => {
        const set = await read(client, name);
        if (!set) return [];
        const { rows } = await client.query(validationSql.versions, [set.id]);
        return (rows as Row[]).map((row) => ({
          version: row.version as number,
          definition: row.definition,
          changedAt: row.changed_at as number,
          changedBy: row.changed_by as string,
          reason: row.reason as string | null,
        }));
      }),
    put: (name, fields, by) =>
      db.write(async (client) => {
        checkText('name', name, 100, 1);
        if (fields.description) checkText('description', fields.description, 2000);
        if (fields.reason) checkText('reason', fields.reason, 500);
        await client.query(validationSql.lockRules);
        const before = await read(client, name);
        if (!before && fields.definition === undefined)
          throw new MisuseError(`there is no rule set ${JSON.stringify(name)}: give its rules to make it`);
        const definition = JSON.stringify(fields.definition ?? before?.definition);
        const description = fields.description === undefined ? (before?.description ?? null) : fields.description;
        const at = iso(by.at);
        let id = before?.id;
        let version = before?.version ?? 1;
        if (id === undefined) {
          const { rows } = await client.query(validationSql.insertRuleSet, [name, description, definition, at, by.who]);
          id = (rows[0] as { id: number }).id;
        } else {
          const { rows } = await client.query(validationSql.sameDefinition, [id, definition]);
          if (!(rows[0] as { same: boolean }).same) version++;
        }
        const isDefault = fields.isDefault ?? before?.isDefault ?? false;
        if (isDefault) await client.query(validationSql.noDefault, [id]);
        if (!before || version > before.version)
          await client.query(validationSql.addVersion, [id, version, definition, at, by.who, fields.reason ?? null]);
        await client.query(validationSql.updateRuleSet, [id, description, isDefault, version, definition, at, by.who]);
        return (await read(client, name)) as StoredRuleSet;
      }),
    remove: (name) =>
      db.write(async (client) => {
        await client.query(validationSql.lockRules);
        const set = await read(client, name);
        if (!set) return false;
        await client.query(validationSql.removeRuleSet, [set.id]);
        return true;
      }),
    meters: (ids) => db.read((client) => metersOf(client, ids)),
    async idsOf(serials, scope) {
      const { rows } = await db.read((client) => client.query(validationSql.idsOfSerials, [serials, segments(scope)]));
      return new Map((rows as { id: MeterId; serial: string }[]).map((row) => [row.serial, row.id]));
    },
  };
}

async function metersOf(client: Client, ids: readonly MeterId[]): Promise<ValidatedMeter[]> {
  const { rows } = await client.query(validationSql.meters, [ids]);
  const stays = new Map<MeterId, { from: number; to: number | null }[]>();
  for (const row of (await client.query(validationSql.stays, [ids])).rows as {
    meter: MeterId;
    from_ms: number;
    to_ms: number | null;
  }[]) {
    const list = stays.get(row.meter) ?? [];
    list.push({ from: row.from_ms, to: row.to_ms });
    stays.set(row.meter, list);
  }
  return (rows as Row[]).map((row) => ({
    id: row.id as MeterId,
    zone: row.time_zone as string,
    segment: row.segment as number,
    meterType: row.meter_type as string | null,
    customerType: row.customer_type as string | null,
    installed: stays.get(row.id as MeterId),
    firstSeen: row.first_seen as number | null,
    checkMeter: row.check_meter as string | null,
  }));
}

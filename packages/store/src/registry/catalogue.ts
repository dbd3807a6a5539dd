/**
 * What the utility defines once for many: types of meters with their registers' names, user-defined attributes with their
 * indexes, groups of meters. Decides that nothing is deleted that is in use.
 */
import { MisuseError } from '@amiable/bytes';
import type { Scope } from '@amiable/model';
import type { Client, Database } from '../pg/database.ts';
import { registrySql } from '../sql/registry.ts';
import type { MeterId } from '../types.ts';
import {
  type AttributeDefinition,
  type AttributeObject,
  checkDefinition,
  checkText,
  MAX_SEARCHABLE,
} from './attributes.ts';
import { type By, log, logChanges, type Row, segments } from './parts.ts';
import { isId, isPersonal } from './selection.ts';
import type { Selector } from './selector.ts';
import type { MeterSelection } from './types.ts';

export type Medium = 'electricity' | 'gas' | 'water' | 'hot-water' | 'heat' | 'cooling' | 'other';
export interface MeterType {
  readonly id: number;
  readonly name: string;
  readonly maker: string | null;
  readonly description: string | null;
  readonly medium: Medium;
  /** Name of the read-out set; the type's own name when null. */
  readonly readout: string | null;
  /** The utility's own names of registers, by OBIS code. */
  readonly registerNames: Readonly<Record<string, string>>;
}
export type MeterTypeFields = { readonly [K in Exclude<keyof MeterType, 'id' | 'name'>]?: MeterType[K] | undefined };
export interface MeterGroup {
  readonly name: string;
  readonly description: string | null;
  /** Conditions that are looked up each time; null for a list. */
  readonly selection: MeterSelection | null;
  /** Meters of a list; 10,001 stands for more. */
  readonly members: number;
}
export interface GroupFields {
  readonly description?: string | null | undefined;
  readonly selection?: MeterSelection | null | undefined;
}
export type DefinitionFields = Partial<Omit<AttributeDefinition, 'object' | 'name'>>;

export interface Catalogue {
  meterTypes(): Promise<readonly MeterType[]>;
  meterType(name: string): Promise<MeterType | undefined>;
  /** Made where it is not there, else changed. */
  putMeterType(name: string, fields: MeterTypeFields, by: By): Promise<MeterType>;
  removeMeterType(name: string, by: By): Promise<boolean>;

  definitions(object?: AttributeObject): Promise<readonly AttributeDefinition[]>;
  putDefinition(definition: AttributeDefinition, by: By): Promise<AttributeDefinition>;
  removeDefinition(object: AttributeObject, name: string, by: By): Promise<boolean>;
  /** Makes the indexes of searchable attributes where they lack (after a restore). */
  ensureIndexes(): Promise<void>;

  groups(page: { readonly after?: string | undefined; readonly limit: number }): Promise<readonly MeterGroup[]>;
  group(name: string): Promise<MeterGroup | undefined>;
  putGroup(name: string, fields: GroupFields, by: By): Promise<MeterGroup>;
  removeGroup(name: string, by: By): Promise<boolean>;
  /** @returns how many were new */
  addToGroup(name: string, meters: readonly MeterId[], scope: Scope, by: By): Promise<number>;
  removeFromGroup(name: string, meters: readonly MeterId[], scope: Scope, by: By): Promise<number>;
}

const definitionOf = (row: Row): AttributeDefinition => ({
  object: row.object as AttributeObject,
  name: row.name as string,
  type: row.type as AttributeDefinition['type'],
  description: row.description as string | null,
  required: row.required as boolean,
  lowest: row.lowest as number | null,
  highest: row.highest as number | null,
  choices: row.choices as string[],
  searchable: row.searchable as boolean,
});

export async function definitionsOf(client: Client, object: AttributeObject): Promise<AttributeDefinition[]> {
  return ((await client.query(registrySql.definitions, [object])).rows as Row[]).map(definitionOf);
}

const typeOf = (row: Row): MeterType => ({
  id: row.id as number,
  name: row.name as string,
  maker: row.maker as string | null,
  description: row.description as string | null,
  medium: row.medium as Medium,
  readout: row.readout as string | null,
  registerNames: row.register_names as Record<string, string>,
});
const groupOf = (row: Row): MeterGroup & { readonly id: number } => ({
  id: row.id as number,
  name: row.name as string,
  description: row.description as string | null,
  selection: row.selection as MeterSelection | null,
  members: row.members as number,
});

const MAX_NAMES = 2000;
const OBIS = /^\d{1,3}-\d{1,3}:[0-9A-F]{1,3}\.\d{1,3}\.\d{1,3}(\*\d{1,3})?$/;
function checkType(name: string, fields: MeterTypeFields): void {
  checkText('name', name, 100, 1);
  for (const [what, text] of [
    ['maker', fields.maker],
    ['description', fields.description],
    ['readout', fields.readout],
  ] as const)
    if (text) checkText(what, text, what === 'description' ? 2000 : 100);
  const names = Object.entries(fields.registerNames ?? {});
  if (names.length > MAX_NAMES) throw new MisuseError(`at most ${MAX_NAMES} names of registers`);
  for (const [obis, text] of names) {
    if (!OBIS.test(obis))
      throw new MisuseError(`${JSON.stringify(obis.slice(0, 80))} is no OBIS code such as 1-0:1.8.0`);
    checkText(`name of ${obis}`, text, 200, 1);
  }
}

export function createCatalogue(db: Database, selector: Selector): Catalogue {
  const getType = async (client: Client, name: string): Promise<MeterType | undefined> => {
    const { rows } = await client.query(registrySql.meterType, [name]);
    return rows[0] ? typeOf(rows[0] as Row) : undefined;
  };
  const getDefinition = async (
    client: Client,
    object: AttributeObject,
    name: string,
  ): Promise<(AttributeDefinition & { id: number }) | undefined> => {
    const row = (await client.query(registrySql.definition, [object, name])).rows[0] as Row | undefined;
    return row ? { ...definitionOf(row), id: row.id as number } : undefined;
  };
  const getGroup = async (
    client: Client,
    name: string,
  ): Promise<(MeterGroup & { readonly id: number }) | undefined> => {
    const row = (await client.query(registrySql.group, [name])).rows[0] as Row | undefined;
    return row ? groupOf(row) : undefined;
  };
  const withoutId = <T extends { readonly id: number }>({ id: _, ...rest }: T): Omit<T, 'id'> => rest;
  const bad = (name: string): boolean => name.includes('\0') || /\p{Surrogate}/u.test(name);

  async function index(definition: AttributeDefinition & { readonly id: number }): Promise<void> {
    const { id, name, type, object } = definition;
    if (object !== 'meter') return;
    await db.define(async (client) => {
      if (!definition.searchable) {
        await client.query(registrySql.dropIndexes(id));
        return;
      }
      await client.query(registrySql.indexValue(id, name));
      if (type === 'text' || type === 'choice') await client.query(registrySql.indexText(id, name));
      if (type === 'text') await client.query(registrySql.indexRuns(id, name));
      // How its values are spread is known only after this.
      await client.query(registrySql.analyze);
    });
  }

  return {
    async meterTypes() {
      return ((await db.read((client) => client.query(registrySql.meterTypes))).rows as Row[]).map(typeOf);
    },
    meterType: async (name) => (bad(name) ? undefined : db.read((client) => getType(client, name))),
    putMeterType: (name, fields, by) =>
      db.write(async (client) => {
        checkType(name, fields);
        const before = await getType(client, name);
        const pick = <K extends keyof MeterTypeFields>(key: K, otherwise: MeterType[K]): MeterType[K] =>
          (fields[key] === undefined ? (before?.[key] ?? otherwise) : fields[key]) as MeterType[K];
        const next = {
          maker: pick('maker', null),
          description: pick('description', null),
          medium: pick('medium', 'electricity'),
          readout: pick('readout', null),
          registerNames: pick('registerNames', {}),
        };
        const values = [next.maker, next.description, next.medium, next.readout, JSON.stringify(next.registerNames)];
        if (before) {
          await logChanges(client, 'meter-type', before.id, { ...before }, next, by);
          await client.query(registrySql.patchMeterType, [before.id, ...values]);
        } else {
          const { rows } = await client.query(registrySql.insertMeterType, [name, ...values]);
          const id = (rows[0] as { id: number } | undefined)?.id;
          if (id !== undefined) await log(client, 'meter-type', id, 'created', by);
        }
        return (await getType(client, name)) as MeterType;
      }),
    removeMeterType: (name, by) =>
      db.write(async (client) => {
        const type = bad(name) ? undefined : await getType(client, name);
        if (!type) return false;
        const { n } = (await client.query(registrySql.metersOfType, [type.id])).rows[0] as { n: number };
        if (n > 0)
          throw new MisuseError(
            `${n > 10_000 ? 'more than 10,000' : n} meters are of the type ${name}: give them another first`,
          );
        await client.query(registrySql.removeMeterType, [type.id]);
        await log(client, 'meter-type', type.id, 'deleted', by);
        return true;
      }),

    async definitions(object) {
      return ((await db.read((client) => client.query(registrySql.definitions, [object ?? null]))).rows as Row[]).map(
        definitionOf,
      );
    },
    async putDefinition(definition, by) {
      checkDefinition(definition);
      const { object, name } = definition;
      const made = await db.write(async (client) => {
        const before = await getDefinition(client, object, name);
        if (before && before.type !== definition.type)
          throw new MisuseError(`${name} is of type ${before.type}; a type is not changed: define another attribute`);
        if (definition.searchable && object === 'meter' && before?.searchable !== true) {
          const others = (await definitionsOf(client, 'meter')).filter((d) => d.searchable);
          if (others.length >= MAX_SEARCHABLE)
            throw new MisuseError(
              `at most ${MAX_SEARCHABLE} attributes of meters are searchable: each index costs at every import`,
            );
        }
        const { description, required, lowest, highest, choices, searchable } = definition;
        const values = [description, required, lowest, highest, choices, searchable];
        if (before) {
          await logChanges(
            client,
            'attribute',
            before.id,
            { ...before },
            { description, required, lowest, highest, choices, searchable },
            by,
          );
          await client.query(registrySql.patchDefinition, [before.id, ...values]);
        } else {
          const { rows } = await client.query(registrySql.insertDefinition, [object, name, definition.type, ...values]);
          const id = (rows[0] as { id: number } | undefined)?.id;
          if (id !== undefined) await log(client, 'attribute', id, 'created', by);
        }
        return (await getDefinition(client, object, name)) as AttributeDefinition & { id: number };
      });
      await index(made);
      return withoutId(made);
    },
    async removeDefinition(object, name, by) {
      if (bad(name)) return false;
      const gone = await db.write(async (client) => {
        const definition = await getDefinition(client, object, name);
        if (!definition) return undefined;
        const { rows } = await (object === 'meter'
          ? client.query(registrySql.metersWith, [name])
          : client.query(registrySql.nodesWith, [name, object]));
        const { n } = rows[0] as { n: number };
        if (n > 0)
          throw new MisuseError(
            `${n > 10_000 ? 'more than 10,000' : n} objects have the attribute ${name}: take it from them first`,
          );
        await client.query(registrySql.removeDefinition, [definition.id]);
        await log(client, 'attribute', definition.id, 'deleted', by);
        return definition;
      });
      if (gone) await index({ ...gone, searchable: false });
      return gone !== undefined;
    },
    async ensureIndexes() {
      const { rows } = await db.read((client) => client.query(registrySql.definitions, ['meter']));
      const wanted = (rows as Row[])
        .filter((row) => row.searchable === true)
        .map((row) => ({ ...definitionOf(row), id: row.id as number }));
      if (wanted.length === 0) return;
      const names = wanted.map((d) => `meter_x_${d.id}`);
      const there = await db.read((client) => client.query(registrySql.indexesThere, [names]));
      const known = new Set((there.rows as { name: string }[]).map((row) => row.name));
      for (const d of wanted) if (!known.has(`meter_x_${d.id}`)) await index(d);
    },

    async groups(page) {
      const { rows } = await db.read((client) => client.query(registrySql.groups, [page.after ?? '', page.limit]));
      return (rows as Row[]).map(groupOf).map(withoutId);
    },
    async group(name) {
      const found = bad(name) ? undefined : await db.read((client) => getGroup(client, name));
      return found && withoutId(found);
    },
    async putGroup(name, fields, by) {
      checkText('name', name, 100, 1);
      if (fields.description) checkText('description', fields.description, 2000);
      if (fields.selection) {
        if (fields.selection.group !== undefined)
          throw new MisuseError('a group of meters cannot be selected by another group');
        if (fields.selection.where?.some(isPersonal))
          throw new MisuseError('personal data do not stand in a group: they could not be erased there');
        // What cannot be looked up is refused now, not when a task runs.
        await selector.count(fields.selection, 'all', 1);
      }
      return db.write(async (client) => {
        const before = await getGroup(client, name);
        const next = {
          description: fields.description === undefined ? (before?.description ?? null) : fields.description,
          selection: fields.selection === undefined ? (before?.selection ?? null) : fields.selection,
        };
        const values = [next.description, next.selection === null ? null : JSON.stringify(next.selection)];
        if (before && next.selection !== null && before.selection === null && before.members > 0)
          throw new MisuseError(`the group ${name} is a list of ${before.members} meters: empty it first`);
        if (before) {
          await logChanges(client, 'group', before.id, { ...before }, next, by);
          await client.query(registrySql.patchGroup, [before.id, ...values]);
        } else {
          const { rows } = await client.query(registrySql.insertGroup, [name, ...values]);
          const id = (rows[0] as { id: number } | undefined)?.id;
          if (id !== undefined) await log(client, 'group', id, 'created', by);
        }
        return withoutId((await getGroup(client, name)) as MeterGroup & { readonly id: number });
      });
    },
    removeGroup: (name, by) =>
      db.write(async (client) => {
        const group = bad(name) ? undefined : await getGroup(client, name);
        if (!group) return false;
        await client.query(registrySql.clearGroup, [group.id]);
        await client.query(registrySql.removeGroup, [group.id]);
        await log(client, 'group', group.id, 'deleted', by);
        return true;
      }),
    addToGroup: (name, meters, scope, by) => change(registrySql.addMembers, 'added', name, meters, scope, by),
    removeFromGroup: (name, meters, scope, by) =>
      change(registrySql.removeMembers, 'taken out', name, meters, scope, by),
  };

  function change(
    text: string,
    what: string,
    name: string,
    meters: readonly MeterId[],
    scope: Scope,
    by: By,
  ): Promise<number> {
    return db.write(async (client) => {
      const group = bad(name) ? undefined : await getGroup(client, name);
      if (!group) throw new MisuseError(`there is no group of meters ${JSON.stringify(name.slice(0, 100))}`);
      if (group.selection !== null) throw new MisuseError(`the group ${name} is a selection; change that`);
      const { rows } = await client.query(text, [group.id, meters.filter(isId), segments(scope)]);
      if (rows.length > 0) await log(client, 'group', group.id, `${rows.length} meters ${what}`, by);
      return rows.length;
    });
  }
}

/**
 * The registry's part of meters: type, identification, attributes, segment, status of life, and where they stand. Decides that
 * `installed` is said by stays alone, and what a meter that is not yet heard of needs to be planned.
 */
import { MisuseError } from '@amiable/bytes';
import { isValidZone } from '@amiable/calendar';
import type { Scope } from '@amiable/model';
import type { Client, Database } from '../pg/database.ts';
import { registrySql } from '../sql/registry.ts';
import type { MeterId } from '../types.ts';
import { type Attributes, type AttributeValue, applyAttributes, checkText } from './attributes.ts';
import { definitionsOf } from './catalogue.ts';
import { checkSegment } from './nodes.ts';
import { type By, linkOf, logChanges, nodeOf, type Row, segments } from './parts.ts';
import { isId } from './selection.ts';
import type { NodeId, NodeKind } from './types.ts';

export type Life = 'planned' | 'new' | 'installed' | 'removed';
/** A node as a meter's list shows it. */
export interface Place {
  readonly id: NodeId;
  readonly kind: NodeKind;
  readonly code: string;
  readonly name: string | null;
}
export interface MeterEntry {
  readonly id: MeterId;
  readonly serial: string;
  readonly utilitySerial: string | null;
  readonly name: string | null;
  readonly place: string | null;
  readonly maker: string | null;
  /** As its messages tell. */
  readonly type: string | null;
  readonly state: 'new' | 'named';
  readonly life: Life;
  readonly segment: number;
  /** Name of its type in the registry. */
  readonly meterType: string | null;
  readonly paramId: string | null;
  readonly configId: string | null;
  readonly attributes: Attributes;
  readonly firstSeen: number | null;
  /** From the top down to its metering point, then its concentrator. */
  readonly places: readonly Place[];
  readonly master: { readonly id: MeterId; readonly serial: string; readonly channel: number } | null;
  readonly slaves: readonly { readonly id: MeterId; readonly serial: string; readonly channel: number }[];
}
export interface EntryPatch {
  readonly meterType?: string | null | undefined;
  readonly utilitySerial?: string | null | undefined;
  readonly paramId?: string | null | undefined;
  readonly configId?: string | null | undefined;
  readonly segment?: number | undefined;
  readonly life?: Life | undefined;
  readonly attributes?: Readonly<Record<string, AttributeValue | null>> | undefined;
}
export interface NewEntry extends EntryPatch {
  readonly serial: string;
  readonly name?: string | null | undefined;
  readonly place?: string | null | undefined;
  readonly maker?: string | null | undefined;
  readonly timeZone: string;
}

export interface Entries {
  entry(id: MeterId, scope: Scope): Promise<MeterEntry | undefined>;
  meterBySerial(serial: string, scope: Scope): Promise<MeterId | undefined>;
  /** In order of id; a thousand at most. Their scope was looked at when they were selected. */
  entries(ids: readonly MeterId[]): Promise<readonly MeterEntry[]>;
  /** A meter that is not heard yet: planned. */
  createMeter(meter: NewEntry, scope: Scope, by: By): Promise<MeterEntry>;
  patchEntry(id: MeterId, patch: EntryPatch, scope: Scope, by: By): Promise<MeterEntry | undefined>;
}

async function complete(client: Client, rows: readonly Row[], scope: Scope): Promise<MeterEntry[]> {
  if (rows.length === 0) return [];
  const ids = rows.map((row) => row.id as string);
  const nodes = new Map<string, Place>();
  const wanted = [...new Set(rows.flatMap((row) => row.path as string[]))];
  for (const row of (await client.query(registrySql.nodesById, [wanted])).rows as Row[]) {
    const node = nodeOf(row);
    if (scope === 'all' || scope.includes(node.segment))
      nodes.set(node.id, { id: node.id, kind: node.kind, code: node.code, name: node.name });
  }
  const links = [
    ...((await client.query(registrySql.openLinks, [ids, ['behind']])).rows as Row[]),
    ...((await client.query(registrySql.slaves, [ids])).rows as Row[]),
  ].map(linkOf);
  const others = [...new Set(links.flatMap((l) => [l.child, l.parent]))];
  const serials = new Map<string, string>();
  if (others.length > 0)
    for (const row of (await client.query(registrySql.entries, [others])).rows as Row[])
      if (scope === 'all' || scope.includes(row.segment as number)) serials.set(row.id as string, row.serial as string);
  const end = (id: string, channel: number | null): MeterEntry['master'] => {
    const serial = serials.get(id);
    return serial === undefined ? null : { id, serial, channel: channel as number };
  };
  return rows.map((row) => {
    const id = row.id as string;
    const behind = links.find((l) => l.child === id);
    const slaves = new Map(links.filter((l) => l.parent === id).map((l) => [l.child, end(l.child, l.channel)]));
    return {
      id,
      serial: row.serial as string,
      utilitySerial: row.utility_serial as string | null,
      name: row.name as string | null,
      place: row.place as string | null,
      maker: row.maker as string | null,
      type: row.type as string | null,
      state: row.state as MeterEntry['state'],
      life: row.life as Life,
      segment: row.segment as number,
      meterType: row.meter_type as string | null,
      paramId: row.param_id as string | null,
      configId: row.config_id as string | null,
      attributes: row.attributes as Attributes,
      firstSeen: row.first_seen instanceof Date ? row.first_seen.getTime() : null,
      places: (row.path as string[]).flatMap((node) => nodes.get(node) ?? []),
      master: behind ? end(behind.parent, behind.channel) : null,
      slaves: [...slaves.values()].filter((s) => s !== null).sort((a, b) => a.channel - b.channel),
    };
  });
}

/** The columns of a patch, checked; what is undefined stays as it was. */
async function columns(client: Client, patch: EntryPatch, before: Row, scope: Scope): Promise<Row> {
  const text = (field: string, value: string | null | undefined, column: string, most: number): unknown => {
    if (value) checkText(field, value, most);
    return value === undefined ? (before[column] ?? null) : value || null;
  };
  let type = before.meter_type ?? null;
  let typeId: number | null = null;
  if (patch.meterType !== undefined) type = patch.meterType;
  if (type !== null) {
    const { rows } = String(type).includes('\0') ? { rows: [] } : await client.query(registrySql.meterType, [type]);
    if (rows.length === 0)
      throw new MisuseError(`there is no meter type ${JSON.stringify(String(type).slice(0, 100))}`);
    typeId = (rows[0] as { id: number }).id;
  }
  if (patch.segment !== undefined) await checkSegment(client, patch.segment, scope);
  const attributes = (before.attributes ?? {}) as Attributes;
  return {
    meter_type: type,
    typeId,
    param_id: text('paramId', patch.paramId, 'param_id', 100),
    config_id: text('configId', patch.configId, 'config_id', 100),
    segment: patch.segment ?? before.segment,
    life: patch.life ?? before.life,
    attributes:
      patch.attributes === undefined
        ? attributes
        : applyAttributes(await definitionsOf(client, 'meter'), attributes, patch.attributes),
    utility_serial: text('utilitySerial', patch.utilitySerial, 'utility_serial', 200),
  };
}

export function createEntries(db: Database): Entries {
  const get = async (client: Client, id: MeterId, scope: Scope): Promise<MeterEntry | undefined> => {
    if (!isId(id)) return undefined;
    const { rows } = await client.query(registrySql.entry, [id, segments(scope)]);
    return (await complete(client, rows as Row[], scope))[0];
  };
  return {
    entry: (id, scope) => db.read((client) => get(client, id, scope)),
    async meterBySerial(serial, scope) {
      if (serial.includes('\0') || /\p{Surrogate}/u.test(serial)) return undefined;
      const { rows } = await db.read((client) => client.query(registrySql.meterBySerial, [serial, segments(scope)]));
      return (rows[0] as { id: string } | undefined)?.id;
    },
    entries: (ids) =>
      db.read(async (client) => {
        const { rows } = await client.query(registrySql.entries, [ids.slice(0, 1000)]);
        return complete(client, rows as Row[], 'all');
      }),
    createMeter: (meter, scope, by) =>
      db.write(async (client) => {
        checkText('serial', meter.serial, 100, 1);
        if (meter.serial.trim() !== meter.serial) throw new MisuseError('serial: no blanks at its ends');
        for (const field of ['name', 'place', 'maker'] as const) if (meter[field]) checkText(field, meter[field], 500);
        if (!isValidZone(meter.timeZone))
          throw new MisuseError(`timeZone: ${JSON.stringify(meter.timeZone)} is no IANA time zone such as Europe/Oslo`);
        if (meter.life === 'installed') throw new MisuseError('a meter is installed by a link to a metering point');
        const segment = meter.segment ?? (scope === 'all' ? 1 : (scope[0] ?? 1));
        const next = await columns(
          client,
          { ...meter, segment, attributes: meter.attributes ?? {} },
          { life: 'planned' },
          scope,
        );
        const { rows } = await client.query(registrySql.insertMeter, [
          meter.serial,
          next.utility_serial,
          meter.name || null,
          meter.place || null,
          meter.maker || null,
          null,
          meter.timeZone,
          meter.name ? 'named' : 'new',
          next.life,
          next.segment,
          next.typeId,
          next.param_id,
          next.config_id,
          JSON.stringify(next.attributes),
        ]);
        const id = (rows[0] as { id: string } | undefined)?.id;
        if (id === undefined) throw new MisuseError(`there is a meter with the serial number ${meter.serial} already`);
        await logChanges(client, 'meter', id, {}, { created: meter.serial }, by);
        return (await get(client, id, 'all')) as MeterEntry;
      }),
    patchEntry: (id, patch, scope, by) =>
      db.write(async (client) => {
        if (!isId(id)) return undefined;
        await client.query(registrySql.lockMeters, [[id]]);
        const before = (await client.query(registrySql.entry, [id, segments(scope)])).rows[0] as Row | undefined;
        if (!before) return undefined;
        if (patch.life !== undefined && patch.life !== before.life) {
          if (patch.life === 'installed') throw new MisuseError('a meter is installed by a link to a metering point');
          if (before.life === 'installed')
            throw new MisuseError('it is installed: end its stay first, then it is removed');
        }
        const { typeId, ...next } = await columns(client, patch, before, scope);
        if ((await logChanges(client, 'meter', id, before, next, by)) > 0)
          await client.query(registrySql.patchMeter, [
            id,
            typeId,
            next.param_id,
            next.config_id,
            next.segment,
            next.life,
            JSON.stringify(next.attributes),
            next.utility_serial,
          ]);
        return get(client, id, 'all');
      }),
  };
}

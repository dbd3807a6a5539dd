/**
 * Meters make themselves known: the first message of a serial number makes a row of state `new`. What later messages tell
 * (type, list, phases) completes it. The intake finds a meter's number in memory.
 */
import type { Item, Message } from '@amiable/model';
import type { Client, Database } from '../pg/database.ts';
import { clean } from '../registers.ts';
import { catalogueSql, insertMeters } from '../sql/catalogue.ts';
import { runRows } from '../sql/values.ts';
import type { MeterId, NewMeter } from '../types.ts';

export interface KnownMeter {
  readonly id: MeterId;
  readonly serial: string;
  maker: string | null;
  type: string | null;
  list: string | null;
  phases: number | null;
  lineVoltage: boolean;
  reader: string | null;
  port: string | null;
}

export interface MeterBook {
  get(serial: string): KnownMeter | undefined;
  /** Makes them known where they are not. */
  ensure(meters: readonly NewMeter[]): Promise<void>;
  /** After a meter was taken away. */
  forget(serial: string): void;
  /** Completes rows by what these messages tell, where they tell something new. */
  learn(messages: readonly Message[]): Promise<void>;
}

const MAX_CACHED = 500_000;

export function createMeterBook(db: Database, zone: string): MeterBook {
  const bySerial = new Map<string, KnownMeter>();

  async function find(client: Client, serials: readonly string[]): Promise<void> {
    for (let i = 0; i < serials.length; i += 5000) {
      const { rows } = await client.query(catalogueSql.metersBySerial, [serials.slice(i, i + 5000)]);
      for (const row of rows as Record<string, unknown>[]) {
        if (bySerial.size >= MAX_CACHED) bySerial.clear();
        bySerial.set(row.serial as string, {
          id: row.id as string,
          serial: row.serial as string,
          maker: row.maker as string | null,
          type: row.type as string | null,
          list: row.list as string | null,
          phases: row.phases as number | null,
          lineVoltage: row.line_voltage as boolean,
          reader: row.reader as string | null,
          port: row.port as string | null,
        });
      }
    }
  }

  async function ensure(meters: readonly NewMeter[]): Promise<void> {
    const wanted = new Map<string, NewMeter>();
    for (const meter of meters) if (!bySerial.has(clean(meter.serial))) wanted.set(clean(meter.serial), meter);
    if (wanted.size === 0) return;
    const serials = [...wanted.keys()].sort();
    await db.read((client) => find(client, serials));
    const missing = serials.filter((serial) => !bySerial.has(serial));
    if (missing.length === 0) return;
    const text = (value: string | undefined): string | null => (value === undefined ? null : clean(value));
    await db.write((client) =>
      runRows(
        client,
        insertMeters,
        missing.map((serial) => {
          const m = wanted.get(serial) as NewMeter;
          return [
            serial,
            text(m.name),
            text(m.place),
            text(m.maker),
            text(m.type),
            text(m.list),
            m.phases ?? null,
            m.lineVoltage ?? false,
            m.timeZone ?? zone,
            m.firstSeen === undefined ? null : new Date(m.firstSeen).toISOString(),
            text(m.reader),
            text(m.port),
            m.name === undefined ? 'new' : 'named',
          ];
        }),
      ),
    );
    await db.read((client) => find(client, missing));
  }

  return {
    get: (serial) => bySerial.get(serial),
    ensure,
    forget: (serial) => bySerial.delete(serial),
    async learn(messages) {
      const changed = new Set<KnownMeter>();
      for (const message of messages) {
        const meter = message.meterId === undefined ? undefined : bySerial.get(clean(message.meterId));
        if (!meter) continue;
        const seen = wiring(message.items);
        if (
          (meter.maker !== null || message.maker === undefined) &&
          (meter.type !== null || message.meterType === undefined) &&
          (meter.list !== null || message.list === undefined) &&
          (meter.phases !== null || seen.phases === null) &&
          (meter.reader !== null || message.flags.includes('meterIdInherited')) &&
          (meter.lineVoltage || !seen.lineVoltage)
        )
          continue;
        meter.maker ??= message.maker ?? null;
        meter.type ??= message.meterType ?? null;
        meter.list ??= message.list ?? null;
        meter.phases ??= seen.phases;
        meter.lineVoltage ||= seen.lineVoltage;
        meter.reader ??= message.reader;
        meter.port ??= message.port;
        changed.add(meter);
      }
      if (changed.size === 0) return;
      const text = (value: string | null): string | null => (value === null ? null : clean(value));
      await db.write(async (client) => {
        for (const m of [...changed].sort((a, b) => (a.serial < b.serial ? -1 : 1)))
          await client.query(catalogueSql.completeMeter, [
            m.id,
            text(m.maker),
            text(m.type),
            text(m.list),
            m.phases,
            m.lineVoltage,
            text(m.reader),
            text(m.port),
          ]);
      });
    },
  };
}

interface Wiring {
  readonly phases: number | null;
  readonly lineVoltage: boolean;
}
const wirings = new WeakMap<readonly Item[], Wiring>();

/** What the readings of a message tell of the phases: a second or third voltage or current means three. */
function wiring(items: readonly Item[]): Wiring {
  let known = wirings.get(items);
  if (!known) {
    let first = false;
    let more = false;
    for (const { obis } of items) {
      if (obis === undefined) continue;
      if (/:3[12]\.7\.0/.test(obis)) first = true;
      if (/:(51|52|71|72)\.7\.0/.test(obis)) more = true;
    }
    known = { phases: more ? 3 : first ? 1 : null, lineVoltage: items.some((item) => item.between !== undefined) };
    wirings.set(items, known);
  }
  return known;
}

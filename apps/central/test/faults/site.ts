/** A store that knows a fleet, work for it, and the comparison of what is stored with what the meters have lived. */

import { quantityOf } from '@amiable/cosem';
import type { Connection, MeterId, ReadKind, Store } from '@amiable/store';
import { secretOwner } from '../../src/acquisition/access.ts';
import { vaultOf } from '../../src/keys/vault.ts';
import { ZONE } from '../virtual-line.ts';
import type { Fleet } from './fleet.ts';

export const MASTER = new Uint8Array(32).fill(9);
export const vault = vaultOf(MASTER);
const CODES = ['1-0:1.8.0', '1-0:2.8.0', '1-0:1.8.1', '1-0:1.8.2'];

export interface Site {
  readonly ids: readonly MeterId[];
  order(kinds: readonly ReadKind[], parameters: Record<string, unknown>, only?: readonly MeterId[]): Promise<string[]>;
  /** Runs that have open jobs. */
  open(runs: readonly string[]): Promise<number>;
  /** What differs between store and meters, in words; empty when they are equal. */
  differences(from: number, to: number): Promise<string[]>;
}

export async function createSite(store: Store, fleet: Fleet, now: () => number): Promise<Site> {
  const serials = fleet.meters.map((meter) => meter.engine.identification('meter-serial'));
  const known = await store.ensureMeters(serials.map((serial) => ({ serial, timeZone: ZONE })));
  const ids = serials.map((serial) => known.get(serial) as MeterId);
  await store.readout.putConnections(
    fleet.meters.map(
      (meter, i): Connection => ({
        meter: ids[i] as MeterId,
        protocol: 'dlms',
        address: `tcp://127.0.0.1:${fleet.ports[i]}`,
        transport: 'wrapper',
        readout: 'amiable-virtual',
        // Every other one is ciphered: its counters must survive what happens to workers.
        client: i % 2 === 0 ? 2 : 1,
        server: meter.number,
        authentication: i % 2 === 0 ? 'low' : 'gmac',
      }),
    ),
    now(),
  );
  await store.readout.putSecrets(
    fleet.meters.flatMap((meter, i) => {
      const id = ids[i] as MeterId;
      const { password, management } = meter.credentials.stored;
      const all = { password, 'unicast-key': management.unicast, 'authentication-key': management.authentication };
      const names = i % 2 === 0 ? (['password'] as const) : (['unicast-key', 'authentication-key'] as const);
      return names.map((name) => ({ meter: id, name, ciphertext: vault.seal(all[name], secretOwner(id, name)) }));
    }),
    now(),
  );
  return {
    ids,
    async order(kinds, parameters, only = ids) {
      const runs: string[] = [];
      for (const kind of kinds) {
        const run = await store.work.runs.create({
          what: 'task',
          kind,
          name: kind,
          // What is tried long enough is read in the end: giving up is a rule of its own, and tested where it is.
          definition: {
            kind,
            parameters,
            retry: { tries: 1000, pause: 1000, factor: 1, longest: 1000, jitter: 0.5, decay: 0 },
          },
          meters: only,
          priority: 5,
          due: now(),
          expires: now() + 30 * 86_400_000,
          created: now(),
          creator: 'test',
          scope: null,
          transaction: '',
        });
        if (run) runs.push(run.id);
      }
      return runs;
    },
    async open(runs) {
      let open = 0;
      for (const id of runs) {
        const run = await store.work.runs.get(id);
        if (run && run.counts.done + run.counts.failed + run.counts.givenUp + run.counts.expired < run.counts.total)
          open++;
      }
      return open;
    },
    async differences(from, to) {
      const found: string[] = [];
      for (const [i, meter] of fleet.meters.entries()) {
        const id = ids[i] as MeterId;
        const serial = serials[i] as string;
        for (const [profile, period] of [
          ['periodic', 900],
          ['daily', 86_400],
        ] as const) {
          const view = meter.engine.profile(profile);
          for (const code of CODES) {
            const c = view.columns.indexOf(code);
            if (c < 0) continue;
            // Written by a process of its own, perhaps: this one need not know the register yet.
            const { name, unit } = quantityOf(code);
            const key = store.readout.registerOf(code, period) ?? { obis: code, name, ...(unit && { unit }), period };
            const stored = await store.values(id, key, from, to + 1);
            const truth: string[] = [];
            for (let row = 0; row < view.length; row++) {
              const time = view.timeOf(row);
              // A daily value at the end belongs to it.
              if (time >= from && (period === 900 ? time < to : time <= to))
                truth.push(`${time}=${view.value(row, c)}`);
            }
            const there = Array.from(stored.times, (time, n) => `${time}=${stored.values[n]}`).filter(
              (text) => period !== 900 || Number(text.split('=')[0]) < to,
            );
            if (there.join() !== truth.join())
              found.push(`${serial} ${profile} ${code}: ${there.length} values stored, ${truth.length} lived`);
          }
        }
        const log = meter.engine.log('standard');
        const events = await store.events.list({ meters: [id], from, to, limit: 1000, scope: 'all' });
        const stored = events.events
          .filter(({ source }) => source.endsWith('/standard'))
          .map(({ time, code }) => `${time}/${code}`)
          .sort();
        const lived = Array.from({ length: log.length }, (_, n) => log.entry(n))
          .filter(({ at }) => at >= from && at < to)
          .map(({ at, event }) => `${Math.floor(at / 1000) * 1000}/${event}`)
          .sort();
        const rounded = stored
          .map((text) => `${Math.floor(Number(text.split('/')[0]) / 1000) * 1000}/${text.split('/')[1]}`)
          .sort();
        if (rounded.join() !== lived.join())
          found.push(`${serial} log: ${stored.join(' ')} stored, ${lived.join(' ')} lived`);
      }
      return found;
    },
  };
}

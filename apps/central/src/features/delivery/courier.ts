/**
 * What is due is sent, from any process: a delivery is held while it is under way, tried again with growing pauses when the destination is
 * away, given up by rule. Acknowledgements that lie as files are looked for.
 *
 * Decides: a line that breaks is tried again, a refusal is not; a destination that answers with acceptance has acknowledged. Leaves out:
 * what is sent (make.ts) and how (ways/).
 */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { LinkError } from '@amiable/bytes';
import type { Delivery, DestinationSecret, Store } from '@amiable/store';
import { nextTry } from '@amiable/tasks';
import type { Vault } from '../../keys/vault.ts';
import { covers } from '../../scheduler/rights.ts';
import { type DestinationDefinition, destinationBody } from './shapes.ts';
import { folderWay } from './ways/folder.ts';
import { httpWay } from './ways/http.ts';
import { sftpWay } from './ways/sftp.ts';
import type { Secrets, Way } from './ways/way.ts';

const unpacked = promisify(gunzip);
const HOLD = 40 * 60_000;
/** Of one sending, ms: less than it is held. */
const LONGEST = 30 * 60_000;
/** For acknowledgements at one destination, ms. */
const LOOKING = 120_000;
const ASKED = 200;

export const secretOwner = (destination: string, name: DestinationSecret): string =>
  `destination ${destination} ${name}`;

export interface CourierParts {
  readonly store: Store;
  readonly vault: Vault;
  readonly outbox: string | undefined;
  /** Epoch ms of the machine. */
  readonly clock: () => number;
  readonly random: () => number;
  readonly name: string;
  readonly log: (line: string) => void;
}

export interface Courier {
  /** Sends what is due, one after the other. @returns how many were tried */
  turn(signal?: AbortSignal): Promise<number>;
  /** Sends this one now, if it is due and nobody else does. */
  one(id: string, signal?: AbortSignal): Promise<void>;
  /** Looks for files of acknowledgement. */
  acknowledgements(signal?: AbortSignal): Promise<void>;
}

export function createCourier(parts: CourierParts): Courier {
  const { store, clock, name, log } = parts;
  const { deliveries, destinations } = store.delivery;

  async function secretsOf(destination: string): Promise<Secrets> {
    const opened = new Map<DestinationSecret, Uint8Array>();
    for (const [secret, sealed] of await destinations.secrets(destination))
      opened.set(secret, parts.vault.open(sealed, secretOwner(destination, secret)));
    return opened;
  }

  async function wayTo(destination: string, { where }: DestinationDefinition): Promise<Way> {
    if (where.kind === 'folder') return folderWay(parts.outbox, where.folder);
    const secrets = await secretsOf(destination);
    return where.kind === 'http' ? httpWay(where, secrets) : sftpWay(where, secrets);
  }

  async function* pieces(id: string): AsyncGenerator<Uint8Array> {
    for await (const part of deliveries.parts(id)) yield await unpacked(part, { maxOutputLength: 64 * 1024 * 1024 });
  }

  async function carry(delivery: Delivery, outer: AbortSignal | undefined): Promise<void> {
    const { id, file, mediaType, bytes, digest } = delivery;
    const found = await destinations.get(delivery.destination, 'all');
    if (!found?.enabled) {
      const reason = found
        ? 'the destination is switched off; enable it and send this again'
        : 'the destination is gone';
      await deliveries.settle(id, name, { state: 'failed', reason });
      return;
    }
    // Of this name, but of somebody else: it was taken away meanwhile and written anew.
    if (!covers(found.segments ?? 'all', delivery.segments)) {
      const reason = 'the destination was written anew by somebody who does not see what this was made of';
      await deliveries.settle(id, name, { state: 'failed', reason });
      return;
    }
    const definition = destinationBody.parse(found.definition);
    const limit = AbortSignal.timeout(LONGEST);
    const signal = outer ? AbortSignal.any([outer, limit]) : limit;
    try {
      const way = await wayTo(delivery.destination, definition);
      const { answer } = await way.send({ id, file, mediaType, bytes, digest, pieces: () => pieces(id) }, signal);
      const by = definition.acknowledge?.by ?? (definition.where.kind === 'http' ? 'answer' : 'none');
      const at = clock();
      await deliveries.settle(id, name, {
        state: by === 'answer' ? 'acknowledged' : 'sent',
        reason: null,
        sent: at,
        ...(answer === undefined ? {} : { answer }),
        ...(by === 'answer' ? { acknowledged: { at, by: 'answer' } } : {}),
      });
    } catch (error) {
      const reason = (error as Error).message;
      // When the program ends, it is no fault of the destination: the next one takes it up.
      if (outer?.aborted) {
        await deliveries.settle(id, name, {
          state: 'waiting',
          nextTry: clock(),
          reason: 'the program ended while it was sent',
        });
        return;
      }
      if (!(error instanceof LinkError) && !limit.aborted) {
        await deliveries.settle(id, name, {
          state: (error as Error).name === 'PeerError' ? 'refused' : 'failed',
          reason,
        });
        log(`delivery ${id} to ${delivery.destination}: ${reason}`);
        return;
      }
      const again = nextTry(
        { ...definition.retry, jitter: 0.1, decay: 0 },
        {
          tries: delivery.tries,
          priority: 0,
          due: delivery.created,
          expires: Number.MAX_SAFE_INTEGER,
          now: clock(),
          random: parts.random(),
        },
      );
      if (again.again) await deliveries.settle(id, name, { state: 'waiting', nextTry: again.at, reason });
      else {
        await deliveries.settle(id, name, {
          state: 'failed',
          reason: `given up after ${delivery.tries} tries: ${reason}`,
        });
        log(`delivery ${id} to ${delivery.destination} is given up after ${delivery.tries} tries: ${reason}`);
      }
    }
  }

  return {
    async turn(signal) {
      let n = 0;
      for (; !signal?.aborted; n++) {
        const delivery = await deliveries.take(name, clock(), clock() + HOLD);
        if (!delivery) break;
        await carry(delivery, signal);
      }
      return n;
    },
    async one(id, signal) {
      const delivery = await deliveries.take(name, clock(), clock() + HOLD, id);
      if (delivery) await carry(delivery, signal);
    },
    async acknowledgements(signal) {
      for (const destination of await destinations.list('all')) {
        const definition = destinationBody.safeParse(destination.definition).data;
        const acknowledge = definition?.acknowledge;
        if (
          !definition ||
          !destination.enabled ||
          !acknowledge ||
          (acknowledge.by !== 'file' && acknowledge.by !== 'route')
        )
          continue;
        const open = await deliveries.unacknowledged(destination.name, ASKED);
        if (open.length === 0) continue;
        if (acknowledge.by === 'file')
          try {
            const way = await wayTo(destination.name, definition);
            const found = await way.acknowledgements?.(
              open.map(({ file }) => file),
              // Who does not answer keeps nobody else from being looked after.
              AbortSignal.any([AbortSignal.timeout(LOOKING), ...(signal ? [signal] : [])]),
            );
            for (const { id, file } of open) {
              const said = found?.get(file);
              if (!said) continue;
              const how = { at: clock(), by: 'file', ...(said.text.trim() === '' ? {} : { reason: said.text.trim() }) };
              await deliveries.change(id, ['sent'], said.good ? 'acknowledged' : 'refused', how);
            }
          } catch (error) {
            log(`acknowledgements of ${destination.name}: ${(error as Error).message}`);
          }
        for (const { id, sent, reason } of open)
          if (sent !== null && reason === null && clock() - sent > acknowledge.within)
            await deliveries.change(id, ['sent'], 'sent', {
              at: clock(),
              by: 'system',
              reason: `not acknowledged within ${Math.round(acknowledge.within / 60_000)} minutes`,
            });
      }
    },
  };
}

/**
 * Our client against recorded foreign servers, our server against recorded foreign clients (vectors/dlms): every byte we
 * say must be the one we said when the peer was there. Challenges and counters are repeatable; time stands still.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { nodeCrypto, virtualClock } from '@amiable/io';
import { createMeterServer, openSession } from '@amiable/meter';
import { describe, expect, it } from 'vitest';
import { interopDevice, interopMeter } from './interop/device.ts';
import { readEverything, repeatableCrypto } from './interop/read.ts';
import { recordedClient, recordedServer } from './interop/replay.ts';
import { type PeerSettings, sessionOptions } from './interop/session.ts';

interface Recording extends PeerSettings {
  readonly frames: readonly string[];
  /** Of our client's reading: attributes and selections that gave a value, and those that gave an error. */
  readonly read?: { readonly values: number; readonly errors: number };
  readonly buffers?: boolean;
}

const folder = new URL('../../../vectors/dlms/', import.meta.url);
const files = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .sort();
const load = (file: string): Recording => JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
const asClient = files.filter((file) => file.split('-')[1] === 'amiable');
const asServer = files.filter((file) => file.split('-')[0] === 'amiable');

describe('our client against recorded servers', () => {
  it('has recordings', () => {
    expect(asClient.length).toBeGreaterThan(10);
  });

  it.each(asClient)('%s', async (file) => {
    const recording = load(file);
    const server = recordedServer(recording.frames);
    const session = await openSession(sessionOptions(recording, server.link, virtualClock(), repeatableCrypto())).catch(
      (error) => {
        throw new Error(server.difference ?? String(error));
      },
    );
    const lines = await readEverything(session, recording.buffers === true);
    await session.release();
    expect(server.difference).toBeUndefined();
    expect(server.left).toBe(0);
    const errors = lines.filter((line) => line.includes(' : ')).length;
    expect({ values: lines.length - 1 - errors, errors }).toEqual(recording.read);
  });
});

describe('our server against recorded clients', () => {
  it('has recordings', () => {
    expect(asServer.length).toBeGreaterThan(10);
  });

  it.each(asServer)('%s', (file) => {
    const recording = load(file);
    const client = recordedClient(recording.frames);
    const crypto = repeatableCrypto();
    const meter = interopMeter();
    const device = interopDevice({ crypto: nodeCrypto, referencing: recording.referencing });
    const server = createMeterServer({
      fault: (error) => {
        throw error;
      },
      find: () => ({ device, meter }),
      clock: virtualClock(),
      random: (length) => crypto.randomBytes(length),
      crypto,
    });
    const events = server.accept(client.connection, recording.transport);
    client.run(events as NonNullable<typeof events>);
    expect(client.difference).toBeUndefined();
    expect(client.left).toBe(0);
    server.close();
  });
});

/** A whole appliance in a folder of its own, over a reader service that says what the test tells it to. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, systemClock } from '@amiable/io';
import type { Message } from '@amiable/model';
import { createConfigStore } from '../../src/config/load.ts';
import type { ReaderConfig } from '../../src/config/types.ts';
import { createAppliance } from '../../src/setup/appliance.ts';
import { hashPassword } from '../../src/setup/password.ts';
import { type Fake, fakeService } from '../gateways/fake.ts';

export const CODE = 'K7QX-M2PD';
export const PASSWORD = 'correct horse';

export interface World {
  readonly url: string;
  readonly file: string;
  /** What the beginning came to. */
  readonly begun: boolean;
  readonly told: string[];
  readonly started: ReaderConfig[];
  fake(): Fake;
  config(): string;
  /** As SIGHUP does. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

export async function openWorld({
  config,
  before = [],
  environment = {},
  given = [],
  clock = systemClock,
  listen = 1500,
}: {
  config?: string;
  before?: readonly Message[];
  environment?: Record<string, string>;
  given?: readonly string[];
  clock?: Clock;
  listen?: number;
} = {}): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'amiable-setup-'));
  const file = join(folder, 'config.txt');
  if (config !== undefined) writeFileSync(file, config, { mode: 0o600 });
  const told: string[] = [];
  const started: ReaderConfig[] = [];
  let fake: Fake | undefined;
  const appliance = createAppliance({
    store: createConfigStore({ file, environment, given, hostName: 'pi', hash: hashPassword }),
    machine: { clock, random: Math.random, tell: (line) => told.push(line) },
    hostName: 'pi',
    version: '0.1.0',
    async start(given) {
      started.push(given);
      fake = fakeService(given, before);
      return fake;
    },
    makeCode: () => CODE,
    listen,
    pagePort: 0,
  });
  const begun = await appliance.begin();
  return {
    url: (appliance.url() ?? '').replace(/\/$/, ''),
    file,
    begun,
    told,
    started,
    fake() {
      if (!fake) throw new Error('the service was not started');
      return fake;
    },
    config: () => readFileSync(file, 'utf8'),
    reload: () => appliance.reload(),
    async close() {
      await appliance.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

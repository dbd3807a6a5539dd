/**
 * The reader as an appliance: service, gateways and pages under one configuration. Decides what runs when: without a port only the pages
 * do; without a password they ask for a one-time code that is printed on the console; a configuration with faults starts no reader but
 * the pages, where it can be mended. A page that cannot listen hinders no reader: it is told and tried again.
 */
import type { Clock } from '@amiable/io';
import { buildConfig, isHash } from '../config/build.ts';
import { type Fault, faultText } from '../config/faults.ts';
import type { ConfigStore, Loaded } from '../config/load.ts';
import type { PageConfig, ReaderConfig } from '../config/types.ts';
import { createGateways, type Gateways } from '../gateways/index.ts';
import type { ReaderMachine, ReaderService } from '../service/types.ts';
import { andThen } from '../words.ts';
import type { Pages } from './server.ts';
import { type Curves, createCurves } from './status-view.ts';

const RETRY = 15_000;

export interface ApplianceOptions {
  readonly store: ConfigStore;
  readonly machine: ReaderMachine;
  readonly hostName: string;
  readonly version: string;
  /** Begins the service; undefined when the user ended the program meanwhile. */
  readonly start: (config: ReaderConfig) => Promise<ReaderService | undefined>;
  /** What the program changes in every configuration that is loaded: the folder of the command line. */
  readonly adjust?: (loaded: Loaded, config: ReaderConfig) => ReaderConfig;
  /** Makes the one-time code; for tests. */
  readonly makeCode?: () => string;
  /** How long a port is listened to in a test, ms. */
  readonly listen?: number;
  /** Port of the page whatever the configuration says, 0 for any free one; for tests. */
  readonly pagePort?: number;
}

export interface Appliance {
  service(): ReaderService | undefined;
  gateways(): Gateways | undefined;
  /** Address of the page, while it is there. */
  url(): string | undefined;
  /** @returns false when there is nothing to do (no port to read and no page to set one up), or the command line is wrong */
  begin(): Promise<boolean>;
  /** Reads the configuration anew, as after a change by hand. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

export function createAppliance(options: ApplianceOptions): Appliance {
  const { store, machine, version } = options;
  const { tell } = machine;
  const clock: Clock = machine.clock;
  let service: ReaderService | undefined;
  let gateways: Gateways | undefined;
  let curves: Curves | undefined;
  let pages: Pages | undefined;
  /** What the page listens on, or shall. */
  let page: PageConfig = pageAlone(undefined, options.hostName);
  let code: string | undefined;
  let cancelRetry = () => {};
  let ended = false;
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = turn.then(work, work);
    turn = result.catch(() => {});
    return result;
  };

  const load = async (): Promise<{ loaded: Loaded; config: ReaderConfig | undefined }> => {
    const loaded = await store.load();
    for (const fault of loaded.faults) tell(faultText(fault, store.file));
    for (const warning of loaded.warnings) tell(warning);
    const config = loaded.config && (options.adjust?.(loaded, loaded.config) ?? loaded.config);
    return { loaded, config };
  };

  const run = async (config: ReaderConfig): Promise<void> => {
    if (service) await service.apply(config);
    else if (config.ports.length > 0) {
      service = await options.start(config);
      if (service) {
        gateways = createGateways({ service, clock, tell, version });
        curves = createCurves(gateways.values);
      }
    }
    await gateways?.apply(config);
  };

  const listen = async (): Promise<void> => {
    cancelRetry();
    if (ended || page.port === 0) return;
    try {
      const { startPages } = await import('./server.ts');
      pages = await startPages(
        {
          store,
          clock,
          machine,
          hostName: options.hostName,
          version,
          tell,
          code: () => code,
          page: () => page,
          service: () => service,
          gateways: () => gateways,
          curves: () => curves,
          apply: (config) => inTurn(() => apply(config)),
          move: () => void inTurn(move),
          ...(options.listen === undefined ? {} : { listen: options.listen }),
        },
        { host: page.host, port: options.pagePort ?? page.port },
      );
      tell(code === undefined ? `page: ${pages.url}` : `set-up page: ${pages.url}  one-time code: ${code}`);
    } catch (error) {
      tell(andThen((error as Error).message, 'Trying again'));
      cancelRetry = clock.after(RETRY, () => void inTurn(async () => (pages ? undefined : listen())));
    }
  };
  const move = async (): Promise<void> => {
    const old = pages;
    pages = undefined;
    await old?.close();
    await listen();
  };

  /** @returns the new address of the page when it moves */
  const apply = async (given: ReaderConfig): Promise<string | undefined> => {
    const loaded = await store.load();
    const config = options.adjust?.(loaded, given) ?? given;
    const before = page;
    page = config.page;
    if (page.passwordHash !== undefined) code = undefined;
    await run(config);
    if (page.host === before.host && page.port === before.port) return undefined;
    const { pageUrl } = await import('./server.ts');
    return page.port === 0 ? '(port 0: none)' : pageUrl(page.host, page.port);
  };

  return {
    service: () => service,
    gateways: () => gateways,
    url: () => pages?.url,
    begin: () =>
      inTurn(async () => {
        const { loaded, config } = await load();
        if (loaded.faults.some((fault) => isOf('command line', fault, loaded))) {
          tell('the reader is not started; mend --set on the command line');
          return false;
        }
        page = config?.page ?? pageAlone(loaded, options.hostName);
        if (page.passwordHash === undefined)
          code = await (options.makeCode ?? (await import('./password.ts')).oneTimeCode)();
        // The page first: who sets the reader up sees it while a spool is still waited for.
        await listen();
        if (config) await run(config);
        if (config && config.ports.length === 0)
          tell(
            `no port is configured yet: name one on the set-up page, or in ${store.file} (port.1.device=/dev/ttyUSB0)`,
          );
        if (!config) {
          const outside = loaded.faults.every((fault) => isOf('environment', fault, loaded));
          const where = outside ? 'in the environment' : 'on the page or in the file';
          tell(`the reader is not started; mend the settings above ${where}`);
        }
        return service !== undefined || page.port !== 0;
      }),
    reload: () =>
      inTurn(async () => {
        const { config } = await load();
        if (!config) return tell('the configuration stays as it was');
        const moved = await apply(config);
        if (moved !== undefined) await move();
        tell('the configuration was read anew');
      }),
    close: () =>
      inTurn(async () => {
        ended = true;
        cancelRetry();
        await pages?.close();
        curves?.close();
        await gateways?.close();
        await service?.stop();
      }),
  };
}

/** Neither the page nor the file can mend it, as only the command line (or the environment) has a part in it. */
function isOf(from: 'command line' | 'environment', { source, key, values }: Fault, { origins }: Loaded): boolean {
  if (!source?.startsWith(from === 'environment' ? 'environment ' : '--set') || key === 'authAlone') return false;
  const other = values?.other;
  return other === undefined || origins.get(String(other))?.from === from;
}

/** The page's own settings when others have faults: where it is and its password still count. */
function pageAlone(loaded: Loaded | undefined, hostName: string): PageConfig {
  const given = new Map<string, string>();
  for (const [name, { text }] of loaded?.origins ?? []) if (name.startsWith('page.')) given.set(name, text);
  // A password that is not hashed yet opens nothing: the code does.
  if (!isHash(given.get('page.password') ?? '')) given.delete('page.password');
  const surroundings = { hostName, folder: '.' };
  const { config } = buildConfig(given, surroundings);
  const password = given.get('page.password');
  const bare =
    config ?? buildConfig(new Map(password === undefined ? [] : [['page.password', password]]), surroundings).config;
  return bare?.page ?? { host: '127.0.0.1', port: 8090, names: [], openStatus: false };
}

/** The central system as one role: store, front doors, live values, jobs and page, joined. */
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import type { MetricSource, Privilege } from '@amiable/model';
import type { AccessPolicy, Retention } from '@amiable/store';
import { type Store, StoreUnavailable } from '@amiable/store';
import type { FastifyInstance } from 'fastify';
import { type Access, type AccessOptions, createAccess } from './access/access.ts';
import { prepareFirst } from './access/first.ts';
import type { Context } from './context.ts';
import { createHttp } from './http/app.ts';
import type { AnyRoute } from './http/router.ts';
import { type Broker, startBroker } from './ingest/broker.ts';
import { createIngest, type Ingest } from './ingest/ingest.ts';
import { type SubscribeOptions, subscribeBroker } from './ingest/subscribe.ts';
import { startJobs } from './jobs.ts';
import { type MeterKeys, openMeterKeys } from './keys/meter-keys.ts';
import { openPlaceholders } from './keys/placeholders.ts';
import { portMeters, redecoder } from './keys/reprocess.ts';
import { openVault, type Vault } from './keys/vault.ts';
import { createLiveHub } from './live/live.ts';
import { backupMetrics } from './operations/backup-metrics.ts';
import { backupTask } from './operations/backup-task.ts';
import { type BackupOptions, createBackups } from './operations/backups.ts';
import { journalMetrics } from './operations/journal-metrics.ts';
import { createMailer, type MailOptions } from './operations/mail.ts';
import { ensureTasks, type GivenTask } from './scheduler/ensure.ts';
import { schedulerMetrics } from './scheduler/metrics.ts';
import { completenessOf, type OwnKinds, retentionOfWork } from './scheduler/own.ts';
import { createScheduler } from './scheduler/scheduler.ts';

/** Several may run in one process (tests). */
let schedulers = 0;

export interface CentralOptions {
  readonly store: Store;
  /** Where the master key of the meters' keys lies; not in the database. */
  readonly masterKeyFile: string;
  readonly version: string;
  readonly timeZone: string;
  /** Epoch ms; default the machine's clock. */
  readonly now?: () => number;
  readonly speed?: number;
  readonly simulated?: boolean;
  readonly apiKeys: readonly string[];
  readonly http: {
    readonly host: string;
    readonly port: number;
    readonly page?: string;
    readonly hosts?: readonly string[];
    /** TLS of the HTTP server: certificate chain and key, PEM. */
    readonly tls?: { readonly cert: string; readonly key: string };
    /** Addresses of proxies that do TLS: what they say of who asks is believed. */
    readonly trustedProxies?: readonly string[];
    /** Takes passwords over plain HTTP from other machines, in networks that protect themselves. */
    readonly plainLogin?: boolean;
  };
  /**
   * What nobody in particular may, asked from this machine, until there is an administrator: for a street that is simulated. Left out,
   * nothing.
   */
  readonly guest?: readonly Privilege[];
  readonly access?: Pick<AccessOptions, 'clock' | 'argon'> & { readonly policy?: Partial<AccessPolicy> };
  /** The embedded broker; left out, none is started. */
  readonly mqtt?: { readonly host: string; readonly port: number; readonly login?: { user: string; password: string } };
  /** A broker elsewhere to read from. */
  readonly subscribe?: Omit<SubscribeOptions, 'ingest' | 'log'>;
  /** Folder below which tasks of kind `import` look for registry files. */
  readonly inbox?: string;
  /** Folder below which tasks of kind `export` write them. */
  readonly outbox?: string;
  /** The mail server for reports. */
  readonly mail?: MailOptions;
  /** What prints; `lp` unless said. */
  readonly printCommand?: string;
  readonly retention?: Partial<Retention>;
  /** What stands in the way of other roles in this process, in words; told by /health beside its own. */
  readonly causes?: () => readonly string[];
  /** Where and how many backups are kept; needs the database's own address. */
  readonly backups?: Omit<BackupOptions, 'now' | 'clock'>;
  /** Counters of other roles in this process, for GET /metrics. */
  readonly metrics?: readonly MetricSource[];
  readonly log: (line: string) => void;
}

export interface Central {
  /** What tests and tools ask without a line between. */
  readonly app: FastifyInstance;
  readonly access: Access;
  readonly routes: readonly AnyRoute[];
  /** Of this start, while there is no administrator: to be told as PAGE/first#CODE. */
  readonly firstCode: string | undefined;
  readonly ingest: Ingest;
  readonly keys: MeterKeys;
  readonly httpPort: number;
  readonly mqttPort: number | undefined;
  /** Makes tasks that are not there by name. */
  ensureTasks(tasks: readonly GivenTask[]): Promise<void>;
  /** Shows an already stored state, e.g. after history was written. */
  refreshLive(): Promise<void>;
  stop(): Promise<void>;
}

export async function startCentral(options: CentralOptions): Promise<Central> {
  const { store, log } = options;
  const now = options.now ?? Date.now;
  const vault: Vault = openVault(options.masterKeyFile);
  const keys = await openMeterKeys(store, vault, log);
  const placeholders = await openPlaceholders(store, keys);
  const live = createLiveHub();
  const ingest = createIngest({
    store,
    unreadable: placeholders.unreadable,
    // Readers elsewhere live in the real time, whatever the street's.
    now: () => Math.max(now(), Date.now()),
  });
  const reprocess = async () => {
    const result = await store.reprocess(redecoder(keys, await portMeters(store), placeholders.read));
    await placeholders.settle();
    return result;
  };

  const backups = options.backups && createBackups({ ...options.backups, now });

  const access = createAccess({
    store,
    apiKeys: options.apiKeys,
    ...(options.guest === undefined ? {} : { guest: options.guest }),
    ...(options.http.trustedProxies ? { trustedProxies: options.http.trustedProxies } : {}),
    ...(options.http.plainLogin ? { plainLogin: true } : {}),
    ...options.access,
    isUnavailable: (error) => error instanceof StoreUnavailable,
    log,
  });
  // After a restore they lack; elsewhere this is one look.
  await store.registry.ensureIndexes();
  const firstCode = await prepareFirst(store.access, access.clock());

  const ownKinds: OwnKinds = new Map();
  if (backups) ownKinds.set('backup', backupTask(backups));
  ownKinds.set('retention', retentionOfWork(store, now));
  ownKinds.set('completeness', completenessOf(store, now));
  const scheduler = createScheduler({
    store,
    now,
    name: `${hostname()}/${process.pid}/${++schedulers}`,
    ownKinds,
    log,
  });

  const context: Context = {
    access,
    store,
    ingest,
    live,
    keys,
    vault,
    now,
    speed: options.speed ?? 1,
    simulated: options.simulated ?? false,
    timeZone: options.timeZone,
    version: options.version,
    apiKeys: options.apiKeys,
    causes: options.causes ?? (() => []),
    backups,
    metrics: [
      ...(options.metrics ?? []),
      ...(backups ? [backupMetrics(backups, now)] : []),
      schedulerMetrics(scheduler),
      journalMetrics(store.journal),
    ],
    inbox: options.inbox,
    outbox: options.outbox,
    mail: options.mail && createMailer(options.mail),
    printCommand: options.printCommand ?? 'lp',
    ownKinds,
    scheduler,
    log,
    isUnavailable: (error) => error instanceof StoreUnavailable,
    reprocess,
    successor: placeholders.successor,
  };

  // Started in this order, ended in the other: front doors close before what they lead to.
  const ends: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of ends.splice(0).reverse()) await end();
  };
  try {
    live.restore(await store.live());
    let broker: Broker | undefined;
    const unlisten = store.onStored((placed) => {
      live.update(placed);
      broker?.publish(placed.map((p) => p.message));
      if (placeholders.stored(placed)) placeholders.settle().catch((error: Error) => log(`keys: ${error.message}`));
    });
    ends.push(async () => unlisten());
    ends.push(() => access.stop());
    const jobs = startJobs({
      store,
      now,
      reprocess,
      refresh: keys.refresh,
      log,
      ...(options.retention ? { retention: options.retention } : {}),
      forget: () => store.access.retain(access.clock(), options.access?.policy),
    });
    ends.push(() => jobs.stop());
    scheduler.start();
    ends.push(() => scheduler.stop());
    if (options.mqtt) {
      broker = await startBroker({ ...options.mqtt, ingest, log });
      const started = broker;
      ends.push(() => started.close());
    }
    if (options.subscribe) {
      const subscription = await subscribeBroker({ ...options.subscribe, ingest, log });
      ends.push(() => subscription.close());
    }
    const { app: http, routes } = await createHttp(context, options.http);
    await http.listen({ host: options.http.host, port: options.http.port });
    ends.push(() => http.close());
    return {
      access,
      app: http,
      routes,
      firstCode,
      ingest,
      keys,
      httpPort: (http.server.address() as AddressInfo).port,
      mqttPort: broker?.port,
      ensureTasks: (given) => ensureTasks({ store, now, timeZone: options.timeZone, wake: scheduler.wake }, given),
      refreshLive: async () => live.restore(await store.live()),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

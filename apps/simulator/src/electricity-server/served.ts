/**
 * One virtual meter as it is served: its engine, brought up to the present when somebody asks; what was written to it that
 * the engine does not keep; keys and counters; actions that a schedule executes.
 *
 * Decides: time is lived when asked for. An idle meter of a fleet is a few fields: its engine is made, with its history,
 * when first looked at. Leaves out: objects (objects/), sockets (listen.ts), files (store.ts).
 */
import { MisuseError } from '@amiable/bytes';
import type { EncodedData } from '@amiable/dlms';
import type { Meter, SlaveSettings } from '../electricity/index.ts';
import type { MeterBus } from '../mbus/meter-port.ts';
import type { Credentials } from './keys.ts';
import type { ScheduledAction } from './schedules.ts';

export interface ServedOptions {
  readonly number: number;
  /** HDLC lower address; the number unless said. */
  readonly lower?: number;
  /** Makes the engine, its history lived to `at`. */
  engine(at: number): Meter;
  /** Virtual time. */
  now(): number;
  credentials(): Credentials;
  /** What hangs on its bus, for slave_install. */
  readonly bus?: readonly SlaveSettings[];
  readonly settings?: ReadonlyMap<string, Uint8Array>;
}

export interface PushMessage {
  /** transport_service of the Push setup. */
  readonly service: number;
  readonly destination: string;
  /** The data-notification, ciphered where the policy wants it. */
  readonly apdu: Uint8Array;
}

export class ServedMeter {
  readonly number: number;
  readonly lower: number;
  readonly bus: readonly SlaveSettings[];
  /** Its M-Bus, once the engine was made; undefined where nothing hangs on it. */
  wire: MeterBus | undefined;
  /** Attributes that are kept as they were written, by class/name/index. */
  readonly settings: Map<string, Uint8Array>;
  /** Written since it was last saved. */
  dirty = false;
  /** Somebody has changed something: worth saving soon. */
  written = false;
  /** What schedules will execute, and when in virtual time; asked for anew when undefined. */
  scheduled: ScheduledAction | undefined;
  scheduleKnown = false;
  /** The module lost its mains, or came back: connections to it are cut. */
  onPower: ((up: boolean) => void) | undefined;
  /** Sends a push; false where nobody takes it. */
  onPush: ((message: PushMessage) => boolean) | undefined;
  /** Executes a schedule's script; set by schedules.ts. */
  runScheduled: ((meter: ServedMeter, action: ScheduledAction) => void) | undefined;
  nextScheduled: ((meter: ServedMeter) => ScheduledAction | undefined) | undefined;
  /** The time that preset_adjusting_time has left, Clock. */
  preset: { readonly at: number; readonly from: number; readonly to: number } | undefined;
  /** Parts of passive tables that do not make a whole yet. */
  staged: Record<string, unknown> = {};
  pushes = 0;
  readonly #options: ServedOptions;
  #engine: Meter | undefined;
  #credentials: Credentials | undefined;
  #living = false;

  constructor(options: ServedOptions) {
    this.#options = options;
    this.number = options.number;
    this.lower = options.lower ?? options.number;
    this.bus = options.bus ?? [];
    this.settings = new Map(options.settings ?? []);
  }

  /** Whether its engine has been made. */
  get awake(): boolean {
    return this.#engine !== undefined;
  }

  get engine(): Meter {
    if (!this.#engine) {
      const engine = this.#options.engine(this.#options.now());
      engine.listener = { power: (up) => this.onPower?.(up) };
      this.#engine = engine;
    }
    return this.#engine;
  }

  get credentials(): Credentials {
    this.#credentials ??= this.#options.credentials();
    return this.#credentials;
  }

  /** Lives on to the present. Cheap where there is nothing to do. */
  live(): Meter {
    const engine = this.#engine ?? this.engine;
    const now = this.#options.now();
    if (now > engine.now && !this.#living) {
      this.#living = true;
      this.dirty = true;
      try {
        this.#liveTo(engine, now);
      } finally {
        this.#living = false;
      }
    }
    return engine;
  }

  #liveTo(engine: Meter, now: number): void {
    // A schedule that executes more than so often in one go is a fault of ours.
    for (let guard = 0; guard < 100_000; guard++) {
      if (!this.scheduleKnown) {
        this.scheduled = this.nextScheduled?.(this);
        this.scheduleKnown = true;
      }
      const action = this.scheduled;
      if (!action || action.at > now) {
        advanceHeard(engine, now);
        return;
      }
      advanceHeard(engine, action.at);
      this.scheduleKnown = false;
      if (engine.powered) this.runScheduled?.(this, action);
    }
    throw new MisuseError('a schedule has no end');
  }

  /** What it would lose, without waking it; undefined while it sleeps. */
  saveEngine(): Uint8Array | undefined {
    return this.#engine?.saveState();
  }

  /** Keeps an attribute as it was written. */
  keep(key: string, value: EncodedData): void {
    this.settings.set(key, value.slice());
    this.changed();
  }

  /** Something was written. */
  changed(): void {
    this.dirty = true;
    this.written = true;
    this.scheduleKnown = false;
  }
}

/** A concentrator is heard at least so often. */
const HEARD = 3_600_000;

/** Lives on; a PLC module that is in touch with its concentrator hears of it. */
export function advanceHeard(engine: Meter, until: number): void {
  if (engine.config.module === 'plc') {
    while (engine.now + HEARD < until) {
      engine.advance(engine.now + HEARD);
      if (engine.plcLine.concentrator) engine.plcHeard();
    }
  }
  engine.advance(until);
}

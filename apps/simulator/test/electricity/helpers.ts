/** Meters for tests, and what is asked of them again and again. */
import { createHmac } from 'node:crypto';
import {
  createMeter,
  DELIVERED,
  DELIVERED_SINGLE_PHASE,
  EVENT_TEXTS,
  EVENTS,
  type EventName,
  firmwareConfig,
  type LogId,
  type Meter,
  type MeterConfig,
  type MeterOptions,
  type MeterParameters,
  meterConfig,
  meterIdentity,
  type ProfileId,
} from '../../src/electricity/index.ts';

export const SECOND = 1000;
export const MINUTE = 60_000;
export const HOUR = 3_600_000;
export const DAY = 86_400_000;
export const ZONE = 'Europe/Oslo';
/** A Wednesday, 12:00 local time (UTC+1). */
export const START = Date.UTC(2025, 0, 15, 11);

export const hmac = (profile: 'hmac-sha-256' | 'hmac-sha-1', key: Uint8Array, data: Uint8Array): Uint8Array =>
  new Uint8Array(
    createHmac(profile === 'hmac-sha-1' ? 'sha1' : 'sha256', key)
      .update(data)
      .digest(),
  );

export const FIRMWARE = firmwareConfig(hmac, new Uint8Array(16).fill(7));

export interface Wishes extends Partial<Omit<MeterOptions, 'config' | 'parameters'>> {
  readonly config?: Partial<MeterConfig>;
  readonly parameters?: Partial<MeterParameters>;
}

export function options(wishes: Wishes = {}): MeterOptions {
  const { config = {}, parameters, ...rest } = wishes;
  const full = meterConfig(ZONE, FIRMWARE, config);
  const delivered = full.type === 'polyphase' ? DELIVERED : DELIVERED_SINGLE_PHASE;
  return {
    config: full,
    identity: meterIdentity(1),
    start: START,
    parameters: parameters ? { ...delivered, ...parameters } : delivered,
    ...rest,
  };
}

export const meter = (wishes: Wishes = {}): Meter => createMeter(options(wishes));

/** Names of the events since the beginning, oldest first. */
export function events(m: Meter, id: LogId = 'standard'): EventName[] {
  const log = m.log(id);
  const names = new Map(Object.entries(EVENTS).map(([name, number]) => [number, name as EventName]));
  return Array.from({ length: log.length }, (_, i) => names.get(log.entry(i).event) as EventName);
}

export const eventTimes = (m: Meter, name: EventName, id: LogId = 'standard'): number[] => {
  const log = m.log(id);
  return Array.from({ length: log.length }, (_, i) => log.entry(i))
    .filter(({ event }) => event === EVENTS[name])
    .map(({ at }) => at);
};

export const rows = (m: Meter, id: ProfileId) => {
  const view = m.profile(id);
  return Array.from({ length: view.length }, (_, i) => view.row(i));
};

export const forward = (m: Meter, ms: number): void => m.advance(m.now + ms);

export { EVENT_TEXTS, EVENTS };

/**
 * The latest values of all meters on the page, kept up by server-sent events. Components say which meters they look at;
 * one connection carries the union of them. A lost connection is visible, retried with growing pauses, and told to those
 * who must fetch what they missed.
 */
import type { Live } from '@amiable/model';
import { liveEvent } from '@amiable/model/schemas';
import { useCallback, useEffect, useSyncExternalStore } from 'react';
import { liveAddress } from './api.ts';
import { type Curve, Recent } from './power.ts';

export type Connection = 'idle' | 'connecting' | 'open' | 'lost';
export type Wanted = readonly string[] | 'all';

/** How much of the past a street tile and the live curve show. */
export const RECENT_SPAN = 10 * 60_000;
const RECENT_POINTS = 900;
/** Pauses between attempts, ms. */
const PAUSES = [500, 1000, 2000, 4000, 8000, 15_000];
/** Meters beyond which a page must name those that it looks at. */
const ADDRESS_LIMIT = 200;

const latest = new Map<string, Live>();
const recents = new Map<string, Recent>();
const byMeter = new Map<string, Set<() => void>>();
const anyMeter = new Set<() => void>();
const onState = new Set<() => void>();
const onReopen = new Set<() => void>();
const wishes = new Map<object, Wanted>();

let version = 0;
let connection: Connection = 'idle';
let source: EventSource | undefined;
let address = '';
let attempt = 0;
let retry: ReturnType<typeof setTimeout> | undefined;
let settle: ReturnType<typeof setTimeout> | undefined;
let wasOpen = false;

function setConnection(next: Connection): void {
  if (next === connection) return;
  connection = next;
  for (const tell of onState) tell();
}

export function recentOf(meter: string): Recent {
  let recent = recents.get(meter);
  if (!recent) {
    recent = new Recent(RECENT_SPAN, RECENT_POINTS);
    recents.set(meter, recent);
  }
  return recent;
}

/** Takes values into the store; older ones than known are ignored. */
export function takeLive(events: readonly Live[]): void {
  const touched = new Set<string>();
  for (const event of events) {
    const known = latest.get(event.meter);
    if (known && known.time >= event.time) continue;
    latest.set(event.meter, event);
    if (event.power !== null) recentOf(event.meter).push(Date.parse(event.time), event.power);
    touched.add(event.meter);
  }
  if (touched.size > 0) announce(touched);
}

export function fillRecent(meter: string, curve: Curve): void {
  recentOf(meter).fill(curve);
  announce([meter]);
}

const versions = new Map<string, number>();

function announce(meters: Iterable<string>): void {
  version++;
  for (const meter of meters) {
    versions.set(meter, version);
    for (const tell of byMeter.get(meter) ?? []) tell();
  }
  for (const tell of anyMeter) tell();
}

function wantedAddress(): string {
  const union = new Set<string>();
  for (const wish of wishes.values()) {
    if (wish === 'all') return liveAddress('all');
    for (const id of wish) union.add(id);
  }
  if (union.size === 0) return '';
  return liveAddress([...union].sort((a, b) => Number(a) - Number(b)).slice(0, ADDRESS_LIMIT));
}

function connect(): void {
  if (document.hidden) return;
  clearTimeout(retry);
  source?.close();
  source = undefined;
  address = wantedAddress();
  if (address === '') {
    setConnection('idle');
    return;
  }
  if (connection !== 'lost' && connection !== 'open') setConnection('connecting');
  const opened = new EventSource(address);
  source = opened;
  opened.onopen = () => {
    attempt = 0;
    const again = wasOpen && connection === 'lost';
    wasOpen = true;
    setConnection('open');
    if (again) for (const tell of onReopen) tell();
  };
  opened.onmessage = (event: MessageEvent<string>) => {
    let body: unknown;
    try {
      body = JSON.parse(event.data);
    } catch {
      return;
    }
    const read = liveEvent.safeParse(body);
    if (read.success) takeLive(read.data);
  };
  opened.onerror = () => {
    // The browser's own retry neither backs off nor survives an error answer, so every retry is ours.
    opened.close();
    if (source !== opened) return;
    source = undefined;
    setConnection('lost');
    retry = setTimeout(connect, PAUSES[Math.min(attempt++, PAUSES.length - 1)]);
  };
}

/** Connects now instead of at the end of the pause. */
export function reconnect(): void {
  attempt = 0;
  connect();
}

function wish(owner: object, wanted: Wanted | undefined): void {
  if (wanted === undefined) wishes.delete(owner);
  else wishes.set(owner, wanted);
  clearTimeout(settle);
  settle = setTimeout(
    () => {
      if (wantedAddress() !== address) connect();
    },
    source ? 400 : 0,
  );
}

/** Keeps the connection carrying these meters while the component lives. */
export function useWanted(wanted: Wanted): void {
  const key = wanted === 'all' ? 'all' : wanted.join(',');
  useEffect(() => {
    const owner = {};
    wish(owner, key === 'all' ? 'all' : key === '' ? [] : key.split(','));
    return () => wish(owner, undefined);
  }, [key]);
}

function subscribeTo(meter: string) {
  return (listener: () => void) => {
    const set = byMeter.get(meter) ?? new Set();
    byMeter.set(meter, set.add(listener));
    return () => {
      set.delete(listener);
    };
  };
}

export function useLive(meter: string): Live | undefined {
  const subscribe = useCallback((listener: () => void) => subscribeTo(meter)(listener), [meter]);
  return useSyncExternalStore(subscribe, () => latest.get(meter));
}

/** Changes whenever the recent values of this meter did, the past that was filled in included. */
export function useRecentVersion(meter: string): number {
  const subscribe = useCallback((listener: () => void) => subscribeTo(meter)(listener), [meter]);
  return useSyncExternalStore(subscribe, () => versions.get(meter) ?? 0);
}

export function latestOf(meter: string): Live | undefined {
  return latest.get(meter);
}

/** How many meters have spoken. */
export function latestCount(): number {
  return latest.size;
}

/** Changes whenever any meter spoke. */
export function useLiveVersion(): number {
  return useSyncExternalStore(
    (listener) => {
      anyMeter.add(listener);
      return () => anyMeter.delete(listener);
    },
    () => version,
  );
}

export function useConnection(): Connection {
  return useSyncExternalStore(
    (listener) => {
      onState.add(listener);
      return () => onState.delete(listener);
    },
    () => connection,
  );
}

/** Calls back when a lost connection stands again. */
export function useReopened(callback: () => void): void {
  useEffect(() => {
    onReopen.add(callback);
    return () => {
      onReopen.delete(callback);
    };
  }, [callback]);
}

/**
 * A browser grants one server six connections for all its tabs together, so a tab that nobody sees gives its own back;
 * what it missed is fetched when it is looked at again.
 */
function onVisibility(): void {
  if (document.hidden) {
    clearTimeout(retry);
    source?.close();
    source = undefined;
    address = '';
    setConnection('idle');
  } else if (source === undefined && wishes.size > 0) {
    attempt = 0;
    connect();
    for (const tell of onReopen) tell();
  }
}

if (typeof window !== 'undefined') {
  window.addEventListener('online', () => connection === 'lost' && reconnect());
  document.addEventListener('visibilitychange', onVisibility);
}

/** The server's clock, which may be simulated and run faster than the wall's. */
import type { Status } from '@amiable/model';
import { useSyncExternalStore } from 'react';

let base = Date.now();
let taken = performance.now();
let speed = 1;

export function setClock(status: Pick<Status, 'now' | 'speed'>): void {
  const told = Date.parse(status.now);
  if (Number.isNaN(told)) return;
  base = told;
  taken = performance.now();
  speed = status.speed;
}

export function now(): number {
  return base + (performance.now() - taken) * speed;
}

export function clockSpeed(): number {
  return speed;
}

const listeners = new Set<() => void>();
let tick = now();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    tick = now();
    for (const tell of listeners) tell();
  }, 2000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

function current(): number {
  if (timer === undefined && Math.abs(now() - tick) > 2000 * speed) tick = now();
  return tick;
}

/** The server's time to within a couple of seconds, as something that a component lives by. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, current);
}

/**
 * The log kept up: what was asked for, joined with what comes live. A lost line is visible, tried again with growing pauses, and what was
 * missed is caught up with by the stamp of the last change. Changes are shown some times a second at most, however many come; while
 * paused they wait.
 */
import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { ApiError } from '../api.ts';
import { type Change, type Entry, type LogFilter, liveLogAddress, logApi, NO_FILTER, readChange } from './api.ts';
import { LogTree } from './tree.ts';

export type LogConnection = 'connecting' | 'open' | 'lost';

const PAUSES = [500, 1000, 2000, 4000, 8000, 15_000];
/** Milliseconds between two drawings. */
const BEAT = 200;
/** Changes that wait while paused; with more the lists are loaded anew afterwards. */
const MOST_WAITING = 500;
/** A filtered list is asked for anew so often: the live stream has no filters. */
const POLL = 5000;

export function isFiltered(filter: LogFilter): boolean {
  return Object.values(filter).some((value) => value !== '');
}

export function fits(filter: LogFilter, entry: Entry): boolean {
  if (filter.state && entry.state !== filter.state) return false;
  if (filter.kind && entry.kind !== filter.kind) return false;
  if (filter.meter && entry.meter !== filter.meter) return false;
  if (filter.run && entry.run !== filter.run) return false;
  const text = entry.text.toLowerCase();
  return filter.q
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

class LogFeed {
  readonly tree: LogTree;
  readonly #filter: LogFilter;
  readonly #listeners = new Set<() => void>();
  connection: LogConnection = 'connecting';
  fault: unknown;
  paused = false;
  /** New entries that came while paused. */
  waiting = 0;
  version = 0;
  #held: Change[] = [];
  #missed = false;
  #source: EventSource | undefined;
  #followed = '';
  #stamp = '';
  #attempt = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #beat: ReturnType<typeof setTimeout> | undefined;
  #poll: ReturnType<typeof setInterval> | undefined;
  #asked = new AbortController();
  #running = false;

  constructor(filter: LogFilter) {
    this.#filter = filter;
    this.tree = new LogTree(isFiltered(filter) ? (entry) => fits(filter, entry) : undefined);
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };
  readonly snapshot = (): number => this.version;

  #tell(soon = false): void {
    if (soon) {
      this.#beat ??= setTimeout(() => this.#tell(), BEAT);
      return;
    }
    clearTimeout(this.#beat);
    this.#beat = undefined;
    this.version++;
    for (const listener of this.#listeners) listener();
  }

  start(): void {
    this.#running = true;
    this.#asked = new AbortController();
    this.#connect();
    void this.reload();
    document.addEventListener('visibilitychange', this.#visibility);
    if (isFiltered(this.#filter))
      this.#poll = setInterval(() => {
        if (!this.paused && !document.hidden && this.fault === undefined) void this.reload();
      }, POLL);
  }

  stop(): void {
    this.#running = false;
    this.#asked.abort();
    clearTimeout(this.#retry);
    clearTimeout(this.#beat);
    clearInterval(this.#poll);
    this.#beat = undefined;
    this.#source?.close();
    this.#source = undefined;
    document.removeEventListener('visibilitychange', this.#visibility);
  }

  /** A tab that nobody sees gives its connection back: a browser has six for all tabs of one server. */
  readonly #visibility = (): void => {
    if (document.hidden) {
      clearTimeout(this.#retry);
      this.#source?.close();
      this.#source = undefined;
    } else if (!this.#source) this.retry();
  };

  retry(): void {
    this.#attempt = 0;
    this.#connect();
    if (this.fault !== undefined || !this.tree.loaded || this.connection === 'lost') void this.reload();
  }

  #connect(): void {
    if (!this.#running || document.hidden) return;
    clearTimeout(this.#retry);
    this.#source?.close();
    const opened = this.tree.opened();
    this.#followed = opened.join(',');
    const source = new EventSource(liveLogAddress(opened, this.#stamp));
    this.#source = source;
    source.onopen = () => {
      this.#attempt = 0;
      // What the stream's replay does not reach, the list has.
      if (this.connection === 'lost') void this.reload();
      this.connection = 'open';
      this.#tell();
    };
    source.addEventListener('transactions', (event: MessageEvent<string>) => {
      const change = readChange(event.data);
      if (event.lastEventId) this.#stamp = event.lastEventId;
      if (change) this.#take(change);
    });
    source.addEventListener('reset', () => {
      this.#stamp = '';
      if (this.paused) this.#missed = true;
      else void this.#anew();
    });
    source.onerror = () => {
      source.close();
      if (this.#source !== source) return;
      this.#source = undefined;
      this.connection = 'lost';
      this.#tell();
      const pause = PAUSES[Math.min(this.#attempt++, PAUSES.length - 1)];
      this.#retry = setTimeout(() => {
        this.#connect();
        // The stream cannot say that the session ended; a question can.
        void this.reload();
      }, pause);
    };
  }

  #take(change: Change): void {
    if (this.paused) {
      for (const entry of change.transactions) if (!this.tree.get(entry.id)) this.waiting++;
      if (this.#held.length < MOST_WAITING) this.#held.push(change);
      else this.#missed = true;
    } else this.tree.takeChange(change);
    this.#tell(true);
  }

  setPaused(paused: boolean): void {
    this.paused = paused;
    if (!paused) {
      for (const change of this.#held) this.tree.takeChange(change);
      this.#held = [];
      this.waiting = 0;
      if (this.#missed) void this.#anew();
      this.#missed = false;
    }
    this.#tell();
  }

  /** The first page of roots. */
  async reload(): Promise<void> {
    try {
      const page = await logApi.list(this.#filter, '', this.#asked.signal);
      this.tree.takeRoots(page, true);
      this.fault = undefined;
    } catch (fault) {
      if (this.#asked.signal.aborted) return;
      // What is here already stays; the bar says that the line is lost.
      if (!this.tree.loaded || (fault instanceof ApiError && fault.kind !== 'offline')) this.fault = fault;
    }
    this.#tell();
  }

  /** After a gap: roots, and the first children of what is open. */
  async #anew(): Promise<void> {
    await this.reload();
    await Promise.all(this.tree.opened().map((id) => this.#children(id, true)));
  }

  async #children(id: string, first: boolean): Promise<void> {
    this.tree.setLoading(id, true);
    this.#tell();
    try {
      const page = await logApi.children(id, first ? '' : (this.tree.nextOf(id) ?? ''), this.#asked.signal);
      this.tree.takeChildren(id, page, first);
    } catch (fault) {
      if (this.#asked.signal.aborted) return;
      this.tree.setLoading(id, false);
      this.tree.fold(id, false);
      this.fault = fault;
    }
    this.#tell();
  }

  fold(id: string, open: boolean): void {
    this.tree.fold(id, open);
    if (open && !this.tree.hasChildren(id)) void this.#children(id, true);
    if (this.tree.opened().join(',') !== this.#followed) this.#connect();
    this.#tell();
  }

  /** The next page of a parent's children, or of the roots. */
  async more(parent: string | undefined): Promise<void> {
    if (parent !== undefined) {
      if (!this.tree.isLoading(parent)) await this.#children(parent, false);
      return;
    }
    const next = this.tree.next;
    if (next === undefined || this.tree.isLoading('')) return;
    this.tree.setLoading('', true);
    this.#tell();
    try {
      this.tree.takeRoots(await logApi.list(this.#filter, next, this.#asked.signal), false);
    } catch (fault) {
      if (this.#asked.signal.aborted) return;
      this.fault = fault;
    }
    this.tree.setLoading('', false);
    this.#tell();
  }

  dismiss(): void {
    this.fault = undefined;
    this.#tell();
  }
}

export type { LogFeed };

/** Lives as long as the filter is the same. */
export function useLog(filter: LogFilter): LogFeed {
  const { q, state, kind, meter, run } = filter;
  const feed = useMemo(() => new LogFeed({ ...NO_FILTER, q, state, kind, meter, run }), [q, state, kind, meter, run]);
  useEffect(() => {
    feed.start();
    return () => feed.stop();
  }, [feed]);
  useSyncExternalStore(feed.subscribe, feed.snapshot);
  return feed;
}

/** What was typed, once the typing rests. */
export function useRested(text: string, rest: number): string {
  const [rested, setRested] = useState(text);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    timer.current = setTimeout(() => setRested(text), rest);
    return () => clearTimeout(timer.current);
  }, [text, rest]);
  return rested;
}

/**
 * Messages on their way to an uplink, in order, in memory, bounded in number and size. What is taken stays until it is
 * acknowledged.
 */

import type { Outbox } from './outbox.ts';

export interface QueueLimits {
  readonly items: number;
  readonly bytes: number;
}

export const DEFAULT_LIMITS: QueueLimits = { items: 20_000, bytes: 64 << 20 };

export interface DeliveryQueue extends Outbox {
  readonly full: boolean;
  /** False when it does not fit; an empty queue takes anything. */
  put(line: string): boolean;
  /** Counts a message that nobody could wait for. */
  lose(): void;
  /** Resolves when there is room, the queue is closed or `wake` is called. */
  room(): Promise<void>;
  /** Ends all waiting for room. */
  wake(): void;
}

export function createQueue(limits: QueueLimits = DEFAULT_LIMITS): DeliveryQueue {
  let lines: string[] = [];
  /** Lines before this are done with; cut off now and then, since shifting a long array is slow. */
  let head = 0;
  let bytes = 0;
  let lost = 0;
  let closed = false;
  let waiting: (() => void)[] = [];
  const isFull = () => lines.length - head >= limits.items || bytes >= limits.bytes;
  const wake = () => {
    const all = waiting;
    waiting = [];
    for (const one of all) one();
  };
  const queue: DeliveryQueue = {
    get length() {
      return lines.length - head;
    },
    get full() {
      return isFull();
    },
    get lost() {
      return lost;
    },
    onPut: () => {},
    wake,
    lose() {
      lost++;
    },
    again() {},
    hurry() {},
    put(line) {
      if (closed || isFull()) return false;
      lines.push(line);
      bytes += line.length;
      queue.onPut();
      return true;
    },
    look(skip, items, most) {
      const out: string[] = [];
      let size = 0;
      for (let i = head + skip; i < lines.length && out.length < items; i++) {
        const line = lines[i]!;
        if (out.length > 0 && size + line.length > most) break;
        size += line.length;
        out.push(line);
      }
      return out;
    },
    drop(n) {
      for (let i = 0; i < n; i++) {
        bytes -= lines[head]!.length;
        lines[head++] = '';
      }
      if (head > 1024 && head * 2 > lines.length) {
        lines = lines.slice(head);
        head = 0;
      }
      if (!isFull()) wake();
    },
    room() {
      if (closed || !isFull()) return Promise.resolve();
      return new Promise((resolve) => waiting.push(resolve));
    },
    close() {
      closed = true;
      wake();
    },
  };
  return queue;
}

import { step } from '@amiable/fsm';
import { describe, expect, it } from 'vitest';
import {
  backOff,
  type Link,
  type LinkEvents,
  type LinkStatus,
  PortError,
  persistentLink,
  virtualClock,
} from '../src/index.ts';
import { RECONNECT, type ReconnectInput, type ReconnectState } from '../src/reconnect.ts';

function flaky(outcomes: boolean[]) {
  const opened: LinkEvents[] = [];
  let closes = 0;
  const make = (): Link => {
    let events: LinkEvents | undefined;
    return {
      describe: 'flaky',
      async open(given) {
        if (outcomes.shift() === false) throw new PortError('refused', 'flaky: no');
        events = given;
        opened.push(given);
      },
      async write() {},
      pause() {},
      resume() {},
      async close() {
        closes++;
        events?.closed();
      },
    };
  };
  return { make, opened, closes: () => closes };
}

describe('a link that comes back', () => {
  it('doubles the wait up to a bound, by chance within its upper half', () => {
    const times = { first: 500, longest: 30_000 };
    expect([1, 2, 3, 7, 100].map((n) => backOff(times, n, () => 1))).toEqual([500, 1000, 2000, 30_000, 30_000]);
    expect(backOff(times, 1, () => 0)).toBe(250);
  });
  it('opens again after failures and losses, and tells', async () => {
    const clock = virtualClock();
    const { make, opened } = flaky([false, false, true, true]);
    const told: string[] = [];
    const tell = (s: LinkStatus) => told.push(s.type === 'up' ? 'up' : `down ${s.failures} ${s.error?.message}`);
    const data: number[] = [];
    const link = persistentLink({ make, clock, random: () => 1, status: tell });
    await link.open({ data: (b) => data.push(b[0]!), closed: (e) => told.push(`closed ${e}`) });
    await clock.advance(499);
    expect(told).toEqual(['down 1 flaky: no']);
    await clock.advance(1);
    await clock.advance(1000);
    expect(told).toEqual(['down 1 flaky: no', 'down 2 flaky: no', 'up']);
    opened[0]!.data(Uint8Array.of(1));
    opened[0]!.closed(new PortError('closed', 'gone'));
    await clock.advance(500);
    opened[1]!.data(Uint8Array.of(2));
    expect(data).toEqual([1, 2]);
    await link.close();
    await link.close();
    expect(told.slice(3)).toEqual(['down 1 gone', 'up', 'closed undefined']);
    expect(clock.pending).toBe(0);
  });
  it('turns: closes and opens anew at once', async () => {
    const clock = virtualClock();
    const { make, opened, closes } = flaky([]);
    const link = persistentLink({ make, clock });
    await link.open({ data() {}, closed() {} });
    await clock.advance(0);
    link.turn();
    await clock.advance(0);
    expect([opened.length, closes()]).toEqual([2, 1]);
    await link.close();
  });
  it('can be closed while waiting and while opening', async () => {
    const clock = virtualClock();
    const failing = persistentLink({ make: flaky([false]).make, clock });
    await failing.open({ data() {}, closed() {} });
    await clock.advance(0);
    await failing.close();
    expect(clock.pending).toBe(0);
    const slow = flaky([true]);
    const opening = persistentLink({ make: slow.make, clock });
    await opening.open({ data() {}, closed() {} });
    await opening.close();
    expect(slow.closes()).toBe(1);
  });
  it('has an entry wherever the outside may speak', () => {
    const states: ReconnectState[] = [
      { type: 'idle' },
      { type: 'opening', failures: 1 },
      { type: 'open' },
      { type: 'waiting', failures: 1 },
      { type: 'turning' },
      { type: 'ending' },
    ];
    const always: ReconnectInput[] = [
      { type: 'stop' },
      { type: 'turn' },
      { type: 'timer' },
      { type: 'lost', error: undefined },
    ];
    for (const state of states) {
      for (const input of always) {
        if (state.type === 'waiting' || input.type !== 'timer')
          expect(step(RECONNECT, state, input).state).toBeDefined();
      }
    }
  });
});

import { describe, expect, it } from 'vitest';
import { createLiveHub } from '../src/live/live.ts';
import { createTotals } from '../src/live/total.ts';
import { sampleMessage } from './sample.ts';

describe('live values', () => {
  it('keep the newest of each code and tell power as import less export', () => {
    const hub = createLiveHub();
    hub.update([{ meter: '1', message: sampleMessage(2, 'A', { values: [0, 700, 2301] }) }]);
    hub.update([{ meter: '1', message: sampleMessage(1, 'A', { values: [5, 5, 5] }) }]);
    expect(hub.get('1')?.power).toBe(-700);
    expect(hub.get('1')?.values['32.7.0']).toMatchObject({ value: 230.1, unit: 'V', name: 'voltageL1' });
    const short = sampleMessage(3, 'A');
    hub.update([{ meter: '1', message: { ...short, items: short.items.slice(0, 1), values: [900] } }]);
    expect(hub.get('1')?.power).toBe(900);
    hub.update([
      {
        meter: '1',
        message: { ...short, time: (short.time as number) + 2000, items: short.items.slice(0, 1), values: [0] },
      },
    ]);
    expect(hub.get('1')?.power).toBe(-700);
  });
  it('show a wrong clock’s values at the time of receipt', () => {
    const hub = createLiveHub();
    hub.update([{ meter: '1', message: sampleMessage(1, 'A', { time: 0, flags: ['clockWrong'] }) }]);
    expect(hub.get('1')?.time).toBe('2026-01-15T12:00:02.000Z');
  });
  it('give a slow listener the newest state, not a backlog', () => {
    const hub = createLiveHub();
    let open = false;
    const seen: (number | null)[] = [];
    const end = hub.listen(new Set(['1']), (changed) => {
      if (open) seen.push(...changed.map((l) => l.power));
      return open;
    });
    for (let n = 1; n <= 5; n++) {
      hub.update([
        { meter: '1', message: sampleMessage(n, 'A') },
        { meter: '2', message: sampleMessage(n, 'B') },
      ]);
      hub.flush();
    }
    open = true;
    hub.flush();
    hub.flush();
    expect(seen).toEqual([1005]);
    end();
    expect(hub.listeners).toBe(0);
  });
  it('bound what one event carries', () => {
    const hub = createLiveHub();
    const sizes: number[] = [];
    hub.update(Array.from({ length: 1200 }, (_, i) => ({ meter: String(i), message: sampleMessage(1, String(i)) })));
    hub.listen(undefined, (changed) => sizes.push(changed.length) > 0);
    for (let i = 0; i < 5; i++) hub.flush();
    expect(sizes).toEqual([500, 500, 200]);
  });
  it('add up to the street, without whoever fell silent', () => {
    const hub = createLiveHub();
    const totals = createTotals(hub);
    totals.sample();
    expect(totals.get()).toBeUndefined();
    const say = (n: number, meter: string, values: number[]) =>
      hub.update([{ meter, message: sampleMessage(n, meter, { values }) }]);
    say(0, '1', [5000, 0, 2300]);
    say(1, '2', [700, 0, 2300]);
    say(1, '3', [0, 300, 2300]);
    totals.sample();
    expect(totals.get()).toMatchObject({ import: 5700, export: 300, meters: 3 });
    for (let n = 200; n < 400; n++) {
      say(n, '2', [n, 0, 2300]);
      totals.sample();
    }
    expect(totals.get()).toMatchObject({ import: 399, export: 0, meters: 1 });
    expect(totals.get()?.recent.values).toHaveLength(120);
    expect(totals.get()?.recent.values.at(-1)).toBe(399);
  });
  it('come back after a restart', () => {
    const hub = createLiveHub();
    hub.update([{ meter: '1', message: sampleMessage(1) }]);
    const again = createLiveHub();
    again.restore([hub.get('1') as never]);
    expect(again.get('1')).toEqual(hub.get('1'));
  });
});

import { recurring, toLocal } from '@amiable/calendar';
import { run as machine, step, UnexpectedInput } from '@amiable/fsm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DEFAULT_RETRY,
  dueOccurrences,
  flowRunTable,
  isOpen,
  nextOpen,
  nextTry,
  PRESETS,
  parseWindow,
  printWindow,
  RUN_STATES,
  type RunEffect,
  type RunInput,
  type RunState,
  type TimeWindow,
  takenIn,
  taskRunTable,
} from '../src/index.ts';
import { parseFlow, parseTask } from '../src/schemas.ts';

const ms = (text: string): number => Date.parse(text);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe('retry', () => {
  const rule = { ...DEFAULT_RETRY, tries: 4, pause: MINUTE, factor: 3, longest: 5 * MINUTE, jitter: 0, decay: 2 };
  const failed = { priority: 3, due: 0, expires: 24 * HOUR, now: HOUR, random: 0.5 };

  it('waits longer each time, up to the longest pause, and loses priority down to 0', () => {
    expect([1, 2, 3].map((tries) => nextTry(rule, { ...failed, tries }))).toEqual([
      { again: true, at: HOUR + MINUTE, priority: 1 },
      { again: true, at: HOUR + 3 * MINUTE, priority: 1 },
      { again: true, at: HOUR + 5 * MINUTE, priority: 1 },
    ]);
    expect(nextTry(rule, { ...failed, tries: 1, priority: 1 })).toMatchObject({ priority: 0 });
  });
  it('gives up when tries or time are over', () => {
    expect(nextTry(rule, { ...failed, tries: 4 })).toEqual({ again: false, why: 'tries' });
    expect(nextTry(rule, { ...failed, tries: 1, expires: HOUR + MINUTE })).toEqual({ again: false, why: 'time' });
    expect(nextTry({ ...rule, giveUpAfter: HOUR }, { ...failed, tries: 1 })).toEqual({ again: false, why: 'time' });
  });
  it('spreads the pause by its share, evenly about it', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.integer({ min: 1, max: 3 }), (random, tries) => {
        const next = nextTry({ ...rule, jitter: 0.5 }, { ...failed, tries, random });
        const pause = Math.min(rule.longest, rule.pause * rule.factor ** (tries - 1));
        const at = next.again ? next.at - HOUR : Number.NaN;
        expect(at).toBeGreaterThanOrEqual(pause * 0.75 - 1);
        expect(at).toBeLessThanOrEqual(pause * 1.25 + 1);
      }),
    );
  });
});

describe('windows', () => {
  it('are open by local time, over midnight on the day they begin', () => {
    const night = [parseWindow('fri 22:00-06:00')];
    // 2026-11-20 is a Friday; Oslo is an hour ahead.
    expect(isOpen(night, 'Europe/Oslo', ms('2026-11-20T20:59Z'))).toBe(false);
    expect(isOpen(night, 'Europe/Oslo', ms('2026-11-20T21:00Z'))).toBe(true);
    expect(isOpen(night, 'Europe/Oslo', ms('2026-11-21T04:59Z'))).toBe(true);
    expect(isOpen(night, 'Europe/Oslo', ms('2026-11-21T05:00Z'))).toBe(false);
    expect(nextOpen(night, 'Europe/Oslo', ms('2026-11-21T05:00Z'))).toBe(ms('2026-11-27T21:00Z'));
  });
  it('open after the skipped hour, and both times in the repeated one', () => {
    const early = [parseWindow('02:15-02:45')];
    expect(nextOpen(early, 'Europe/Oslo', ms('2026-03-29T00:00Z'))).toBe(ms('2026-03-30T00:15Z'));
    expect(nextOpen([parseWindow('02:15-03:45')], 'Europe/Oslo', ms('2026-03-29T00:00Z'))).toBe(
      ms('2026-03-29T01:00Z'),
    );
    expect(isOpen(early, 'Europe/Oslo', ms('2026-10-25T00:30Z'))).toBe(true);
    expect(isOpen(early, 'Europe/Oslo', ms('2026-10-25T01:30Z'))).toBe(true);
  });
  it('open next at the first minute at which they are open', () => {
    const window: fc.Arbitrary<TimeWindow> = fc.record(
      {
        days: fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
        from: fc.integer({ min: 0, max: 1439 }),
        to: fc.integer({ min: 0, max: 1440 }),
      },
      { requiredKeys: ['from', 'to'] },
    );
    fc.assert(
      fc.property(
        fc.array(window, { minLength: 1, maxLength: 3 }),
        fc.constantFrom('Europe/Oslo', 'America/Santiago', 'Australia/Lord_Howe', 'UTC'),
        fc.constantFrom('2026-03-28T12:00Z', '2026-10-24T12:00Z', '2026-04-04T12:00Z', '2026-09-05T12:00Z'),
        (windows, zone, start) => {
          let at = ms(start);
          while (at < ms(start) + 48 * HOUR && !isOpen(windows, zone, at)) at += MINUTE;
          const next = nextOpen(windows, zone, ms(start));
          if (isOpen(windows, zone, at)) expect(next).toBe(at);
          else if (next !== undefined) expect(next).toBeGreaterThanOrEqual(at);
        },
      ),
      { numRuns: 60 },
    );
  });
  it('none is always, and one that never opens says so', () => {
    expect(isOpen([], 'UTC', 0)).toBe(true);
    expect(nextOpen([{ days: [], from: 0, to: 60 }], 'UTC', 0)).toBeUndefined();
  });
  it('are written as people write them', () => {
    for (const text of ['22:00-06:00', 'mon,tue 08:00-16:30', '00:00-24:00'])
      expect(printWindow(parseWindow(text))).toBe(text);
    expect(parseWindow('fri-mon 01:00-02:00').days).toEqual([1, 5, 6, 7]);
    for (const text of [
      '',
      '22-06',
      '25:00-26:00',
      '24:00-01:00',
      'someday 01:00-02:00',
      'mon-tue-wed 01:00-02:00',
      'a b 01:00-02:00',
    ])
      expect(() => parseWindow(text), text).toThrow(RangeError);
  });
});

describe('what was missed', () => {
  const hourly = recurring({ recurrence: { type: 'cron', expression: '0 * * * *' }, zone: 'UTC' });
  const from = ms('2026-11-20T00:00Z');
  it.each([
    ['last', [false, false, false, true]],
    ['all', [true, true, true, true]],
    ['none', [false, false, false, false]],
  ] as const)('%s', (missed, run) => {
    expect(dueOccurrences(hourly, from, from + 3 * HOUR + 30 * MINUTE, missed).map((o) => o.run)).toEqual(run);
  });
  it('is not what is only a little late', () => {
    expect(dueOccurrences(hourly, from, from + MINUTE, 'none')).toMatchObject([{ at: from, run: true }]);
  });
  it('of a long time is bounded, the newest kept', () => {
    const due = dueOccurrences(hourly, from, from + 10_000 * HOUR, 'all');
    expect(due).toHaveLength(100);
    expect(due.at(-1)?.at).toBe(from + 10_000 * HOUR);
  });
  it('is nothing when the clock went back', () => {
    expect(dueOccurrences(hourly, from, from - 1, 'all')).toEqual([]);
  });
});

describe('states of runs', () => {
  it('take the same orders in tasks and flows, but for what has no steps', () => {
    expect(takenIn(taskRunTable, 'pause')).toEqual(['waiting', 'running']);
    expect(takenIn(taskRunTable, 'resume')).toEqual(['paused']);
    expect(takenIn(taskRunTable, 'cancel')).toEqual(['waiting', 'running', 'paused']);
    expect(takenIn(flowRunTable, 'pause')).toEqual(['waiting', 'running']);
  });
  it('once ended take nothing any more, by any way', () => {
    const inputs: RunInput['type'][] = ['begin', 'pause', 'resume', 'cancel', 'complete', 'fail'];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...inputs)), fc.constantFrom(taskRunTable, flowRunTable), (list, table) => {
        const closed: string[] = [];
        const one = machine<RunState, RunInput, RunEffect>(table, { type: 'waiting' }, (effect) => closed.push(effect));
        for (const type of list) {
          const ended = ['done', 'failed', 'cancelled'].includes(one.state.type);
          const taken = takenIn(table, type).includes(one.state.type);
          if (taken) one.send({ type });
          else expect(() => step(table, one.state, { type })).toThrow(UnexpectedInput);
          if (ended) expect(taken).toBe(false);
        }
        // The end is told exactly once.
        expect(closed.filter((effect) => effect === 'close')).toHaveLength(
          ['done', 'failed', 'cancelled'].includes(one.state.type) ? 1 : 0,
        );
        expect(RUN_STATES).toContain(one.state.type);
      }),
    );
  });
});

describe('what people write', () => {
  const schedule = { recurrence: { type: 'daily', at: ['00:30', 90] } };
  it('becomes a definition with all that was not said', () => {
    const task = parseTask(
      { kind: 'daily', schedule, windows: ['mon-fri 22:00-06:00'], lifetime: '12h', retry: { tries: 3 } },
      'Europe/Oslo',
    );
    expect(task).toMatchObject({
      kind: 'daily',
      timeZone: 'Europe/Oslo',
      target: {},
      parameters: {},
      priority: 5,
      lifetime: 12 * HOUR,
      missed: 'last',
      enough: 1,
      schedule: { recurrence: { type: 'daily', at: [30, 90] } },
      windows: [{ days: [1, 2, 3, 4, 5], from: 22 * 60, to: 6 * 60 }],
      retry: { ...DEFAULT_RETRY, tries: 3 },
    });
    // What it became can be written again.
    expect(parseTask(task, 'UTC')).toEqual(task);
  });
  it('is taken as each preset has it', () => {
    for (const { definition } of Object.values(PRESETS))
      expect(parseTask(definition, 'Europe/Oslo')).toMatchObject({ kind: definition.kind });
  });
  it.each([
    [{ kind: 'weekly', schedule }, /kind/i],
    [{ kind: 'daily' }, /schedule/],
    [{ kind: 'daily', schedule, priority: 10 }, /priority/],
    [{ kind: 'daily', schedule, parameters: { set: true } }, /set/],
    [{ kind: 'clock', schedule, parameters: { days: 3 } }, /days/],
    [{ kind: 'daily', schedule: { recurrence: { type: 'cron', expression: '61 * * * *' } } }, /minute/],
    [{ kind: 'daily', schedule: { recurrence: { type: 'daily', at: ['24:00'] } } }, /1439|too big|<=/i],
    [{ kind: 'daily', schedule, timeZone: 'Mars' }, /IANA/],
    [{ kind: 'daily', schedule, lifetime: '1s' }, /minute/],
    [{ kind: 'profile', schedule, parameters: { from: 5, to: 5 } }, /not after/],
    [{ kind: 'daily', schedule, target: { meters: [] } }, /meters/],
    [{ kind: 'backup', schedule, parameters: { x: 'y'.repeat(20_000) } }, /16 kB/],
  ])('is refused in words: %j', (input, words) => {
    expect(() => parseTask(input, 'UTC')).toThrow(words);
  });
  it('has no parameters that are nested without end', () => {
    const deep = JSON.parse(`${'['.repeat(500)}${']'.repeat(500)}`) as unknown;
    const deeper = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`) as unknown;
    expect(() => parseTask({ kind: 'backup', schedule, parameters: { deep } }, 'UTC')).not.toThrow();
    expect(() => parseTask({ kind: 'backup', schedule, parameters: { deeper } }, 'UTC')).toThrow(/16 kB/);
  });
  it('may be a flow', () => {
    const flow = parseFlow(
      {
        steps: [
          { name: 'read', task: '1' },
          { name: 'again', task: '1', after: [{ step: 'read' }], meters: { step: 'read' } },
        ],
        schedule,
      },
      'UTC',
    );
    expect(flow.steps[1]).toMatchObject({
      join: 'all',
      after: [{ step: 'read', when: { is: 'done' } }],
      meters: { step: 'read', which: 'failed' },
    });
    expect(parseFlow(flow, 'Europe/Oslo')).toEqual(flow);
  });
  it('as a flow that goes round is refused with the circle', () => {
    const after = (name: string) => [{ step: name }];
    const steps = [
      { name: 'a', task: '1', after: after('c') },
      { name: 'b', task: '1', after: after('a') },
      { name: 'c', task: '1', after: after('b') },
    ];
    expect(() => parseFlow({ steps, schedule }, 'UTC')).toThrow('a → b → c → a');
  });
});

it('local time of tests is what they think', () => {
  expect(toLocal('Europe/Oslo', ms('2026-11-20T21:00Z'))).toBe(ms('2026-11-20T22:00Z'));
});

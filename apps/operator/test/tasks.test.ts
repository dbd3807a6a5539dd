import { PRESETS } from '@amiable/tasks';
import { parseTask } from '@amiable/tasks/schemas';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../src/action.ts';
import { inWords, targetInWords } from '../src/tasks/shapes.ts';
import { definitionOf, parametersOf, recurrenceOf, type TaskWords } from '../src/tasks/words.ts';

describe('when', () => {
  test.each([
    [{ every: 'day', at: ['00:30'] }, { type: 'daily', at: [30] }, 'every day 00:30'],
    [{ every: 'day', at: ['06:00,18:00'] }, { type: 'daily', at: [360, 1080] }, 'every day 06:00, 18:00'],
    [
      { every: 'weekday', at: ['7:05'] },
      { type: 'weekly', days: [1, 2, 3, 4, 5], at: [425] },
      'mon, tue, wed, thu, fri 07:05',
    ],
    [
      { every: 'week', on: ['tue', 'Sunday'], at: ['02:00'] },
      { type: 'weekly', days: [2, 7], at: [120] },
      'tue, sun 02:00',
    ],
    [{ every: 'friday' }, { type: 'weekly', days: [5], at: [30] }, 'fri 00:30'],
    [{ every: 'month' }, { type: 'monthly', on: [{ day: 1 }], at: [30] }, 'monthly day 1 00:30'],
    [
      { every: 'month', on: ['last', '2nd tue', 'last fri', 'workday 3', 'last workday', '-2'], at: ['01:00'] },
      {
        type: 'monthly',
        on: [
          { day: -1 },
          { nth: 2, weekday: 2 },
          { nth: -1, weekday: 5 },
          { workday: 3 },
          { workday: -1 },
          { day: -2 },
        ],
        at: [60],
      },
      'monthly last day, 2. tue, last fri, working day 3, last working day, 2 days from the end 01:00',
    ],
    [{ every: 'hour', at: ['00:20'] }, { type: 'cron', expression: '20 * * * *' }, 'cron 20 * * * *'],
    [{ every: '6h' }, { type: 'cron', expression: '0 */6 * * *' }, 'cron 0 */6 * * *'],
    [{ every: '15m' }, { type: 'cron', expression: '*/15 * * * *' }, 'cron */15 * * * *'],
    [{ cron: '5 4 * * 1' }, { type: 'cron', expression: '5 4 * * 1' }, 'cron 5 4 * * 1'],
    [{ once: '2026-12-01 06:00' }, { type: 'once', at: '2026-12-01T06:00' }, 'once 2026-12-01 06:00'],
    [{ order: true }, { type: 'order' }, 'on order'],
  ] as const)('%j', (words, recurrence, text) => {
    expect(recurrenceOf(words)).toEqual(recurrence);
    expect(inWords(recurrence as never)).toBe(text);
  });
  test.each([
    { every: 'day', cron: '* * * * *' },
    { every: 'fortnight' },
    { every: '7h' },
    { every: 'day', on: ['mon'] },
    { every: 'week', on: ['13'] },
    { every: 'month', on: ['someday'] },
    { every: 'day', at: ['25:00'] },
    { at: ['00:30'] },
  ] as const)('%j is refused', (words) => {
    expect(() => recurrenceOf(words)).toThrow(UsageError);
  });
});

describe('a task', () => {
  test('is as its preset but for what is said, and the server takes it', () => {
    const words: TaskWords = {
      group: 'households',
      window: ['mon-fri 22:00-06:00'],
      tries: '8',
      pause: '2m',
      enough: '98%',
      where: ['x.district=West', 'serial^69', 'fuse>=63'],
      type: ['E450'],
      param: ['days=3', 'registers=1-0:1.8.0,1-0:2.8.0'],
    };
    const definition = definitionOf('profile', words);
    expect(definition).toMatchObject({
      priority: PRESETS.profile.definition.priority,
      enough: 0.98,
      parameters: { days: 3, registers: ['1-0:1.8.0', '1-0:2.8.0'] },
      target: {
        group: 'households',
        types: ['E450'],
        where: [
          { attribute: 'x.district', is: '=', value: 'West' },
          { attribute: 'serial', is: 'begins', value: '69' },
          { attribute: 'fuse', is: '>=', value: 63 },
        ],
      },
    });
    expect(parseTask(definition, 'Europe/Oslo')).toMatchObject({ retry: { tries: 8, pause: 120_000, factor: 2 } });
    expect(targetInWords({ group: 'a', types: ['b', 'c'] })).toBe('group a; types b, c');
    expect(targetInWords({})).toBe('all meters');
  });
  test('changes only in what is said', () => {
    const before = parseTask(definitionOf('daily', { group: 'a', meter: ['1,2'] }), 'Europe/Oslo');
    const after = parseTask(definitionOf('daily', { priority: '9' }, before as never), 'UTC');
    expect(after).toEqual({ ...before, priority: 9 });
  });
  test.each([
    ['nothing', {}],
    ['backup', {}],
    ['daily', { priority: 'high' }],
    ['daily', { window: ['always'] }],
    ['daily', { where: ['serial'] }],
    ['daily', { enough: '140%' }],
  ] as const)('%s %j is refused', (kind, words) => {
    expect(() => definitionOf(kind, words)).toThrow(UsageError);
  });
  test('has parameters of their kinds', () => {
    expect(parametersOf(['set=true', 'profile=load', 'from=1795000000000'])).toEqual({
      set: true,
      profile: 'load',
      from: 1795000000000,
    });
    expect(() => parametersOf(['x'])).toThrow(UsageError);
  });
});

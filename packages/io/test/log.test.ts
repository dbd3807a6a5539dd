import { describe, expect, it } from 'vitest';
import { createLog } from '../src/log.ts';

const AT = Date.UTC(2026, 0, 31, 12, 0, 5);
function lines(form: 'text' | 'json') {
  const out: string[] = [];
  return { out, log: createLog({ form, write: (text) => out.push(text), now: () => AT, fields: { role: 'worker' } }) };
}

describe('the log', () => {
  it('is read by people', () => {
    const { log, out } = lines('text');
    log('it runs');
    log.of('jobs').warning('two\nlines', { tries: 3, why: 'a "b"' });
    expect(out).toEqual([
      '12:00:05 it runs\n',
      '12:00:05 warning: jobs: two\n         lines tries=3 why="a \\"b\\""\n',
    ]);
  });

  it('is read by programs: one object a line, whatever stands in it', () => {
    const { log, out } = lines('json');
    log.of('jobs').error('a\nb "c"', { code: 7, none: undefined });
    expect(out[0]?.split('\n')).toHaveLength(2);
    expect(JSON.parse(out[0] as string)).toEqual({
      time: '2026-01-31T12:00:05.000Z',
      level: 'error',
      part: 'jobs',
      message: 'a\nb "c"',
      role: 'worker',
      code: 7,
    });
  });

  it('is bounded by line', () => {
    const { log, out } = lines('json');
    log('x'.repeat(100_000));
    expect((out[0] as string).length).toBeLessThan(9000);
  });
});

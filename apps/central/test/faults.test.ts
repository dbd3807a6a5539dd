import { describe, expect, it } from 'vitest';
import { createFaultLog } from '../src/http/faults.ts';

describe('the log of faults', () => {
  it('tells a fault in full once, then counts', () => {
    const lines: string[] = [];
    let now = 0;
    const faults = createFaultLog(
      (line) => lines.push(line),
      () => now,
    );
    const error = new Error('broken');
    for (let i = 0; i < 5; i++) faults.tell('GET', '/a', error);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('faults.test.ts');
    now = 61_000;
    faults.tell('GET', '/a', error);
    faults.tell('GET', '/b', error);
    expect(lines[1]).toBe('http: GET /a: broken (5 times more)');
    expect(lines[2]).toContain('GET /b');
  });
});

import { describe, expect, it } from 'vitest';
import { run, step, type Table, UnexpectedInput } from '../src/index.ts';

type State = { type: 'closed' } | { type: 'open'; passed: number };
type Input = { type: 'coin' } | { type: 'push' };
const turnstile: Table<State, Input, string> = {
  closed: { coin: () => ({ state: { type: 'open', passed: 0 }, effects: ['unlock'] }) },
  open: {
    push: (s) => ({ state: { type: 'closed' }, effects: [`passed ${s.passed + 1}`] }),
    coin: (s) => ({ state: { ...s, passed: s.passed }, effects: ['return coin'] }),
  },
};

describe('fsm', () => {
  it('steps purely', () => {
    expect(step(turnstile, { type: 'closed' }, { type: 'coin' })).toEqual({
      state: { type: 'open', passed: 0 },
      effects: ['unlock'],
    });
  });
  it('names state and input when the table has no entry', () => {
    expect(() => step(turnstile, { type: 'closed' }, { type: 'push' })).toThrow(UnexpectedInput);
    expect(() => step(turnstile, { type: 'closed' }, { type: 'push' })).toThrow('push is not expected in state closed');
  });
  it('lets effects send inputs without nesting steps', () => {
    const seen: string[] = [];
    const machine = run(turnstile, { type: 'closed' } as State, (effect) => {
      seen.push(`${effect} in ${machine.state.type}`);
      if (effect === 'unlock') machine.send({ type: 'push' });
    });
    machine.send({ type: 'coin' });
    expect(seen).toEqual(['unlock in open', 'passed 1 in closed']);
    expect(machine.state).toEqual({ type: 'closed' });
  });
});

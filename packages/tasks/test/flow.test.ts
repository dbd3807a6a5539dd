import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  advance,
  type FlowCondition,
  type FlowStep,
  findCycle,
  flowFaults,
  groupsOf,
  holds,
  type StepFact,
} from '../src/index.ts';

const one = (name: string, more: Partial<FlowStep> = {}): FlowStep => ({
  name,
  task: '1',
  after: [],
  join: 'all',
  ...more,
});
const after = (step: string, when: FlowCondition = { is: 'done' }) => ({ step, when });
const fact = (state: StepFact['state'], total = 10, done = state === 'done' ? total : 0): StepFact => ({
  state,
  total,
  done,
  failed: total - done,
});
const facts = (map: Record<string, StepFact>) => new Map(Object.entries(map));
const none = new Map<string, number>();

describe('a flow', () => {
  const steps = [
    one('read'),
    one('again', {
      after: [after('read', { share: 'failed', is: '>', value: 0 })],
      meters: { step: 'read', which: 'failed' },
    }),
    one('check', { after: [after('read', { is: 'ended' }), after('again', { is: 'ended' })], join: 'any' }),
    one('alarm', { after: [after('again', { count: 'failed', is: '>=', value: 5 })] }),
  ];
  it('goes on by what came of its steps', () => {
    expect(advance(steps, none as never, none)).toEqual({ begin: ['read'], skip: [] });
    expect(advance(steps, facts({ read: fact('running') }), none)).toEqual({ begin: [], skip: [] });
    const well = facts({ read: fact('done') });
    expect(advance(steps, well, none)).toEqual({ begin: ['check'], skip: ['again', 'alarm'] });
    const bad = facts({ read: fact('failed', 10, 4) });
    expect(advance(steps, bad, none)).toEqual({ begin: ['again', 'check'], skip: [] });
  });
  it('has failed when a failure led nowhere', () => {
    const lists = { read: fact('failed', 10, 4), again: fact('failed', 6, 3), check: fact('done') };
    expect(advance(steps, facts({ ...lists, alarm: fact('skipped') }), none)).toMatchObject({ ended: 'failed' });
    const foreseen = { ...lists, again: fact('failed', 6, 0), alarm: fact('done') };
    expect(advance(steps, facts(foreseen), none)).toMatchObject({ begin: [], ended: 'done' });
  });
  it('asks for the sizes of groups, such as validation fills', () => {
    const list = [
      one('validate'),
      one('repair', {
        after: [after('validate', { group: 'suspicious', is: '>', value: 0 })],
        meters: { group: 'suspicious' },
      }),
    ];
    expect(groupsOf(list)).toEqual(['suspicious']);
    const done = facts({ validate: fact('done') });
    expect(advance(list, done, new Map([['suspicious', 3]]))).toMatchObject({ begin: ['repair'] });
    expect(advance(list, done, new Map([['suspicious', 0]]))).toEqual({ begin: [], skip: ['repair'], ended: 'done' });
  });
  it.each([
    [{ is: 'done' }, true, false, false],
    [{ is: 'failed' }, false, true, true],
    [{ is: 'ended' }, true, true, true],
    [{ share: 'done', is: '>=', value: 0.5 }, true, true, false],
    [{ share: 'failed', is: '>', value: 0 }, false, true, true],
    [{ count: 'total', is: '=', value: 10 }, true, true, true],
    [{ count: 'done', is: '<', value: 10 }, false, true, true],
  ] as const)('%j of all, some and none done', (condition, all, some, nobody) => {
    expect([
      holds(condition, fact('done'), none),
      holds(condition, fact('failed', 10, 6), none),
      holds(condition, fact('cancelled', 10, 0), none),
    ]).toEqual([all, some, nobody]);
  });
  it('of no meters has all done and none failed', () => {
    expect(holds({ share: 'done', is: '=', value: 1 }, fact('done', 0), none)).toBe(true);
    expect(holds({ share: 'failed', is: '>', value: 0 }, fact('done', 0), none)).toBe(false);
  });
});

describe('what cannot run', () => {
  it.each([
    [[], /at least one/],
    [[one('a'), one('a')], /two steps are called a/],
    [[one('a', { after: [after('b')] })], /follows b, which is no step/],
    [[one('a', { after: [after('a')] })], /a → a/],
    [[one('a', { after: [after('b')] }), one('b', { after: [after('a')] })], /a → b → a/],
    [[one('a', { meters: { step: 'b', which: 'all' } }), one('b', { after: [after('a')] })], /→/],
    [[one('a'), one('b', { after: [after('a'), after('a', { is: 'failed' })] })], /follows a twice/],
  ] as const)('is told %#', (steps, words) => {
    expect(flowFaults(steps).join('; ')).toMatch(words);
  });
});

/** Steps 0 … n-1; each may follow earlier ones only, so there is no circle. */
const graph = fc.array(
  fc.record({
    after: fc.array(
      fc.tuple(
        fc.nat(9),
        fc.constantFrom<FlowCondition>(
          { is: 'done' },
          { is: 'failed' },
          { is: 'ended' },
          { share: 'done', is: '>=', value: 0.5 },
        ),
      ),
      { maxLength: 3 },
    ),
    join: fc.constantFrom('all' as const, 'any' as const),
    outcome: fc.constantFrom<StepFact>(
      fact('done'),
      fact('failed', 10, 6),
      fact('failed', 10, 0),
      fact('cancelled', 10, 5),
      fact('done', 0),
    ),
  }),
  { minLength: 1, maxLength: 8 },
);

describe('any flow without a circle', () => {
  it('ends, each step once, whatever the order in which steps end', () => {
    fc.assert(
      fc.property(graph, fc.infiniteStream(fc.nat(20)), (nodes, chance) => {
        const steps = nodes.map((node, i) => {
          const links = new Map(node.after.filter(([to]) => to < i).map(([to, when]) => [to, when]));
          return one(`s${i}`, { after: [...links].map(([to, when]) => after(`s${to}`, when)), join: node.join });
        });
        expect(flowFaults(steps)).toEqual([]);
        const known = new Map<string, StepFact>();
        const running: string[] = [];
        const begun: string[] = [];
        let ended: string | undefined;
        for (let turn = 0; ended === undefined && turn < 100; turn++) {
          const next = advance(steps, known, none);
          for (const name of next.skip) known.set(name, { state: 'skipped', total: 0, done: 0, failed: 0 });
          for (const name of next.begin) {
            expect(begun).not.toContain(name);
            begun.push(name);
            running.push(name);
            known.set(name, fact('running'));
          }
          ended = next.ended;
          if (ended === undefined) {
            expect(running.length, 'it stands still').toBeGreaterThan(0);
            const [name] = running.splice((chance.next().value as number) % running.length, 1) as [string];
            known.set(name, nodes[Number(name.slice(1))]?.outcome as StepFact);
          }
        }
        expect(ended).toBeDefined();
        // Which steps ran follows from the outcomes alone: worked out front to back.
        const ran = new Map<string, boolean>();
        for (const step of steps) {
          const links = step.after.map(
            (link) =>
              ran.get(link.step) === true &&
              holds(link.when, nodes[Number(link.step.slice(1))]?.outcome as StepFact, none),
          );
          ran.set(step.name, links.length === 0 || (step.join === 'all' ? links.every(Boolean) : links.some(Boolean)));
        }
        expect([...begun].sort()).toEqual([...ran].flatMap(([name, did]) => (did ? [name] : [])).sort());
      }),
      { numRuns: 200 },
    );
  });
  it('and one with a back edge is refused', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 20 }), fc.nat(), fc.nat(), (n, a, b) => {
        const from = a % n;
        const to = b % (from + 1);
        const steps = Array.from({ length: n }, (_, i) => one(`s${i}`, { after: i > 0 ? [after(`s${i - 1}`)] : [] }));
        steps[to] = { ...(steps[to] as FlowStep), after: [...(steps[to] as FlowStep).after, after(`s${from}`)] };
        const cycle = findCycle(steps);
        expect(cycle?.[0]).toBe(cycle?.at(-1));
        expect(new Set(cycle)).toEqual(new Set(Array.from({ length: from - to + 1 }, (_, i) => `s${to + i}`)));
      }),
    );
  });
});

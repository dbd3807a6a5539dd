/** How rates are measured. */

/** One round; gives how many things it did. */
export type Work = () => number;

const ROUND_MS = 10;

/**
 * Best rate of many short rounds, a second, turn and turn about: what else runs on the machine only makes a round slower, and the
 * best rounds are those that it left alone.
 */
export function best(works: readonly Work[], rounds: number): number[] {
  const fastest = works.map(() => 0);
  for (let r = 0; r < rounds; r++)
    for (const [i, work] of works.entries()) {
      let n = 0;
      const start = performance.now();
      let took = 0;
      do {
        n += work();
        took = performance.now() - start;
      } while (took < ROUND_MS);
      fastest[i] = Math.max(fastest[i] as number, (n / took) * 1000);
    }
  return fastest;
}

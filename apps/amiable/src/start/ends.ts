/** Ends, in the order in which they were begun; carried out backwards, each whatever became of the others. */
export interface Ends {
  /** @throws Error when the end has come already: what was begun too late is ended at once, and nothing more is begun */
  add(end: () => Promise<unknown> | unknown): void;
  run(): Promise<void>;
}

export function createEnds(log: (line: string) => void): Ends {
  const ends: (() => Promise<unknown> | unknown)[] = [];
  let ended = false;
  return {
    add(end) {
      ends.push(end);
      if (ended) throw new Error('it is being ended');
    },
    async run() {
      ended = true;
      for (const end of ends.splice(0).reverse()) {
        try {
          await end();
        } catch (error) {
          log(`at the end: ${(error as Error).message}`);
        }
      }
    },
  };
}

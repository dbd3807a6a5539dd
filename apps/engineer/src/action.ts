/** What every subcommand of the engineer does around its work: a terminal, and the exit code of what comes out. */

import type { Terminal } from '@amiable/io/terminal';
import type { Command } from 'commander';

/** Options as they were written. */
type Given = Readonly<Record<string, unknown>>;
export type Run = (terminal: Terminal, words: readonly string[], given: Given) => Promise<void>;

/**
 * Runs, and turns what comes out into the exit code.
 * @param name stands before what wrong usage is told in
 */
export function action(command: Command, run: Run, name = 'amiable'): void {
  command.action(async (...passed: unknown[]) => {
    const words = passed
      .slice(0, -2)
      .flat()
      .filter((word): word is string => typeof word === 'string');
    const { processTerminal } = await import('@amiable/io/terminal');
    const terminal = processTerminal();
    try {
      await run(terminal, words, passed.at(-2) as Given);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (error.name === 'UsageError') {
        process.stderr.write(`${name}: ${error.message}\n`);
        process.exitCode = 2;
      } else if (error.name === 'Failed') process.exitCode = (error as Error & { exitCode: number }).exitCode;
      else throw error;
    } finally {
      terminal.release();
    }
  });
}

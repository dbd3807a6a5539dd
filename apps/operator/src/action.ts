/**
 * What every subcommand does around its work: options that all have, a client, a terminal, and the exit code of what comes out
 * (0 done, 1 failed or refused, 2 wrong use, 130 stopped).
 */
import { processTerminal, type Terminal } from '@amiable/io/terminal';
import type { Command } from 'commander';
import { ApiError, type Client, createClient } from './client.ts';

/** The call cannot be meant so; said before anything is asked of the server. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Ends with this exit code; what there is to say has been said. */
export class Ended extends Error {
  override readonly name = 'Ended';
  readonly code: number;
  constructor(code: number) {
    super(`ended with ${code}`);
    this.code = code;
  }
}

export interface Job<O> {
  readonly client: Client;
  readonly terminal: Terminal;
  /** The words after the command. */
  readonly words: readonly string[];
  readonly options: O & CommonOptions;
}

export interface CommonOptions {
  readonly url?: string;
  readonly json?: boolean;
}

/** `--url` and `--json`, and the work of the command. Call it last, after its own options. */
export function action<O extends object = object>(command: Command, work: (job: Job<O>) => Promise<void>): Command {
  return command
    .option(
      '--url <address>',
      'the central system (default: AMIABLE_URL, else the last log-in, else http://localhost:8080)',
    )
    .option('--json', 'one JSON object a line, for programs')
    .action(async (...passed: unknown[]) => {
      const words = passed
        .slice(0, -2)
        .flat()
        .filter((word): word is string => typeof word === 'string');
      const options = passed.at(-2) as O & CommonOptions;
      const terminal = processTerminal();
      try {
        await work({
          client: createClient(options.url === undefined ? {} : { url: options.url }),
          terminal,
          words,
          options,
        });
      } catch (error) {
        process.exitCode = exitOf(error, terminal);
      } finally {
        terminal.release();
      }
    });
}

function exitOf(error: unknown, terminal: Terminal): number {
  if (error instanceof Ended) return error.code;
  if (terminal.signal.aborted) {
    terminal.err('amiable: stopped.\n');
    return 130;
  }
  if (error instanceof UsageError) {
    terminal.err(`amiable: ${error.message}\n`);
    return 2;
  }
  if (!(error instanceof ApiError)) throw error;
  terminal.err(`amiable: ${error.message}\n`);
  return 1;
}

/** A terminal that remembers, and the outcome of a run as the shell would see it. */
import { systemClock } from '@amiable/io';
import type { Terminal } from '@amiable/io/terminal';

export interface Ran {
  readonly out: string;
  readonly err: string;
  readonly code: number;
}

export interface Machine extends Terminal {
  readonly text: { out: string; err: string };
  stop(): void;
}

export function machine(options: { answer?: boolean; watched?: boolean; now?: number } = {}): Machine {
  const text = { out: '', err: '' };
  const ending = new AbortController();
  return {
    text,
    stop: () => ending.abort(),
    out: (s) => {
      text.out += s;
    },
    err: (s) => {
      text.err += s;
    },
    interactive: options.answer !== undefined,
    watched: options.watched ?? false,
    columns: undefined,
    ask: async (question) => {
      text.err += question;
      return options.answer ?? false;
    },
    clock: options.now === undefined ? systemClock : { ...systemClock, now: () => options.now as number },
    signal: ending.signal,
  };
}

/** Exit codes as command.ts gives them. */
export async function ran(terminal: Machine, run: (terminal: Terminal) => Promise<void>): Promise<Ran> {
  let code = 0;
  try {
    await run(terminal);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (error.name === 'UsageError') {
      terminal.err(`${error.message}\n`);
      code = 2;
    } else if (error.name === 'Failed') code = (error as Error & { exitCode: number }).exitCode;
    else {
      terminal.err(`${error.message}\n`);
      code = 1;
    }
  }
  return { out: terminal.text.out, err: terminal.text.err, code };
}

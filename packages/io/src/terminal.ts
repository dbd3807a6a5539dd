/**
 * Where the command's words go. Results go to stdout and nothing else does; everything about how it went goes to stderr,
 * and a line of progress only where a person looks on.
 */
import { createInterface } from 'node:readline/promises';
import { type Clock, systemClock } from './clock.ts';

export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Somebody can be asked. */
  readonly interactive: boolean;
  /** Somebody sees stderr as it comes. */
  readonly watched: boolean;
  /** Width of stdout where it is a terminal. */
  readonly columns: number | undefined;
  /** @returns whether the answer was yes */
  ask(question: string): Promise<boolean>;
  readonly clock: Clock;
  /** Aborted when the user wants an end. */
  readonly signal: AbortSignal;
}

/** The real one; `release` takes the signal handlers away again. */
export function processTerminal(): Terminal & { release(): void } {
  const ending = new AbortController();
  let asked = 0;
  const end = () => {
    asked++;
    // The second time the user means now.
    if (asked > 1) process.exit(130);
    ending.abort();
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    interactive: process.stdin.isTTY === true && process.stderr.isTTY === true,
    // A dumb terminal cannot take a line back.
    watched: process.stderr.isTTY === true && process.env.TERM !== 'dumb',
    // A terminal that does not know its size says 0.
    columns: (process.stdout.isTTY && process.stdout.columns) || undefined,
    async ask(question) {
      const lines = createInterface({ input: process.stdin, output: process.stderr });
      try {
        const answer = await lines.question(question, { signal: ending.signal });
        return /^y(es)?$/i.test(answer.trim());
      } catch {
        return false;
      } finally {
        lines.close();
      }
    },
    clock: systemClock,
    signal: ending.signal,
    release() {
      process.off('SIGINT', end);
      process.off('SIGTERM', end);
    },
  };
}

/** One line on stderr that is overwritten, at most ten times a second. */
export interface Progress {
  show(text: string): void;
  /** To be called before anything else is written. */
  clear(): void;
}

const SPINNER = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏';
const PAUSE = 100;

export function createProgress(terminal: Terminal, on: boolean): Progress {
  if (!on || !terminal.watched) return { show() {}, clear() {} };
  let shown = false;
  let last = 0;
  let turn = 0;
  return {
    show(text) {
      const now = terminal.clock.now();
      if (shown && now - last < PAUSE) return;
      last = now;
      shown = true;
      terminal.err(`\r\x1b[K${SPINNER[turn++ % SPINNER.length]} ${text}`);
    },
    clear() {
      if (shown) terminal.err('\r\x1b[K');
      shown = false;
    },
  };
}

/** Characters that would move the cursor or colour the screen, made visible: meters send what they like. */
export function harmless(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that are meant
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** Columns side by side, each as wide as its widest cell; `right` names those that are set flush right. */
export function table(
  rows: readonly (readonly string[])[],
  options: { readonly right?: readonly number[] } = {},
): string {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  return rows
    .map((row) =>
      row
        .map((cell, i) => {
          const width = widths[i] as number;
          if (options.right?.includes(i)) return cell.padStart(width);
          return i === row.length - 1 ? cell : cell.padEnd(width);
        })
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

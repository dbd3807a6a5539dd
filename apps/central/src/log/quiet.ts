/**
 * A log for what others can cause as often as they like: of each kind the first lines of a minute are told, the rest
 * counted, so that nobody fills a disk from outside. What came from outside is told without control characters, so that
 * nobody writes lines of their own into the log or escapes into a terminal.
 */
const WINDOW = 60_000;
const LINES = 5;
const LONGEST = 500;

/** Kinds are few and fixed by the caller; what came from outside belongs into the line. */
export type QuietLog = (kind: string, line: string) => void;

export const printable = (text: string): string => {
  const plain = text.replace(/[\p{Cc}\p{Cs}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{fffd}');
  return plain.length > LONGEST ? `${plain.slice(0, LONGEST)}…` : plain;
};

export function createQuietLog(log: (line: string) => void, now: () => number = Date.now): QuietLog {
  const kinds = new Map<string, { since: number; told: number; held: number }>();
  return (kind, line) => {
    const at = now();
    let state = kinds.get(kind);
    if (!state || at - state.since >= WINDOW) {
      if (state && state.held > 0) log(`${kind}: ${state.held} more such lines were not told`);
      state = { since: at, told: 0, held: 0 };
      kinds.set(kind, state);
    }
    if (state.told >= LINES) {
      state.held++;
      return;
    }
    state.told++;
    log(`${kind}: ${printable(line)}`);
  };
}

/**
 * The life of the embedded server as one table. It decides when a server that ended is started again and when to give
 * up: more than `maxRestarts` ends within `window` mean that starting again does not help. Carrying out is the
 * supervisor's part. A full disk is waited out without counting: somebody has to free space, and then the work goes on.
 */
import type { Step, Table } from '@amiable/fsm';
import type { TroubleKind } from './trouble.ts';

export const maxRestarts = 5;
export const windowMs = 60_000;
export const fullDiskMs = 2_000;

/** Times (ms) of the ends that count against the limit. */
type Ends = readonly number[];

export type ServerState =
  /** The first start: a server that does not come up has a cause that somebody must mend. */
  | { type: 'opening' }
  /** `said`: what was told last, which is not told again while it stays the same. */
  | { type: 'starting'; ends: Ends; said: string }
  | { type: 'running'; ends: Ends }
  | { type: 'waiting'; ends: Ends; said: string }
  | { type: 'stopping' }
  | { type: 'stopped' }
  | { type: 'failed'; reason: Error };

export type ServerInput =
  | { type: 'ready' }
  | { type: 'ended'; at: number; reason: Error; kind: TroubleKind }
  | { type: 'due' }
  | { type: 'stop' };

export type ServerEffect =
  | { do: 'launch' }
  | { do: 'wait'; ms: number }
  | { do: 'cancelWait' }
  | { do: 'shutDown' }
  | { do: 'tell'; text: string }
  | { do: 'opened' }
  | { do: 'closed' }
  | { do: 'giveUp'; reason: Error };

type Made = Step<ServerState, ServerEffect>;

const giveUp = (reason: Error): Made => ({ state: { type: 'failed', reason }, effects: [{ do: 'giveUp', reason }] });

function startAgain(ends: Ends, { at, reason, kind }: Extract<ServerInput, { type: 'ended' }>, said = ''): Made {
  const recent = kind === 'full' ? ends : [...ends.filter((t) => at - t < windowMs), at];
  if (kind === 'hopeless' || recent.length > maxRestarts) return giveUp(reason);
  // The first time at once, since a crashed server is best replaced immediately; then slower and slower.
  const ms = kind === 'full' ? fullDiskMs : recent.length === 1 ? 0 : 100 * 2 ** recent.length;
  const again = kind === 'full' ? 'It is tried again every 2 s.' : `Starting it again${ms > 0 ? ` in ${ms} ms` : ''}.`;
  const text = `${reason.message} ${again}`;
  return {
    state: { type: 'waiting', ends: recent, said: text },
    effects: [...(text === said ? [] : [{ do: 'tell', text } as const]), { do: 'wait', ms }],
  };
}

const stay = <S extends ServerState>(state: S): Made => ({ state, effects: [] });
const shutDown = (): Made => ({ state: { type: 'stopping' }, effects: [{ do: 'shutDown' }] });
const closed = (): Made => ({ state: { type: 'stopped' }, effects: [{ do: 'closed' }] });

export const serverTable: Table<ServerState, ServerInput, ServerEffect> = {
  opening: {
    ready: () => ({ state: { type: 'running', ends: [] }, effects: [{ do: 'opened' }] }),
    ended: (_, { reason }) => giveUp(reason),
    stop: shutDown,
  },
  starting: {
    ready: (s) => ({ state: { type: 'running', ends: s.ends }, effects: [{ do: 'opened' }] }),
    ended: (s, input) => startAgain(s.ends, input, s.said),
    stop: shutDown,
  },
  running: {
    ended: (s, input) => startAgain(s.ends, input),
    stop: shutDown,
  },
  waiting: {
    due: (s) => ({ state: { type: 'starting', ends: s.ends, said: s.said }, effects: [{ do: 'launch' }] }),
    stop: () => ({ state: { type: 'stopped' }, effects: [{ do: 'cancelWait' }, { do: 'closed' }] }),
  },
  stopping: {
    ready: stay,
    stop: stay,
    ended: closed,
  },
  stopped: { stop: closed, ended: stay, ready: stay },
  failed: { stop: closed, ended: stay, ready: stay },
};

/**
 * State machines of links and sessions: one table, (state, input) gives the next state and the effects to carry out.
 * The machine itself does nothing; the caller performs the effects and feeds their results back as inputs. An input
 * that the table does not expect in a state is a programming fault of the caller, or a peer's misbehaviour, and is
 * told with both names.
 */

/** What a transition yields. */
export interface Step<S, E> {
  readonly state: S;
  readonly effects: readonly E[];
}

type Tagged = { readonly type: string };

/** For each state and each input it expects: the transition. */
export type Table<S extends Tagged, I extends Tagged, E> = {
  readonly [K in S['type']]: {
    readonly [J in I['type']]?: (state: Extract<S, { type: K }>, input: Extract<I, { type: J }>) => Step<S, E>;
  };
};

export class UnexpectedInput extends Error {
  override readonly name = 'UnexpectedInput';
  readonly state: string;
  readonly input: string;
  constructor(state: string, input: string) {
    super(`${input} is not expected in state ${state}`);
    this.state = state;
    this.input = input;
  }
}

/** One step. @throws UnexpectedInput when the table has no entry. */
export function step<S extends Tagged, I extends Tagged, E>(table: Table<S, I, E>, state: S, input: I): Step<S, E> {
  const row = table[state.type as S['type']] as Record<string, ((s: S, i: I) => Step<S, E>) | undefined>;
  const transition = Object.hasOwn(row, input.type) ? row[input.type] : undefined;
  if (!transition) throw new UnexpectedInput(state.type, input.type);
  return transition(state, input);
}

export interface Machine<S, I> {
  readonly state: S;
  send(input: I): void;
}

/**
 * Runs a table: keeps the state and hands every effect to `perform`. Inputs that `perform` sends while a step is under
 * way wait until it is done.
 */
export function run<S extends Tagged, I extends Tagged, E>(
  table: Table<S, I, E>,
  initial: S,
  perform: (effect: E) => void,
): Machine<S, I> {
  let state = initial;
  let busy = false;
  const queue: I[] = [];
  return {
    get state() {
      return state;
    },
    send(input) {
      queue.push(input);
      if (busy) return;
      busy = true;
      try {
        for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
          const result = step(table, state, next);
          state = result.state;
          for (const effect of result.effects) perform(effect);
        }
      } finally {
        busy = false;
      }
    },
  };
}

/** The other end of a recorded exchange, in both roles: it says what was recorded, and holds us to what we said then. */
import { fromHex, toHex } from '@amiable/bytes';
import type { Connection, SessionLink } from '@amiable/meter';

export interface Replay {
  /** What we said otherwise than recorded: frame, expected, said. Undefined while all is as it was. */
  readonly difference: string | undefined;
  /** Frames of the recording that were not reached. */
  readonly left: number;
}

/** The server of the recording: answers when our client has said all that stands before the answer. */
export function recordedServer(frames: readonly string[]): Replay & { readonly link: SessionLink } {
  const script = new Script(frames, '>');
  let events: Parameters<SessionLink['open']>[0] | undefined;
  const answer = (): void => {
    for (let bytes = script.theirs(); bytes; bytes = script.theirs()) events?.data(bytes);
  };
  const link: SessionLink = {
    describe: 'recording',
    async open(given) {
      events = given;
      answer();
    },
    async write(bytes) {
      if (script.ours(bytes)) queueMicrotask(answer);
    },
    async close() {},
  };
  return view(script, { link });
}

/** The client of the recording: feeds a server connection, whose answers are compared. */
export function recordedClient(frames: readonly string[]): Replay & {
  readonly connection: Connection;
  run(events: { data(bytes: Uint8Array): void }): void;
} {
  const script = new Script(frames, '<');
  return view(script, {
    connection: { write: (bytes: Uint8Array) => void script.ours(bytes), close() {} },
    run(events: { data(bytes: Uint8Array): void }) {
      for (let bytes = script.theirs(); bytes; bytes = script.theirs()) events.data(bytes);
    },
  });
}

function view<T extends object>(script: Script, more: T): Replay & T {
  return Object.defineProperties(more, {
    difference: { get: () => script.difference },
    left: { get: () => script.left },
  }) as Replay & T;
}

class Script {
  difference: string | undefined;
  readonly #frames: readonly string[];
  readonly #us: string;
  #at = 0;
  /** What we said of the frame that is due. */
  #said = '';

  constructor(frames: readonly string[], us: string) {
    this.#frames = frames;
    this.#us = us;
  }

  get left(): number {
    return this.#frames.length - this.#at;
  }

  /** The next frame of the other end, if it is its turn. */
  theirs(): Uint8Array | undefined {
    const line = this.#frames[this.#at];
    if (this.difference || !line || line.startsWith(this.#us)) return undefined;
    this.#at++;
    return fromHex(line.slice(2));
  }

  /** @returns whether it is the other end's turn now */
  ours(bytes: Uint8Array): boolean {
    this.#said += toHex(bytes);
    while (this.#said && !this.difference) {
      const line = this.#frames[this.#at];
      const due = line?.startsWith(this.#us) ? line.slice(2) : '';
      if (due && this.#said.startsWith(due)) {
        this.#said = this.#said.slice(due.length);
        this.#at++;
      } else if (due.startsWith(this.#said) && due) return false;
      else this.difference = `frame ${this.#at}: recorded ${due || 'nothing'}, said ${this.#said}`;
    }
    return true;
  }
}

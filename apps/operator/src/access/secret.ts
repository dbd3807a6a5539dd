/**
 * Passwords from people and programs: typed without being shown, or a line of standard input each; never a word of the command line, which
 * other users of the machine can see and shells remember.
 */
import { UsageError } from '../action.ts';

export interface SecretInput extends NodeJS.ReadableStream {
  readonly isTTY?: boolean;
  setRawMode?(on: boolean): unknown;
}

const MOST = 1000;

export interface Secrets {
  /** @throws UsageError when there is none, or the user stopped */
  read(question: string): Promise<string>;
  close(): void;
}

export function createSecrets(input: SecretInput = process.stdin, say: (text: string) => void = toStderr): Secrets {
  let rest = '';
  let ended = false;
  let wake: (() => void) | undefined;
  const take = (chunk: Buffer | string): void => {
    rest += chunk.toString();
    wake?.();
  };
  const end = (): void => {
    ended = true;
    wake?.();
  };
  let listening = false;
  const listen = (): void => {
    if (listening) return;
    listening = true;
    input.on('data', take);
    input.on('end', end);
    input.on('error', end);
  };
  const more = (): Promise<void> =>
    new Promise((resolve) => {
      wake = () => {
        wake = undefined;
        resolve();
      };
    });

  async function line(): Promise<string> {
    for (;;) {
      const at = rest.search(/\r?\n/);
      if (at >= 0 || (ended && rest !== '')) {
        const found = at >= 0 ? rest.slice(0, at) : rest;
        rest = at >= 0 ? rest.slice(at).replace(/^\r?\n/, '') : '';
        return found;
      }
      if (ended) throw new UsageError('a password is wanted: type it, or give it as a line of standard input');
      if (rest.length > MOST) throw new UsageError(`a password has ${MOST} characters at most`);
      await more();
    }
  }

  async function typed(question: string): Promise<string> {
    say(question);
    input.setRawMode?.(true);
    let text = '';
    try {
      for (;;) {
        while (rest !== '') {
          const [letter = ''] = rest;
          rest = rest.slice(letter.length);
          if (letter === '\r' || letter === '\n') return text;
          if (letter === '\x03' || (letter === '\x04' && text === ''))
            throw new UsageError('stopped; nothing was done');
          if (letter === '\x7f' || letter === '\b') text = [...text].slice(0, -1).join('');
          else if (letter === '\x15') text = '';
          else if (letter >= ' ' && text.length < MOST) text += letter;
        }
        if (ended) throw new UsageError('a password is wanted');
        await more();
      }
    } finally {
      input.setRawMode?.(false);
      say('\n');
    }
  }

  return {
    read(question) {
      listen();
      return input.isTTY ? typed(question) : line();
    },
    close() {
      input.removeListener('data', take);
      input.removeListener('end', end);
      input.removeListener('error', end);
      // A terminal that is listened to keeps the program from ending.
      if (listening) input.pause();
    },
  };
}

function toStderr(text: string): void {
  process.stderr.write(text);
}

/** A new password, typed twice where somebody types. */
export async function newPassword(secrets: Secrets, typed: boolean): Promise<string> {
  const password = await secrets.read('New password (12 characters at least): ');
  if (typed && (await secrets.read('Once more: ')) !== password) throw new UsageError('the two are not the same');
  return password;
}

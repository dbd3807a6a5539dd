/**
 * `amiable optical shell`: commands typed one after the other, in one exchange.
 *
 * Decides: programming mode is entered when a command first needs it, and again where the meter has left it. A password is asked
 * for without being shown; where nobody can be asked it comes from the environment.
 */
import { createInterface } from 'node:readline';
import type { OpticalSession } from '@amiable/iec62056-21';
import type { Terminal } from '@amiable/io/terminal';
import { UsageError } from '../dlms/usage.ts';
import { meterText, tell, withSession } from './open.ts';
import { readCode } from './program.ts';
import { askSecret, type Given, type OpticalSettings, opticalSettings, type Password, passwordOf } from './settings.ts';
import { dataTable } from './show.ts';

const HELP = `readout                 the whole data set
read CODE [SPAN]        one code, e.g. read 1.8.0; read P.01(2611200000;2611210000)
login [1|2]             a password as P1 or P2; it is not shown
write CODE VALUE        e.g. write 0.9.1 120000
execute CODE [VALUE]    e.g. execute 1.6.0 0
command R5 P.01(;)      any command, as it is
break                   leaves programming mode
help, quit
`;

/** @param lines where commands come from; the machine's standard input unless given */
export async function runShell(
  terminal: Terminal,
  device: string,
  given: Given,
  lines: AsyncIterable<string> = stdinLines(terminal),
): Promise<void> {
  const settings = opticalSettings(device, given);
  if (settings.mode === 'D')
    throw new UsageError('A meter in mode D sends by itself: it cannot be asked. Use amiable optical read.');
  await withSession(settings, terminal, settings.trace, async (session) => {
    const shell = new Shell(session, settings, terminal, given);
    shell.prompt();
    for await (const line of lines) {
      if (!(await shell.run(line.trim()))) break;
      shell.prompt();
    }
    await session.leave();
  });
}

async function* stdinLines({ signal }: Terminal): AsyncGenerator<string> {
  const input = createInterface({ input: process.stdin, terminal: false });
  signal.addEventListener('abort', () => input.close(), { once: true });
  yield* input;
}

class Shell {
  readonly #session: OpticalSession;
  readonly #settings: OpticalSettings;
  readonly #terminal: Terminal;
  readonly #given: Given;
  #password: Password | undefined;

  constructor(session: OpticalSession, settings: OpticalSettings, terminal: Terminal, given: Given) {
    this.#session = session;
    this.#settings = settings;
    this.#terminal = terminal;
    this.#given = given;
  }

  prompt(): void {
    if (this.#terminal.interactive) this.#terminal.err(this.#session.programming ? 'programming> ' : 'optical> ');
  }

  /** @returns false when the user wants an end */
  async run(line: string): Promise<boolean> {
    const [verb = '', ...words] = line.split(/\s+/);
    if (verb === 'quit' || verb === 'exit') return false;
    try {
      await this.#do(verb.toLowerCase(), words);
    } catch (error) {
      if (this.#terminal.signal.aborted) return false;
      if ((error as Error).name === 'UsageError') this.#terminal.err(`${(error as Error).message}\n`);
      else
        tell(
          error,
          this.#settings,
          this.#terminal,
          this.#password ? 'login 2 sends one as P2.' : 'login sends one, login 2 as P2.',
        );
    }
    return true;
  }

  async #do(verb: string, words: readonly string[]): Promise<void> {
    const session = this.#session;
    const { out, err } = this.#terminal;
    const [code, ...rest] = words;
    const value = rest.join(' ');
    switch (verb) {
      case '':
        return;
      case 'help':
      case '?':
        err(HELP);
        return;
      case 'readout': {
        const readout = await session.readout();
        out(`${meterText(readout.meter)}\n\n${dataTable(readout.sets)}`);
        return;
      }
      case 'break':
        await session.leave();
        return;
      case 'login': {
        const level = code ?? '1';
        this.#password = await passwordOf({ ...this.#given, password: true, level }, this.#terminal, askSecret);
        if (session.programming) await this.#logIn();
        else await this.#enter();
        err('logged in\n');
        return;
      }
      case 'read': {
        // As it is written for `program`, too: the span in brackets behind the code.
        const found = /^([^()]+?)\s*(?:\(([^()]*)\))?$/.exec(words.join(' '));
        if (code === undefined || !found) throw new UsageError('read: say which code, e.g. read 1.8.0');
        const [asked, span] = found[2] === undefined ? [code, value] : [found[1] as string, found[2]];
        await this.#enter();
        out(dataTable(await readCode(session, asked, span, undefined)));
        return;
      }
      case 'write':
      case 'execute': {
        if (code === undefined || (verb === 'write' && rest.length === 0))
          throw new UsageError(`${verb}: say a code and a value, e.g. ${verb} 0.9.1 120000`);
        await this.#enter();
        if (verb === 'write') await session.write(code, value);
        else await session.execute(code, value);
        err(`${code}: ${verb === 'write' ? 'written' : 'executed'}\n`);
        return;
      }
      case 'command': {
        const found = /^([PRWEB])([0-9A-Z])\s*(.*)$/.exec(words.join(' '));
        if (!found) throw new UsageError('command: a letter and a type, then the data: command R5 P.01(;)');
        await this.#enter();
        const [, letter = 'R', type = '1', data = ''] = found;
        const answer = await session.command({ command: letter as 'R', type, data, more: false });
        out(`${answer.type === 'data' ? answer.data.trimEnd() : answer.type === 'error' ? answer.text : 'ACK'}\n`);
        return;
      }
      default:
        throw new UsageError(`${JSON.stringify(verb)} is no command; help shows them.`);
    }
  }

  async #enter(): Promise<void> {
    if (this.#session.programming) return;
    await this.#session.program();
    if (this.#password) await this.#logIn();
  }

  #logIn(): Promise<void> {
    const { text, level } = this.#password as Password;
    return this.#session.logIn(text, level);
  }
}

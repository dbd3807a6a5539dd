/** `amiable optical program`: reads, writes and executes in programming mode, one command line, one exchange. */
import type { DataSet, OpticalSession } from '@amiable/iec62056-21';
import type { Terminal } from '@amiable/io/terminal';
import { messageToJson } from '@amiable/model';
import { Failed, UsageError } from '../dlms/usage.ts';
import { withSession } from './open.ts';
import { type Given, opticalSettings, passwordOf } from './settings.ts';
import { dataTable } from './show.ts';

export type Action =
  | { readonly do: 'read'; readonly address: string; readonly value: string }
  | { readonly do: 'write' | 'execute'; readonly address: string; readonly value: string };

/**
 * `read CODE… [write CODE VALUE] [execute CODE VALUE]`, in any number; a code may have its span in brackets: `P.01(from;to)`.
 * @throws UsageError
 */
export function parseActions(words: readonly string[]): Action[] {
  const actions: Action[] = [];
  for (let i = 0; i < words.length; ) {
    const verb = words[i++] as string;
    if (verb === 'read') {
      const begun = actions.length;
      while (i < words.length && !/^(read|write|execute)$/.test(words[i] as string)) {
        const found = /^([^()]+)(?:\(([^()]*)\))?$/.exec(words[i++] as string);
        if (!found)
          throw new UsageError(
            `${JSON.stringify(words[i - 1])} is no code; write 1.8.0, or P.01(2611200000;2611210000).`,
          );
        actions.push({ do: 'read', address: found[1] as string, value: found[2] ?? '' });
      }
      if (actions.length === begun) throw new UsageError('read: say which codes, e.g. read 1.8.0 0.9.1.');
    } else if (verb === 'write' || verb === 'execute') {
      const address = words[i++];
      const value = words[i++];
      if (address === undefined || value === undefined)
        throw new UsageError(`${verb}: say a code and a value, e.g. ${verb} 0.9.1 120000.`);
      actions.push({ do: verb, address, value });
    } else throw new UsageError(`${JSON.stringify(verb)}: say read, write or execute.`);
  }
  if (actions.length === 0) throw new UsageError('Say what to do: read 1.8.0, write 0.9.1 120000, execute 1.6.0 0.');
  return actions;
}

/** @throws UsageError, Failed */
export async function runProgram(
  terminal: Terminal,
  device: string,
  words: readonly string[],
  given: Given,
): Promise<void> {
  const settings = opticalSettings(device, given);
  if (settings.mode === 'D') throw new UsageError('A meter in mode D sends by itself: it cannot be programmed.');
  const actions = parseActions(words);
  const type = given.type === undefined ? undefined : String(given.type);
  if (type !== undefined && !/^[1-9]$/.test(type)) throw new UsageError(`--type ${type}: a digit, 1 to 9.`);
  const changes = actions.filter((action) => action.do !== 'read');
  const password = await passwordOf(given, terminal);
  if (changes.length > 0 && given.yes !== true && terminal.interactive) {
    const list = changes.map(({ do: verb, address, value }) => `${verb} ${address} ${value}`).join(', ');
    if (!(await terminal.ask(`${settings.device}: ${list}. Go on? [y/N] `))) throw new Failed(1);
  }
  await withSession(settings, terminal, settings.trace, async (session) => {
    await session.program();
    if (password) await session.logIn(password.text, password.level);
    const sets: DataSet[] = [];
    for (const action of actions) {
      if (action.do === 'read') sets.push(...(await readCode(session, action.address, action.value, type)));
      else {
        if (action.do === 'write')
          await session.write(action.address, action.value, type === undefined ? {} : { type });
        else await session.execute(action.address, action.value);
        terminal.err(`${action.address}: ${action.do === 'write' ? 'written' : 'executed'}\n`);
      }
    }
    await session.leave();
    if (sets.length === 0) return;
    if (given.json === true) {
      const { zone } = settings;
      terminal.out(
        `${messageToJson(session.message(sets, { reader: 'optical', port: device, zone, receivedAt: terminal.clock.now() }))}\n`,
      );
    } else terminal.out(dataTable(sets));
  });
}

/** Profiles and logs are read with R5, all else with R1, unless said. */
export function readCode(
  session: OpticalSession,
  address: string,
  value: string,
  type: string | undefined,
): Promise<DataSet[]> {
  const usual = /^(?:1-\d+:)?P\./i.test(address) ? '5' : '1';
  return session.read(address, { type: type ?? usual, value });
}

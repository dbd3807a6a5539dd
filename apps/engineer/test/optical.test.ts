/** `amiable optical` against a meter on a socket: what it prints, what it refuses, and that no password is shown. */
import { bytesOf, encodeCommand, type TariffDevice } from '@amiable/iec62056-21';
import { type Listener, systemClock } from '@amiable/io';
import type { Terminal } from '@amiable/io/terminal';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseActions, runProgram } from '../src/optical/program.ts';
import { runRead } from '../src/optical/read.ts';
import { opticalSettings, PASSWORD_VARIABLE } from '../src/optical/settings.ts';
import { runShell } from '../src/optical/shell.ts';
import { dataTable, exchangePrinter } from '../src/optical/show.ts';
import { listenOptical } from './optical-port.ts';

const LINES = ['F.F(00)', 'C.1.0(4711)', '1.8.0(000285.4*kWh)', '1.6.0(18.014*kW)(10-02-01 00:15)'];
const kept = new Map([['C.50.0', 'first']]);
const device: TariffDevice = {
  readout: () => LINES,
  operand: () => '',
  command({ command, data }, level) {
    if (command === 'P') return data === '(geheim)' ? { type: 'ack', level: 1 } : { type: 'error', text: 'ER07' };
    const [, address = '', value = ''] = /^(.*)\((.*)\)$/.exec(data) ?? [];
    if (command === 'W') {
      if (level === 0) return { type: 'error', text: 'ER06' };
      kept.set(address, value);
      return { type: 'ack' };
    }
    const line =
      LINES.find((l) => l.startsWith(`${address}(`)) ??
      (kept.has(address) ? `${address}(${kept.get(address)})` : undefined);
    return line === undefined ? { type: 'error', text: 'ER01' } : { type: 'data', parts: [line] };
  },
};

let listener: Listener;
let where = '';
beforeAll(async () => {
  listener = await listenOptical(device);
  where = `127.0.0.1:${listener.port}`;
});
afterAll(() => listener.close());

function terminal(): Terminal & { text: { out: string; err: string } } {
  const text = { out: '', err: '' };
  return {
    text,
    out: (words) => {
      text.out += words;
    },
    err: (words) => {
      text.err += words;
    },
    interactive: false,
    watched: false,
    columns: undefined,
    ask: async () => false,
    clock: systemClock,
    signal: new AbortController().signal,
  };
}

async function withPassword<T>(password: string, work: () => Promise<T>): Promise<T> {
  process.env[PASSWORD_VARIABLE] = password;
  try {
    return await work();
  } finally {
    delete process.env[PASSWORD_VARIABLE];
  }
}

describe('read', () => {
  test('the exchange on stderr as it went, the table on stdout with names', async () => {
    const t = terminal();
    await runRead(t, where, {});
    expect(t.text.err).toMatch(
      /^>\n\/\?!\n<\n\/AMI5VM\n>\nACK\n050\n<\nSTX\nF\.F\(00\)\n[\s\S]*!\nETX BCC [0-9A-F]{2}\n>\nACK\n$/,
    );
    expect(t.text.out).toContain('AMI VM, mode C at 9600 Bd');
    expect(t.text.out).toMatch(/^1\.8\.0 +Active energy import +000285\.4 +kWh$/m);
    expect(t.text.out).toMatch(/^1\.6\.0 +Active power import maximum +18\.014 +kW +10-02-01 00:15$/m);
  });

  test('--json: one canonical message, nothing on stderr', async () => {
    const t = terminal();
    await runRead(t, where, { json: true, tz: 'Europe/Oslo' });
    expect(JSON.parse(t.text.out)).toMatchObject({ v: 1, protocol: 'iec62056-21', meterId: '4711', flags: [] });
    expect(t.text.err).toBe('');
  });

  test('an address that nobody has is told with what to do', async () => {
    const t = terminal();
    // Time that goes twenty times as fast.
    const begun = Date.now();
    const clock: Terminal['clock'] = {
      now: () => begun + (Date.now() - begun) * 20,
      after: (ms, fn) => systemClock.after(ms / 20, fn),
    };
    const done = runRead({ ...t, clock }, where, { address: '99', timeout: '0.1' });
    await expect(done).rejects.toThrow('failed');
    expect(t.text.err).toContain('an answer of meter 99 (/XXXZ…) was expected, nothing came in 3 attempts');
  });

  test('nobody listens', async () => {
    const t = terminal();
    await expect(runRead(t, '127.0.0.1:1', {})).rejects.toThrow('failed');
    expect(t.text.err).toContain('amiable optical: 127.0.0.1:1');
  });
});

describe('program', () => {
  test('reads and writes with a password that is never shown', async () => {
    const t = terminal();
    await withPassword('geheim', () =>
      runProgram(t, where, ['read', '1.8.0', 'write', 'C.50.0', 'second', 'read', 'C.50.0'], { trace: true }),
    );
    expect(t.text.out).toMatch(/^C\.50\.0 .*second$/m);
    expect(t.text.err).toContain('(••••••)');
    expect(t.text.err + t.text.out).not.toContain('geheim');
    expect(kept.get('C.50.0')).toBe('second');
  });

  test('a wrong password, a code that is not there, no right', async () => {
    const wrong = terminal();
    await expect(withPassword('falsch', () => runProgram(wrong, where, ['read', '1.8.0'], {}))).rejects.toThrow(
      'failed',
    );
    expect(wrong.text.err).toContain('the meter refuses the password: ER07: access denied');
    expect(wrong.text.err).not.toContain('falsch');
    const missing = terminal();
    await expect(runProgram(missing, where, ['read', '9.9.9'], { password: false })).rejects.toThrow('failed');
    expect(missing.text.err).toContain('R1 9.9.9: ER01: unknown command');
    const barred = terminal();
    await expect(runProgram(barred, where, ['write', 'C.50.0', 'x'], { password: false })).rejects.toThrow('failed');
    expect(barred.text.err).toContain('It wants a password');
  });

  test('without a password and without anybody to ask', async () => {
    await expect(runProgram(terminal(), where, ['read', '1.8.0'], {})).rejects.toThrow(PASSWORD_VARIABLE);
  });

  test('what to do, in words', () => {
    expect(parseActions(['read', '1.8.0', 'P.01(a;b)', 'write', 'x', 'y', 'execute', 'z', ''])).toEqual([
      { do: 'read', address: '1.8.0', value: '' },
      { do: 'read', address: 'P.01', value: 'a;b' },
      { do: 'write', address: 'x', value: 'y' },
      { do: 'execute', address: 'z', value: '' },
    ]);
    for (const words of [[], ['read'], ['write', 'x'], ['dance', 'x'], ['read', '1(']])
      expect(() => parseActions(words)).toThrow(/say|Say|is no code/);
  });
});

test('shell: commands one by one, mistakes told, and on it goes', async () => {
  const t = terminal();
  async function* lines() {
    yield* [
      'help',
      'read 1.8.0',
      'read 1.8.0()',
      'read 1.8.0(',
      'write C.50.0 third',
      'login',
      'write C.50.0 third',
      'dance',
      'command R1 C.50.0()',
      'break',
      'readout',
      'quit',
      'read 1.8.0',
    ];
  }
  await withPassword('geheim', () => runShell(t, where, {}, lines()));
  expect(t.text.err).toMatch(/W1 C\.50\.0: ER06.*\n.*: login sends one, login 2 as P2\.\n/);
  expect(t.text.err).toContain('read: say which code');
  expect(t.text.err).toContain('C.50.0: written');
  expect(t.text.err).toContain('"dance" is no command');
  expect(t.text.out).toContain('C.50.0(third)\n');
  expect(t.text.out.match(/Active energy import/g)).toHaveLength(3);
});

test.each([
  ['/dev/ttyUSB0', { mode: 'E' }, 'amiable dlms'],
  ['/dev/ttyUSB0', { mode: 'X' }, '--mode X'],
  ['/dev/ttyUSB0', { baudMax: '1234' }, '--baud-max'],
  ['/dev/ttyUSB0', { address: 'a/b' }, '--address'],
  ['/dev/ttyUSB0', { tz: 'Mars' }, '--tz'],
  ['somewhere', {}, 'is no device'],
])('%s %j is refused with what would do', (name, given, words) => {
  expect(() => opticalSettings(name, given)).toThrow(words);
});

test('figure 7 of the thesis, as its exchange went; hostile characters do not reach the screen', () => {
  let out = '';
  const printer = exchangePrinter((text) => {
    out += text;
  });
  printer.trace({ direction: 'out', time: 0, bytes: new Uint8Array(66) });
  printer.trace({ direction: 'out', time: 0, bytes: bytesOf('/?1!\r\n') });
  printer.trace({ direction: 'in', time: 0, bytes: bytesOf('/LTT5977') });
  printer.trace({ direction: 'in', time: 0, bytes: bytesOf('05377\r\n') });
  printer.trace({ direction: 'out', time: 0, bytes: bytesOf('\x06050\r\n') });
  printer.trace({
    direction: 'out',
    time: 0,
    bytes: encodeCommand({ command: 'B', type: '0', data: '', more: false }),
  });
  printer.flush();
  expect(out).toBe('>\nNUL × 66\n/?1!\n<\n/LTT597705377\n>\nACK\n050\nSOH\nB0\nETX BCC 71\n');
  expect(
    dataTable([{ address: 'C.1', values: [{ value: '\x1b[2J', offset: 0, length: 0 }], offset: 0, length: 0 }]),
  ).not.toContain('\x1b');
});

/** The options of `amiable simulate han`, and a run with its own clock and line. */
import { fromHex, toHex } from '@amiable/bytes';
import { PortError, systemClock, virtualClock } from '@amiable/io';
import { createHanReader } from '@amiable/meter';
import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { type Output, runSimulator, simulateCommand, simulateOptions } from '../src/index.ts';
import { parseDuration } from '../src/options.ts';

const NOW = Date.UTC(2018, 4, 24, 12);
const options = (given: Record<string, unknown>) => simulateOptions({ from: '2018-05-24T12:59:50Z', ...given });

function memory() {
  const bytes: number[] = [];
  const truth: string[] = [];
  const said: string[] = [];
  const output: Output = {
    clock: systemClock,
    readWith: '-f -',
    write: async (part) => {
      bytes.push(...part);
    },
    truth: async (line) => {
      truth.push(line);
    },
    say: (line) => said.push(line),
    close: async () => {},
  };
  return { bytes, truth, said, output };
}

const signal = new AbortController().signal;

describe('options', () => {
  test('refusals say what would do', () => {
    const cases: [Record<string, unknown>, RegExp][] = [
      [{ model: 'MA1' }, /models are MA105H2E/],
      [{ seed: '-1' }, /whole number/],
      [{ tz: 'Oslo' }, /Europe\/Oslo/],
      [{ key: 'abc' }, /32 hexadecimal digits/],
      [{ authKey: '0'.repeat(32) }, /needs --key/],
      [{ from: 'yesterday' }, /--from yesterday/],
      [{ from: '2010-01-01T00:00:00Z' }, /begin on 2018-01-01/],
      [{ duration: 'long' }, /90s, 10m/],
      [{ list: '4' }, /from 1 to 3/],
      [{ list: '1', model: 'Kamstrup-6841' }, /sends 2 and 3 only/],
      [{ baud: '110' }, /300 to 115200/],
      [{ parity: 'X' }, /N, E or O/],
      [{ noise: 'flop=1' }, /flip=0.02/],
      [{ noise: 'flip=2' }, /rates from 0 to 1/],
      [{ to: 'tcp:x' }, /tcp:PORT/],
      [{ serial: '12' }, /16 digits/],
    ];
    for (const [given, message] of cases) expect(() => options(given)).toThrow(message);
  });

  test('targets and durations', () => {
    expect(options({ to: 'tcp:7700' }).target).toEqual({ to: 'tcp', host: '', port: 7700 });
    expect(options({ to: 'tcp:[::1]:7700' }).target).toEqual({ to: 'tcp', host: '::1', port: 7700 });
    expect(options({ to: 'pty' }).target).toEqual({ to: 'pty' });
    expect(options({ to: 'pty:/tmp/meter' }).target).toEqual({ to: 'pty', path: '/tmp/meter' });
    expect(options({ to: 'a.dat' }).target).toEqual({ to: 'file', path: 'a.dat' });
    expect(parseDuration('1.5h')).toBe(5_400_000);
    expect(options({ model: '6525' }).meter.model.name).toBe('Aidon-6525');
    expect(options({ model: 'Kamstrup-6841' }).parity).toBe('N');
  });

  test('the command knows its options and help', () => {
    const program = new Command('amiable').exitOverride();
    const simulate = simulateCommand(program);
    const han = simulate.commands.find((c) => c.name() === 'han');
    let help = '';
    han?.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
    for (const word of ['--model', '--truth', '--noise', '--baud', 'MA304T4', 'Kamstrup-6841'])
      expect(help).toContain(word);
  });
});

describe('the command', () => {
  const simulate = async (...argv: string[]) => {
    let told = '';
    const program = new Command('amiable').exitOverride().configureOutput({ writeErr: (text) => (told += text) });
    simulateCommand(program);
    const failure = await program.parseAsync(['simulate', 'han', '--fast', ...argv], { from: 'user' }).then(
      () => undefined,
      (error: unknown) => error,
    );
    return { told, failure };
  };
  test('tells what it refuses', async () => {
    const { told, failure } = await simulate('--model', 'X');
    expect(failure).toMatchObject({ exitCode: 2 });
    expect(told).toMatch(/^amiable simulate: --model X: the models are MA105H2E/);
  });
  test.each(['--to', '--truth'])('does not run when the file of %s cannot be written', async (option) => {
    const { failure } = await simulate('--duration', '4s', '--to', '/dev/null', option, '/nowhere/at/all');
    expect(failure).toBeInstanceOf(PortError);
    expect(String(failure)).toMatch(/\/nowhere\/at\/all/);
  });
});

describe('a run', () => {
  test('the truth is what a reader makes of the output', async () => {
    const { bytes, truth, said, output } = memory();
    const given = options({ fast: true, duration: '40s', encrypt: true });
    const counters = await runSimulator(given, output, signal);
    expect(counters.sent).toEqual({ 1: 16, 2: 3, 3: 1 });
    expect(said.join('\n')).toMatch(/amiable read -f - -k [0-9a-f]{32} --auth-key [0-9a-f]{32} --json/);
    expect(truth.length).toBe(20);
    for (const line of truth) expect(JSON.parse(line).v).toBe(1);
    expect(bytes.length).toBe(counters.bytes);
  });

  test('a key that was given is not told', async () => {
    const { said, output } = memory();
    const key = '00112233445566778899aabbccddeeff';
    await runSimulator(options({ fast: true, duration: '4s', key }), output, signal);
    expect(said.join('\n')).not.toContain(key);
    expect(said.join('\n')).toContain('-k KEY');
  });

  test('hex text is a frame a line', async () => {
    const { bytes, output } = memory();
    await runSimulator(options({ fast: true, duration: '10s', hex: true }), output, signal);
    const lines = String.fromCharCode(...bytes)
      .trim()
      .split('\n');
    expect(lines.length).toBe(5);
    for (const line of lines) expect(toHex(fromHex(line))).toBe(line);
  });

  test('noise is counted, and what it leaves whole is found', async () => {
    const { bytes, truth, said, output } = memory();
    const given = options({ fast: true, duration: '1h', list: '2', noise: 'flip=0.05,cut=0.05,join=0.05' });
    const { damage } = await runSimulator(given, output, signal);
    let good = 0;
    const reader = createHanReader({ reader: 'r', port: 'p', now: () => 0 }, { message: () => good++, drop: () => {} });
    reader.push(Uint8Array.from(bytes));
    reader.end();
    const hurt = (damage?.flip ?? 0) + (damage?.cut ?? 0);
    expect(hurt).toBeGreaterThan(10);
    expect(good).toBeGreaterThanOrEqual((truth.length - hurt) * 0.99);
    expect(good).toBeLessThan(truth.length);
    expect(said.at(-1)).toMatch(/damaged: flip \d+/);
  });

  test('keeps the pace of the line and of its clock', async () => {
    const clock = virtualClock(NOW);
    const { bytes, output } = memory();
    const run = runSimulator(options({ duration: '20s', baud: '2400' }), { ...output, clock }, signal);
    await clock.advance(440);
    // The list 2 that is due at the start has 123 octets of 11 bits: 564 ms.
    expect(bytes.length).toBeGreaterThan(85);
    expect(bytes.length).toBeLessThan(98);
    await clock.advance(1400);
    expect(bytes.length).toBe(123);
    await clock.advance(20_000);
    expect((await run).overloaded).toBe(0);
  });

  test('stops when told', async () => {
    const clock = virtualClock(NOW);
    const stop = new AbortController();
    const { output } = memory();
    const run = runSimulator(options({}), { ...output, clock }, stop.signal);
    await clock.advance(30_000);
    stop.abort();
    const { sent } = await run;
    expect(sent[1] + sent[2] + sent[3]).toBeLessThanOrEqual(16);
  });
});

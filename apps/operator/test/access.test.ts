/** Users and rights from the command line, against a central system that runs; and how passwords are read. */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openTestApp, PASSWORD, type TestApp } from '../../central/test/login.ts';
import * as commands from '../src/access/command.ts';
import { createSecrets, type SecretInput } from '../src/access/secret.ts';

const folder = mkdtempSync(join(tmpdir(), 'amiable-operator-'));
const file = join(folder, 'login.json');
let test: TestApp;

beforeAll(async () => {
  process.env.AMIABLE_LOGIN = file;
  delete process.env.AMIABLE_TOKEN;
  test = await openTestApp(folder);
});
afterAll(async () => {
  delete process.env.AMIABLE_LOGIN;
  await test?.close();
  rmSync(folder, { recursive: true });
});

/** Runs a command line; passwords come in turn. */
async function amiable(line: readonly string[], passwords: readonly string[] = []) {
  const left = [...passwords];
  const secretsOf = () => ({ read: async () => left.shift() ?? '', close: () => {} });
  const program = new Command('amiable').exitOverride();
  for (const make of [commands.loginCommand, commands.passwordCommand, commands.userCommand]) make(program, secretsOf);
  for (const make of [
    commands.auditCommand,
    commands.groupCommand,
    commands.logoutCommand,
    commands.personCommand,
    commands.segmentCommand,
    commands.tokenCommand,
    commands.whoamiCommand,
  ])
    make(program);
  let out = '';
  let err = '';
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      out += String(text);
      return true;
    }),
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      err += String(text);
      return true;
    }),
  ];
  process.exitCode = undefined;
  try {
    await program.parseAsync(['node', 'amiable', ...line]);
    return { out, err, code: process.exitCode ?? 0 };
  } finally {
    process.exitCode = undefined;
    for (const spy of spies) spy.mockRestore();
  }
}

describe('users and rights from the command line', () => {
  it('go from the first administrator to a user who is gone', async () => {
    const url = ['--url', test.base];
    const code = test.central.firstCode as string;
    const first = await amiable(['login', 'root', '--first', code, ...url], [PASSWORD]);
    expect(first).toEqual({ out: `Logged in at ${test.base} as root (administrator).\n`, err: '', code: 0 });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).not.toContain(PASSWORD);
    // The server of the last log-in is asked from now on.
    expect((await amiable(['whoami'])).out).toMatch(/name +root\ngroups +administrator\nsegments +all/);

    expect((await amiable(['segment', 'add', 'north'])).out).toBe('Segment 2: north.\n');
    expect((await amiable(['group', 'add', 'watch', '-p', 'meter:view', '-p', 'reading:view'])).code).toBe(0);
    const added = await amiable(
      ['user', 'add', 'per', '-g', 'watch', '-s', 'north', '--set', 'fullName=Per Gynt'],
      [`${PASSWORD} given`],
    );
    expect(added).toMatchObject({ out: expect.stringMatching(/^User \d+: per\.\n$/), code: 0 });
    expect((await amiable(['user', 'list'])).out).toMatch(/per +watch +north +– +well/);
    expect(JSON.parse((await amiable(['user', 'list', '--search', 'PE', '--json'])).out)).toMatchObject({
      name: 'per',
      attributes: { fullName: 'Per Gynt' },
    });
    const [ids] = [await test.store.ensureMeters([{ serial: 'N-1' }])];
    expect((await amiable(['segment', 'move', 'north', ids.get('N-1') as string, '999'])).err).toContain(
      'there is no meter 999; nothing was done',
    );
    expect((await amiable(['segment', 'move', 'north', 'N-1'])).out).toBe('1 of 1 meters moved.\n');

    const token = await amiable(['token', 'create', 'prometheus', '-p', 'execute:metrics']);
    expect(token.out).toMatch(/^amt_[\w-]{43}\n$/);
    expect((await amiable(['token', 'list'])).out).toMatch(/prometheus .* execute:metrics/);
    expect((await amiable(['token', 'remove', '1'])).code).toBe(0);

    // Somebody else's password is changed at the first log-in.
    const per = await amiable(['login', 'per'], [`${PASSWORD} given`, PASSWORD]);
    expect(per).toMatchObject({ code: 0, err: expect.stringContaining('choose one of your own') });
    expect((await amiable(['whoami'])).out).toMatch(/segments +north\n/);
    const refused = await amiable(['user', 'list']);
    expect([refused.code, refused.err]).toEqual([1, 'amiable: per lacks the privilege user:view\n']);
    expect((await amiable(['password'], [PASSWORD, `${PASSWORD} again`])).code).toBe(0);
    expect((await amiable(['whoami'])).out).toContain('per');
    expect((await amiable(['logout'])).code).toBe(0);
    expect((await amiable(['user', 'list', ...url])).err).toContain('log in with `amiable login`');

    expect((await amiable(['login', 'root', ...url], [PASSWORD])).code).toBe(0);
    expect((await amiable(['user', 'disable', 'per'])).code).toBe(0);
    const shut = await amiable(['login', 'per'], [`${PASSWORD} again`]);
    expect([shut.code, shut.err]).toEqual([1, expect.stringContaining('the name or the password is wrong')]);
    // A refusal is written down without waiting for it.
    const latest = async () => {
      const { out } = await amiable(['audit', '--action', 'log-in*', '--json']);
      return JSON.parse(out.trim().split('\n')[0] as string).action as string;
    };
    await expect.poll(latest).toBe('log-in refused');
    expect((await amiable(['person', 'erase', 'user-2', '--yes'])).code).toBe(0);
    expect((await amiable(['user', 'list'])).out).toMatch(/erased-2 .*disabled/);
    expect((await amiable(['audit'])).out).not.toContain('Per Gynt');
  });
  it('are told what is wrong with the words', async () => {
    for (const [line, words] of [
      [['user', 'add', 'x', '-g', 'nobody'], 'there is no group nobody; there are administrator, operator'],
      [['person', 'erase', '7'], 'user-7 or premises-7 is wanted'],
      [['user', 'remove', 'root'], 'nothing was deleted'],
      [['audit', '--limit', 'many'], 'a number is wanted'],
    ] as const) {
      const { code, err } = await amiable(line, [PASSWORD]);
      expect([code, err]).toEqual([2, expect.stringContaining(words)]);
    }
  });
});

describe('a password', () => {
  const terminal = (): { input: PassThrough & SecretInput; said: () => string; raw: boolean[] } => {
    const raw: boolean[] = [];
    const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (on: boolean) => raw.push(on) });
    return { input, said: () => '', raw };
  };
  it('is typed without being shown, and can be mended', async () => {
    const { input, raw } = terminal();
    let said = '';
    const secrets = createSecrets(input, (text) => {
      said += text;
    });
    const reading = secrets.read('Password: ');
    input.write('sex\x7fcre');
    input.write('t\r');
    expect(await reading).toBe('secret');
    const again = secrets.read('Once more: ');
    input.write('wrong\x15right\n');
    expect(await again).toBe('right');
    expect(said).toBe('Password: \nOnce more: \n');
    expect(raw).toEqual([true, false, true, false]);
    const stopped = secrets.read('Password: ');
    input.write('abc\x03');
    await expect(stopped).rejects.toThrow('stopped');
    expect(raw.at(-1)).toBe(false);
  });
  it('is a line of standard input where nobody types', async () => {
    const input = new PassThrough();
    const secrets = createSecrets(input, () => {});
    input.write('first\r\nsec');
    expect(await secrets.read('')).toBe('first');
    const second = secrets.read('');
    input.end('ond');
    expect(await second).toBe('second');
    await expect(secrets.read('')).rejects.toThrow('a password is wanted');
  });
});

import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { loginFile } from '../src/login-file.ts';

afterEach(() => vi.unstubAllEnvs());

it('the log-in is never kept in the folder one happens to be in', () => {
  vi.stubEnv('AMIABLE_LOGIN', '');
  const home = join(homedir(), '.config', 'amiable', 'login.json');
  for (const given of ['', 'config', './x']) {
    vi.stubEnv('XDG_CONFIG_HOME', given);
    expect(loginFile()).toBe(home);
  }
  vi.stubEnv('XDG_CONFIG_HOME', '/etc/kari');
  expect(loginFile()).toBe('/etc/kari/amiable/login.json');
  vi.stubEnv('AMIABLE_LOGIN', '/tmp/mine.json');
  expect(loginFile()).toBe('/tmp/mine.json');
});

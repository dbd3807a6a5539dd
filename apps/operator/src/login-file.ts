/**
 * Where a log-in is kept between two commands: one file, readable by its owner alone, a token for each server.
 *
 * Decides: the file (AMIABLE_LOGIN, else ~/.config/amiable/login.json); that a damaged one is as good as none.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';

export interface Login {
  readonly token: string;
  readonly user: string;
}

interface Kept {
  /** The server of the last log-in: asked when no other is named. */
  readonly current?: string;
  readonly servers: Readonly<Record<string, Login>>;
}

/** What is empty or relative in XDG_CONFIG_HOME does not count (XDG base directories): a token shall not lie in whatever folder one is in. */
export function loginFile(): string {
  if (process.env.AMIABLE_LOGIN) return process.env.AMIABLE_LOGIN;
  const xdg = process.env.XDG_CONFIG_HOME ?? '';
  return join(isAbsolute(xdg) ? xdg : join(homedir(), '.config'), 'amiable', 'login.json');
}

/** Without its path's end, so that both forms are one server. */
export const serverName = (url: string): string => url.replace(/\/+$/, '');

export function readLogins(): Kept {
  try {
    const kept = JSON.parse(readFileSync(loginFile(), 'utf8')) as Partial<Kept>;
    const servers = Object.entries(kept.servers ?? {}).filter(
      ([, login]) => typeof login?.token === 'string' && typeof login.user === 'string',
    );
    return {
      ...(typeof kept.current === 'string' ? { current: kept.current } : {}),
      servers: Object.fromEntries(servers),
    };
  } catch {
    return { servers: {} };
  }
}

/** Keeps a log-in, or forgets it when it is undefined. */
export function keepLogin(url: string, login: Login | undefined): void {
  const kept = readLogins();
  const name = serverName(url);
  const servers = Object.fromEntries(Object.entries(kept.servers).filter(([server]) => server !== name));
  if (login) servers[name] = login;
  const current = login ? name : kept.current === name ? Object.keys(servers)[0] : kept.current;
  const file = loginFile();
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const fresh = `${file}.${process.pid}`;
  writeFileSync(fresh, `${JSON.stringify({ ...(current === undefined ? {} : { current }), servers }, null, 2)}\n`, {
    mode: 0o600,
  });
  renameSync(fresh, file);
}

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toHex } from '@amiable/bytes';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { readCommand } from '../src/command.ts';
import { keyMark, keyRing } from '../src/keys.ts';
import { keyEntries, parseOptions, type ReadOptions } from '../src/options.ts';

const folder = mkdtempSync(join(tmpdir(), 'amiable-options-'));
const file = (name: string, content: string) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const A = '00112233445566778899aabbccddeeff';
const B = 'ffeeddccbbaa99887766554433221100';

function parse(...argv: string[]): ReadOptions {
  const program = new Command().exitOverride().configureOutput({ writeErr: () => {}, writeOut: () => {} });
  const command = readCommand(program);
  let out: ReadOptions | undefined;
  command.exitOverride().action((files: string[], given: Record<string, unknown>) => {
    out = parseOptions(given, files, 'My Pi.local');
  });
  program.parse(['node', 'amiable', 'read', ...argv]);
  return out!;
}

describe("the guide's options", () => {
  it('-f', () => {
    expect(parse('-f', 'a.dat').source).toEqual({ type: 'files', paths: ['a.dat'], speed: { type: 'max' } });
    expect(parse('-f', 'a.dat', '-f', '-', 'b.dat').source).toMatchObject({ paths: ['a.dat', '-', 'b.dat'] });
    expect(parse('-f', 'a', '--speed', '2400').source).toMatchObject({ speed: { type: 'baud', baud: 2400 } });
    expect(parse('-f', 'a', '--speed', '60x').source).toMatchObject({ speed: { type: 'clock', times: 60 } });
    expect(parse('-f', 'a')).toMatchObject({
      output: 'text',
      bad: false,
      pause: 0,
      multicastOut: false,
      reader: 'My-Pi.local',
      port: 'han0',
    });
    expect(parse('-f', 'a').log).toBeUndefined();
    expect(parse('-f', 'a', '--log').log).toEqual({ folder: '.' });
  });
  it('-d, -n, -P', () => {
    expect(parse('-d', '/dev/ttyUSB0')).toMatchObject({
      source: { type: 'serial', path: '/dev/ttyUSB0', patience: 20_000 },
      log: { folder: '.' },
    });
    expect(parse('-n', '-d', '/dev/ttyUSB0').log).toBeUndefined();
    expect(parse('-n', '-P', 'E', '-d', 'COM3').source).toMatchObject({ type: 'serial', path: 'COM3', parity: 'E' });
    expect(parse('-n', '-P', 'o', '-d', 'COM3', '--baud', '9600').source).toMatchObject({ parity: 'O', baud: 9600 });
    expect(parse('-d', '10.0.0.5:3001').source).toEqual({ type: 'tcp', at: { host: '10.0.0.5', port: 3001 } });
    expect(parse('-d', ':3001').source).toEqual({ type: 'tcpServer', at: { host: '', port: 3001 } });
  });
  it('-m, -M, -l', () => {
    expect(parse('-m', '-n', '-d', '/dev/ttyUSB0')).toMatchObject({
      multicastOut: true,
      pause: 0,
      multicast: { group: { host: '239.192.77.1', port: 7701 }, ttl: 1 },
    });
    expect(parse('-M', '-f', 'a')).toMatchObject({ multicastOut: true, pause: 1000 });
    expect(parse('-M', '-f', 'a', '--pause', '0.25')).toMatchObject({ pause: 250 });
    expect(parse('-l')).toMatchObject({ source: { type: 'multicast' } });
    expect(parse('-l', '--multicast-address', '239.1.2.3:99').multicast.group).toEqual({ host: '239.1.2.3', port: 99 });
  });
  it('-k', () => {
    const { keys } = parse('-f', 'a', '-k', A, '-k', `METER1=${B}`, '--auth-key', B.toUpperCase());
    expect(keys.map(({ id, key, authKey }) => [id, toHex(key), authKey && toHex(authKey)])).toEqual([
      [undefined, A, B],
      ['METER1', B, B],
    ]);
  });
  it('forms', () => {
    expect(parse('-f', 'a', '--json').output).toBe('json');
    expect(parse('--json', '-f', 'a').output).toBe('json');
    expect(parse('-f', 'a', '--json', 'thesis').output).toBe('thesis');
    expect(parse('-f', 'a', '-q').output).toBe('none');
  });
  it('MQTT', () => {
    const { mqtt } = parse('-f', 'a', '--reader', 'attic', '--mqtt', 'mqtts://me:s%20x@broker:99');
    expect(mqtt).toMatchObject({
      topic: 'amiable/attic/message',
      statusTopic: 'amiable/attic/status',
      clientId: 'amiable-attic',
      user: 'me',
      password: 's x',
    });
    const secret = file('secret', 'from file\n');
    expect(
      parse('-f', 'a', '--mqtt', 'mqtt://broker', '--mqtt-user', 'u', '--mqtt-password-file', secret).mqtt,
    ).toMatchObject({ user: 'u', password: 'from file' });
  });
  it('POST', () => {
    const key = file('key', ' k123\n');
    expect(parse('-f', 'a', '--post', 'http://h/api', '--api-key', `@${key}`).post).toMatchObject({ apiKey: 'k123' });
  });
});

describe('wrong usage', () => {
  it.each<[string[], RegExp]>([
    [[], /what shall be read/],
    [['-f', 'a', '-l'], /exclude each other/],
    [['-f', 'a', '-d', 'b'], /exclude each other/],
    [['stray.dat'], /stray\.dat: a capture file is given with -f/],
    [['-f', '-', '-f', '-'], /once only/],
    [['-f', 'a', '--json', 'xml'], /--json xml: it can be canonical, thesis/],
    [['-f', 'a', '--json', '--text'], /exclude each other/],
    [['-f', 'a', '-q', '--json'], /-q shows no messages/],
    [['-d', '/dev/x', '-P', 'X'], /-P X: it can be N, E, O/],
    [['-f', 'a', '-P', 'X'], /-P X: it can be N, E, O/],
    [['-d', '/dev/x', '--baud', '299'], /--baud 299: a number from 300 to 115200/],
    [['-d', '/dev/x', '--baud', ''], /--baud/],
    [['-d', 'host:0'], /host:port with a port from 1 to 65535/],
    [['-d', 'host:'], /host:port/],
    [['-d', ''], /a device is/],
    [['-f', 'a', '--speed', 'fast'], /--speed fast/],
    [['-f', 'a', '--speed', '0x'], /--speed 0x/],
    [['-f', 'a', '--tz', 'Mars/Base'], /--tz Mars\/Base: no such time zone/],
    [['-f', 'a', '--protocol', 'dlms'], /ask it with "amiable dlms"/],
    [['-f', 'a', '--protocol', 'x'], /--protocol x: it can be auto, han/],
    [['-f', 'a', '--reader', 'a/b'], /--reader a\/b/],
    [['-f', 'a', '--port', ''], /--port/],
    [['-f', 'a', '-k', '0011'], /32 hex digits; this one has 4/],
    [['-f', 'a', '-k', '001'], /odd number/],
    [['-f', 'a', '-k', 'hello'], /no hex digit/],
    [['-f', 'a', '-k', `=${A}`], /no meter id/],
    [['-f', 'a', '--auth-key', A], /alone opens nothing/],
    [['-f', 'a', '--pause', '-1'], /--pause/],
    [['-f', 'a', '--counters', 'xml'], /--counters/],
    [['-f', 'a', '--multicast-address', '10.0.0.1:5'], /a group such as/],
    [['-l', '--log'], /messages, not bytes/],
    [['-f', 'a', '--mqtt', 'http://x'], /mqtt:\/\/host or mqtts:\/\/host/],
    [['-f', 'a', '--mqtt', 'broker'], /--mqtt: an address/],
    [['-f', 'a', '--mqtt-topic', 'x'], /need the broker/],
    [['-f', 'a', '--mqtt', 'mqtt://b', '--mqtt-topic', 'a/#'], /no \+ or #/],
    [['-f', 'a', '--mqtt', 'mqtt://b', '--mqtt-password', 'p'], /needs a user/],
    [
      ['-f', 'a', '--mqtt', 'mqtt://b', '--mqtt-password-file', '/none', '--mqtt-user', 'u'],
      /\/none: there is no such file/,
    ],
    [['-f', 'a', '--mqtt', 'mqtt://b', '--mqtt-ca', file('ca.pem', '-----BEGIN CERTIFICATE-----')], /not encrypted/],
    [['-f', 'a', '--mqtt', 'mqtts://b', '--mqtt-ca', file('no.pem', 'x')], /no PEM file/],
    [
      ['-f', 'a', '--mqtt', 'mqtts://b', '--mqtt-cert', file('c.pem', '-----BEGIN CERTIFICATE-----')],
      /belong together/,
    ],
    [['-f', 'a', '--post', 'ftp://x'], /http:\/\/host/],
    [['-f', 'a', '--api-key', 'k'], /needs the server/],
    [['-f', 'a', '--post', 'http://x', '--api-key', 'a b'], /no blanks/],
    [['-f', 'a', '--post', 'http://x', '--api-key', '@/none'], /there is no such file/],
    [['-f', 'a', '--nonsense'], /unknown option/],
    [['-f'], /argument missing/],
  ])('%j', (argv, words) => {
    expect(() => parse(...argv)).toThrow(words);
  });
  it('never shows a key', () => {
    for (const bad of [`${A}0`, `${A}00`, `x=${A}zz`]) {
      try {
        keyEntries([bad], []);
        expect.unreachable();
      } catch (error) {
        expect(String(error)).not.toContain(A.slice(0, 8));
      }
    }
  });
});

describe('keys', () => {
  const entries = keyEntries([A, `4B464D1020000001=${B}`], []);
  const ring = keyRing(entries);
  const title = Uint8Array.of(0x4b, 0x46, 0x4d, 0x10, 0x20, 0, 0, 1);
  const tried = (t: Uint8Array | undefined, m?: string) => ring.candidates(t, m).map(({ key }) => toHex(key));
  it("tries the meter's own first, then those for any, and those of others last", () => {
    expect(tried(title)).toEqual([B, A]);
    expect(tried(Uint8Array.of(9, 9, 9, 9, 9, 9, 9, 9))).toEqual([A, B]);
    expect(tried(Uint8Array.of(9, 9, 9, 9, 9, 9, 9, 9), 'M2')).toEqual([A, B]);
    expect(tried(title, 'M2')).toEqual([B, A]);
  });
  it('have a short mark that does not hold the key', () => {
    const mark = keyMark(entries)!;
    expect(mark).toMatch(/^[0-9A-F]{8}$/);
    expect(keyMark([...entries].reverse())).toBe(mark);
    expect(keyMark(keyEntries([A], []))).not.toBe(mark);
    expect(A.toUpperCase()).not.toContain(mark);
    expect(keyMark([])).toBeUndefined();
  });
});

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildConfig } from '../../src/config/build.ts';
import { quoted, readDocument } from '../../src/config/document.ts';
import { faultText } from '../../src/config/faults.ts';
import { createConfigStore } from '../../src/config/load.ts';
import { canonicalName, environmentName, fromEnvironment, SETTINGS, settingOf } from '../../src/config/schema.ts';

const AT = { hostName: 'pi', folder: '/etc/amiable' };
const of = (settings: Record<string, string>) => buildConfig(new Map(Object.entries(settings)), AT);
const words = (settings: Record<string, string>) => of(settings).faults.map((fault) => faultText(fault));
const KEY = '000102030405060708090a0b0c0d0e0f';

describe('the file', () => {
  const TEXT = '# mine\r\n\r\nport.1.device = /dev/ttyUSB0\r\n; other\r\nMQTT.host="broker  "\r\nreader=attic';

  it('is lines of name=value with comments and quotes', () => {
    expect(readDocument(TEXT).entries).toEqual([
      { name: 'port.1.device', value: '/dev/ttyUSB0', line: 3 },
      { name: 'MQTT.host', value: 'broker  ', line: 5 },
      { name: 'reader', value: 'attic', line: 6 },
    ]);
  });

  it('keeps comments, order and line ends when one setting changes', () => {
    const changes = new Map<string, string | undefined>([
      ['mqtt.1.host', 'other'],
      ['port.1.key', KEY],
      ['reader', undefined],
      ['modbus.enabled', 'yes'],
    ]);
    expect(readDocument(TEXT).changed(changes, canonicalName, () => 'Modbus TCP')).toBe(
      `# mine\r\n\r\nport.1.device = /dev/ttyUSB0\r\nport.1.key=${KEY}\r\n; other\r\nMQTT.host=other\r\n\r\n# Modbus TCP\r\nmodbus.enabled=yes\r\n`,
    );
  });

  it('says which lines are no setting, and does not repeat them', () => {
    const { faults } = readDocument('secret\n=x\na="b\nb="c" d\n');
    expect(faults.map((fault) => faultText(fault, 'config.txt'))).toEqual([
      'config.txt:1: a line is name=value, a comment begins with #',
      'config.txt:2: a line is name=value, a comment begins with #',
      'config.txt:3: a: a quote is not closed, or something stands behind it',
      'config.txt:4: b: a quote is not closed, or something stands behind it',
    ]);
  });

  it('gives back every value that was written', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (given) => {
        // A carriage return is no part of a value (PEM text pasted from elsewhere has them), NUL is refused.
        const value = given.replaceAll('\r', '').replaceAll('\0', '');
        expect(readDocument(`x=${quoted(value)}\n`).entries).toEqual([{ name: 'x', value, line: 1 }]);
      }),
    );
  });

  it('takes any text without throwing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const document = readDocument(text);
        of(Object.fromEntries(document.entries.map(({ name, value }) => [canonicalName(name), value])));
      }),
      { numRuns: 40 },
    );
  });
});

describe('the schema', () => {
  it('has defaults that are right, and an explanation for each setting', () => {
    expect(of({}).faults).toEqual([]);
    for (const { name, label, explanation } of SETTINGS) {
      expect(settingOf(name.replace('#', '3')), name).toBeDefined();
      expect(label.length * explanation.length, name).toBeGreaterThan(0);
    }
  });

  it('has a variable of the environment for each setting', () => {
    for (const { name } of SETTINGS) {
      const own = name.replace('#', '2');
      expect(fromEnvironment(environmentName(own))).toBe(own);
    }
    expect(fromEnvironment('AMIABLE_MQTT_CLIENT_ID')).toBe('mqtt.1.client-id');
    expect(fromEnvironment('AMIABLE_DEBUG')).toBeUndefined();
  });
});

describe('a configuration', () => {
  it('holds everything that was given, in the units of the program', () => {
    const { config, faults } = of({
      'port.1.device': '/dev/ttyUSB0',
      'port.1.key': `${KEY}, 5706567274389702=${KEY.replace('00', 'ff')}`,
      'port.1.auth-key': KEY,
      'port.2.device': '192.168.1.20:3001',
      'port.2.protocol': 'P1',
      'port.2.baud': '115200',
      'mqtt.1.host': 'broker.lan',
      'mqtt.1.tls': 'yes',
      'mqtt.1.interval': '5m',
      'post.1.url': 'https://central.example/api/v1/messages',
      'spool.max-size': '2 GB',
      'homeassistant.enabled': 'yes',
    });
    expect(faults).toEqual([]);
    expect(config?.reader).toBe('pi');
    expect(config?.ports.map(({ name, protocol, baud, patience }) => [name, protocol, baud, patience])).toEqual([
      ['han0', 'auto', undefined, 20_000],
      ['han1', 'p1', 115_200, 20_000],
    ]);
    expect(config?.ports[0]?.keys).toEqual([
      { key: KEY.toUpperCase(), authKey: KEY.toUpperCase() },
      { id: '5706567274389702', key: KEY.replace('00', 'ff').toUpperCase(), authKey: KEY.toUpperCase() },
    ]);
    expect(config?.uplinks.map(({ name, interval }) => [name, interval])).toEqual([
      ['mqtt', 300_000],
      ['post', 0],
    ]);
    expect(config?.spool).toEqual({ folder: '/etc/amiable/spool', maxBytes: 2e9, syncInterval: 5000 });
    expect(config?.gateways.homeAssistant?.connection).toMatchObject({
      host: 'broker.lan',
      port: 8883,
      clientId: 'amiable-pi-ha',
    });
    expect(config?.page).toEqual({ host: '127.0.0.1', port: 8090, names: [], openStatus: false });
  });

  it('takes spans of time as they are written', () => {
    const interval = (text: string) => of({ 'mqtt.1.host': 'b', 'mqtt.1.interval': text }).config?.uplinks[0]?.interval;
    expect(['23h30m', '1h 30 min', '1.5h', '90', '1m30s500ms', '1H', 'live'].map(interval)).toEqual([
      84_600_000, 5_400_000, 5_400_000, 90_000, 90_500, 3_600_000, 0,
    ]);
    for (const text of ['30m1h', '1h1h', '1m1min', '1h30', '1h 30', 'h', '1x', '1h-5m', '12h13h', '23h61m'])
      expect(interval(text), text).toBeUndefined();
  });

  it.each<[Record<string, string>, string]>([
    [{ 'port.1.name': 'x' }, 'port.1.name: port.1.device is needed with it'],
    [
      { 'port.1.device': 'host:99999' },
      'port.1.device: a serial port such as /dev/ttyUSB0 is wanted, or host:port with a port from 1 to 65535',
    ],
    [{ 'port.1.device': '/dev/a', 'port.2.device': '/dev/a' }, 'port.2.device: port.1.device reads the same device'],
    [
      { 'port.1.device': '/dev/a', 'port.2.device': '/dev/b', 'port.2.name': 'han0' },
      'port.2.name: port.1.device has the same name',
    ],
    [
      { 'port.1.device': '/dev/a', 'port.1.key': 'secret' },
      'port.1.key: a key is 32 hex digits, with METER= before it when it is for one meter only',
    ],
    [
      { 'port.1.device': '/dev/a', 'port.1.auth-key': KEY },
      'port.1.auth-key: an authentication key alone opens nothing; the encryption key of the same meter is needed',
    ],
    [{ 'port.33.device': '/dev/a' }, 'port.33.device: at most 32 of a kind'],
    [{ 'mqtt.1.hosts': 'x' }, 'mqtt.1.hosts: there is no such setting (mqtt.1.host?)'],
    [{ 'mqtt.1.host': 'b', 'mqtt.1.password': 'secret' }, 'mqtt.1.password: mqtt.1.user is needed with it'],
    [
      { 'mqtt.1.host': 'b', 'mqtt.1.interval': '2x' },
      'mqtt.1.interval: a span of time is wanted from live to 1d, such as 10s, 5m or 1h30m',
    ],
    [
      { 'post.1.url': 'https://u:secret@host/' },
      'post.1.url: a name or password does not belong into the address; there are settings for them',
    ],
    [
      { 'homeassistant.enabled': 'yes' },
      'homeassistant.enabled: no broker is named: homeassistant.host, or a first broker among the uplinks',
    ],
    [
      { 'mqtt.1.host': 'b', 'mqtt.1.tls': 'yes', 'mqtt.1.ca': 'secret' },
      'mqtt.1.ca: it is neither PEM text (with a -----BEGIN line) nor @ and the path of a file that has it',
    ],
    [{ 'modbus.port': '1.5' }, 'modbus.port: a whole number from 1 to 65535 is wanted'],
    [{ 'page.password': 'short' }, 'page.password: a password has at least 8 letters'],
  ])('%o is told in words', (settings, told) => {
    expect(words(settings)).toEqual([told]);
    expect(told).not.toContain('secret');
  });
});

describe('the store', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'amiable-config-'));
    file = join(folder, 'config.txt');
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const store = (environment: Record<string, string> = {}, given: string[] = []) =>
    createConfigStore({
      file,
      environment,
      given,
      hostName: 'pi',
      hash: async (password) => `$argon2id$${password.length}`,
    });

  it('takes the command line before the environment before the file before the default', async () => {
    writeFileSync(file, 'reader=file\nmodbus.port=1\nmulticast.ttl=2\n', { mode: 0o600 });
    const { config, origins } = await store(
      { AMIABLE_READER: 'environment', AMIABLE_MODBUS_PORT: '2', AMIABLE_MODBUS_ENABLED: 'yes' },
      ['reader=line'],
    ).load();
    expect(config?.reader).toBe('line');
    expect(config?.gateways.modbus).toEqual({ host: '127.0.0.1', port: 2, maxClients: 8 });
    expect(origins.get('multicast.ttl')).toMatchObject({ from: 'file', line: 3 });
  });

  it('tells faults by line, variable and option', async () => {
    writeFileSync(file, '\nreader=a/b\nreader=c\n');
    const { config, faults } = await store({ AMIABLE_MODBUS_PORT: 'x', AMIABLE_MQTT_HOTS: 'y' }, ['nothing']).load();
    expect(config).toBeUndefined();
    expect(faults.map((fault) => faultText(fault, 'config.txt')).sort()).toEqual([
      '--set: a line is name=value, a comment begins with #',
      'config.txt:2: reader: / cannot stand in it',
      'config.txt:3: reader: it stands in line 2 already',
      'environment AMIABLE_MODBUS_PORT: modbus.port: a number from 1 to 65535 is wanted',
      'environment AMIABLE_MQTT_HOTS: there is no such setting',
    ]);
  });

  it('writes for its owner only, whole or not at all, and leaves nothing behind', async () => {
    const one = store();
    await one.save(new Map([['reader', 'attic']]));
    await Promise.all([
      one.save(new Map([['mqtt.1.password', ' x" ']])),
      one.save(new Map([['mqtt.1.user', 'u']])),
      one.save(new Map([['mqtt.1.host', 'h']])),
    ]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['config.txt']);
    const { config } = await one.load();
    expect(config?.reader).toBe('attic');
    expect(config?.uplinks[0]).toMatchObject({ connection: { host: 'h', user: 'u', password: ' x" ' } });
  });

  it('replaces a plain password by its hash and closes a file with secrets to others', async () => {
    writeFileSync(file, '# mine\npage.password=long enough\n', { mode: 0o644 });
    const { config, warnings } = await store().load();
    expect(config?.page.passwordHash).toBe('$argon2id$11');
    expect(readFileSync(file, 'utf8')).toBe('# mine\npage.password=$argon2id$11\n');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(warnings).toEqual([`${file}:2: the password of the page is replaced by its hash`]);

    writeFileSync(file, `port.device=/dev/a\nport.key=${KEY}\n`);
    (await import('node:fs')).chmodSync(file, 0o644);
    expect((await store().load()).warnings).toEqual([
      `${file} has secrets in it and others could read it; now only its owner can`,
    ]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('reads secrets and certificates from files named with @', async () => {
    writeFileSync(join(folder, 'secret'), 'pass word\n');
    writeFileSync(
      file,
      'mqtt.host=h\nmqtt.user=u\nmqtt.password=@secret\nmqtt.2.host=h\nmqtt.2.user=u\nmqtt.2.password=@@x\n',
    );
    const { config } = await store().load();
    expect(config?.uplinks.map((uplink) => uplink.type === 'mqtt' && uplink.connection.password)).toEqual([
      'pass word',
      '@x',
    ]);
    writeFileSync(file, 'mqtt.host=h\nmqtt.user=u\nmqtt.password=@nowhere\n');
    const { faults } = await store().load();
    expect(faultText(faults[0] ?? { key: 'noEquals' })).toMatch(
      /^line 3: mqtt\.1\.password: the file cannot be read: .*nowhere: there is no such file/,
    );
  });
});

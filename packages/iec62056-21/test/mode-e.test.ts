/** Mode E of IEC 62056-21: both ends, each against bytes and against the other. */
import { toHex } from '@amiable/bytes';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ClientOptions, createOpticalClient, createOpticalServer, type ServerOptions } from '../src/index.ts';

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
const said = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

function meter(more: Partial<ServerOptions> = {}) {
  const log: string[] = [];
  const server = createOpticalServer(
    { maker: 'AMI', identification: 'VM3000', hdlc: true, ...more },
    {
      write: (bytes) => void log.push(said(bytes)),
      line: ({ baud, framing }) => void log.push(`${baud} ${framing}`),
      hdlc: (rest) => void log.push(`hdlc ${toHex(rest)}`),
    },
  );
  return { server, log };
}

function reader(more: ClientOptions = {}) {
  const log: string[] = [];
  const client = createOpticalClient(more, {
    write: (bytes) => void log.push(said(bytes)),
    line: ({ baud, framing }) => void log.push(`${baud} ${framing}`),
    event(event) {
      if (event.type === 'hdlc') {
        const { maker, identification, agreed } = event.meter;
        log.push(`hdlc ${maker} ${identification} ${agreed} ${toHex(event.rest)}`);
      } else if (event.type === 'failed') log.push(event.error.message);
    },
  });
  return { client, log };
}

describe('the meter', () => {
  test('identifies itself, confirms, changes the line and hands on', () => {
    const { server, log } = meter();
    server.receive(ascii('/?!\r\n'), 0);
    expect(log).toEqual(['/AMI5\\2VM3000\r\n']);
    server.receive(ascii('\x06252\r\n\x7e'), 100);
    expect(log.slice(1)).toEqual(['\x06252\r\n', '9600 8N1', 'hdlc 7e']);
    server.receive(ascii('\x7e'), 110);
    expect(log.at(-1)).toBe('hdlc 7e');
    server.reset();
    expect([log.at(-1), server.state]).toEqual(['300 7E1', 'waiting']);
  });

  test.each([
    ['/?!\r\n', true],
    ['/?12345!\r\n', true],
    ['/?0012345!\r\n', true],
    ['/?54321!\r\n', false],
    ['noise\x00/?!\r\n', true],
    ['/?!\r', false],
    ['?!\r\n', false],
  ])('asked %j', (request, answers) => {
    const { server, log } = meter({ address: '0012345' });
    server.receive(ascii(request), 0);
    expect(log).toHaveLength(answers ? 1 : 0);
  });

  test('takes parity bits', () => {
    const { server, log } = meter();
    server.receive(
      ascii('/?!\r\n').map((byte) => byte | 0x80),
      0,
    );
    expect(log).toHaveLength(1);
  });

  test.each(['\x06050\r\n', '\x06262\r\n', '\x06251\r\n', '\x06252x\r\n'])('refuses %j', (answer) => {
    const { server, log } = meter();
    server.receive(ascii(`/?!\r\n${answer}`), 0);
    expect(log).toHaveLength(1);
    expect(server.state).toBe('waiting');
  });

  test('takes a slower rate than it offered', () => {
    const { server, log } = meter();
    server.receive(ascii('/?!\r\n\x06202\r\n'), 0);
    expect(log.slice(1, 3)).toEqual(['\x06202\r\n', '300 8N1']);
  });

  test('forgets a client that does not go on', () => {
    const { server, log } = meter();
    server.receive(ascii('/?!\r\n'), 0);
    expect(server.nextDeadline()).toBe(2000);
    server.tick(2000);
    expect(server.state).toBe('waiting');
    server.receive(ascii('\x06252\r\n'), 2100);
    expect(log).toHaveLength(1);
  });

  test('random bytes do no harm, and keep nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 10 }), (chunks) => {
        const { server } = meter();
        chunks.forEach((chunk, i) => {
          server.receive(chunk, i);
        });
        expect(['waiting', 'identified', 'hdlc']).toContain(server.state);
      }),
      { numRuns: 100 },
    );
  });
});

describe('the client', () => {
  test('signs on, takes the fastest rate of both', () => {
    const { client, log } = reader({ maxBaud: 4800 });
    client.start('hdlc', 0);
    expect(log).toEqual(['300 7E1', '/?!\r\n']);
    client.receive(ascii('/AMI6\\2VM3000\r\n'), 10);
    expect(log.at(-1)).toBe('\x06242\r\n');
    client.receive(ascii('\x06242\r\n~'), 20);
    expect(log.slice(-2)).toEqual(['4800 8N1', 'hdlc AMI VM3000 4800 7e']);
  });

  test('on a head that echoes', () => {
    const { client, log } = reader();
    client.start('hdlc', 0);
    client.receive(ascii('/?!\r\n/AMI5\\2VM3000\r\n'), 10);
    client.receive(ascii('\x06252\r\n'), 20);
    expect(client.state).toBe('confirming');
    client.receive(ascii('\x06252\r\n'), 30);
    expect([client.state, log.at(-1)]).toEqual(['hdlc', 'hdlc AMI VM3000 9600 ']);
  });

  test('without a confirmation it changes all the same', () => {
    const { client, log } = reader();
    client.start('hdlc', 0);
    client.receive(ascii('/AMI5\\2VM3000\r\n'), 10);
    client.tick(client.nextDeadline());
    expect(log.slice(-2)).toEqual(['9600 8N1', 'hdlc AMI VM3000 9600 ']);
  });

  test('asks again, and says at last what came', () => {
    const { client, log } = reader({ attempts: 2, address: '17' });
    client.start('hdlc', 0);
    client.receive(ascii('xyz'), 10);
    client.tick(3000);
    expect(log).toEqual(['300 7E1', '/?17!\r\n', '300 7E1', '/?17!\r\n']);
    client.tick(6000);
    expect(client.state).toBe('failed');
    expect(log.at(-1)).toContain('xyz came in 2 attempts');
  });

  test.each([
    ['/AMI5VM3000\r\n', 'no binary mode'],
    ['/AMIA\\2VM3000\r\n', 'unknown rate'],
  ])('%j is refused', (identification, words) => {
    const { client, log } = reader();
    client.start('hdlc', 0);
    client.receive(ascii(identification), 10);
    expect(client.state).toBe('failed');
    expect(log.at(-1)).toContain(words);
  });
});

test('both ends, cut in any way, agree on the slower of their fastest rates', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(300, 600, 2400, 9600, 19_200),
      fc.constantFrom(300, 1200, 9600, 19_200),
      fc.integer({ min: 1, max: 9 }),
      (a, b, cut) => {
        const toMeter: number[] = [];
        const toReader: number[] = [];
        const ends: string[] = [];
        const server = createOpticalServer(
          { maker: 'AMI', identification: 'X', baud: a, hdlc: true },
          {
            write: (bytes) => void toReader.push(...bytes),
            line: ({ baud }) => void ends.push(`meter ${baud}`),
            hdlc: () => {},
          },
        );
        const client = createOpticalClient(
          { maxBaud: b },
          {
            write: (bytes) => void toMeter.push(...bytes),
            line: ({ baud, framing }) => void (framing === '8N1' && ends.push(`client ${baud}`)),
            event(event) {
              if (event.type === 'failed') throw event.error;
            },
          },
        );
        client.start('hdlc', 0);
        for (let now = 1; toMeter.length + toReader.length > 0; now++) {
          if (toMeter.length > 0) server.receive(Uint8Array.from(toMeter.splice(0, cut)), now);
          if (toReader.length > 0) client.receive(Uint8Array.from(toReader.splice(0, cut)), now);
        }
        expect(ends.sort()).toEqual([`client ${Math.min(a, b)}`, `meter ${Math.min(a, b)}`]);
      },
    ),
    { numRuns: 60 },
  );
});

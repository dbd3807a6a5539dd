import { createLogicalDevice } from '@amiable/cosem';
import { type Apdu, decodeApdu, encodeApdu, encodeWrapper, LN_CONFORMANCE, WRAPPER_HEADER } from '@amiable/dlms';
import { nodeCrypto, virtualClock } from '@amiable/io';
import { describe, expect, it } from 'vitest';
import { createMeterServer } from '../src/index.ts';

const text = (words: string): Uint8Array => new TextEncoder().encode(words);

function setUp() {
  const clock = virtualClock(1_000_000);
  let looked = 0;
  const device = createLogicalDevice({
    objects: [],
    associations: [
      {
        name: 'reader',
        clientSap: 2,
        applicationContexts: [1],
        mechanism: 1,
        conformance: LN_CONFORMANCE,
        secret: () => {
          looked++;
          return text('12345678');
        },
      },
      {
        name: 'management',
        clientSap: 1,
        applicationContexts: [1],
        mechanism: 4,
        conformance: LN_CONFORMANCE,
        secret: () => text('a long secret of many characters'),
      },
    ],
  });
  const server = createMeterServer({
    find: ({ logical }) => (logical > 0 && logical < 3 ? { device, meter: undefined } : undefined),
    clock,
    random: (n) => nodeCrypto.randomBytes(n),
    crypto: nodeCrypto,
    fault: (error) => {
      throw error;
    },
  });
  /** A new connection each time, as one who guesses would make it. */
  const ask = (client: number, meter: number, ...apdus: readonly Apdu[]): Apdu => {
    const answers: Apdu[] = [];
    const events = server.accept({
      write: (bytes) => answers.push(decodeApdu(bytes.slice(WRAPPER_HEADER))),
      close: () => {},
    });
    for (const apdu of apdus) events?.data(encodeWrapper(client, meter, encodeApdu(apdu)));
    events?.closed();
    return answers.at(-1) as Apdu;
  };
  const aarq = (mechanism: number, value: Uint8Array): Apdu => ({
    type: 'aarq',
    applicationContext: 1,
    senderAcseRequirements: true,
    mechanism,
    callingAuthenticationValue: value,
    userInformation: encodeApdu({
      type: 'initiate-request',
      responseAllowed: true,
      version: 6,
      conformance: LN_CONFORMANCE,
      maxPduSize: 1024,
    }),
  });
  const tryPassword = (password: string, meter = 1): boolean => {
    const answer = ask(2, meter, aarq(1, text(password)));
    return answer.type === 'aare' && answer.result === 0;
  };
  return { clock, server, tryPassword, aarq, looked: () => looked };
}

describe('guessing passwords', () => {
  it('costs nothing for who mistypes, then a second, then twice as long each time, a minute at most', async () => {
    const { clock, tryPassword, looked } = setUp();
    for (let i = 0; i < 5; i++) expect(tryPassword('wrong')).toBe(false);
    expect(looked()).toBe(5);
    // Now nobody looks, whatever comes, the right one included.
    expect(tryPassword('12345678')).toBe(false);
    expect(looked()).toBe(5);
    for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60]) {
      await clock.advance(seconds * 1000 - 1);
      expect(tryPassword('wrong'), `before ${seconds} s`).toBe(false);
      const before = looked();
      await clock.advance(1);
      expect(tryPassword('wrong')).toBe(false);
      expect(looked(), `after ${seconds} s`).toBe(before + 1);
    }
    await clock.advance(60_000);
    expect(tryPassword('12345678')).toBe(true);
    // A good one forgets it all.
    for (let i = 0; i < 4; i++) tryPassword('wrong');
    expect(tryPassword('12345678')).toBe(true);
  });

  it('at one meter does not shut anyone out at another, and is forgotten after ten minutes', async () => {
    const { clock, tryPassword } = setUp();
    for (let i = 0; i < 30; i++) tryPassword('wrong', 1);
    expect(tryPassword('12345678', 1)).toBe(false);
    expect(tryPassword('12345678', 2)).toBe(true);
    await clock.advance(600_000);
    for (let i = 0; i < 4; i++) expect(tryPassword('wrong', 1)).toBe(false);
    expect(tryPassword('12345678', 1)).toBe(true);
  });

  it('is slowed down with high level authentication too', async () => {
    const { clock, server, aarq } = setUp();
    /** Passes 1 to 3 of SHA-1 on a connection of its own. */
    const prove = (secret: string): boolean => {
      const answers: Apdu[] = [];
      const events = server.accept({
        write: (bytes) => answers.push(decodeApdu(bytes.slice(WRAPPER_HEADER))),
        close: () => {},
      });
      const send = (apdu: Apdu): Apdu => {
        events?.data(encodeWrapper(1, 1, encodeApdu(apdu)));
        return answers.at(-1) as Apdu;
      };
      const aare = send(aarq(4, nodeCrypto.randomBytes(16)));
      const challenge = aare.type === 'aare' ? aare.respondingAuthenticationValue : undefined;
      expect(challenge).toBeDefined();
      const digest = nodeCrypto.sha1(new Uint8Array([...(challenge as Uint8Array), ...text(secret)]));
      const answer = send({
        type: 'action-request-normal',
        invoke: 0xc1,
        method: { classId: 15, instanceId: Uint8Array.of(0, 0, 40, 0, 0, 255), methodId: 1 },
        parameters: Uint8Array.of(0x09, digest.length, ...digest),
      });
      events?.closed();
      return answer.type === 'action-response-normal' && answer.result.result === 0;
    };
    const right = 'a long secret of many characters';
    expect(prove(right)).toBe(true);
    for (let i = 0; i < 5; i++) expect(prove('wrong')).toBe(false);
    expect(prove(right)).toBe(false);
    await clock.advance(1000);
    expect(prove(right)).toBe(true);
  });
});

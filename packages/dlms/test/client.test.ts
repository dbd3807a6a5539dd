/** The client association against scripts of bytes: what goes out, what came in, what comes of it. */
import { DecodeError, fromHex, LinkError, MisuseError, toHex } from '@amiable/bytes';
import {
  type AccessSpecification,
  type ClientAssociation,
  type ClientAssociationOptions,
  CONFORMANCE,
  createClientAssociation,
  DlmsPeerError,
  decodeApdu,
  encodeApdu,
  LN_CONFORMANCE,
  type Outcome,
  octetString,
  SN_CONFORMANCE,
  type Step,
} from '@amiable/dlms';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const REGISTER = { classId: 3, instanceId: fromHex('0100010800ff'), attributeId: 2 };
const SECOND = { classId: 1, instanceId: fromHex('0000600100ff'), attributeId: 2 };
const METHOD = { classId: 70, instanceId: fromHex('0000600300ff'), methodId: 1 };
const hex = (bytes: Uint8Array): string => toHex(bytes).toLowerCase();

/** An association that exists already. */
const established = (maxPduSize = 0, more: Partial<ClientAssociationOptions> = {}): ClientAssociation =>
  createClientAssociation({ preEstablished: { conformance: LN_CONFORMANCE, maxPduSize }, ...more });
const shortNames = (maxPduSize = 0): ClientAssociation =>
  createClientAssociation({ referencing: 'SN', preEstablished: { conformance: SN_CONFORMANCE, maxPduSize } });

/** Plays `> out` and `< in` in turn. @returns what it came to */
function play(
  association: ClientAssociation,
  start: (a: ClientAssociation) => Step,
  script: string,
): Outcome | undefined {
  let step = start(association);
  let outbox = [...step.send];
  for (const line of script.trim().split('\n')) {
    const bytes = line.trim().slice(2).replaceAll(' ', '');
    if (line.trim().startsWith('>')) expect(hex(outbox.shift() ?? new Uint8Array(0))).toBe(bytes);
    else {
      expect(outbox).toEqual([]);
      step = association.receive(fromHex(bytes));
      outbox = [...step.send];
    }
  }
  expect(outbox).toEqual([]);
  return step.done;
}

const message = (outcome: Outcome | undefined): string => (outcome && !outcome.ok ? outcome.error.message : 'no error');

describe('GET', () => {
  test('one attribute, and its refusal', () => {
    const a = established();
    expect(play(a, (x) => x.get(REGISTER), '> c001c1 0003 0100010800ff 02 00\n< c401c1 00 0600000005')).toEqual({
      ok: true,
      operation: 'get',
      result: { data: fromHex('0600000005') },
    });
    const access = { selector: 1, parameters: fromHex('0200') };
    expect(
      play(a, (x) => x.get({ ...REGISTER, access }), '> c001c2 0003 0100010800ff 02 01 01 0200\n< c401c2 01 03'),
    ).toEqual({ ok: true, operation: 'get', result: { error: 3 } });
  });

  test('in blocks: each is asked for by the number of the one before', () => {
    const done = play(
      established(),
      (x) => x.get(REGISTER),
      `> c001c1 0003 0100010800ff 02 00
       < c402c1 00 00000001 00 03 010203
       > c002c1 00000001
       < c402c1 00 00000002 00 02 0405
       > c002c1 00000002
       < c402c1 01 00000003 00 01 06`,
    );
    expect(done).toEqual({ ok: true, operation: 'get', result: { data: fromHex('010203040506') } });
  });

  test('a block that is an error ends it as the result', () => {
    const done = play(
      established(),
      (x) => x.get(REGISTER),
      `> c001c1 0003 0100010800ff 02 00
       < c402c1 00 00000001 00 03 010203
       > c002c1 00000001
       < c402c1 01 00000002 01 0f`,
    );
    expect(done).toEqual({ ok: true, operation: 'get', result: { error: 15 } });
  });

  test('a list, whole and in blocks', () => {
    const request = '> c003c1 02 0003 0100010800ff 02 00 0001 0000600100ff 02 00';
    const results = [{ data: fromHex('1105') }, { error: 4 }];
    expect(play(established(), (x) => x.getList([REGISTER, SECOND]), `${request}\n< c403c1 02 00 1105 01 04`)).toEqual({
      ok: true,
      operation: 'get-list',
      results,
    });
    const done = play(
      established(),
      (x) => x.getList([REGISTER, SECOND]),
      `${request}
       < c402c1 00 00000001 00 02 0200
       > c002c1 00000001
       < c402c1 01 00000002 00 04 11050104`,
    );
    expect(done).toEqual({ ok: true, operation: 'get-list', results });
    const short = play(established(), (x) => x.getList([REGISTER, SECOND]), `${request}\n< c403c1 01 00 1105`);
    expect(message(short)).toMatch(/it has 1 results for 2 attributes/);
  });

  test('priority and invoke ids: 1 to 15, 0, 1', () => {
    const a = established(0, { highPriority: false });
    const ids = Array.from({ length: 17 }, () => {
      const [apdu] = a.get(REGISTER).send as [Uint8Array];
      a.receive(Uint8Array.of(0xc4, 1, apdu[2] as number, 0, 0x11, 1));
      return apdu[2];
    });
    expect(ids).toEqual([...Array.from({ length: 15 }, (_, i) => 0x41 + i), 0x40, 0x41]);
  });
});

describe('SET', () => {
  test('one, a list', () => {
    expect(
      play(
        established(),
        (x) => x.set(REGISTER, fromHex('1105')),
        '> c101c1 0003 0100010800ff 02 00 1105\n< c501c1 03',
      ),
    ).toEqual({ ok: true, operation: 'set', result: 3 });
    expect(
      play(
        established(),
        (x) => x.setList([REGISTER, SECOND], [fromHex('1105'), fromHex('1106')]),
        '> c104c1 02 0003 0100010800ff 02 00 0001 0000600100ff 02 00 02 1105 1106\n< c505c1 02 00 0d',
      ),
    ).toEqual({ ok: true, operation: 'set-list', results: [0, 13] });
  });

  test('in blocks that fit what the server takes', () => {
    const done = play(
      established(28),
      (x) => x.set(REGISTER, octetString(Uint8Array.from({ length: 20 }, (_, i) => i))),
      `> c102c1 0003 0100010800ff 02 00 00 00000001 09 091400010203040506
       < c502c1 00000001
       > c103c1 00 00000002 09 0708090a0b0c0d0e0f
       < c502c1 00000002
       > c103c1 01 00000003 04 10111213
       < c503c1 00 00000003`,
    );
    expect(done).toEqual({ ok: true, operation: 'set', result: 0 });
  });

  test('what a server must not say between blocks', () => {
    const value = octetString(new Uint8Array(20));
    const first = '> c102c1 0003 0100010800ff 02 00 00 00000001 0d 09140000000000000000000000';
    for (const [answer, words] of [
      ['c502c1 00000002', /it confirms block 2, not block 1; expected set-response-datablock, block 1/],
      ['c503c1 00 00000001', /it ends with block 1, and more are to be sent/],
      ['c501c1 00', /it is set-response-normal/],
      ['c502c2 00000001', /the invoke id is 2, not 1/],
    ] as const) {
      const a = established(32);
      expect(message(play(a, (x) => x.set(REGISTER, value), `${first}\n< ${answer}`))).toMatch(words);
      expect(a.state).toBe('broken');
    }
    // Giving up with a result is allowed.
    expect(play(established(32), (x) => x.set(REGISTER, value), `${first}\n< c503c1 11 00000001`)).toEqual({
      ok: true,
      operation: 'set',
      result: 17,
    });
  });

  test('a list in blocks', () => {
    const done = play(
      established(44),
      (x) => x.setList([REGISTER, SECOND], [octetString(new Uint8Array(8)), octetString(new Uint8Array(8).fill(1))]),
      `> c105c1 02 0003 0100010800ff 02 00 0001 0000600100ff 02 00 00 00000001 0e 02 09080000000000000000 090801
       < c502c1 00000001
       > c103c1 01 00000002 07 01010101010101
       < c504c1 02 00 03 00000002`,
    );
    expect(done).toEqual({ ok: true, operation: 'set-list', results: [0, 3] });
  });
});

describe('ACTION', () => {
  test('without and with parameters, with something returned', () => {
    expect(play(established(), (x) => x.action(METHOD), '> c301c1 0046 0000600300ff 01 00\n< c701c1 00 00')).toEqual({
      ok: true,
      operation: 'action',
      result: { result: 0 },
    });
    const sent = '> c301c1 0046 0000600300ff 01 01 0f00';
    expect(play(established(), (x) => x.action(METHOD, fromHex('0f00')), `${sent}\n< c701c1 00 01 00 1105`)).toEqual({
      ok: true,
      operation: 'action',
      result: { result: 0, returned: { data: fromHex('1105') } },
    });
  });

  test('parameters in blocks, the answer in blocks', () => {
    const done = play(
      established(30),
      (x) => x.action(METHOD, octetString(new Uint8Array(16).fill(2))),
      `> c304c1 0046 0000600300ff 01 00 00000001 0c 091002020202020202020202
       < c704c1 00000001
       > c306c1 01 00000002 06 020202020202
       < c702c1 00 00000001 04 00 01 00 09
       > c302c1 00000001
       < c702c1 01 00000002 02 01 07`,
    );
    expect(done).toEqual({
      ok: true,
      operation: 'action',
      result: { result: 0, returned: { data: fromHex('090107') } },
    });
  });

  test('a list, whole and in blocks both ways', () => {
    const results = [{ result: 0 }, { result: 3 }];
    expect(
      play(
        established(),
        (x) => x.actionList([METHOD, METHOD], [fromHex('0f00'), fromHex('00')]),
        '> c303c1 02 0046 0000600300ff 01 0046 0000600300ff 01 02 0f00 00\n< c703c1 02 00 00 03 00',
      ),
    ).toEqual({ ok: true, operation: 'action-list', results });
    expect(
      play(
        established(33),
        (x) => x.actionList([METHOD, METHOD], [octetString(new Uint8Array(8)), fromHex('00')]),
        `> c305c1 02 0046 0000600300ff 01 0046 0000600300ff 01 00 00000001 05 02 09080000
         < c704c1 00000001
         > c306c1 00 00000002 05 0000000000
         < c704c1 00000002
         > c306c1 01 00000003 02 0000
         < c702c1 01 00000001 05 02 0000 0300`,
      ),
    ).toEqual({ ok: true, operation: 'action-list', results });
  });

  test('success before all blocks of parameters are there is refused', () => {
    const a = established(30);
    const sent = '> c304c1 0046 0000600300ff 01 00 00000001 0c 091002020202020202020202';
    const start = (x: ClientAssociation) => x.action(METHOD, octetString(new Uint8Array(16).fill(2)));
    expect(message(play(a, start, `${sent}\n< c701c1 00 00`))).toMatch(/success after block 1, and more/);
    expect(play(established(30), start, `${sent}\n< c701c1 0f 00`)).toMatchObject({ ok: true, result: { result: 15 } });
  });
});

describe('ACCESS', () => {
  const parts: AccessSpecification[] = [
    { kind: 'get', ...REGISTER },
    { kind: 'action', ...METHOD },
  ];
  const data = [fromHex('00'), fromHex('0f00')];
  const sent = '> d9 c0000001 00 02 01 0003 0100010800ff 02 03 0046 0000600300ff 01 02 00 0f00';

  test('several in one', () => {
    const done = play(
      established(),
      (x) => x.access(parts, data),
      `${sent}\n< da c0000001 00 00 02 1105 00 02 01 00 03 03`,
    );
    expect(done).toMatchObject({
      operation: 'access',
      response: {
        data: [fromHex('1105'), fromHex('00')],
        results: [
          { kind: 'get', result: 0 },
          { kind: 'action', result: 3 },
        ],
      },
    });
  });

  test('another id, too few results, results of another kind', () => {
    for (const [answer, words] of [
      ['da c0000002 00 00 02 1105 00 02 01 00 03 03', /the long invoke id is 2, not 1/],
      ['da c0000001 00 00 01 1105 01 01 00', /it has 1 results for 2 parts/],
      ['da c0000001 00 00 02 1105 00 02 02 00 03 03', /result 1 is one of set/],
    ] as const)
      expect(message(play(established(), (x) => x.access(parts, data), `${sent}\n< ${answer}`))).toMatch(words);
    // Asked to break at the first error, it has fewer.
    const broke = play(
      established(),
      (x) => x.access(parts, data, { breakOnError: true, selfDescriptive: true }),
      `${sent.replace('c0000001', 'f0000001')}\n< da f0000001 00 00 01 00 01 01 03`,
    );
    expect(broke).toMatchObject({ ok: true });
  });
});

describe('short names', () => {
  const name = { kind: 'variable-name', name: 0xfa08 } as const;

  test('Read of one, of two, parameterised', () => {
    expect(play(shortNames(), (x) => x.read([name]), '> 05 01 02 fa08\n< 0c 01 00 1105')).toEqual({
      ok: true,
      operation: 'read',
      results: [{ data: fromHex('1105') }],
    });
    expect(
      play(
        shortNames(),
        (x) => x.read([name, { kind: 'parameterised-access', name: 0x1000, selector: 2, parameters: fromHex('1101') }]),
        '> 05 02 02 fa08 04 1000 02 1101\n< 0c 02 00 1105 01 04',
      ),
    ).toMatchObject({ results: [{ data: fromHex('1105') }, { error: 4 }] });
  });

  test('Read: the answer in blocks', () => {
    const done = play(
      shortNames(),
      (x) => x.read([name]),
      `> 05 01 02 fa08
       < 0c 01 02 00 0001 04 01 00 0904
       > 05 01 05 0001
       < 0c 01 02 01 0002 04 01020304`,
    );
    expect(done).toMatchObject({ results: [{ data: fromHex('090401020304') }] });
  });

  test('Read: of one variable the blocks may be its value, without the list around it', () => {
    // An array, a structure that looks like a list of two block numbers, a short octet-string.
    for (const value of ['0102 1105 1106', '0203 0300 0301 0302', '0904 01020304', '0100'])
      expect(
        play(
          shortNames(),
          (x) => x.read([name]),
          `> 05 01 02 fa08
           < 0c 01 02 00 0001 01 ${value.slice(0, 2)}
           > 05 01 05 0001
           < 0c 01 02 01 0002 ${((value.replaceAll(' ', '').length - 2) / 2).toString(16).padStart(2, '0')} ${value.slice(2)}`,
        ),
      ).toMatchObject({ results: [{ data: fromHex(value.replaceAll(' ', '')) }] });
    const two = play(
      shortNames(),
      (x) => x.read([name, name]),
      '> 05 02 02 fa08 02 fa08\n< 0c 01 02 01 0001 04 01021105',
    );
    expect(message(two)).toMatch(/no list of results|1 results for 2/);
  });

  test('Read: the request in blocks', () => {
    const long = {
      kind: 'parameterised-access',
      name: 0x1000,
      selector: 1,
      parameters: octetString(new Uint8Array(10)),
    } as const;
    const done = play(
      shortNames(24),
      (x) => x.read([long, long]),
      `> 05 01 06 00 0001 11 02 04 1000 01 090a00000000000000000000
       < 0c 01 03 0001
       > 05 01 06 01 0002 10 04 1000 01 090a00000000000000000000
       < 0c 02 00 1105 01 03`,
    );
    expect(done).toMatchObject({ results: [{ data: fromHex('1105') }, { error: 3 }] });
  });

  test('Write, whole and in blocks', () => {
    expect(
      play(shortNames(), (x) => x.write([name], [fromHex('1105')]), '> 06 01 02 fa08 01 1105\n< 0d 01 00'),
    ).toEqual({
      ok: true,
      operation: 'write',
      results: [{ success: true }],
    });
    const done = play(
      shortNames(20),
      (x) => x.write([name], [octetString(new Uint8Array(14))]),
      `> 06 01 07 00 0001 01 09 0b 01 02 fa08 01 090e00000000
       < 0d 01 02 0001
       > 06 01 07 01 0002 01 09 0a 00000000000000000000
       < 0d 01 01 03`,
    );
    expect(done).toMatchObject({ results: [{ error: 3 }] });
  });

  test('UnconfirmedWrite is done at once', () => {
    const step = shortNames().unconfirmedWrite([name], [fromHex('1105')]);
    expect(step.send.map(hex)).toEqual(['160102fa08011105']);
    expect(step.done).toEqual({ ok: true, operation: 'unconfirmed' });
  });

  test('what does not fit the question is refused', () => {
    for (const answer of [
      '0c 02 00 1105 00 1105',
      '0c 01 03 0001',
      '0d 01 00',
      '0c 01 02 00 0002 01 01',
      'c401c1 00 1105',
    ])
      expect(message(play(shortNames(), (x) => x.read([name]), `> 05 01 02 fa08\n< ${answer}`))).toMatch(
        /^Read of FA08: /,
      );
  });
});

describe('refusals of the server', () => {
  test('an exception response, with the counter it names', () => {
    const a = established();
    const done = play(a, (x) => x.get(REGISTER), '> c001c1 0003 0100010800ff 02 00\n< d8 01 06 000001c8');
    expect(message(done)).toMatch(/service-not-allowed \(1\), invocation-counter-error \(6\), which expects .* 456/);
    const error = done && !done.ok ? (done.error as DlmsPeerError) : undefined;
    expect(error).toMatchObject({ name: 'PeerError', kind: 'exception', code: 6, expectedCounter: 456 });
    // The association lives on.
    expect(a.state).toBe('associated');
    expect(a.busy).toBe(false);
    expect(play(a, (x) => x.get(REGISTER), '> c001c2 0003 0100010800ff 02 00\n< c401c2 00 1105')).toMatchObject({
      ok: true,
    });
  });

  test('a confirmed-service-error', () => {
    const done = play(
      shortNames(),
      (x) => x.read([{ kind: 'variable-name', name: 8 }]),
      '> 05 01 02 0008\n< 0e 05 04 01',
    );
    expect(message(done)).toMatch(/the server refuses read \(5\): definition, object-undefined \(1\)/);
  });
});

describe('what comes unasked', () => {
  const note = (invoke: string) => fromHex(`0f${invoke}00 0201 1105`.replaceAll(' ', ''));

  test('notifications in between are told, and the operation goes on', () => {
    const a = established();
    a.get(REGISTER);
    expect(a.receive(note('00000007'))).toMatchObject({
      send: [],
      indication: { type: 'data-notification', invokeId: 7 },
    });
    expect(a.receive(fromHex('c200 0001 0000600100ff 02 1105'.replaceAll(' ', ''))).indication).toMatchObject({
      type: 'event-notification-request',
    });
    expect(a.receive(fromHex('c401c1001105')).done).toMatchObject({ ok: true });
    expect(a.receive(fromHex('c401c1001105'))).toEqual({ send: [] });
  });

  test('a data-notification that wants to be confirmed is', () => {
    const step = established().receive(note('40000007'));
    expect(step.send.map(hex)).toEqual(['104000000700']);
    expect(step.indication).toMatchObject({ type: 'data-notification' });
    const without = LN_CONFORMANCE & ~CONFORMANCE['data-notification'];
    const silent = createClientAssociation({ preEstablished: { conformance: without, maxPduSize: 0 } });
    expect(silent.receive(note('40000007')).send).toEqual([]);
  });

  test('a push in blocks', () => {
    const a = established();
    const whole = note('00000001');
    expect(a.receive(fromHex(`e040000100000${4}${hex(whole.subarray(0, 4))}`))).toEqual({ send: [] });
    const step = a.receive(Uint8Array.of(0xe0, 0x80, 0, 2, 0, 0, whole.length - 4, ...whole.subarray(4)));
    expect(step.indication).toMatchObject({ type: 'data-notification', invokeId: 1 });
  });
});

describe('opening and releasing', () => {
  const AARE = '6129a109060760857405080101a203020100a305a103020100be10040e0800065f1f0400001e1d04000007';
  const opened = (options: ClientAssociationOptions, aare = AARE) => {
    const a = createClientAssociation(options);
    const [aarq] = a.associate().send as [Uint8Array];
    return { a, aarq, step: a.receive(fromHex(aare)) };
  };

  test('AARQ of the standard, and what is negotiated', () => {
    const { a, aarq, step } = opened({ conformance: 0x007e1f, maxPduSize: 0x04b0 });
    expect(hex(aarq)).toBe('601da109060760857405080101be10040e01000000065f1f0400007e1f04b0');
    expect(step.done).toMatchObject({ ok: true, negotiated: { conformance: 0x1e1d, maxPduSize: 1024, vaaName: 7 } });
    expect(a.state).toBe('associated');
    // Not what was asked, what was agreed: bits beyond are the server's invention.
    expect(opened({ conformance: 0x10 }).step.done).toMatchObject({ negotiated: { conformance: 0x10 } });
  });

  test('AARQ with a password', () => {
    const { aarq } = opened({
      conformance: 0x007e1f,
      maxPduSize: 0x04b0,
      authentication: { mechanism: 1, password: fromHex('3132333435363738') },
    });
    expect(hex(aarq)).toBe(
      '6036a1090607608574050801018a0207808b0760857405080201ac0a80083132333435363738be10040e01000000065f1f0400007e1f04b0',
    );
  });

  test('AARE without user-information, with protocol-version', () => {
    const bare = opened({ conformance: 0x1e1d }, '6117a109060760857405080101a203020100a305a103020100');
    expect(bare.step.done).toMatchObject({ ok: true, negotiated: { conformance: 0x1e1d, maxPduSize: 0xffff } });
    const versioned = opened({}, '611b80020780a109060760857405080101a203020100a305a103020100');
    expect(versioned.step.done).toMatchObject({ ok: true });
  });

  test.each([
    [
      'rejected',
      '6117a109060760857405080101a203020101a305a10302010d',
      'association',
      /rejected-permanent \(1\): authentication-failure \(13\)/,
    ],
    [
      'by the provider',
      '6117a109060760857405080101a203020102a305a203020102',
      'association',
      /rejected-transient \(2\): no-common-acse-version/,
    ],
    [
      'with the reason inside',
      '611fa109060760857405080101a203020101a305a103020101be0604040e010602',
      'association',
      /initiateError \(1\): initiate, incompatible-conformance \(2\)/,
    ],
    ['it wants more', '6117a109060760857405080101a203020100a305a10302010e', 'association', /high-level/],
    ['an exception', 'd80101', 'exception', /service-not-allowed/],
    ['a service error', '0e010603', 'service-error', /pdu-size-too-short/],
    ['DLMS version 5', AARE.replace('080006', '080005'), 'answer', /version is 5/],
    ['a PDU of 8 bytes', AARE.replace('1e1d0400', '1e1d0008'), 'answer', /8 bytes, no service fits/],
    ['no AARE', 'c401c1001105', 'answer', /it is get-response-normal; expected AARE/],
    ['a cut AARE', AARE.slice(0, 30), 'answer', /cannot be read/],
    [
      'a cut InitiateResponse',
      `${AARE.slice(0, -2).replace('6129', '6128').replace('be10040e', 'be0f040d')}`,
      'answer',
      /user-information cannot be read/,
    ],
  ])('refused: %s', (_, aare, kind, words) => {
    const { a, step } = opened({}, aare);
    expect(step.done).toMatchObject({ ok: false, operation: 'associate', error: { kind } });
    expect(message(step.done)).toMatch(words);
    expect(message(step.done)).toMatch(/^association: /);
    expect(a.state).not.toBe('associated');
    // And may be tried anew.
    expect(a.associate().send).toHaveLength(1);
  });

  test('release, with and without user-information, and with the lengths that many servers write', () => {
    for (const rlre of ['6303800100', '6311800100be0f040e0800065f1f0400401e1d04000007', '6300', '63']) {
      const { a } = opened({});
      const step = a.release();
      expect(step.send.map(hex)).toEqual(['6203800100']);
      expect(a.receive(fromHex(rlre)).done).toEqual({ ok: true, operation: 'release' });
      expect(a.state).toBe('released');
      expect(a.associate().send).toHaveLength(1);
    }
    const { a } = opened({ releaseWithInitiate: true, conformance: 0x1e1d });
    expect(hex(a.release().send[0] as Uint8Array)).toBe('6215800100be10040e01000000065f1f0400001e1dffff');
    const pre = established();
    expect(pre.release()).toEqual({ send: [], done: { ok: true, operation: 'release' } });
    expect(() => established().associate()).toThrow(MisuseError);
  });
});

describe('what was negotiated is obeyed', () => {
  const only = (conformance: number, maxPduSize = 0): ClientAssociation =>
    createClientAssociation({ preEstablished: { conformance, maxPduSize } });

  test.each<[string, (a: ClientAssociation) => Step]>([
    ['get', (a) => a.get(REGISTER)],
    ['set', (a) => a.set(REGISTER, fromHex('1105'))],
    ['action', (a) => a.action(METHOD)],
    ['access', (a) => a.access([{ kind: 'get', ...REGISTER }], [fromHex('00')])],
    ['read', (a) => a.read([{ kind: 'variable-name', name: 8 }])],
    ['write', (a) => a.write([{ kind: 'variable-name', name: 8 }], [fromHex('00')])],
    ['unconfirmed-write', (a) => a.unconfirmedWrite([{ kind: 'variable-name', name: 8 }], [fromHex('00')])],
  ])('no %s', (bit, start) => {
    expect(() => start(only(0))).toThrow(new RegExp(`did not agree to ${bit}`));
    expect(start(only(CONFORMANCE[bit as 'get'])).send).toHaveLength(1);
  });

  test('no lists, no selections, no blocks', () => {
    const get = only(CONFORMANCE.get | CONFORMANCE.set, 40);
    expect(() => get.getList([REGISTER, SECOND])).toThrow(/multiple-references/);
    expect(() => get.get({ ...REGISTER, access: { selector: 1, parameters: fromHex('00') } })).toThrow(
      /selective-access/,
    );
    expect(() => get.set(REGISTER, octetString(new Uint8Array(60)))).toThrow(
      /block transfer for it was not negotiated/,
    );
    expect(get.busy).toBe(false);
    expect(get.get(REGISTER).send).toHaveLength(1);
  });

  test('too long and no blocks of the service: general block transfer', () => {
    const a = only(CONFORMANCE.set | CONFORMANCE['general-block-transfer'], 40);
    const value = octetString(Uint8Array.from({ length: 60 }, (_, i) => i));
    const [first, ...rest] = a.set(REGISTER, value).send;
    expect(rest).toEqual([]);
    expect(first).toHaveLength(40 - 2);
    let joined = [...(first as Uint8Array).subarray(7)];
    const [second] = a.receive(fromHex('e0020001000100')).send;
    joined = [...joined, ...(second as Uint8Array).subarray(7)];
    const third = a.receive(fromHex('e0020002000200')).send;
    for (const block of third) joined = [...joined, ...block.subarray(7)];
    expect(decodeApdu(Uint8Array.from(joined))).toMatchObject({ type: 'set-request-normal', value });
    expect(a.receive(fromHex('e0 80 0003 0003 04 c501c100'.replaceAll(' ', ''))).done).toMatchObject({
      ok: true,
      result: 0,
    });
  });

  test('one operation at a time; lists within bounds', () => {
    const a = established(0, { limits: { maxList: 3 } });
    expect(() => a.getList([])).toThrow(/empty/);
    expect(() => a.getList([REGISTER, REGISTER, REGISTER, REGISTER])).toThrow(/at most 3/);
    expect(() => a.setList([REGISTER, SECOND], [fromHex('00')])).toThrow(/2 targets and 1 values/);
    a.get(REGISTER);
    expect(a.doing).toBe('GET 3/1-0:1.8.0/2');
    expect(a.expecting).toMatch(/get-response-normal/);
    expect(() => a.get(SECOND)).toThrow(/GET 3\/1-0:1\.8\.0\/2 is still under way/);
    expect(() => a.release()).toThrow(MisuseError);
    expect(a.fail(new LinkError('gone')).done).toMatchObject({ ok: false, operation: 'get' });
    expect(() => a.get(SECOND)).toThrow(/no association: it is broken/);
  });
});

describe('properties', () => {
  /** What may come at any moment: answers to what was asked, answers to something else, and rubbish. */
  const inputs = fc.oneof(
    fc
      .constantFrom(
        'c401c1001105',
        'c402c1000000000100020102',
        'c402c1010000000100020102',
        'c501c100',
        'c502c100000001',
        'c701c10000',
        'c704c100000001',
        '0c01001105',
        '0d0100',
        'd80101',
        '0e010603',
        '6303800100',
        '6129a109060760857405080101a203020100a305a103020100be10040e0800065f1f0400001e1d04000007',
        '0f0000000100020111',
        'e0410001000002c401',
        'e08100020000030c0100',
        'e0020001000100',
      )
      .map(fromHex),
    fc.uint8Array({ maxLength: 40 }),
  );
  const STARTS: Record<string, (a: ClientAssociation) => Step> = {
    associate: (a) => a.associate(),
    release: (a) => a.release(),
    get: (a) => a.get(REGISTER),
    set: (a) => a.set(REGISTER, octetString(new Uint8Array(60))),
    action: (a) => a.action(METHOD, octetString(new Uint8Array(60))),
    list: (a) => a.getList([REGISTER, SECOND]),
    fail: (a) => a.fail(new LinkError('gone')),
  };
  /** Which states a call or an answer may lead to. */
  const AFTER: Record<string, readonly string[]> = {
    idle: ['idle', 'associating', 'broken'],
    associating: ['associating', 'associated', 'idle', 'broken'],
    associated: ['associated', 'releasing', 'broken'],
    releasing: ['releasing', 'released', 'broken'],
    released: ['released', 'associating'],
    broken: ['broken', 'associating'],
  };

  test('whatever is called and comes, in whatever state: as the model says, and never a throw', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom(...Object.keys(STARTS)), inputs), { maxLength: 30 }), (events) => {
        const a = createClientAssociation({ limits: { maxBytes: 300, maxBlocks: 4 } });
        // One outcome for each operation, and none without.
        let open = 0;
        for (const event of events) {
          const before: string = a.state;
          const busy = a.busy;
          let step: Step = { send: [] };
          try {
            step = typeof event === 'string' ? (STARTS[event] as (x: ClientAssociation) => Step)(a) : a.receive(event);
            if (typeof event === 'string' && event !== 'fail') open++;
          } catch (error) {
            expect(typeof event).toBe('string');
            expect(error).toBeInstanceOf(MisuseError);
            expect(a.state).toBe(before);
            expect(a.busy).toBe(busy);
          }
          expect(AFTER[before]).toContain(a.state);
          if (step.done) open--;
          if (step.done && !step.done.ok && event !== 'fail') {
            expect(step.done.error).toBeInstanceOf(DlmsPeerError);
            expect(step.done.error.message).toMatch(/^[A-Za-z]/);
          }
          expect(open).toBe(a.busy ? 1 : 0);
          expect(a.expecting === '').toBe(!a.busy);
          expect(a.doing === '').toBe(!a.busy);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('a value of any size arrives whole through SET, ACTION and Write blocks of any size', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.integer({ min: 40, max: 200 }), (raw, most) => {
        const value = octetString(raw);
        const a = established(most);
        let apdus = a.set(REGISTER, value).send;
        const got: number[] = [];
        for (let n = 0; n < 400; n++) {
          const [apdu] = apdus as [Uint8Array];
          expect(apdu.length).toBeLessThanOrEqual(most);
          const request = decodeApdu(apdu);
          const { invoke } = request as { invoke: number };
          if (request.type === 'set-request-normal') {
            got.push(...request.value);
            break;
          }
          if (request.type !== 'set-request-with-first-datablock' && request.type !== 'set-request-with-datablock')
            break;
          got.push(...request.raw);
          if (request.lastBlock) break;
          apdus = a.receive(
            encodeApdu({ type: 'set-response-datablock', invoke, blockNumber: request.blockNumber }),
          ).send;
        }
        expect(Uint8Array.from(got)).toEqual(value);
      }),
      { numRuns: 100 },
    );
  });

  test('an answer cut into blocks of any sizes is the answer; cut off, its beginning is kept', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 2, maxLength: 400 }),
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 0, max: 30 }),
        (raw, sizes, cutAt) => {
          const value = octetString(raw);
          const a = established();
          a.get(REGISTER);
          let at = 0;
          for (let n = 1; at < value.length; n++) {
            const piece = value.subarray(at, at + (sizes[n % sizes.length] as number));
            if (n > cutAt) {
              const { done } = a.fail(new LinkError('gone'));
              expect(done).toMatchObject({ ok: false, operation: 'get' });
              expect((done as { partial?: Uint8Array }).partial ?? new Uint8Array(0)).toEqual(value.slice(0, at));
              return;
            }
            at += piece.length;
            const lastBlock = at >= value.length;
            const { done } = a.receive(
              encodeApdu({
                type: 'get-response-with-datablock',
                invoke: 0xc1,
                lastBlock,
                blockNumber: n,
                result: { raw: piece },
              }),
            );
            if (lastBlock) expect(done).toEqual({ ok: true, operation: 'get', result: { data: value } });
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});

test('a cut answer names why it cannot be read', () => {
  const a = established();
  const done = play(a, (x) => x.get(REGISTER), '> c001c1 0003 0100010800ff 02 00\n< c401c100');
  expect(done && !done.ok && done.error.cause).toBeInstanceOf(DecodeError);
  // It was the answer that was due: what is asked next is answered.
  expect(a.state).toBe('associated');
  const trailing = play(a, (x) => x.get(REGISTER), '> c001c2 0003 0100010800ff 02 00\n< c401c200 1105 1105');
  expect(message(trailing)).toMatch(/cannot be read/);
  expect(play(a, (x) => x.get(REGISTER), '> c001c3 0003 0100010800ff 02 00\n< c401c300 1105')).toMatchObject({
    ok: true,
  });
  // With another invoke id it is not.
  play(a, (x) => x.get(REGISTER), '> c001c4 0003 0100010800ff 02 00\n< c401c300');
  expect(a.state).toBe('broken');
});

import { fromHex, toHex } from '@amiable/bytes';
import { describe, expect, test } from 'vitest';
import {
  createMbusSlave,
  decodeLongFrame,
  decodeRecords,
  encodeLongFrame,
  encodeSecondary,
  encodeShortFrame,
  type MbusSlave,
  type MbusSlaveOptions,
  type RecordToSend,
  telegramsOf,
} from '../src/index.ts';

const secondary = { identification: '12345678', manufacturer: 'KAM', version: 4, medium: 7 };
const volume = (value: number): RecordToSend => ({ vif: [0x13], data: { type: 'integer', octets: 4, value } });

/** A slave with three telegrams, and what it answered. */
function slaveWith(options: Partial<MbusSlaveOptions> = {}): { slave: MbusSlave; ask: (bytes: Uint8Array) => string } {
  const answers: string[] = [];
  const slave = createMbusSlave(
    {
      primaryAddress: 5,
      secondary,
      respond: ({ kind, accessNumber }) =>
        kind === 'alarm'
          ? []
          : telegramsOf(
              { ...secondary, accessNumber, status: 0, configuration: 0 },
              [volume(1), volume(2), volume(3)],
              {
                maxOctets: 20,
              },
            ),
      ...options,
    },
    { send: (bytes) => answers.push(toHex(bytes)) },
  );
  return {
    slave,
    ask(bytes) {
      slave.push(bytes);
      return answers.splice(0).join(' ');
    },
  };
}

const ud2 = (fcb: boolean, address = 5) => encodeShortFrame(fcb ? 0x7b : 0x5b, address);
const select = (pattern: Parameters<typeof encodeSecondary>[0]) =>
  encodeLongFrame({ control: 0x53, address: 253, controlInformation: 0x52, data: encodeSecondary(pattern) });
const volumes = (hex: string): unknown[] => {
  const { data } = decodeLongFrame(fromHex(hex));
  return decodeRecords(data, 12).records.map((r) => r.value);
};

describe('slave', () => {
  test('quirk 14: FCB toggles for multi-telegram answers, and the same bit asks for the same telegram', () => {
    const { ask } = slaveWith();
    expect(ask(encodeShortFrame(0x40, 5))).toBe('e5');
    expect(volumes(ask(ud2(true)))).toEqual([1]);
    expect(volumes(ask(ud2(true)))).toEqual([1]);
    expect(volumes(ask(ud2(false)))).toEqual([2]);
    expect(volumes(ask(ud2(true)))).toEqual([3]);
    expect(volumes(ask(ud2(false)))).toEqual([1]);
    expect(decodeRecords(decodeLongFrame(fromHex(ask(ud2(true)))).data, 12).moreFollows).toBe(true);
  });

  test('speaks only when it is meant', () => {
    const { slave, ask } = slaveWith();
    expect(ask(encodeShortFrame(0x40, 6))).toBe('');
    expect(ask(encodeShortFrame(0x40, 254))).toBe('e5');
    expect(ask(encodeShortFrame(0x40, 255))).toBe('');
    expect(ask(ud2(true, 253))).toBe('');
    expect(ask(select({ identification: '12FFFFFF' }))).toBe('e5');
    expect(slave.selected).toBe(true);
    expect(volumes(ask(ud2(true, 253)))).toEqual([1]);
    expect(ask(select({ identification: '13FFFFFF' }))).toBe('');
    expect(ask(ud2(true, 253))).toBe('');
    expect(ask(select({ identification: 'FFFFFFFF', manufacturer: 'KAM', medium: 7 }))).toBe('e5');
    expect(ask(select({ identification: 'FFFFFFFF', manufacturer: 'ABB' }))).toBe('');
    expect(ask(select({ identification: '12345678' }))).toBe('e5');
    expect(ask(encodeShortFrame(0x40, 253))).toBe('e5');
    expect(slave.selected).toBe(false);
  });

  test('takes addresses, rate and records; a repetition is not carried out twice', () => {
    const written: string[] = [];
    const { slave, ask } = slaveWith({
      write: (records) => {
        written.push(toHex(records));
        return toHex(records) === '0113ff' ? 8 : undefined;
      },
    });
    const send = (control: number, controlInformation: number, hex: string, address = 5) =>
      ask(encodeLongFrame({ control, address, controlInformation, data: fromHex(hex) }));
    expect(send(0x73, 0x51, '011301')).toBe('e5');
    expect(send(0x73, 0x51, '011301')).toBe('e5');
    expect(written).toEqual(['011301']);
    expect(send(0x53, 0x51, '0113ff')).toBe('e5');
    expect(toHex(decodeLongFrame(fromHex(ask(ud2(true)))).raw.subarray(6, 8))).toBe('7008');
    expect(send(0x73, 0x51, '017a09')).toBe('e5');
    expect(slave.primaryAddress).toBe(9);
    expect(send(0x73, 0x51, '0c7987654321', 9)).toBe('e5');
    expect(slave.secondary.identification).toBe('12345678');
    expect(send(0x53, 0x51, '0c7987654321', 9)).toBe('e5');
    expect(slave.secondary.identification).toBe('21436587');
    expect(send(0x73, 0xbd, '', 9)).toBe('e5');
    expect(slave.baud).toBe(9600);
    expect(send(0x53, 0x60, '', 9)).toBe('e5');
    expect(toHex(decodeLongFrame(fromHex(ask(ud2(false, 9)))).raw.subarray(6, 8))).toBe('7001');
  });
});

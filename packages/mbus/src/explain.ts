/**
 * Says of every octet of one M-Bus long frame what it is (EN 13757-2 clause 5, and behind the CI EN 13757-3); nothing here throws.
 */
import type { Field } from '@amiable/bytes';
import { ciText, explainData } from './application/explain.ts';
import { checksum, LONG_OVERHEAD, LONG_START, longFrameAt, STOP } from './frame.ts';
import { baudOfCi, PRM } from './link.ts';
import { transportSegment } from './transport.ts';

const hex2 = (v: number) => v.toString(16).toUpperCase().padStart(2, '0');

export function explainLongFrame(bytes: Uint8Array, start = 0): Field[] {
  const fields: Field[] = [];
  const add = (path: string, offset: number, length: number, text: string) =>
    fields.push({ path: `mbus/${path}`, offset, length, text });
  const length = bytes[start + 1];
  if (
    bytes[start] !== LONG_START ||
    length === undefined ||
    length < 3 ||
    bytes[start + 2] !== length ||
    bytes[start + 3] !== LONG_START
  ) {
    add('error', start, Math.max(0, bytes.length - start), 'no long frame: it starts with 68 L L 68');
    return fields;
  }
  add('start', start, 1, 'start of a long frame');
  add('length', start + 1, 2, `length ${length}, twice`);
  add('start', start + 3, 1, 'start again');
  if (start + length + LONG_OVERHEAD > bytes.length) {
    add(
      'error',
      start + 4,
      bytes.length - start - 4,
      `cut: ${length} octets announced, ${bytes.length - start - 4} here`,
    );
    return fields;
  }
  const frame = longFrameAt(bytes, start);
  const ci = frame.controlInformation;
  add('control', start + 4, 1, `control ${hex2(frame.control)}${controlText(frame.control)}`);
  add('address', start + 5, 1, frame.address === 0xff ? 'address 255: all, no answer' : `address ${frame.address}`);
  const segment = transportSegment(frame);
  const answer = (frame.control & PRM) === 0 && ciText(ci) !== '';
  add(
    'ci',
    start + 6,
    1,
    segment
      ? `CI ${hex2(ci)}: DLMS segment ${segment.sequence}${segment.final ? ', the last' : ''}`
      : `CI ${hex2(ci)}${answer ? `: ${ciText(ci)}` : commandText(ci)}`,
  );
  let at = start + 7;
  if (segment) {
    add('stsap', at, 1, `source service access point ${segment.source}`);
    add('dtsap', at + 1, 1, `destination service access point ${segment.destination}`);
    at += 2;
  }
  const end = start + 4 + length;
  if (answer) fields.push(...explainData(bytes, ci, at, end));
  else if (end > at) add('data', at, end - at, `data, ${end - at} octets`);
  const sum = checksum(bytes, start + 4, end);
  const right = bytes[end] === sum ? 'right' : `wrong, the octets give ${hex2(sum)}`;
  add('checksum', end, 1, `check sum ${hex2(bytes[end] as number)}, ${right}`);
  add('stop', end + 1, 1, bytes[end + 1] === STOP ? 'stop' : `stop octet is ${hex2(bytes[end + 1] as number)}, not 16`);
  return fields;
}

function controlText(control: number): string {
  const count = control & 0x10 ? `, frame count bit ${control & 0x20 ? 1 : 0}` : '';
  if ((control & ~0x30) === 0x43) return `: SND_UD, data to the receiver${count}`;
  if ((control & ~0x30) === 0x08)
    return `: RSP_UD, data of the slave${control & 0x20 ? ', it has alarms' : ''}${control & 0x10 ? ', it can take no more' : ''}`;
  return '';
}

/** What a master's CI tells the slave. */
function commandText(ci: number): string {
  const baud = baudOfCi(ci);
  if (baud !== undefined) return `: change to ${baud} baud`;
  const what = { 80: 'application reset', 81: 'data to the slave', 82: 'selection by secondary address' }[ci & ~4];
  return what === undefined ? '' : `: ${what}`;
}

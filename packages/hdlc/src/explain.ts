/**
 * Says of every octet of one HDLC frame what it is (IEC 62056-46 clause 6.4). A frame that is cut or damaged is
 * explained as far as it makes sense, with what is wrong; nothing here throws.
 */
import { crc16X25, DecodeError, type Field } from '@amiable/bytes';
import { type HdlcAddress, lowerAddress, readAddress, upperAddress } from './address.ts';
import { CONTROL, controlText, PF } from './control.ts';
import { FLAG, layoutFrame } from './frame.ts';
import { explainParameters } from './parameters.ts';
import { decodeReject, rejectReasons } from './reject.ts';

export function explainFrame(bytes: Uint8Array, from = 0): Field[] {
  const fields: Field[] = [];
  const add = (path: string, offset: number, length: number, text: string) =>
    fields.push({ path: `hdlc/${path}`, offset, length, text });
  let start = from;
  while (start < bytes.length && bytes[start] === FLAG) add('flag', start++, 1, 'opening flag');
  try {
    const at = layoutFrame(bytes, start, bytes.length);
    const segmented = ((bytes[start] as number) & 0x08) !== 0;
    add(
      'format',
      start,
      2,
      `frame format type 3, ${segmented ? 'segmented: more follows' : 'last or only segment'}, length ${at.end - start}`,
    );
    address('destination', start + 2, at.source);
    address('source', at.source, at.control);
    add('control', at.control, 1, `control: ${controlText(bytes[at.control] as number)}`);
    if (at.infoEnd > at.infoStart) {
      check('hcs', 'header check sequence', at.headerEnd);
      information(bytes[at.control] as number, at.infoStart, at.infoEnd);
    }
    check('fcs', 'frame check sequence', at.infoEnd);
    if (bytes[at.end] === FLAG) add('flag', at.end, 1, 'closing flag');
  } catch (e) {
    if (!(e instanceof DecodeError)) throw e;
    add('error', Math.min(start, bytes.length), Math.max(0, bytes.length - start), `no frame: ${e.message}`);
  }
  return fields;

  function address(path: string, offset: number, end: number): void {
    const a = readAddress(bytes, offset, (end - offset) as 1 | 2 | 4);
    add(path, offset, end - offset, `${path} address ${addressText(a)}`);
  }

  function information(control: number, from: number, end: number): void {
    const kind = control & ~PF;
    const info = bytes.subarray(from, end);
    const inside = (path: string, offset: number, length: number, text: string) =>
      add(`information/${path}`, from + offset, length, text);
    const reject = kind === CONTROL.FRMR ? decodeReject(info) : undefined;
    if (kind === CONTROL.SNRM || kind === CONTROL.UA) explainParameters(info, inside);
    else if (reject) {
      inside('control', 0, 1, `refused control field: ${controlText(reject.control)}`);
      const what = reject.response ? 'response' : 'command';
      inside('numbers', 1, 1, `V(S) ${reject.vs}, V(R) ${reject.vr}, the refused frame was a ${what}`);
      inside('reasons', 2, info.length - 2, rejectReasons(reject));
    } else add('information', from, end - from, `information, ${end - from} octets`);
  }

  function check(path: string, name: string, offset: number): void {
    const got = (bytes[offset] as number) | ((bytes[offset + 1] as number) << 8);
    const want = crc16X25(bytes, start, offset);
    const verdict = got === want ? 'right' : `wrong, the octets give ${hex4(want)}`;
    add(path, offset, 2, `${name} ${hex4(got)}, ${verdict}`);
  }
}

function addressText(a: HdlcAddress): string {
  const lower = lowerAddress(a);
  return lower === undefined ? `${a.value}` : `${a.value} (upper ${upperAddress(a)}, lower ${lower})`;
}

const hex4 = (v: number) => v.toString(16).toUpperCase().padStart(4, '0');

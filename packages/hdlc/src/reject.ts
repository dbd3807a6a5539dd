/**
 * The information field of FRMR (IEC 62056-46 clause 6.4.4.3.9; ISO/IEC 13239 clause 5.5.3.4.3), modulo 8, three octets:
 * the refused control field; 0 V(S) C/R V(R); and the reasons W, X, Y, Z from the lowest bit up.
 */
import { controlText } from './control.ts';

export interface FrameReject {
  /** The control octet that was refused. */
  readonly control: number;
  /** V(S) and V(R) of the end that refuses. */
  readonly vs: number;
  readonly vr: number;
  /** The refused frame was a response. */
  readonly response: boolean;
  /** W: control field undefined or not implemented. */
  readonly undefinedControl: boolean;
  /** X: an information field where none may be. */
  readonly informationNotAllowed: boolean;
  /** Y: information field too long. */
  readonly tooLong: boolean;
  /** Z: N(R) invalid. */
  readonly invalidNr: boolean;
}

export function encodeReject(r: FrameReject): Uint8Array {
  return Uint8Array.of(
    r.control,
    ((r.vr & 7) << 5) | (r.response ? 0x10 : 0) | ((r.vs & 7) << 1),
    (r.undefinedControl ? 1 : 0) | (r.informationNotAllowed ? 2 : 0) | (r.tooLong ? 4 : 0) | (r.invalidNr ? 8 : 0),
  );
}

/** Undefined when it is too short to say anything; some meters leave it out. */
export function decodeReject(info: Uint8Array): FrameReject | undefined {
  const [control, numbers, reasons] = info;
  if (control === undefined || numbers === undefined || reasons === undefined) return undefined;
  return {
    control,
    vs: (numbers >> 1) & 7,
    vr: numbers >> 5,
    response: (numbers & 0x10) !== 0,
    undefinedControl: (reasons & 1) !== 0,
    informationNotAllowed: (reasons & 2) !== 0,
    tooLong: (reasons & 4) !== 0,
    invalidNr: (reasons & 8) !== 0,
  };
}

/** The reasons in words. */
export function rejectReasons(r: FrameReject): string {
  const words = [
    r.undefinedControl && 'control field undefined or not implemented',
    r.informationNotAllowed && 'information field not allowed',
    r.tooLong && 'information field too long',
    r.invalidNr && 'N(R) invalid',
  ].filter((w) => w !== false);
  return words.length > 0 ? words.join(', ') : 'no reason given';
}

export function rejectText(info: Uint8Array): string {
  const r = decodeReject(info);
  if (!r) return 'without its information field';
  return `refused ${controlText(r.control)}: ${rejectReasons(r)}; its V(S) ${r.vs}, V(R) ${r.vr}`;
}

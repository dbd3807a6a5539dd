/**
 * The control field (IEC 62056-46 clause 6.4.4.3, modulo 8): what a frame is, its sequence numbers, and the poll/final
 * bit, which is called P in a command and F in a response. One octet in both directions:
 *
 *     RRR P SSS0 I      RRR P 0001 RR     RRR P 0101 RNR
 *     100 P 0011 SNRM   010 P 0011 DISC   011 F 0011 UA   000 F 1111 DM   100 F 0111 FRMR   000 P 0011 UI
 *
 * Left out: REJ, SREJ and the extended modes, which IEC 62056-46 does not use; they are `unknown`.
 */

/** The poll/final bit. */
export const PF = 0x10;

/** Control octets with the poll/final bit clear; sequence numbers are added to RR, RNR and I. */
export const CONTROL = {
  I: 0x00,
  RR: 0x01,
  RNR: 0x05,
  UI: 0x03,
  DM: 0x0f,
  DISC: 0x43,
  UA: 0x63,
  SNRM: 0x83,
  FRMR: 0x87,
} as const;

export type ControlKind = keyof typeof CONTROL;

export interface Control {
  readonly kind: ControlKind | 'unknown';
  /** Poll in a command, final in a response. */
  readonly pf: boolean;
  /** N(S) of an I frame, else 0. */
  readonly ns: number;
  /** N(R) of I, RR and RNR, else 0. */
  readonly nr: number;
}

const UNNUMBERED = new Map<number, ControlKind>(
  (['UI', 'DM', 'DISC', 'UA', 'SNRM', 'FRMR'] as const).map((kind) => [CONTROL[kind], kind]),
);

export function decodeControl(octet: number): Control {
  const pf = (octet & PF) !== 0;
  if ((octet & 1) === 0) return { kind: 'I', pf, ns: (octet >> 1) & 7, nr: octet >> 5 };
  const low = octet & 0x0f;
  if (low === CONTROL.RR) return { kind: 'RR', pf, ns: 0, nr: octet >> 5 };
  if (low === CONTROL.RNR) return { kind: 'RNR', pf, ns: 0, nr: octet >> 5 };
  return { kind: UNNUMBERED.get(octet & ~PF) ?? 'unknown', pf, ns: 0, nr: 0 };
}

export function encodeControl(kind: ControlKind, pf: boolean, ns = 0, nr = 0): number {
  const bits = CONTROL[kind] | (pf ? PF : 0);
  if (kind === 'I') return bits | ((nr & 7) << 5) | ((ns & 7) << 1);
  return kind === 'RR' || kind === 'RNR' ? bits | ((nr & 7) << 5) : bits;
}

const MEANING: Record<ControlKind, string> = {
  I: 'information',
  RR: 'receive ready',
  RNR: 'receive not ready',
  UI: 'unnumbered information',
  DM: 'disconnected mode',
  DISC: 'disconnect',
  UA: 'unnumbered acknowledge',
  SNRM: 'set normal response mode',
  FRMR: 'frame reject',
};

/** For a person: `I, send 2, receive 1, poll/final`. */
export function controlText(octet: number): string {
  const { kind, pf, ns, nr } = decodeControl(octet);
  const poll = pf ? ', poll/final' : '';
  if (kind === 'unknown') return `unknown (${octet.toString(16).padStart(2, '0').toUpperCase()})${poll}`;
  if (kind === 'I') return `I, send ${ns}, receive ${nr}${poll}`;
  if (kind === 'RR' || kind === 'RNR') return `${kind}, ${MEANING[kind]} ${nr}${poll}`;
  return `${kind}, ${MEANING[kind]}${poll}`;
}

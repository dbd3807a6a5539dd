/**
 * Frames captured from a real Kaifa MA304H3E, for the house that replays them.
 *
 * Source: toreamun/amshan at 3571bed, tests/test_kaifa.py (no_list_1, no_list_2, no_list_3) and tests/test_hdlc.py; MIT
 * licence, copyright (c) 2020 Tore Amundsen; the meter number is anonymised there. The tests of that project hold
 * the LLC PDU from the APDU on; HDLC header and check sums are put round it again when it is sent.
 */
import { fromHex } from '@amiable/bytes';

export interface CapturedFrame {
  readonly list: 1 | 2 | 3;
  /** The Data-Notification. */
  readonly apdu: Uint8Array;
}

const frame = (list: 1 | 2 | 3, hex: string): CapturedFrame => ({ list, apdu: fromHex(hex) });

export const KAIFA_CAPTURE: readonly CapturedFrame[] = [
  frame(1, '0f40000000090c07e3020401173416ff800000 0201 06000016dc'),
  frame(1, '0f40000000090c07e4020f06011922ff800000 0201 060000157e'),
  frame(
    2,
    `0f40000000090c07e40119060d091eff800000 020d 09074b464d5f303031 091036393730363331343032363134343736
     09084d41333034483345 0600002611 0600000000 0600000000 06000001b3 0600008415 0600006dc7 0600004702 0600000878
     0600000000 060000088c`,
  ),
  frame(
    3,
    `0f40000000090c07e40119060e000aff800000 0212 09074b464d5f303031 091036393730363331343032363134343736
     09084d41333034483345 0600001328 0600000000 0600000000 0600000179 06000038eb 0600003d1b 0600002535 0600000891
     0600000000 060000089d 090c07e40119060e000aff800000 0604be76e8 0600000000 06000d922d 060030feb4`,
  ),
];

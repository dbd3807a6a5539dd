/**
 * The identification line: three letters of the maker, the baud rate, an optional escape, the type (IEC 62056-21 clause 6.3.2).
 * P1 keeps the form, but some put the network operator in the maker's place, and some a serial number in the type's.
 */

const MAKERS: Readonly<Record<string, string>> = {
  ADN: 'Aidon',
  AUX: 'Aux',
  ELL: 'Elgama',
  ELS: 'Honeywell',
  EGM: 'Elgama',
  HAG: 'Hager',
  ISK: 'Iskraemeco',
  ITR: 'Itron',
  KAM: 'Kamstrup',
  KFM: 'Kaifa',
  KMP: 'Kamstrup',
  LGB: 'Landis+Gyr',
  LGF: 'Landis+Gyr',
  LGZ: 'Landis+Gyr',
  NES: 'NES',
  SAG: 'Sagemcom',
  SAT: 'Sagemcom',
  XMX: 'Landis+Gyr',
  ZIV: 'ZIV',
};

export interface Header {
  readonly maker: string | undefined;
  readonly meterType: string | undefined;
}

/** `identification` without the slash. */
export function headerOf(identification: string): Header {
  const maker = MAKERS[identification.slice(0, 3).toUpperCase()];
  // Baud rate, then `\` (some send several), then the digit of the protocol mode, which a few send as a control character.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that character
  const type = /^.{3}(?:[0-9](?:\\+[0-9]?|[\u0000-\u001f])?|\\)?\s*(.*?)\s*$/s.exec(identification)?.[1];
  return { maker, meterType: type ? type.slice(0, 64) : undefined };
}

/** The version that the meter states, in words: `DSMR 5.0` for 1-3:0.2.8(50), `e-MUCS-P1 1.7` for 0-0:96.1.4(50217). */
export function versionName(dsmr: string | undefined, emucs: string | undefined): string | undefined {
  if (emucs !== undefined && /^\d{5}$/.test(emucs)) return `e-MUCS-P1 ${emucs[3]}.${emucs[4]}`;
  if (dsmr !== undefined && /^\d{2}$/.test(dsmr)) return `DSMR ${dsmr[0]}.${dsmr[1]}`;
  if (dsmr !== undefined && /^\d{3}$/.test(dsmr)) return `DSMR ${dsmr[0]}.${dsmr[1]}.${dsmr[2]}`;
  return undefined;
}

/**
 * Identification numbers of meters, metering points and parties, and their check characters.
 *
 * Follows: GS1 General Specifications (check digit, application identifiers 8004 GIAI and 8018 GSRN), ISO/IEC 16388 annex A
 * (modulo 43 of Code 39), the EIC reference manual of ENTSO-E, IEC 62056-61 / DIN 43863-5 (device numbers), the FLAG association's
 * three letters (IEC 62056-21 §6.3.2), and the AMI system description §5.7.3 for the utility serial number in its three views.
 *
 * Decides: the read-out of an asset number is the bar code less its application identifier. The description's example has two
 * digits more there (735002874840014881 beside 7350028740014881): they are a slip of the pen, for its own lay-out (2 country, 1-7
 * company, 1-6 reference, 1 check) ends at 16 digits. The check digit cannot tell: 84 weighs 3·4 + 1·8 = 20, so both
 * numbers pass modulo 10. Being 18 digits long, it is refused here rather than read as another asset.
 *
 * Leaves out: who issued a company prefix (GS1's list is not public), and bar codes as pictures.
 */
import { DecodeError, MisuseError } from '@amiable/bytes';

const quote = JSON.stringify;
const refuse = (reason: string, text: string, at: number): never => {
  throw new DecodeError(reason, text, at);
};
const digitAt = (text: string, i: number): number => text.charCodeAt(i) - 48;

/** Where the first character that is no digit stands; -1 when all are. */
function firstOther(text: string): number {
  for (let i = 0; i < text.length; i++) {
    const d = digitAt(text, i);
    if (!(d >= 0 && d <= 9)) return i;
  }
  return -1;
}

function digits(text: string, what: string): void {
  const at = firstOther(text);
  if (at >= 0) refuse('digit', `${what} has digits only; ${quote(text[at])} is none`, at);
  if (text.length === 0) refuse('length', `${what} is empty`, 0);
}

// ------------------------------------------------------------------------------------------------------ check characters

/**
 * Modulo 10/3 of GS1: weights 3, 1, 3 … from the right. Finds every wrong digit, and neighbours that changed places unless they differ by 5.
 * @throws DecodeError for what is no digit
 */
export function checkDigit10(payload: string): string {
  digits(payload, 'a number with a check digit');
  let sum = 0;
  let weight = 3;
  for (let i = payload.length - 1; i >= 0; i--) {
    sum += digitAt(payload, i) * weight;
    weight = 4 - weight;
  }
  return String((10 - (sum % 10)) % 10);
}

const CODE39 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%';

/**
 * Modulo 43 of Code 39: the sum of the characters' values. Finds every wrong character, but none that changed places.
 * @throws DecodeError for characters outside of Code 39
 */
export function checkCharacter43(payload: string): string {
  if (payload.length === 0) refuse('length', 'a number with a check character is empty', 0);
  let sum = 0;
  for (let i = 0; i < payload.length; i++) {
    const value = CODE39.indexOf(payload[i] as string);
    if (value < 0)
      refuse(
        'character',
        `Code 39 has digits, capital letters and - . $ / + % and the blank, not ${quote(payload[i])}`,
        i,
      );
    sum += value;
  }
  return CODE39[sum % 43] as string;
}

/**
 * There are several conventions under the name modulo 11, so a number says by which it was made. `weights` run from the right
 * and begin anew when they are used up. `ten` is what stands for a remainder that one digit cannot show: the letter X (ISBN-10),
 * 0 (which lets some wrong digits pass), or nothing: such numbers are not issued.
 */
export interface Modulo11 {
  readonly weights: readonly number[];
  readonly ten: 'X' | '0' | 'not-issued';
}

/** Weights 2 to 7 (IBM's, and that of many registers) with X for ten: finds every wrong digit and every pair of neighbours that changed places. */
export const MODULO_11: Modulo11 = { weights: [2, 3, 4, 5, 6, 7], ten: 'X' };

/** @throws DecodeError for what is no digit, and for a number that is not issued; MisuseError for weights that check nothing */
export function checkDigit11(payload: string, rule: Modulo11 = MODULO_11): string {
  const { weights, ten } = rule;
  if (weights.length === 0 || weights.some((w) => !Number.isInteger(w) || w % 11 === 0))
    throw new MisuseError('weights of modulo 11 are whole numbers that 11 does not divide');
  digits(payload, 'a number with a check digit');
  let sum = 0;
  for (let i = payload.length - 1, k = 0; i >= 0; i--, k++) {
    sum = (sum + digitAt(payload, i) * (weights[k % weights.length] as number)) % 11;
  }
  const check = (((11 - sum) % 11) + 11) % 11;
  if (check < 10) return String(check);
  if (ten === 'not-issued')
    refuse('check', `${quote(payload)} would have the check digit 10 and is therefore not issued`, payload.length);
  return ten;
}

export const CHECK_RULES = ['none', 'modulo-10', 'modulo-43', 'modulo-11', 'modulo-11-0', 'modulo-11-none'] as const;
/** How the last character of a number is checked; `modulo-11-0`: ten is written as 0; `modulo-11-none`: such numbers are not issued. */
export type CheckRule = (typeof CHECK_RULES)[number];

/** The check character of a number that has none yet; '' by the rule `none`. @throws DecodeError as the rules do */
export function checkCharacter(payload: string, rule: CheckRule): string {
  switch (rule) {
    case 'none':
      return '';
    case 'modulo-10':
      return checkDigit10(payload);
    case 'modulo-43':
      return checkCharacter43(payload);
    case 'modulo-11':
      return checkDigit11(payload);
    case 'modulo-11-0':
      return checkDigit11(payload, { ...MODULO_11, ten: '0' });
    case 'modulo-11-none':
      return checkDigit11(payload, { ...MODULO_11, ten: 'not-issued' });
  }
}

/** @throws DecodeError when the last character of `number` is not the check character of those before it */
export function verifyCheck(number: string, rule: CheckRule): void {
  if (rule === 'none') return;
  if (number.length < 2) refuse('length', `${quote(number)} is too short to have a check character`, 0);
  const last = number.length - 1;
  const wanted = checkCharacter(number.slice(0, last), rule);
  if (number[last] !== wanted)
    refuse(
      'check',
      `the check character of ${quote(number)} by ${rule} should be ${wanted}; the number was mistyped`,
      last,
    );
}

/** Whether it passes, for who needs no reason. */
export function passesCheck(number: string, rule: CheckRule): boolean {
  try {
    verifyCheck(number, rule);
    return true;
  } catch (error) {
    if (error instanceof DecodeError) return false;
    throw error;
  }
}

// ------------------------------------------------------------------------------- asset numbers, EAN/GS1 identifier (8004)

export const ASSET_VIEWS = ['bar-code', 'clear', 'read-out'] as const;
/** `80047350028740014881`, `(8004)7350028740014881`, `7350028740014881`. */
export type AssetView = (typeof ASSET_VIEWS)[number];

export interface AssetNumber {
  /** Two digits of where the company prefix was registered; says nothing of where anything was made. 73: Sweden. */
  readonly country: string;
  /** 1 to 7 digits. */
  readonly company: string;
  /** 1 to 6 digits. */
  readonly reference: string;
  readonly check: string;
  readonly rule: CheckRule;
}

export interface AssetOptions {
  /** Default `modulo-10`. */
  readonly rule?: CheckRule;
  /** How many digits the company prefix has: a number does not tell. Default 7. */
  readonly companyDigits?: number;
}

const ASSET_ID = '8004';

/** Makes the number, its check character included. @throws DecodeError for parts of the wrong form */
export function makeAssetNumber(
  parts: { readonly country: string; readonly company: string; readonly reference: string },
  rule: CheckRule = 'modulo-10',
): AssetNumber {
  const { country, company, reference } = parts;
  for (const [text, what, least, most] of [
    [country, 'the country code', 2, 2],
    [company, 'the company prefix', 1, 7],
    [reference, 'the asset reference', 1, 6],
  ] as const) {
    digits(text, what);
    if (text.length < least || text.length > most)
      refuse('length', `${what} has ${least === most ? most : `${least} to ${most}`} digits, not ${text.length}`, 0);
  }
  return { country, company, reference, check: checkCharacter(country + company + reference, rule), rule };
}

/** What a meter's register holds: without the application identifier. */
export const assetDigits = (asset: AssetNumber): string =>
  asset.country + asset.company + asset.reference + asset.check;

export function formatAssetNumber(asset: AssetNumber, view: AssetView): string {
  const number = assetDigits(asset);
  return view === 'read-out' ? number : view === 'clear' ? `(${ASSET_ID})${number}` : ASSET_ID + number;
}

/**
 * Reads any of the three views. A text that begins with 8004 is a bar code if what follows passes its check; else it may be a
 * read-out whose country code is 80, unless `view` says which it is.
 * @throws DecodeError naming what is wrong and where
 */
export function parseAssetNumber(text: string, options: AssetOptions = {}, view?: AssetView): AssetNumber {
  const rule = options.rule ?? 'modulo-10';
  const brackets = text.startsWith(`(${ASSET_ID})`);
  if (view === 'clear' && !brackets) refuse('identifier', `the clear view begins with (${ASSET_ID})`, 0);
  if (view === 'bar-code' && !text.startsWith(ASSET_ID))
    refuse('identifier', `the bar code begins with ${ASSET_ID}`, 0);
  if (brackets) {
    if (view !== undefined && view !== 'clear') refuse('identifier', 'brackets stand in the clear view only', 0);
    return splitAsset(text, 6, rule, options.companyDigits ?? 7);
  }
  if (view === 'bar-code') return splitAsset(text, 4, rule, options.companyDigits ?? 7);
  if (view === undefined && text.startsWith(ASSET_ID)) {
    // No read-out is longer than 16 digits.
    if (text.length > 16 || passesCheck(text.slice(4), rule))
      return splitAsset(text, 4, rule, options.companyDigits ?? 7);
  }
  return splitAsset(text, 0, rule, options.companyDigits ?? 7);
}

function splitAsset(text: string, from: number, rule: CheckRule, companyDigits: number): AssetNumber {
  if (!Number.isInteger(companyDigits) || companyDigits < 1 || companyDigits > 7)
    throw new MisuseError('a company prefix has 1 to 7 digits');
  const number = text.slice(from);
  const end = rule === 'none' ? number.length : number.length - 1;
  const body = number.slice(0, end);
  const other = firstOther(body);
  if (other >= 0) refuse('digit', `an asset number has digits only; ${quote(body[other])} is none`, from + other);
  const most = 2 + companyDigits + 6;
  if (body.length < 2 + companyDigits + 1)
    refuse(
      'length',
      `${number.length} characters are too few for country, a company prefix of ${companyDigits} digits, reference and check`,
      text.length,
    );
  if (body.length > most)
    refuse(
      'length',
      `${number.length} characters are too many: an asset number ends after ${most + (rule === 'none' ? 0 : 1)}`,
      from + most,
    );
  const check = number.slice(end);
  const wanted = checkCharacter(body, rule);
  if (check !== wanted)
    refuse(
      'check',
      `the check character of ${quote(number)} by ${rule} should be ${wanted}; the number was mistyped`,
      from + end,
    );
  return {
    country: body.slice(0, 2),
    company: body.slice(2, 2 + companyDigits),
    reference: body.slice(2 + companyDigits),
    check,
    rule,
  };
}

// ------------------------------------------------------------------------------------ metering points, identifier (8018)

/** Global service relation number: 18 digits with the check digit of GS1, as Nordic metering points have (7070575…, 735999…, 571313…, 6435…). */
export interface Gsrn {
  readonly number: string;
  readonly check: string;
}

/** Reads 18 digits, alone or after (8018) or 8018. @throws DecodeError */
export function parseGsrn(text: string): Gsrn {
  const from = text.startsWith('(8018)') ? 6 : text.length === 22 && text.startsWith('8018') ? 4 : 0;
  const number = text.slice(from);
  const other = firstOther(number);
  if (other >= 0)
    refuse('digit', `a metering point number has digits only; ${quote(number[other])} is none`, from + other);
  if (number.length !== 18)
    refuse('length', `a metering point number (GSRN) has 18 digits, not ${number.length}`, text.length);
  const wanted = checkDigit10(number.slice(0, 17));
  if (number[17] !== wanted)
    refuse('check', `the check digit of ${quote(number)} should be ${wanted}; the number was mistyped`, from + 17);
  return { number, check: wanted };
}

export const formatGsrn = (gsrn: Gsrn, view: AssetView): string =>
  view === 'read-out' ? gsrn.number : view === 'clear' ? `(8018)${gsrn.number}` : `8018${gsrn.number}`;

/** A GSRN out of its first 17 digits. @throws DecodeError */
export function makeGsrn(payload: string): Gsrn {
  if (payload.length !== 17)
    refuse('length', `17 digits stand before the check digit, not ${payload.length}`, payload.length);
  const check = checkDigit10(payload);
  return { number: payload + check, check };
}

// --------------------------------------------------------------------------------------- energy identification codes (EIC)

/** What an EIC names, by its third character. */
export const EIC_TYPES = {
  A: 'substation',
  T: 'tie line',
  V: 'location',
  W: 'resource',
  X: 'party',
  Y: 'area',
  Z: 'measurement point',
} as const;
export type EicType = keyof typeof EIC_TYPES;

export interface Eic {
  /** All 16 characters. */
  readonly code: string;
  /** Two digits: who issued it. */
  readonly office: string;
  readonly type: EicType;
  readonly check: string;
}

const EIC = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-';

/**
 * Weights 16 to 2 from the left, modulo 37. Finds every wrong character and every pair of neighbours that changed places.
 * @throws DecodeError for characters that no EIC has, and for a code whose check would be the hyphen: such are not issued
 */
export function eicCheck(payload: string): string {
  if (payload.length !== 15)
    refuse('length', `15 characters stand before the check character of an EIC, not ${payload.length}`, payload.length);
  let sum = 0;
  for (let i = 0; i < 15; i++) {
    const value = EIC.indexOf(payload[i] as string);
    if (value < 0) refuse('character', `an EIC has digits, capital letters and hyphens, not ${quote(payload[i])}`, i);
    sum += value * (16 - i);
  }
  const check = 36 - ((sum + 36) % 37);
  if (check === 36)
    refuse('check', `${quote(payload)} would have a hyphen for its check character and is not issued`, 15);
  return EIC[check] as string;
}

/** @throws DecodeError */
export function parseEic(text: string): Eic {
  if (text.length !== 16) refuse('length', `an EIC has 16 characters, not ${text.length}`, text.length);
  const office = text.slice(0, 2);
  const other = firstOther(office);
  if (other >= 0) refuse('digit', 'an EIC begins with two digits, the number of the office that issued it', other);
  const type = text[2] as string;
  if (!Object.hasOwn(EIC_TYPES, type))
    refuse(
      'type',
      `the third character of an EIC is one of ${Object.keys(EIC_TYPES).join(', ')}, not ${quote(type)}`,
      2,
    );
  const wanted = eicCheck(text.slice(0, 15));
  if (text[15] !== wanted)
    refuse('check', `the check character of ${quote(text)} should be ${wanted}; the code was mistyped`, 15);
  return { code: text, office, type: type as EicType, check: wanted };
}

// -------------------------------------------------------------------------------- manufacturers' numbers, FLAG and DIN 43863-5

/** The number that a maker gave a meter: the FLAG association's three letters and up to 13 characters (a logical device name has 16). */
export interface ManufacturerSerial {
  readonly flag: string;
  readonly serial: string;
}

function flagLetters(text: string, from: number): string {
  for (let i = from; i < from + 3; i++) {
    const code = text.charCodeAt(i);
    if (!(code >= 65 && code <= 90))
      refuse(
        'flag',
        "a maker's code is three capital letters given by the FLAG association, such as KAM or LGZ",
        Math.min(i, text.length),
      );
  }
  return text.slice(from, from + 3);
}

/** @throws DecodeError unless three capital letters and 1 to 13 digits or capital letters follow each other */
export function parseManufacturerSerial(text: string): ManufacturerSerial {
  const flag = flagLetters(text, 0);
  const serial = text.slice(3);
  if (serial.length < 1 || serial.length > 13)
    refuse('length', `1 to 13 characters follow the maker's code, not ${serial.length}`, text.length);
  for (let i = 0; i < serial.length; i++)
    if (!/[0-9A-Z]/.test(serial[i] as string))
      refuse('character', `a maker's number has digits and capital letters, not ${quote(serial[i])}`, 3 + i);
  return { flag, serial };
}
export const formatManufacturerSerial = (id: ManufacturerSerial): string => id.flag + id.serial;

/** The FLAG letters as the 15 bits that M-Bus and system titles of some makers send (EN 13757-7). @throws DecodeError */
export function flagToNumber(flag: string): number {
  if (flag.length !== 3) refuse('length', `a maker's code has three letters, not ${flag.length}`, flag.length);
  flagLetters(flag, 0);
  return ((flag.charCodeAt(0) - 64) << 10) | ((flag.charCodeAt(1) - 64) << 5) | (flag.charCodeAt(2) - 64);
}

/** Kinds of devices by the first character of a DIN 43863-5 number: the media of OBIS value group A, and E for communication. */
export const DEVICE_MEDIA = {
  '0': 'abstract',
  '1': 'electricity',
  '4': 'heat cost allocator',
  '5': 'cooling',
  '6': 'heat',
  '7': 'gas',
  '8': 'cold water',
  '9': 'hot water',
  E: 'communication',
  F: 'other',
} as const;
export type DeviceMedium = keyof typeof DEVICE_MEDIA;

/** `1EMH0012345678`: medium, maker, fabrication block, number: 14 characters, the same for a device for all its life. */
export interface DeviceNumber {
  readonly medium: DeviceMedium;
  readonly flag: string;
  /** Two hexadecimal digits that the maker chooses. */
  readonly block: string;
  /** Eight digits. */
  readonly number: string;
}

/** Reads it with or without the blanks of the name plate: `1 EMH00 1234 5678`. @throws DecodeError; offsets count without blanks */
export function parseDeviceNumber(text: string): DeviceNumber {
  const plain = text.length <= 32 ? text.replaceAll(' ', '') : text;
  if (plain.length !== 14) refuse('length', `a device number has 14 characters, not ${plain.length}`, plain.length);
  const medium = plain[0] as string;
  if (!Object.hasOwn(DEVICE_MEDIA, medium))
    refuse(
      'medium',
      `a device number begins with one of ${Object.keys(DEVICE_MEDIA).join(', ')}, not ${quote(medium)}`,
      0,
    );
  const flag = flagLetters(plain, 1);
  for (let i = 4; i < 6; i++)
    if (!/[0-9A-F]/.test(plain[i] as string))
      refuse('block', `the fabrication block is two hexadecimal digits; ${quote(plain[i])} is none`, i);
  const number = plain.slice(6);
  const other = firstOther(number);
  if (other >= 0) refuse('digit', `a device number ends with eight digits; ${quote(number[other])} is none`, 6 + other);
  return { medium: medium as DeviceMedium, flag, block: plain.slice(4, 6), number };
}

/** Plain as in registers and files, or in the groups of the name plate. */
export function formatDeviceNumber(id: DeviceNumber, view: 'plain' | 'plate' = 'plain'): string {
  const { medium, flag, block, number } = id;
  return view === 'plain'
    ? medium + flag + block + number
    : `${medium} ${flag}${block} ${number.slice(0, 4)} ${number.slice(4)}`;
}

/** Makers by the three letters that the FLAG association gave them: they begin system titles and logical device names. */

const MAKERS: Record<string, string> = {
  ADN: 'Aidon',
  AID: 'Aidon',
  AUX: 'Aux',
  ELS: 'Honeywell',
  EMH: 'EMH',
  ESY: 'EasyMeter',
  GEC: 'General Electric',
  HEX: 'Hexing',
  ISK: 'Iskraemeco',
  ISR: 'Iskraemeco',
  ITR: 'Itron',
  ITZ: 'Itron',
  ADD: 'ADD',
  KAM: 'Kamstrup',
  KFM: 'Kaifa',
  LGZ: 'Landis+Gyr',
  LGB: 'Landis+Gyr',
  LOG: 'Logarex',
  NES: 'NES',
  SAG: 'Sagemcom',
  SMS: 'Siemens',
  SOG: 'Sogecam',
  ZIV: 'ZIV',
};

/** The maker by the letters that begin a system title or logical device name; undefined when they are not known. */
export function makerOf(title: Uint8Array | string): string | undefined {
  const letters = typeof title === 'string' ? title.slice(0, 3) : String.fromCharCode(...title.subarray(0, 3));
  return Object.hasOwn(MAKERS, letters) ? MAKERS[letters] : undefined;
}

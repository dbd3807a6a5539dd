/** Gas, water and heat: what they are called and how much is shown. */
import type { Medium } from '@amiable/model';
import type { Key } from '../i18n/index.tsx';

/** The page's word for what a counter measures. */
export function mediumWord({ name, unit }: Pick<Medium, 'name' | 'unit'>): Key {
  if (/gas/i.test(name)) return 'mediumGas';
  if (/water/i.test(name)) return 'mediumWater';
  return unit === 'J' || /heat|thermal/i.test(name) ? 'mediumHeat' : 'mediumVolume';
}

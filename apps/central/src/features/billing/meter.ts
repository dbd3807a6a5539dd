/** Whether the calendar of a meter can hold a tariff: 4 seasons, 8 day tables of 4 switch points, 50 special days (AMI system description §7.4.5). */
import type { Tariff } from '@amiable/model';

const SEASONS = 4;
const DAYS = 8;
const SWITCHES = 4;
const SPECIAL = 50;

export function meterFits({ calendar }: Tariff): { readonly fits: boolean; readonly reasons: string[] } {
  const reasons: string[] = [];
  const { seasons, days, specialDays } = calendar;
  if (seasons.length > SEASONS) reasons.push(`${seasons.length} seasons; a meter holds ${SEASONS}`);
  if (days.length > DAYS) reasons.push(`${days.length} day tables; a meter holds ${DAYS}`);
  for (const { name, switches } of days)
    if (switches.length > SWITCHES)
      reasons.push(`day table ${JSON.stringify(name)} has ${switches.length} switch points; a meter holds ${SWITCHES}`);
  if (specialDays.length > SPECIAL) reasons.push(`${specialDays.length} special days; a meter holds ${SPECIAL}`);
  return { fits: reasons.length === 0, reasons };
}

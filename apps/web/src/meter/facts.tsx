/** What is known of the meter itself. */
import type { Meter } from '@amiable/model';
import type { ReactNode } from 'react';
import { useSpeech } from '../i18n/index.tsx';

export function Facts({ meter }: { meter: Meter }): ReactNode {
  const { t, format } = useSpeech();
  const at = (time: string | null) => (time === null ? null : format.instant(Date.parse(time), meter.timeZone));
  const facts = [
    [t('serial'), meter.serial],
    [t('utilitySerial'), meter.utilitySerial],
    [t('maker'), meter.maker],
    [t('meterType'), meter.type],
    [t('listName'), meter.list],
    [t('phases'), meter.phases === null ? null : String(meter.phases)],
    [t('timeZone'), meter.timeZone],
    [t('reader'), [meter.reader, meter.port].filter(Boolean).join(' / ') || null],
    [t('firstSeen'), at(meter.firstSeen)],
    [t('lastSeen'), at(meter.lastSeen)],
  ] as const;
  return (
    <section className="panel facts" aria-labelledby="facts-title">
      <h2 id="facts-title">{t('meterFacts')}</h2>
      <dl>
        {facts.map(([name, value]) =>
          value === null || value === '' ? null : (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
        )}
      </dl>
      {meter.lineVoltage && <p className="facts-note">{t('lineVoltageNote')}</p>}
    </section>
  );
}

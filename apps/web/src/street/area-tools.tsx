/** Grouping the street by areas, and the one area that is shown alone. Nothing where there is no network, or none to be seen. */
import '../style/desk.css';
import '../style/areas.css';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useMay } from '../access/session.ts';
import { useDesk } from '../i18n/desk.ts';
import { AREA_KINDS, areaNameQuery, isAreaKind, networkQuery } from './areas-api.ts';

interface AreaToolsProps {
  readonly by: string;
  readonly under: string;
  set(name: string, value: string): void;
}

function Alone({ under, set }: Pick<AreaToolsProps, 'under' | 'set'>): ReactNode {
  const { t } = useDesk();
  const { data: name } = useQuery(areaNameQuery(under));
  return (
    <button type="button" className="area-alone" onClick={() => set('under', '')} title={t('areaAll')}>
      {name ?? under}
      <span aria-hidden="true"> ×</span>
      <span className="unseen">: {t('areaAll')}</span>
    </button>
  );
}

export default function AreaTools({ by, under, set }: AreaToolsProps): ReactNode {
  const { t } = useDesk();
  const may = useMay();
  const { data: network } = useQuery({ ...networkQuery, enabled: may('network:view') });
  if (!network) return null;
  if (under !== '') return <Alone under={under} set={set} />;
  return (
    <label className="pick">
      <span>{t('groupedBy')}</span>
      <select value={isAreaKind(by) ? by : ''} onChange={(event) => set('by', event.target.value)}>
        <option value="">{t('groupedByNothing')}</option>
        {AREA_KINDS.map((kind) => (
          <option key={kind} value={kind}>
            {t(`level_${kind}`)}
          </option>
        ))}
      </select>
    </label>
  );
}

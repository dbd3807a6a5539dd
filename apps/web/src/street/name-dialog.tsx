/** Gives a meter its name and place. */
import type { Meter } from '@amiable/model';
import { type FormEvent, type ReactNode, useId, useState } from 'react';
import { api } from '../api.ts';
import { useSpeech } from '../i18n/index.tsx';
import { queryClient } from '../queries.ts';
import { Dialog } from '../ui/dialog.tsx';
import { faultText } from '../ui/notice.tsx';

export function NameDialog({ meter, close }: { meter: Meter; close(): void }): ReactNode {
  const { t } = useSpeech();
  const id = useId();
  const [name, setName] = useState(meter.name ?? '');
  const [place, setPlace] = useState(meter.place ?? '');
  const [fault, setFault] = useState('');
  const [busy, setBusy] = useState(false);
  const save = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      await api.changeMeter(meter.id, { name: name.trim() || null, place: place.trim() || null });
      await queryClient.invalidateQueries({
        predicate: (q) => ['meters', 'meter', 'status'].includes(String(q.queryKey[0])),
      });
      close();
    } catch (thrown) {
      const said = faultText(t, thrown);
      setFault(t('saveFailed', { reason: said.detail || said.text }));
      setBusy(false);
    }
  };
  return (
    <Dialog title={t('nameTitle')} close={close}>
      <form onSubmit={save} className="form">
        <p className="form-facts">
          {[meter.maker, meter.type].filter(Boolean).join(' ')} · {meter.serial}
        </p>
        <div className="field">
          <label htmlFor={`${id}n`}>{t('name')}</label>
          <input id={`${id}n`} value={name} maxLength={200} autoFocus onChange={(e) => setName(e.target.value)} />
        </div>
        <div className="field">
          <label htmlFor={`${id}p`}>{t('place')}</label>
          <input id={`${id}p`} value={place} maxLength={500} onChange={(e) => setPlace(e.target.value)} />
        </div>
        {fault && (
          <p className="form-fault" role="alert">
            {fault}
          </p>
        )}
        <div className="form-actions">
          <button type="button" className="button" onClick={close}>
            {t('cancel')}
          </button>
          <button type="submit" className="button primary" disabled={busy || name.trim() === ''}>
            {t(busy ? 'saving' : 'save')}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

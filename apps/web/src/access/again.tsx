/** The session ended while somebody worked: the password once more, over the open page, and what was typed stays. */
import '../style/access.css';
import type { ReactNode } from 'react';
import { useDesk } from '../i18n/desk.ts';
import { Dialog } from '../ui/dialog.tsx';
import { LogInForm } from './form.tsx';
import { giveUp, take } from './session.ts';
import type { Regained } from './unauthorized.ts';

export default function LogInAgain({ name, settle }: { name: string; settle(result: Regained): void }): ReactNode {
  const { t } = useDesk();
  return (
    <Dialog title={t('endedTitle')} close={giveUp}>
      <div className="access-again">
        <p>{t('endedText')}</p>
        <LogInForm
          name={name}
          done={(me) => {
            settle('again');
            take(me);
          }}
        >
          <button type="button" className="button" onClick={giveUp}>
            {t('otherUser')}
          </button>
        </LogInForm>
      </div>
    </Dialog>
  );
}

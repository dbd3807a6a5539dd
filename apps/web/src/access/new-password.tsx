/** A password chosen: twice, with how strong it is told in words and in a bar. */
import type { ReactNode } from 'react';
import { useDesk } from '../i18n/desk.ts';
import { TextField } from '../ui/field.tsx';
import { LEAST, MOST, type Strength, strengthOf } from './strength.ts';

const STEPS: Record<Strength, number> = { short: 1, weak: 2, fair: 3, good: 4 };

export interface Chosen {
  readonly password: string;
  readonly again: string;
}
export const NONE: Chosen = { password: '', again: '' };

/** Long enough and twice the same; a weak one is told, not refused. */
export const isChosen = ({ password, again }: Chosen): boolean => [...password].length >= LEAST && password === again;

export function NewPassword(props: { name: string; value: Chosen; change(value: Chosen): void }): ReactNode {
  const { t } = useDesk();
  const { name, value, change } = props;
  const length = [...value.password].length;
  const strength = strengthOf(value.password, name);
  const differs = value.again !== '' && !value.password.startsWith(value.again);
  return (
    <>
      <TextField
        label={t('newPassword')}
        value={value.password}
        change={(password) => change({ ...value, password })}
        type="password"
        autoComplete="new-password"
        maxLength={MOST}
        required
        hint={
          <>
            <span className={`strength strength-${length === 0 ? 'none' : strength}`} aria-hidden="true">
              {[1, 2, 3, 4].map((step) => (
                <span key={step} className={length > 0 && step <= STEPS[strength] ? 'strength-on' : undefined} />
              ))}
            </span>
            <span role="status">
              {length === 0
                ? t('strengthHint', { n: LEAST })
                : strength === 'short'
                  ? t('strengthShort', { n: LEAST - length })
                  : t(`strength_${strength}`)}
            </span>
          </>
        }
      />
      <TextField
        label={t('passwordAgain')}
        value={value.again}
        change={(again) => change({ ...value, again })}
        type="password"
        autoComplete="new-password"
        maxLength={MOST}
        required
        fault={differs ? t('passwordDiffers') : undefined}
      />
    </>
  );
}

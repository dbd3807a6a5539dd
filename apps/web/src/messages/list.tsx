/** Messages as lines: when, what, how long, and the first bytes. */
import type { Meter, StoredMessage } from '@amiable/model';
import { queryOptions } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { api } from '../api.ts';
import { useSpeech } from '../i18n/index.tsx';
import { errorText, flagText, isUsual, powerOf } from './text.ts';

export const MESSAGES_KEPT = 50;

export function messagesQuery(meter: string) {
  return queryOptions({
    queryKey: ['messages', meter],
    queryFn: ({ signal }) => api.messages(meter, MESSAGES_KEPT, signal),
    refetchInterval: 5000,
    staleTime: 2000,
  });
}

export function MessageLine({
  meter,
  message,
  short,
}: {
  meter: Meter;
  message: StoredMessage;
  short: boolean;
}): ReactNode {
  const { t, format } = useSpeech();
  const power = powerOf(message);
  const amount = power === undefined ? undefined : format.power(power);
  const bytes = message.raw.length / 2;
  return (
    <li className="message">
      <Link href={`/meter/${meter.id}/messages/${message.id}`} className="message-time">
        {format.clock(Date.parse(message.time ?? message.receivedAt), meter.timeZone, true)}
      </Link>
      <span className="message-what">
        {message.error ? (
          <span className="message-error">{short ? t('locked') : errorText(t, message.error)}</span>
        ) : (
          <>
            {t('readingsCount', { n: message.readings.length })}
            {amount && (
              <b>
                {amount.value} {amount.unit}
              </b>
            )}
          </>
        )}
        {message.flags.map((flag) =>
          short && isUsual(flag) ? null : (
            <span key={flag} className={isUsual(flag) ? 'flag flag-usual' : 'flag'}>
              {flagText(t, flag)}
            </span>
          ),
        )}
      </span>
      <code className="message-hex" aria-hidden="true">
        {(message.raw.slice(0, 96).match(/../g) ?? []).join(' ')}
      </code>
      <span className="message-size">{t('bytes', { n: bytes })}</span>
    </li>
  );
}

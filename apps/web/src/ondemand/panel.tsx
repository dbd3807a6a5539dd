/** Read now: what is wanted, how the call goes, what came. For meters that can be reached, to those who may. */
import '../style/desk.css';
import '../style/ondemand.css';
import type { Meter } from '@amiable/model';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useEffect, useState } from 'react';
import { Link } from 'wouter';
import { useMay } from '../access/session.ts';
import { now } from '../clock.ts';
import { useDesk } from '../i18n/desk.ts';
import { queryClient } from '../queries.ts';
import { Choice } from '../ui/choice.tsx';
import { faultText } from '../ui/notice.tsx';
import { isOver, type Read, type ReadBody, readsApi } from './api.ts';
import { ResultTable } from './result.tsx';
import { useRead } from './use-read.ts';

const WHATS = ['registers', 'profile', 'events'] as const;
type What = (typeof WHATS)[number];
/** Sets of registers and profiles that types of meters have; what this one has not, the server says. */
const SETS = ['billing', 'instantaneous', 'quality', 'status', 'outage'] as const;
const PROFILES = ['load', 'daily', 'monthly'] as const;
const SPANS = ['1', '7', '30'] as const;
const DAY = 86_400_000;

function bodyOf(what: What, set: string, profile: string, days: number): ReadBody {
  // Whole hours: the rows of a profile stand on them.
  const end = Math.ceil(now() / 3_600_000) * 3_600_000;
  const from = new Date(end - days * DAY).toISOString();
  if (what === 'registers') return { what, set };
  if (what === 'events') return { what, from };
  return { what, profile, from, to: new Date(end).toISOString() };
}

function Outcome({ read, zone, cancel }: { read: Read; zone: string; cancel(): void }): ReactNode {
  const { t } = useDesk();
  const may = useMay();
  const over = isOver(read);
  return (
    <div className="read-outcome">
      <p className={`read-sentence read-${read.state}`} role="status">
        {read.sentence}
        {!over && read.tries > 1 && ` ${t('readTries', { n: read.tries })}`}
      </p>
      {!over && (
        <div className="read-running">
          <progress className="read-bar" aria-label={t('readNow')} />
          <button type="button" className="button small" onClick={cancel}>
            {t('cancel')}
          </button>
        </div>
      )}
      {read.result && <ResultTable result={read.result} zone={zone} />}
      {read.transaction && may('transaction:view') && (
        <p className="read-more">
          <Link href={`/log?id=${read.transaction}`}>{t('readInLog')}</Link>
        </p>
      )}
    </div>
  );
}

export default function ReadPanel({ meter }: { meter: Meter }): ReactNode {
  const { t, format } = useDesk();
  const [what, choose] = useState<What>('registers');
  const [set, setSet] = useState<string>('billing');
  const [profile, setProfile] = useState<string>('load');
  const [days, setDays] = useState<string>('1');
  const [started, start] = useState<Read>();
  const [fault, setFault] = useState('');
  const [busy, setBusy] = useState(false);
  const read = useRead(started);
  const running = read !== undefined && !isOver(read);
  const last = useQuery({
    queryKey: ['reads', meter.id],
    queryFn: ({ signal }) => readsApi.last(meter.id, signal),
  });
  const over = read !== undefined && !running;
  useEffect(() => {
    if (!over) return;
    // What was read is in the store now, and in the curves.
    for (const key of ['reads', 'meter', 'series', 'energy', 'events'])
      void queryClient.invalidateQueries({ queryKey: [key, meter.id] });
  }, [over, meter.id]);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setFault('');
    try {
      start(await readsApi.order(meter.id, bodyOf(what, set, profile, Number(days))));
    } catch (thrown) {
      const said = faultText(t, thrown);
      setFault(said.detail || said.text);
    }
    setBusy(false);
  };
  const cancel = async () => {
    if (!read) return;
    try {
      start(await readsApi.cancel(read.id));
    } catch (thrown) {
      const said = faultText(t, thrown);
      setFault(said.detail || said.text);
    }
  };
  const before = last.data?.filter((one) => one.id !== read?.id && isOver(one)) ?? [];
  return (
    <section className="panel read" aria-labelledby="read-title">
      <div className="panel-head">
        <h2 id="read-title">{t('readNow')}</h2>
      </div>
      <form className="tools" onSubmit={send}>
        <Choice
          label={t('readWhat')}
          value={what}
          choose={(value) => choose(value)}
          options={WHATS.map((value) => ({ value, label: t(`read_${value}`) }))}
        />
        {what === 'registers' && (
          <label className="pick">
            <span>{t('readSet')}</span>
            <select value={set} onChange={(event) => setSet(event.target.value)}>
              {SETS.map((one) => (
                <option key={one} value={one}>
                  {t(`set_${one}`)}
                </option>
              ))}
            </select>
          </label>
        )}
        {what === 'profile' && (
          <label className="pick">
            <span>{t('profile')}</span>
            <select value={profile} onChange={(event) => setProfile(event.target.value)}>
              {PROFILES.map((one) => (
                <option key={one} value={one}>
                  {t(`profile_${one}`)}
                </option>
              ))}
            </select>
          </label>
        )}
        {what !== 'registers' && (
          <label className="pick">
            <span>{t('period')}</span>
            <select value={days} onChange={(event) => setDays(event.target.value)}>
              {SPANS.map((one) => (
                <option key={one} value={one}>
                  {t('days', { n: Number(one) })}
                </option>
              ))}
            </select>
          </label>
        )}
        <button type="submit" className="button primary" disabled={busy || running}>
          {t('readNow')}
        </button>
      </form>
      {fault && (
        <p className="form-fault" role="alert">
          {fault}
        </p>
      )}
      {read && <Outcome read={read} zone={meter.timeZone} cancel={() => void cancel()} />}
      {before.length > 0 && (
        <ul className="read-last" aria-label={t('readLast')}>
          {before.slice(0, 3).map((one) => (
            <li key={one.id}>
              <span>{format.instant(Date.parse(one.asked), meter.timeZone)}</span>
              <span>{one.by}</span>
              <span className={`read-${one.state}`}>{one.sentence}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

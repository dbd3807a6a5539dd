/** Read now: what is wanted, how the call goes, what came. For meters that can be reached, to those who may. */
import '../style/desk.css';
import '../style/ondemand.css';
import type { Meter } from '@amiable/model';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useEffect, useState } from 'react';
import { Link } from 'wouter';
import { useMay } from '../access/session.ts';
import { now } from '../clock.ts';
import { type DeskKey, type DeskTranslate, useDesk } from '../i18n/desk.ts';
import { queryClient } from '../queries.ts';
import { Choice } from '../ui/choice.tsx';
import { faultText } from '../ui/notice.tsx';
import { isOver, type Read, type ReadBody, readable, readsApi } from './api.ts';
import { ResultTable } from './result.tsx';
import { useRead } from './use-read.ts';

const WHATS = ['registers', 'profile', 'events'] as const;
type What = (typeof WHATS)[number];
/** Sets of registers and profiles that most types of meters have, for who may not see what this one's has. */
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

/** In the page's language where it is one of the usual ones; else as whoever made the type called it. */
function nameOf(t: DeskTranslate, kind: 'set' | 'profile', name: string): string {
  const usual: readonly string[] = kind === 'set' ? SETS : PROFILES;
  return usual.includes(name) ? t(`${kind}_${name}` as DeskKey) : name;
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
  const may = useMay();
  const { data: known } = useQuery({
    queryKey: ['readable', meter.id],
    queryFn: ({ signal }) => readable(meter.id, signal),
    enabled: may('connection:view') && may('meter-type:view'),
    staleTime: 5 * 60_000,
  });
  const sets: readonly string[] = known?.sets.length ? known.sets : SETS;
  const profiles: readonly string[] = known?.profiles.length ? known.profiles : PROFILES;
  // What was chosen, or the first where this meter has none of that name.
  const chosenSet = sets.includes(set) ? set : (sets[0] as string);
  const chosenProfile = profiles.includes(profile) ? profile : (profiles[0] as string);
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
      start(await readsApi.order(meter.id, bodyOf(what, chosenSet, chosenProfile, Number(days))));
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
            <select value={chosenSet} onChange={(event) => setSet(event.target.value)}>
              {sets.map((one) => (
                <option key={one} value={one}>
                  {nameOf(t, 'set', one)}
                </option>
              ))}
            </select>
          </label>
        )}
        {what === 'profile' && (
          <label className="pick">
            <span>{t('profile')}</span>
            <select value={chosenProfile} onChange={(event) => setProfile(event.target.value)}>
              {profiles.map((one) => (
                <option key={one} value={one}>
                  {nameOf(t, 'profile', one)}
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

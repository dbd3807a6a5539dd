/**
 * The street by feeder, transformer, substation or region: one line for each with its meters and its power, unfolded on request.
 *
 * Decides: what is unfolded stands in the address, so that who comes back from a house finds it as it was. Each unfolded area has
 * a virtualised list and a page-wise fetch of its own; what is folded costs nothing.
 */
import '../style/areas.css';
import type { Meter } from '@amiable/model';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { type ReactNode, useEffect, useMemo, useState } from 'react';
import { api } from '../api.ts';
import { useDesk } from '../i18n/desk.ts';
import { takeLive, useWanted } from '../live.ts';
import { streetQuery } from '../queries.ts';
import { Fault } from '../ui/notice.tsx';
import { Bone } from '../ui/skeleton.tsx';
import { type Area, type AreaKind, areasQuery, isAreaKind, MANY } from './areas-api.ts';
import { HouseList, type Layout } from './list.tsx';

/** Stands in the address for the meters of no area. */
const ELSEWHERE = 'none';
/** Areas that are unfolded at once; the one that was unfolded first gives way. */
const MOST_OPEN = 20;

interface AreasProps {
  readonly by: string;
  readonly open: string;
  set(name: string, value: string): void;
  readonly layout: Layout;
  readonly scale: number;
  name(meter: Meter): void;
}
type BodyProps = Pick<AreasProps, 'layout' | 'scale' | 'name'> & { readonly under?: string; readonly outside?: string };

function Body({ under, outside, layout, scale, name }: BodyProps): ReactNode {
  const { t } = useDesk();
  const query = useInfiniteQuery(streetQuery({ q: '', state: undefined, under, outside }));
  const meters = useMemo(() => query.data?.pages.flatMap((page) => page.meters) ?? [], [query.data]);
  const [visible, show] = useState<readonly string[]>([]);
  useWanted(visible);
  useEffect(() => takeLive(meters.flatMap((meter) => meter.live ?? [])), [meters]);
  if (query.isPending) return <Bone height={64} />;
  return (
    <>
      {meters.length > 0 && (
        <HouseList
          key={layout}
          meters={meters}
          total={query.data?.pages.at(-1)?.total ?? 0}
          layout={layout}
          scale={scale}
          more={query.hasNextPage && !query.isFetchingNextPage}
          fetchMore={() => void query.fetchNextPage()}
          name={name}
          show={show}
        />
      )}
      {meters.length === 0 && !query.isError && <p className="area-empty">{t('areaEmpty')}</p>}
      {query.isError && <Fault fault={query.error} retry={() => void query.fetchNextPage()} small />}
    </>
  );
}

interface HeadProps {
  readonly title: string;
  readonly code: string;
  readonly meters: number;
  readonly power: Area['power'];
  readonly open: boolean;
  turn(): void;
  readonly body: string;
}

function Head({ title, code, meters, power, open, turn, body }: HeadProps): ReactNode {
  const { t, format } = useDesk();
  const net = power ? power.import - power.export : 0;
  const amount = format.power(Math.abs(net));
  return (
    <h2 className="area-head">
      <button type="button" aria-expanded={open} aria-controls={open ? body : undefined} onClick={turn}>
        <svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
          <path d="M5 2.5 11 8l-6 5.5" fill="none" stroke="currentColor" strokeWidth="2.2" />
        </svg>
        <span className="area-name">
          {title} {code !== '' && <small>{code}</small>}
        </span>
        <span className="area-meters">
          {meters >= MANY ? t('areaMany', { n: MANY - 1 }) : t('areaMeters', { n: meters })}
        </span>
        <span className={net < 0 ? 'area-power figure-out' : 'area-power figure-in'}>
          {power && (
            <>
              {net < 0 && '−'}
              {amount.value} <small>{amount.unit}</small>
            </>
          )}
        </span>
      </button>
    </h2>
  );
}

function Elsewhere({
  kind,
  open,
  turn,
  ...rest
}: BodyProps & { kind: AreaKind; open: boolean; turn(): void }): ReactNode {
  const { t } = useDesk();
  const { data: count } = useQuery({
    queryKey: ['meters-outside', kind],
    queryFn: async ({ signal }) => (await api.meters({ outside: kind, limit: 1 }, signal)).total,
    staleTime: 60_000,
  });
  if (!count) return null;
  return (
    <section className="area" aria-label={t('areaElsewhere')}>
      <Head
        title={t('areaElsewhere')}
        code=""
        meters={count}
        power={null}
        open={open}
        turn={turn}
        body={`area-${ELSEWHERE}`}
      />
      {open && (
        <div id={`area-${ELSEWHERE}`} className="area-body">
          <Body outside={kind} {...rest} />
        </div>
      )}
    </section>
  );
}

export default function Areas({ by, open: text, set, ...rest }: AreasProps): ReactNode {
  const { t } = useDesk();
  const kind: AreaKind = isAreaKind(by) ? by : 'feeder';
  const query = useInfiniteQuery(areasQuery(kind));
  const areas = query.data?.pages.flatMap((page) => page.areas) ?? [];
  const open = text === '' ? [] : text.split('.');
  const turn = (id: string) =>
    set('open', (open.includes(id) ? open.filter((one) => one !== id) : [...open, id].slice(-MOST_OPEN)).join('.'));
  if (query.isPending) return <Bone height={200} />;
  if (query.isError && areas.length === 0)
    return <Fault fault={query.error} retry={() => void query.refetch()} small />;
  return (
    <div className="areas">
      {areas.length === 0 && <p className="area-empty">{t('areaNone')}</p>}
      {areas.map((area) => {
        const title = area.name ?? area.code;
        const shown = open.includes(area.id);
        return (
          <section key={area.id} className="area" aria-label={title}>
            <Head
              title={title}
              code={area.name === null ? '' : area.code}
              meters={area.meters}
              power={area.power}
              open={shown}
              turn={() => turn(area.id)}
              body={`area-${area.id}`}
            />
            {shown && (
              <div id={`area-${area.id}`} className="area-body">
                <p className="area-more">
                  <button type="button" className="button small" onClick={() => set('under', area.id)}>
                    {t('areaOnly')}
                  </button>
                </p>
                <Body under={area.id} {...rest} />
              </div>
            )}
          </section>
        );
      })}
      {query.hasNextPage && (
        <button
          type="button"
          className="button"
          disabled={query.isFetchingNextPage}
          onClick={() => void query.fetchNextPage()}
        >
          {t('areaNext')}
        </button>
      )}
      {!query.hasNextPage && (
        <Elsewhere kind={kind} open={open.includes(ELSEWHERE)} turn={() => turn(ELSEWHERE)} {...rest} />
      )}
    </div>
  );
}

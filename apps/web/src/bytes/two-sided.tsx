/**
 * Bytes on one side, what they mean on the other. Whatever is pointed at on one side lights up on the other; a click or the
 * keyboard keeps it lit. Used for a stored message and for pasted bytes.
 */
import '../style/bytes.css';
import { type ReactNode, useMemo, useState } from 'react';
import { useSpeech } from '../i18n/index.tsx';
import { Choice } from '../ui/choice.tsx';
import { type LayerMap, marksOf, readingOf, type Spot, spotOfByte, startOfSpot } from './fields.ts';
import { HexDump } from './hex.tsx';
import { layerText } from './names.ts';
import { FieldTree } from './tree.tsx';

type Side = 'bytes' | 'fields' | 'other';
interface Pointed {
  readonly spot: Spot;
  readonly by: Side;
}

/** What a tab of its own needs to light up bytes, and to be lit up. */
export interface Pointing {
  /** The reading that is pointed at, wherever. */
  readonly active: number | undefined;
  /** What a click or the keyboard keeps lit. */
  readonly kept: Spot | undefined;
  point(spot: Spot | undefined): void;
  step(spot: Spot): void;
}

/** Another view beside the fields. */
export interface SideTab {
  readonly value: string;
  readonly label: string;
  body(pointing: Pointing): ReactNode;
}

export interface TwoSidedProps {
  readonly layers: readonly LayerMap[];
  /** What each reading is called; empty where there are none. */
  readonly readings: readonly string[];
  /** A reading with its value, for the line above both sides. */
  readonly told?: ((reading: number) => string) | undefined;
  readonly hint: string;
  /** `fields`, or the value of another tab. */
  readonly tab: string;
  setTab(tab: string): void;
  readonly before?: SideTab | undefined;
  readonly after?: SideTab | undefined;
}

function Spotlight({
  layers,
  spot,
  told,
  hint,
}: Pick<TwoSidedProps, 'layers' | 'told' | 'hint'> & { spot: Spot | undefined }): ReactNode {
  const { t } = useSpeech();
  let range = '';
  let text = '';
  const reading = readingOf(layers, spot);
  const read = reading === undefined ? '' : (told?.(reading) ?? '');
  if (spot?.kind === 'byte') range = t('byteOne', { from: String(spot.at) });
  else if (spot?.kind === 'field') {
    const node = layers[spot.layer]?.nodes[spot.node];
    if (node) {
      range =
        node.to - node.from > 1
          ? t('byteRange', { from: String(node.from), to: String(node.to - 1) })
          : t('byteOne', { from: String(node.from) });
      text = node.text;
    }
  }
  return (
    <p className="spotlight" role="status">
      {spot === undefined ? (
        <span className="spotlight-hint">{hint}</span>
      ) : (
        <>
          {text && <b>{text}</b>}
          {read && <span>{read}</span>}
          {range && <span className="spotlight-range">{range}</span>}
        </>
      )}
    </p>
  );
}

export function TwoSided(props: TwoSidedProps): ReactNode {
  const { layers, readings, told, hint, tab, setTab, before, after } = props;
  const { t } = useSpeech();
  const names = useMemo(() => layers.map((layer) => layerText(t, layer.name)), [layers, t]);
  const [hovered, hover] = useState<Pointed>();
  const [kept, keep] = useState<Pointed>();
  const [cursors, setCursors] = useState<readonly number[]>([]);
  const pointed = hovered ?? kept;
  const spot = pointed?.spot;
  const marks = useMemo(() => marksOf(layers, spot), [layers, spot]);
  const start = spot && pointed?.by !== 'bytes' ? startOfSpot(layers, spot) : undefined;
  /** What was last stepped to stands, even when the pointer still rests somewhere. */
  const stepTo = (next: Pointed) => {
    hover(undefined);
    keep(next);
  };
  const point = (by: Side, next: Spot | undefined) => hover(next && { spot: next, by });
  const other = [before, after].find((one) => one?.value === tab);
  const option = (one: SideTab | undefined) => (one ? [{ value: one.value, label: one.label }] : []);
  return (
    <>
      <Spotlight layers={layers} spot={spot} told={told} hint={hint} />
      <div className="explained">
        <div className="hex-scroll">
          {layers.map((layer, l) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: two layers may bear one name; their order is theirs
            <div key={l} className="hex-layer">
              <h3>
                {names[l]} <small>{t('bytes', { n: layer.bytes.length })}</small>
              </h3>
              <HexDump
                layer={layer}
                label={names[l] ?? layer.name}
                marks={marks[l] as Uint8Array}
                cursor={cursors[l] ?? 0}
                reveal={start?.layer === l ? start.at : undefined}
                point={(at) => point('bytes', at === undefined ? undefined : spotOfByte(layers, l, at))}
                step={(at) => {
                  setCursors(layers.map((_layer, i) => (i === l ? at : (cursors[i] ?? 0))));
                  stepTo({ spot: spotOfByte(layers, l, at), by: 'bytes' });
                }}
              />
            </div>
          ))}
        </div>
        <div className="explained-side">
          {(before || after) && (
            <Choice
              label={t('fields')}
              value={tab}
              choose={setTab}
              options={[...option(before), { value: 'fields', label: t('fields') }, ...option(after)]}
            />
          )}
          <div className="explained-scroll">
            {other ? (
              other.body({
                active: readingOf(layers, spot),
                kept: kept?.spot,
                point: (next) => point('other', next),
                step: (next) => stepTo({ spot: next, by: 'other' }),
              })
            ) : (
              <FieldTree
                layers={layers}
                names={names}
                readings={readings}
                spot={spot}
                follow={pointed?.by === 'bytes'}
                point={(next) => point('fields', next)}
                step={(next) => stepTo({ spot: next, by: 'fields' })}
              />
            )}
          </div>
        </div>
      </div>
    </>
  );
}

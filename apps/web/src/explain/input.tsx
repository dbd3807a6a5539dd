/** What is to be explained: a field to paste into, files, examples, the layer, and keys that are folded away. */
import type { CarrierKind } from '@amiable/meter';
import { type ChangeEvent, type DragEvent, type ReactNode, useRef, useState } from 'react';
import { useSpeech } from '../i18n/index.tsx';
import { CopyButton } from '../ui/copy.tsx';
import { linkOf } from './address.ts';
import { EXAMPLES } from './examples.ts';
import { isText, MAX_FILE } from './files.ts';
import type { KeyTexts } from './keys.ts';
import { KeysPanel } from './keys-panel.tsx';

export interface Input {
  readonly text: string;
  readonly file: { readonly name: string; readonly bytes: Uint8Array } | undefined;
  readonly kind: CarrierKind | undefined;
  readonly keys: KeyTexts;
}
export const EMPTY_INPUT: Input = { text: '', file: undefined, kind: undefined, keys: {} };

/** Characters of a text file that go into the field, where they can be changed; longer ones stay files. */
const MAX_SHOWN = 256 * 1024;

const KINDS = [
  ['hdlc', 'HDLC'],
  ['wrapper', 'Wrapper'],
  ['mbus', 'M-Bus'],
  ['wmbus', 'wM-Bus'],
  ['p1', 'P1'],
  ['iec62056-21', 'IEC 62056-21'],
  ['apdu', 'APDU'],
  ['data', 'A-XDR Data'],
] as const;

export interface InputProps {
  readonly input: Input;
  readonly keysOpen: boolean;
  change(input: Input): void;
  openKeys(open: boolean): void;
}

export function InputPanel({ input, change, keysOpen, openKeys }: InputProps): ReactNode {
  const { t } = useSpeech();
  const picker = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const [fault, setFault] = useState('');

  const takeFile = async (file: File | undefined) => {
    if (!file) return;
    setFault('');
    if (file.size > MAX_FILE) {
      setFault(t('explainFileBig', { n: MAX_FILE >> 20 }));
      return;
    }
    try {
      const bytes = new Uint8Array(await file.arrayBuffer());
      if (isText(bytes) && bytes.length <= MAX_SHOWN)
        change({ ...input, text: new TextDecoder().decode(bytes), file: undefined });
      else change({ ...input, text: '', file: { name: file.name, bytes } });
    } catch {
      setFault(t('explainFileBad'));
    }
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const [file] = event.dataTransfer.files;
    if (file) void takeFile(file);
    else {
      const text = event.dataTransfer.getData('text');
      if (text) change({ ...input, text, file: undefined });
    }
  };
  const pick = (event: ChangeEvent<HTMLInputElement>) => {
    void takeFile(event.target.files?.[0]);
    // The same file again is a change too.
    event.target.value = '';
  };
  const link = input.text.trim() === '' ? undefined : linkOf(input.text);
  const some = input.text !== '' || input.file !== undefined;
  return (
    <section
      className={over ? 'panel explain-input explain-over' : 'panel explain-input'}
      aria-label={t('explainPaste')}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
      }}
      onDrop={drop}
    >
      <div className="explain-bar">
        <label htmlFor="explain-text">{t('explainPaste')}</label>
        <span className="explain-examples">
          <span>{t('explainTry')}</span>
          {EXAMPLES.map((example) => {
            const name = 'text' in example.name ? example.name.text : t(example.name.key);
            return (
              <button
                key={name}
                type="button"
                className="button small"
                onClick={() => {
                  setFault('');
                  change({ ...EMPTY_INPUT, text: example.text, keys: example.keys ?? {} });
                }}
              >
                {name}
              </button>
            );
          })}
        </span>
      </div>
      {input.file ? (
        <p className="explain-file">
          <b className="breakable">{input.file.name}</b>
          <span>{t('bytes', { n: input.file.bytes.length })}</span>
        </p>
      ) : (
        <textarea
          id="explain-text"
          className="explain-text"
          rows={6}
          spellCheck={false}
          autoComplete="off"
          autoCapitalize="off"
          placeholder="7E A0 07 03 21 93 0F 01 7E"
          value={input.text}
          onChange={(event) => change({ ...input, text: event.target.value })}
        />
      )}
      <div className="explain-bar">
        <span className="explain-tools">
          <button type="button" className="button small" onClick={() => picker.current?.click()}>
            {t('explainFile')}
          </button>
          <input ref={picker} type="file" hidden aria-label={t('explainFile')} onChange={pick} />
          <label className="explain-kind">
            {t('explainAs')}
            <select
              value={input.kind ?? ''}
              onChange={(event) =>
                change({ ...input, kind: (event.target.value || undefined) as CarrierKind | undefined })
              }
            >
              <option value="">{t('explainAuto')}</option>
              {KINDS.map(([kind, name]) => (
                <option key={kind} value={kind}>
                  {name}
                </option>
              ))}
            </select>
          </label>
          {link && <CopyButton text={location.origin + link.href} label={t('explainShare')} />}
          {some && (
            <button
              type="button"
              className="button small"
              onClick={() => {
                setFault('');
                change({ ...input, text: '', file: undefined });
                requestAnimationFrame(() => document.getElementById('explain-text')?.focus());
              }}
            >
              {t('explainClear')}
            </button>
          )}
        </span>
        <span className="explain-drop">{t(over ? 'explainDropNow' : 'explainDrop')}</span>
      </div>
      {fault && (
        <p className="form-fault" role="alert">
          {fault}
        </p>
      )}
      <KeysPanel keys={input.keys} open={keysOpen} setOpen={openKeys} change={(keys) => change({ ...input, keys })} />
    </section>
  );
}

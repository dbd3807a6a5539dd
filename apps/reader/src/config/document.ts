/**
 * config.txt: one `name=value` a line, UTF-8. `#` or `;` at the beginning of a line makes it a comment. Blanks around name and
 * value do not count; a value in double quotes keeps them and knows \n, \t, \" and \\. An empty value means the default.
 *
 * Decides: a document remembers every line as it stood, so that writing one setting changes one line: comments, order and line
 * ends stay. What a setting may be is in schema.ts.
 */
import type { Fault } from './faults.ts';

export const LARGEST_FILE = 1 << 20;

interface Line {
  /** As it stands in the file, without its end. */
  raw: string;
  /** Present for a setting. */
  name?: string;
  value?: string;
}

export interface Entry {
  /** As written; `canonicalName` of schema.ts makes it the schema's. */
  readonly name: string;
  readonly value: string;
  /** From 1. */
  readonly line: number;
}

export interface Document {
  readonly entries: readonly Entry[];
  /** Lines that are neither a setting nor a comment. */
  readonly faults: readonly Fault[];
  /**
   * The text with these settings changed. `undefined` takes a setting out. New ones go behind the last of their family (what stands
   * before the last dot), else to the end, under `heading` if it gives one.
   */
  changed(
    changes: ReadonlyMap<string, string | undefined>,
    canonical: (name: string) => string,
    heading?: (name: string) => string | undefined,
  ): string;
}

/** `text` as a value that `readDocument` gives back the same. */
export function quoted(text: string): string {
  if (/^[^"\s\p{Cc}]$|^[^"\s\p{Cc}][^\p{Cc}]*[^\s\p{Cc}]$/u.test(text)) return text;
  return `"${text.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\t', '\\t').replaceAll('\r', '')}"`;
}

/** @returns the value, or undefined when the quotes do not close */
function unquoted(text: string): string | undefined {
  if (!text.startsWith('"')) return text;
  let out = '';
  for (let i = 1; i < text.length; i++) {
    const c = text[i];
    if (c === '"') return /^\s*$/.test(text.slice(i + 1)) ? out : undefined;
    if (c !== '\\') {
      out += c;
      continue;
    }
    const next = text[++i];
    if (next === undefined) return undefined;
    out += next === 'n' ? '\n' : next === 't' ? '\t' : next;
  }
  return undefined;
}

/** The settings of one name each, in the order of the file. Never throws. */
export function readDocument(given: string): Document {
  const bom = given.startsWith('\ufeff') ? '\ufeff' : '';
  const text = given.slice(bom.length);
  const end = /\r\n/.test(text) ? '\r\n' : '\n';
  const lines: Line[] = text.split(/\r?\n/).map((raw) => ({ raw }));
  const last = lines.at(-1);
  if (last && last.raw === '') lines.pop();
  const entries: Entry[] = [];
  const faults: Fault[] = [];
  const fault = (i: number, key: Fault['key'], name?: string): void => {
    faults.push({ line: i + 1, key, ...(name === undefined ? {} : { name }) });
  };
  for (const [i, line] of lines.entries()) {
    const bare = line.raw.trim();
    if (bare === '' || bare.startsWith('#') || bare.startsWith(';')) continue;
    const cut = bare.indexOf('=');
    const name = bare.slice(0, Math.max(0, cut)).trim();
    const value = unquoted(bare.slice(cut + 1).trim());
    // What stands in a line that is wrong may be a secret: it is not repeated.
    if (cut <= 0) fault(i, 'noEquals');
    else if (value === undefined) fault(i, 'openQuote', name);
    else if (value.includes('\0')) fault(i, 'controlCharacter', name);
    else {
      line.name = name;
      line.value = value;
      entries.push({ name, value, line: i + 1 });
    }
  }
  return {
    entries,
    faults,
    changed(changes, canonical, heading) {
      const out: Line[] = lines.map((line) => ({ ...line }));
      const family = (name: string) => name.slice(0, Math.max(0, name.lastIndexOf('.')));
      for (const [name, value] of changes) {
        const at = out.findIndex((line) => line.name !== undefined && canonical(line.name) === name);
        if (value === undefined) {
          if (at >= 0) out.splice(at, 1);
          continue;
        }
        if (at >= 0) {
          const line = out[at] as Line;
          if (line.value !== value) out[at] = { ...line, value, raw: `${line.name}=${quoted(value)}` };
          continue;
        }
        const fresh: Line = { name, value, raw: `${name}=${quoted(value)}` };
        const kin = out.findLastIndex(
          (line) => line.name !== undefined && family(canonical(line.name)) === family(name),
        );
        if (kin >= 0 && family(name) !== '') {
          out.splice(kin + 1, 0, fresh);
          continue;
        }
        const title = heading?.(name);
        if (title !== undefined) {
          const raw = `# ${title}`;
          if (!out.some((line) => line.raw === raw)) out.push(...(out.length > 0 ? [{ raw: '' }] : []), { raw });
        }
        out.push(fresh);
      }
      return bom + out.map((line) => line.raw + end).join('');
    },
  };
}

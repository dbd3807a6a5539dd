/**
 * As much XML as documents of prices need: elements, attributes, text, CDATA. Prefixes are left off names.
 *
 * Decides: no document type (so no entities but the five, and nothing is fetched), bounded depth and count. Leaves out:
 * validation, namespaces, mixed content (text of an element is all of its own text).
 */
import { DecodeError } from '@amiable/bytes';

export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

const DEEPEST = 32;
const MOST = 4_000_000;
const TOKEN =
  /<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<\?[\s\S]*?\?>|<\/([^\s>]+)\s*>|<([^\s/>!?]+)((?:\s+[^\s=>/]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/y;
const ATTRIBUTE = /([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
const FIVE: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

interface Open {
  readonly name: string;
  readonly attributes: Record<string, string>;
  readonly children: XmlElement[];
  text: string;
}

const local = (name: string): string => name.slice(name.indexOf(':') + 1);

/** @throws DecodeError with the place in characters */
export function parseXml(source: string): XmlElement {
  const top: Open = { name: '', attributes: {}, children: [], text: '' };
  const open: Open[] = [top];
  let count = 0;
  for (let at = source.charCodeAt(0) === 0xfeff ? 1 : 0; at < source.length; ) {
    const next = source.indexOf('<', at);
    const here = open[open.length - 1] as Open;
    if (next !== at) {
      const text = source.slice(at, next < 0 ? source.length : next);
      if (here === top && text.trim() !== '')
        throw new DecodeError(
          'xml',
          `no XML: ${JSON.stringify(text.trim().slice(0, 60))} stands outside of all elements`,
          at,
        );
      if (here !== top) here.text += plain(text, at);
      if (next < 0) break;
      at = next;
    }
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(source);
    if (!found) {
      const why = source.startsWith('<!DOCTYPE', at) ? 'a document type is not taken' : 'no mark-up';
      throw new DecodeError('xml', `${why}: ${JSON.stringify(source.slice(at, at + 60))}`, at);
    }
    const [all, cdata, end, name, attributes = '', empty] = found;
    if (cdata !== undefined) here.text += cdata;
    else if (end !== undefined) {
      if (here === top || here.name !== local(end))
        throw new DecodeError('xml', `</${end.slice(0, 60)}> ends what was not begun`, at);
      open.pop();
      (open[open.length - 1] as Open).children.push(here);
    } else if (name !== undefined) {
      if (++count > MOST) throw new DecodeError('xml', `more than ${MOST} elements`, at);
      if (open.length > DEEPEST) throw new DecodeError('xml', `more than ${DEEPEST} elements within each other`, at);
      const made: Open = { name: local(name), attributes: {}, children: [], text: '' };
      for (const [, key = '', a, b] of attributes.matchAll(ATTRIBUTE))
        Object.defineProperty(made.attributes, local(key), {
          value: plain(a ?? b ?? '', at),
          enumerable: true,
          configurable: true,
        });
      if (empty === '/') here.children.push(made);
      else open.push(made);
    }
    at += all.length;
  }
  if (open.length > 1) throw new DecodeError('xml', `<${(open.at(-1) as Open).name}> does not end`, source.length);
  const [root, ...more] = top.children;
  if (!root || more.length > 0) throw new DecodeError('xml', 'one element is wanted at the top', 0);
  return root;
}

function plain(text: string, at: number): string {
  if (!text.includes('&')) return text;
  return text.replace(/&(#x[0-9a-f]{1,6}|#\d{1,7}|\w{1,10});|&/gi, (all, name: string | undefined) => {
    if (name === undefined) throw new DecodeError('xml', 'a bare &', at);
    if (!name.startsWith('#')) {
      if (!Object.hasOwn(FIVE, name)) throw new DecodeError('xml', `unknown entity ${all}`, at);
      return FIVE[name] as string;
    }
    const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    if (code === 0 || code > 0x10ffff) throw new DecodeError('xml', `no character ${all}`, at);
    return String.fromCodePoint(code);
  });
}

export const child = (of: XmlElement, name: string): XmlElement | undefined => of.children.find((c) => c.name === name);
export const textOf = (of: XmlElement | undefined, name: string): string | undefined =>
  of && child(of, name)?.text.trim();

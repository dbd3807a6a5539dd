/**
 * As much of XML as the text form of APDUs needs: elements with attributes, comments skipped. Bounded: a text of hostile
 * origin costs no more than its length.
 */
import { DecodeError } from '@amiable/bytes';

export interface XmlElement {
  readonly name: string;
  readonly attributes: Record<string, string>;
  readonly children: XmlElement[];
}

const MAX_DEPTH = 64;
const MAX_ELEMENTS = 200_000;

export const element = (name: string, value?: string): XmlElement => ({
  name,
  attributes: value === undefined ? {} : { Value: value },
  children: [],
});

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const UNESCAPES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** The element as indented lines, without a line end at the end. */
export function xmlText(root: XmlElement): string {
  const lines: string[] = [];
  addLines(lines, root, '');
  return lines.join('\n');
}

function addLines(lines: string[], { name, attributes, children }: XmlElement, indent: string): void {
  let open = `${indent}<${name}`;
  for (const key of Object.keys(attributes)) {
    const value = (attributes[key] as string).replace(/[&<>"]/g, (c) => ESCAPES[c] as string);
    open += ` ${key}="${value}"`;
  }
  if (children.length === 0) {
    lines.push(`${open} />`);
    return;
  }
  lines.push(`${open}>`);
  for (const child of children) addLines(lines, child, `${indent}  `);
  lines.push(`${indent}</${name}>`);
}

// One token: comment or declaration, closing tag, or opening tag with its attributes.
const TOKEN = /\s*(?:<!--[\s\S]*?-->|<\?[^>]*>|<\/([\w.-]+)\s*>|<([\w.-]+)((?:\s+[\w.:-]+\s*=\s*"[^"<]*")*)\s*(\/?)>)/y;
const ATTRIBUTE = /([\w.:-]+)\s*=\s*"([^"]*)"/g;

/** Reads one element and what is in it. @throws DecodeError `text`, with the place in the text */
export function parseXml(text: string): XmlElement {
  const stack: XmlElement[] = [];
  let root: XmlElement | undefined;
  let elements = 0;
  const token = new RegExp(TOKEN);
  const last = text.trimEnd().length;
  while (token.lastIndex < last) {
    const at = token.lastIndex;
    const found = token.exec(text);
    if (!found) throw new DecodeError('text', 'an element was expected', at);
    const [, closing, opening, attributes = '', alone] = found;
    if (closing !== undefined) {
      if (stack.pop()?.name !== closing) throw new DecodeError('text', `</${closing}> closes nothing`, at);
      continue;
    }
    if (opening === undefined) continue;
    const parent = stack.at(-1);
    if (!parent && root) throw new DecodeError('text', 'one element was expected', at);
    if (++elements > MAX_ELEMENTS || stack.length >= MAX_DEPTH) throw new DecodeError('limit', 'too much text', at);
    const next: XmlElement = { name: opening, attributes: {}, children: [] };
    for (const [, key, value] of attributes.matchAll(ATTRIBUTE))
      next.attributes[key as string] = (value as string).replace(
        /&(amp|lt|gt|quot|apos);/g,
        (_, name: string) => UNESCAPES[name] as string,
      );
    parent?.children.push(next);
    root ??= next;
    if (!alone) stack.push(next);
  }
  if (!root || stack.length > 0) throw new DecodeError('text', 'the text ends within an element', text.length);
  return root;
}

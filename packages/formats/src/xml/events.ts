/**
 * XML of others as events, in a stream: elements by namespace and name, their text.
 *
 * Decides: no document type, so no entities but the five of XML and nothing that grows; depth, length and number of attributes are
 * bounded; what breaks the form of XML ends the reading. Leaves out: which elements may stand where (structure.ts).
 */
import { SaxesParser } from 'saxes';

const DEPTH = 40;
const TEXT = 10_000;
const ATTRIBUTES = 50;
/** Characters between two events. */
const GAP = 1 << 17;
const PIECE = 65_536;

export interface XmlPlace {
  readonly line: number;
  readonly column: number;
}

export interface XmlSink {
  open(local: string, uri: string, attributes: ReadonlyMap<string, string>, at: XmlPlace): void;
  /** The whole text of an element that has no elements inside, else the white space between them. */
  close(local: string, text: string, at: XmlPlace): void;
  fault(at: XmlPlace, message: string): void;
}

/** Ends the parser, which has no other way to be stopped. */
class Stop extends Error {}

export function createXmlEvents(sink: XmlSink) {
  const decoder = new TextDecoder('utf-8');
  const parser = new SaxesParser({ position: true, xmlns: true });
  let over = false;
  let depth = 0;
  let begun = 0;
  let text = '';
  let openedAt: XmlPlace = { line: 1, column: 1 };
  const here = (): XmlPlace => ({ line: parser.line, column: parser.column + 1 });
  const stop = (message: string): never => {
    over = true;
    sink.fault(here(), message);
    throw new Stop();
  };
  parser.on('error', (error) => {
    stop(`the XML is broken: ${error.message.replace(/^\d+:\d+:\s*/, '')}`);
  });
  parser.on('doctype', () => stop('a document type is not read; take the <!DOCTYPE …> out'));
  parser.on('xmldecl', ({ encoding }) => {
    if (encoding !== undefined && !/^(utf-?8|us-ascii)$/i.test(encoding))
      stop(`the file says that it is in ${encoding.slice(0, 40)}; save it as UTF-8`);
  });
  parser.on('opentagstart', () => {
    begun = parser.position;
    openedAt = here();
  });
  parser.on('opentag', (tag) => {
    begun = parser.position;
    if (++depth > DEPTH) stop('elements are nested too deep');
    text = '';
    const attributes = new Map<string, string>();
    for (const attribute of Object.values(tag.attributes)) {
      // Declarations of namespaces and places of schemas say nothing of the content.
      if (attribute.prefix === 'xmlns' || attribute.name === 'xmlns' || attribute.prefix === 'xsi') continue;
      attributes.set(attribute.local, attribute.value);
      if (attributes.size > ATTRIBUTES) stop('the element has too many attributes');
    }
    sink.open(tag.local, tag.uri, attributes, openedAt);
  });
  for (const name of ['text', 'cdata'] as const)
    parser.on(name, (piece) => {
      begun = parser.position;
      text += piece;
      if (text.length > TEXT) stop(`more than ${TEXT} characters of text stand in one element`);
    });
  for (const name of ['comment', 'processinginstruction'] as const)
    parser.on(name, () => {
      begun = parser.position;
    });
  parser.on('closetag', (tag) => {
    begun = parser.position;
    depth--;
    sink.close(tag.local, text, here());
    text = '';
  });

  function take(piece: string, last: boolean): boolean {
    if (over) return false;
    try {
      if (piece !== '') {
        parser.write(piece);
        if (parser.position - begun > GAP) stop('a tag, comment or text does not end; is a closing sign missing?');
      }
      if (last) {
        parser.close();
        over = true;
      }
    } catch (error) {
      if (!(error instanceof Stop)) throw error;
      return false;
    }
    return true;
  }
  return {
    push(bytes: Uint8Array): boolean {
      for (let at = 0; at < bytes.length; at += PIECE)
        if (!take(decoder.decode(bytes.subarray(at, at + PIECE), { stream: true }), false)) return false;
      return !over;
    },
    end: (): boolean => !over && take(decoder.decode(), true),
    /** Nothing more is read. */
    stop(): void {
      over = true;
    },
  };
}

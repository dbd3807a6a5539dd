/**
 * Registry files as XML, in a stream: one element below the root is one record, its attributes the fields, `attribute` elements
 * inside of it the user-defined ones (docs/registry.xsd).
 *
 * Decides: no document type, so no entities but the five of XML; depth, names, lengths and counts are bounded; the text of
 * elements other than `attribute` is white space. What breaks the form of XML ends the reading: nobody can tell what follows.
 */
import { SaxesParser } from 'saxes';
import { MAX_COLUMNS, MAX_ROW } from './csv.ts';
import {
  type Fault,
  ODD,
  oddCharacter,
  type Place,
  type RawRecord,
  type RecordReader,
  type RecordSink,
} from './record.ts';
import { createTextReader, type Encoding } from './text.ts';

export const ROOT = 'amiable-registry';
/** Prefix of the names of user-defined attributes among the fields. */
export const USER = 'x.';

/** Ends the parser, which has no other way to be stopped. */
class Stop extends Error {}

export function createXmlReader(sink: RecordSink, options: { readonly encoding?: Encoding } = {}): RecordReader {
  const decoder = createTextReader(options.encoding);
  const parser = new SaxesParser({ position: true });
  let fatal: Fault | undefined;
  let ended = false;
  let depth = 0;
  let begun = 0;
  let names: string[] = [];
  let values: string[] = [];
  let places: Place[] = [];
  let kind = '';
  let line = 1;
  let elements = 0;
  /** What is wrong with the element under way, if its form is. */
  let bad: Fault | undefined;
  let userName: string | undefined;
  let userText = '';
  let userPlace: Place = { line: 1, column: 1 };
  const placeOf = (i: number): Place => places[Math.min(i, places.length - 1)] ?? { line, column: 1 };
  const record: { -readonly [K in keyof RawRecord]: RawRecord[K] } = {
    kind: undefined,
    line: 1,
    number: 1,
    names,
    values,
    placeOf,
  };

  const here = (): Place => ({ line: parser.line, column: parser.column + 1 });
  const stop = (message: string, place = here()): never => {
    fatal = { ...place, message };
    throw new Stop();
  };
  const put = (name: string, value: string, place: Place): void => {
    if (names.length >= MAX_COLUMNS) bad ??= { ...place, message: `an element has more than ${MAX_COLUMNS} fields` };
    else if (names.includes(name)) bad ??= { ...place, field: name, message: `${name} is given twice` };
    else {
      names.push(name);
      values.push(value);
      places.push(place);
    }
  };

  parser.on('error', (error) => {
    // Its text begins with line and column, which the fault has for itself.
    stop(`this is not well-formed XML: ${error.message.replace(/^(\d+:)?\d+:\d+: /, '').slice(0, 200)}`);
  });
  parser.on('doctype', () =>
    stop('the file has a document type (DOCTYPE); take it out: entities and other files are not read'),
  );
  parser.on('xmldecl', (declaration) => {
    const said = declaration.encoding?.toLowerCase();
    if (said === undefined || options.encoding !== undefined) return;
    const fits = decoder.encoding === 'utf-8' ? ['utf-8', 'us-ascii'] : ['utf-16'];
    if (!fits.includes(said))
      stop(
        `the file says it is in ${said.slice(0, 40)} and was read as ${decoder.encoding}; save it as UTF-8 or say its encoding (such as latin1)`,
      );
  });
  parser.on('opentagstart', () => {
    begun = parser.position;
  });
  parser.on('attribute', (attribute) => {
    if (depth !== 1) return;
    put(attribute.name, attribute.value, here());
  });
  parser.on('opentag', (tag) => {
    begun = parser.position;
    depth++;
    if (depth === 1) {
      if (tag.name !== ROOT)
        stop(`the file begins with <${tag.name.slice(0, 60)}>; a registry file begins with <${ROOT} version="1">`);
      const version = (tag.attributes as Record<string, string>).version;
      if (version !== '1')
        stop(`<${ROOT}> has version ${JSON.stringify(version?.slice(0, 20) ?? null)}; this program reads version="1"`);
    } else if (depth === 2) {
      kind = tag.name;
      line = parser.line;
      elements++;
    } else if (depth === 3) {
      userPlace = here();
      userText = '';
      userName = undefined;
      const given = tag.attributes as Record<string, string>;
      if (tag.name !== 'attribute')
        bad ??= {
          ...userPlace,
          message: `<${tag.name.slice(0, 60)}> is not known inside of <${kind.slice(0, 60)}>; there may be <attribute name="…">`,
        };
      else if (given.name === undefined) bad ??= { ...userPlace, message: 'an <attribute> has to have a name' };
      else userName = given.name;
    } else stop('elements are nested too deep; a registry file has three levels');
  });
  parser.on('text', (text) => {
    begun = parser.position;
    if (depth === 3) userText += text;
    else if (depth > 0 && /\S/.test(text))
      bad ??= {
        ...here(),
        message: `the text ${JSON.stringify(text.trim().slice(0, 40))} stands between elements; values are written as attributes`,
      };
  });
  parser.on('cdata', (text) => {
    begun = parser.position;
    if (depth === 3) userText += text;
    else bad ??= { ...here(), message: 'a CDATA section stands between elements; values are written as attributes' };
  });
  for (const name of ['comment', 'processinginstruction'] as const)
    parser.on(name, () => {
      begun = parser.position;
    });
  parser.on('closetag', () => {
    begun = parser.position;
    depth--;
    if (depth === 2) {
      if (userName !== undefined) put(USER + userName, userText, userPlace);
      return;
    }
    if (depth !== 1) {
      if (depth === 0 && bad) sink.fault(bad);
      return;
    }
    if (!bad)
      for (let i = 0; i < values.length && !bad; i++) {
        const odd = ODD.test(values[i] as string) ? oddCharacter(values[i] as string, decoder.encoding) : undefined;
        if (odd) bad = { ...placeOf(i), field: names[i] as string, message: odd.message };
      }
    if (bad) sink.fault(bad);
    else {
      record.kind = kind;
      record.line = line;
      record.number = elements;
      record.names = names;
      record.values = values;
      sink.record(record);
    }
    bad = undefined;
    names = [];
    values = [];
    places = [];
  });

  function take(text: string, last: boolean): boolean {
    if (fatal) return false;
    try {
      if (text.length > 0) {
        // NUL is no character of XML and would be told as one; the parser's own words for it are poorer.
        parser.write(text);
        if (parser.position - begun > MAX_ROW)
          stop(
            `more than ${MAX_ROW.toLocaleString('en')} characters belong to one element, comment or value; is a closing tag missing?`,
          );
      }
      if (last) {
        ended = true;
        parser.close();
      }
    } catch (error) {
      if (!(error instanceof Stop)) throw error;
    }
    return fatal === undefined;
  }

  return {
    push(bytes) {
      // In pieces, so that what the parser gathers is bounded.
      for (let at = 0; at < bytes.length; at += 65_536)
        if (!take(decoder.push(bytes.subarray(at, at + 65_536)), false)) return false;
      return fatal === undefined;
    },
    end: () => (ended ? fatal === undefined : take(decoder.end(), true)),
    get fatal() {
      return fatal;
    },
  };
}

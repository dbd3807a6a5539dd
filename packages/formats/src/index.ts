export { meaningOf, readingTypeOf } from './cim/codes.ts';
export { createCimReader } from './cim/read.ts';
export { CIM_STRUCTURE, CIM_URI } from './cim/schema.ts';
export { createCimWriter } from './cim/write.ts';
export { type DateForm, dateForm } from './date.ts';
export { createEspiReader } from './espi/read.ts';
export { ATOM_URI, ESPI_STRUCTURE, ESPI_URI } from './espi/schema.ts';
export { createEspiWriter } from './espi/write.ts';
export { createFlatReader, type FlatReadOptions } from './flat/read.ts';
export { createSimpleReader, guessFormat } from './flat/simple.ts';
export { createFlatWriter } from './flat/write.ts';
export { createMsconsReader } from './mscons/read.ts';
export {
  decodeInterchange,
  type EdifactMessage,
  type Interchange,
  type Segment,
  segmentText,
} from './mscons/segments.ts';
export { createMsconsWriter, type MsconsOptions } from './mscons/write.ts';
export * from './series.ts';
export { decimalText, defused, undefused, xmlText } from './text.ts';
export { createXmlEvents, type XmlPlace, type XmlSink } from './xml/events.ts';
export { createStructureCheck, type ElementType, type Structure } from './xml/structure.ts';

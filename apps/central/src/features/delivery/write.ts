/** Which writer makes a file, and what such a file is called. */
import { MisuseError } from '@amiable/bytes';
import {
  createCimWriter,
  createEspiWriter,
  createFlatWriter,
  createMsconsWriter,
  type FileFacts,
  type FileWriter,
} from '@amiable/formats';
import { flatFormat } from '@amiable/model/schemas';
import type { Store } from '@amiable/store';
import type { FormatChoice } from './shapes.ts';

export interface Chosen {
  readonly name: string;
  readonly version: number | null;
  readonly ending: string;
  readonly mediaType: string;
  /** A value that lacks has a row of its own in it. */
  readonly tellsMissing: boolean;
  writer(facts: FileFacts): FileWriter;
}

/** @throws MisuseError for a designed format that is not there */
export async function chosen(store: Pick<Store, 'delivery'>, format: FormatChoice): Promise<Chosen> {
  switch (format.kind) {
    case 'flat': {
      const found = await store.delivery.formats.get(format.name);
      if (!found) throw new MisuseError(`there is no format ${format.name}; \`amiable format list\` lists them`);
      const definition = flatFormat.parse(found.definition);
      const charset = definition.encoding === 'latin1' ? 'iso-8859-1' : 'utf-8';
      const separated = definition.layout === 'separated';
      return {
        name: format.name,
        version: found.version,
        ending: separated ? 'csv' : 'txt',
        mediaType: `text/${separated ? 'csv' : 'plain'}; charset=${charset}`,
        tellsMissing: definition.missing !== 'skip',
        writer: (facts) => createFlatWriter(definition, facts),
      };
    }
    case 'cim':
      return {
        name: 'cim',
        version: null,
        ending: 'xml',
        mediaType: 'application/xml',
        tellsMissing: false,
        writer: createCimWriter,
      };
    case 'espi':
      return {
        name: 'espi',
        version: null,
        ending: 'xml',
        mediaType: 'application/atom+xml',
        tellsMissing: false,
        writer: createEspiWriter,
      };
    case 'mscons':
      return {
        name: 'mscons',
        version: null,
        ending: 'edi',
        mediaType: 'application/edifact',
        tellsMissing: false,
        writer: (facts) => createMsconsWriter(facts, format),
      };
    default: {
      // Loaded when it is wanted: it brings the library that encodes columns.
      const { createParquetWriter } = await import('@amiable/formats/parquet');
      return {
        name: 'parquet',
        version: null,
        ending: 'parquet',
        mediaType: 'application/vnd.apache.parquet',
        tellsMissing: true,
        writer: (facts) => createParquetWriter(facts),
      };
    }
  }
}

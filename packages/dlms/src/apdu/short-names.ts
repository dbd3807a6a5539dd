/**
 * Layouts of the services for short names (IEC 62056-5-3 clause 6 and annex A): Read, Write, UnconfirmedWrite,
 * InformationReport.
 */

import { named, octetString, uint } from './node.ts';
import { blockNumber16, data, dataAccessResult, lastBlock, rawOfList } from './parts.ts';
import { service } from './registry.ts';
import { choice, kinds, list, nothing, optional, sequence } from './schema.ts';
import { APDU } from './tags.ts';

const name = named(
  'VariableName',
  uint(2, (v) => `short name ${v.toString(16).toUpperCase().padStart(4, '0')}`),
);

const variables = named(
  'ListOfVariableAccessSpecification',
  list(
    'VariableAccessSpecification',
    kinds({
      2: ['variable-name', { name }],
      4: ['parameterised-access', { name, selector: uint(1), parameters: named('Parameter', data) }],
      5: ['block-number-access', { blockNumber: blockNumber16 }],
      6: ['read-data-block-access', { lastBlock, blockNumber: blockNumber16, raw: rawOfList }],
      7: ['write-data-block-access', { lastBlock, blockNumber: blockNumber16 }],
    }),
  ),
);
const values = named('ListOfData', list('Data', data));
const error = named('DataAccessError', dataAccessResult);

export const SHORT_NAMES = [
  service('read-request', APDU.readRequest, undefined, sequence({ variables })),
  service(
    'read-response',
    APDU.readResponse,
    undefined,
    sequence({
      results: named(
        'ListOfResults',
        list(
          'ReadResult',
          choice({
            0: ['data', data],
            1: ['error', error],
            2: ['block', named('DataBlockResult', sequence({ lastBlock, blockNumber: blockNumber16, raw: rawOfList }))],
            3: ['blockNumber', blockNumber16],
          }),
        ),
      ),
    }),
  ),
  service('write-request', APDU.writeRequest, undefined, sequence({ variables, values })),
  service(
    'write-response',
    APDU.writeResponse,
    undefined,
    sequence({
      results: named(
        'ListOfResults',
        list(
          'WriteResult',
          choice({ 0: ['success', nothing], 1: ['error', error], 2: ['blockNumber', blockNumber16] }),
        ),
      ),
    }),
  ),
  service('unconfirmed-write-request', APDU.unconfirmedWriteRequest, undefined, sequence({ variables, values })),
  service(
    'information-report-request',
    APDU.informationReportRequest,
    undefined,
    sequence({ currentTime: optional(octetString()), variables, values }),
  ),
];

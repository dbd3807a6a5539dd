/**
 * Layouts of the LN services GET, SET, ACTION and ACCESS (IEC 62056-5-3 clause 6 and annex A), read and written by one
 * description each.
 */

import { inside, named } from './node.ts';
import {
  actionResponse,
  actionResult,
  attribute,
  attributeFields,
  blockNumber,
  blockResult,
  data,
  dataAccessResult,
  dataResult,
  dateTimeOrNone,
  invoke,
  lastBlock,
  longInvoke,
  method,
  methodFields,
  rawOfList,
  rawOfValue,
  selectionField,
} from './parts.ts';
import { service } from './registry.ts';
import { kinds, list, optional, sequence } from './schema.ts';
import { APDU } from './tags.ts';

const attributes = named('AttributeDescriptorList', list('AttributeDescriptor', attribute));
const methods = named('MethodDescriptorList', list('MethodDescriptor', method));
const values = named('ValueList', list('Value', data));
const results = named('ResultList', list('Result', dataAccessResult));
const attributeField = named('AttributeDescriptor', attribute);
const methodField = named('MethodDescriptor', method);

const piece = { lastBlock, blockNumber };
const block = (group: string, raw: typeof rawOfValue) => ({
  lastBlock: inside(group, lastBlock),
  blockNumber: inside(group, blockNumber),
  raw: inside(group, raw),
});

const { getRequest, getResponse, setRequest, setResponse, actionRequest, actionResponse: actionAnswer } = APDU;

export const GET = [
  service('get-request-normal', getRequest, 1, sequence({ invoke, attribute: attributeField })),
  service('get-request-next', getRequest, 2, sequence({ invoke, blockNumber })),
  service('get-request-with-list', getRequest, 3, sequence({ invoke, attributes })),
  service('get-response-normal', getResponse, 1, sequence({ invoke, result: dataResult })),
  service(
    'get-response-with-datablock',
    getResponse,
    2,
    sequence({
      invoke,
      lastBlock: inside('DataBlock', piece.lastBlock),
      blockNumber: inside('DataBlock', piece.blockNumber),
      result: inside('DataBlock', blockResult),
    }),
  ),
  service(
    'get-response-with-list',
    getResponse,
    3,
    sequence({ invoke, results: named('ResultList', list('Result', dataResult)) }),
  ),
];

export const SET = [
  service('set-request-normal', setRequest, 1, sequence({ invoke, attribute: attributeField, value: data })),
  service(
    'set-request-with-first-datablock',
    setRequest,
    2,
    sequence({ invoke, attribute: attributeField, ...block('DataBlock', rawOfValue) }),
  ),
  service('set-request-with-datablock', setRequest, 3, sequence({ invoke, ...block('DataBlock', rawOfValue) })),
  service('set-request-with-list', setRequest, 4, sequence({ invoke, attributes, values })),
  service(
    'set-request-with-list-and-first-datablock',
    setRequest,
    5,
    sequence({ invoke, attributes, ...block('DataBlock', rawOfList) }),
  ),
  service('set-response-normal', setResponse, 1, sequence({ invoke, result: dataAccessResult })),
  service('set-response-datablock', setResponse, 2, sequence({ invoke, blockNumber })),
  service('set-response-last-datablock', setResponse, 3, sequence({ invoke, result: dataAccessResult, blockNumber })),
  service('set-response-last-datablock-with-list', setResponse, 4, sequence({ invoke, results, blockNumber })),
  service('set-response-with-list', setResponse, 5, sequence({ invoke, results })),
];

const parameters = named('MethodInvocationParameters', data);

export const ACTION = [
  service(
    'action-request-normal',
    actionRequest,
    1,
    sequence({ invoke, method: methodField, parameters: optional(parameters) }),
  ),
  service('action-request-next-pblock', actionRequest, 2, sequence({ invoke, blockNumber })),
  service(
    'action-request-with-list',
    actionRequest,
    3,
    sequence({
      invoke,
      methods,
      parameters: named('MethodInvocationParametersList', list('MethodInvocationParameters', data)),
    }),
  ),
  service(
    'action-request-with-first-pblock',
    actionRequest,
    4,
    sequence({ invoke, method: methodField, ...block('Pblock', rawOfValue) }),
  ),
  service(
    'action-request-with-list-and-first-pblock',
    actionRequest,
    5,
    sequence({ invoke, methods, ...block('Pblock', rawOfList) }),
  ),
  service('action-request-with-pblock', actionRequest, 6, sequence({ invoke, ...block('Pblock', rawOfList) })),
  service(
    'action-response-normal',
    actionAnswer,
    1,
    sequence({ invoke, result: named('SingleResponse', actionResponse) }),
  ),
  service('action-response-with-pblock', actionAnswer, 2, sequence({ invoke, ...block('Pblock', rawOfList) })),
  service(
    'action-response-with-list',
    actionAnswer,
    3,
    sequence({ invoke, results: named('ListOfResponses', list('ActionResponse', actionResponse)) }),
  ),
  service('action-response-next-pblock', actionAnswer, 4, sequence({ invoke, blockNumber })),
];

const specifications = named(
  'AccessRequestSpecification',
  list(
    'AccessRequestSpecificationElement',
    kinds({
      1: ['get', attributeFields],
      2: ['set', attributeFields],
      3: ['action', methodFields],
      4: ['get-with-selection', { ...attributeFields, access: selectionField }],
      5: ['set-with-selection', { ...attributeFields, access: selectionField }],
    }),
  ),
);

export const ACCESS = [
  service(
    'access-request',
    APDU.accessRequest,
    undefined,
    sequence({
      longInvoke,
      dateTime: dateTimeOrNone,
      specifications,
      data: named('AccessRequestListOfData', list('Data', data)),
    }),
  ),
  service(
    'access-response',
    APDU.accessResponse,
    undefined,
    sequence({
      longInvoke,
      dateTime: dateTimeOrNone,
      specifications: optional(specifications),
      data: named('AccessResponseListOfData', list('Data', data)),
      results: named(
        'AccessResponseSpecification',
        list(
          'AccessResponseSpecificationElement',
          kinds({
            1: ['get', { result: dataAccessResult }],
            2: ['set', { result: dataAccessResult }],
            3: ['action', { result: actionResult }],
          }),
        ),
      ),
    }),
  ),
];

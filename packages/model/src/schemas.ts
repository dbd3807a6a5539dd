/** What checks input: the API's schemas and the reading of messages. Apart from index.ts, for it brings the schema library. */
export * from './access-api.ts';
export * from './api.ts';
export * from './mdm/format.ts';
export * from './mdm/formula.ts';
export * from './mdm/rules.ts';
export * from './mdm/tariff.ts';
export * from './mdm/values.ts';
export { MessageFormatError, messageFromJson } from './parse.ts';

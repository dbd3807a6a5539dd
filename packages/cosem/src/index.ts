export type { Quantity } from './named.ts';
export { type Obis, obisFromBytes, obisGroups, obisToBytes, parseObis, printObis } from './obis.ts';
export { quantityOf } from './quantity.ts';
export { codeOfUnit, type UnitMeaning, unitOfCode } from './units.ts';

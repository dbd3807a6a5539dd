export { type Calculated, type CheckedFormula, calculate, checkFormula, factorSeries } from './calculate.ts';
export {
  type Combination,
  type Combined,
  type CombineOptions,
  type Combiner,
  createCombiner,
  type Lacking,
} from './combine.ts';
export { dependents as dependentFormulas, dependsOn, inOrder, type NamedFormula } from './graph.ts';

/** Subscriptions: so much a day, month or year, by local days; where wanted times a number of the contract. */
import { MisuseError } from '@amiable/bytes';
import type { FixedComponent } from '@amiable/model';
import { instantOf, type Span } from './compile.ts';
import type { Draft, Rating } from './draft.ts';
import { type Fraction, ONE, parse, times } from './fraction.ts';
import { piecesOf } from './periods.ts';

export function fixedDrafts(rating: Rating, span: Span, component: FixedComponent): Draft[] {
  const price = parse(component.price);
  const factor = component.times === undefined ? ONE : parameter(rating, component.times, component.name);
  return piecesOf(component.per, span.fromDay, span.toDay).map((piece) => {
    const quantity = component.per === 'day' ? times(piece.share, factor) : factor;
    return {
      component,
      span,
      from: piece.from === span.fromDay ? span.from : instantOf(rating.compiled.zone, piece.from),
      to: piece.to === span.toDay ? span.to : instantOf(rating.compiled.zone, piece.to),
      rate: null,
      step: null,
      quantity,
      unit: component.times ?? (component.per === 'day' ? 'day' : component.per === 'month' ? 'month' : 'year'),
      price,
      share: piece.text,
      amount: times(times(piece.share, factor), price),
      quality: null,
      what: component.times === undefined ? 'by days' : `by days, times ${component.times}`,
    };
  });
}

function parameter(rating: Rating, name: string, component: string): Fraction {
  const { parameters } = rating.input;
  const text = parameters && Object.hasOwn(parameters, name) ? parameters[name] : undefined;
  if (text === undefined)
    throw new MisuseError(
      `component ${JSON.stringify(component)} multiplies by ${name} of the contract, which does not say it`,
    );
  if (!/^-?\d{1,12}(\.\d{1,10})?$/.test(text))
    throw new MisuseError(`${name} of the contract is ${JSON.stringify(text)}, no decimal`);
  return parse(text);
}

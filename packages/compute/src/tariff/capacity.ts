/** Capacity */
import type { CapacityComponent } from '@amiable/model';
import type { Span } from './compile.ts';
import type { Draft, Rating } from './draft.ts';
export function capacityDrafts(_rating: Rating, _span: Span, _component: CapacityComponent): Draft[] {
  return [];
}

/** Net */
import type { NetComponent } from '@amiable/model';
import type { Span } from './compile.ts';
import type { Draft, Rating } from './draft.ts';
export function netDrafts(_rating: Rating, _span: Span, _component: NetComponent): Draft[] {
  return [];
}

/**
 * The registry: what stands where, and who was where when (AMI system description §5.2.3, §5.7).
 *
 * Network nodes (regions, substations, transformers, feeders), premises, metering points and concentrators are nodes of one
 * tree-shaped table; meters are the table `meter`. Links carry times: a meter is at a metering point from one day to another,
 * a slave behind a master, a meter served by a concentrator, a node under another.
 */
import type { Scope } from '@amiable/model';
import type { MeterId } from '../types.ts';

export type NodeId = string;
export type NodeKind =
  | 'region'
  | 'substation'
  | 'transformer'
  | 'feeder'
  | 'premises'
  | 'metering-point'
  | 'concentrator';

export interface RegistryNode {
  readonly id: NodeId;
  readonly kind: NodeKind;
  /** Unique in its kind: the utility's own number. */
  readonly code: string;
  readonly name: string | null;
  readonly parent: NodeId | null;
  readonly segment: number;
  readonly latitude: number | null;
  readonly longitude: number | null;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

export type LinkKind = 'under' | 'installed' | 'behind' | 'served';

/** One stay: the child is with the parent from `from` to before `to` (epoch ms; null: still). */
export interface RegistryLink {
  readonly id: string;
  readonly kind: LinkKind;
  readonly child: string;
  readonly parent: string;
  readonly channel: number | null;
  readonly from: number;
  readonly to: number | null;
  readonly recordedAt: number;
  readonly recordedBy: string | null;
  /** When it was found wrong or was ended by another row; null: it holds. */
  readonly replacedAt: number | null;
  readonly replacedBy: string | null;
  readonly reason: string | null;
}

/**
 * Comparison of one attribute, fixed (`serial`, `type`, `maker`, `segment`, `state`, `transformer` …; the list is in
 * selection.ts) or user-defined (`x.NAME`). Text: `contains` and `begins` take no notice of case. `!=` holds too where the
 * attribute is missing; all other comparisons but `missing` do not.
 */
export interface Condition {
  readonly attribute: string;
  readonly is: '=' | '!=' | '<' | '<=' | '>' | '>=' | 'contains' | 'begins' | 'in' | 'exists' | 'missing';
  readonly value?: string | number | boolean | readonly (string | number)[];
}

/** Which meters: all conditions hold, and words are found in what a person would search by. */
export interface MeterSelection {
  readonly q?: string;
  readonly where?: readonly Condition[];
  /** Those under this node (region, transformer …) at `at`. */
  readonly under?: NodeId;
  /** A stored group of meters, by name. */
  readonly group?: string;
  readonly meters?: readonly MeterId[];
  /** Epoch ms; now unless said. */
  readonly at?: number;
}

export interface MeterSelector {
  /** Ids in order, in pages; never all of a million at once. */
  select(
    selection: MeterSelection,
    scope: Scope,
    page: { readonly after?: MeterId; readonly limit: number },
  ): Promise<readonly MeterId[]>;
  /** Exact up to `most` (10,000 unless said), and `most` + 1 for all above. */
  count(selection: MeterSelection, scope: Scope, most?: number): Promise<number>;
}

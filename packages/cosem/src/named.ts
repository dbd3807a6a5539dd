/** What an OBIS code is called and measured in. */
import type { Unit } from '@amiable/model';

export interface Quantity {
  readonly name: string;
  /** Absent for text, times and states. */
  readonly unit?: Unit;
  /** The value is a date-time of the meter's own clock. */
  readonly clock?: true;
  /** False where neither rule nor table knows the code. */
  readonly known?: false;
}

/** The history of values as a map from time to its states: written after the rules, not after the store. */
export const RANK = ['measured', 'calculated', 'edited', 'estimated', 'missing'] as const;
export type Word = (typeof RANK)[number];

/** Values are whole tenths. */
export interface State {
  readonly value: number;
  readonly quality: Word;
}

interface ModelEdit {
  readonly slots: readonly number[];
  readonly values: readonly (number | null)[];
  readonly from: number;
  readonly to: number;
  state: 'waiting' | 'applied' | 'refused' | 'undone';
  /** When it was applied, in steps. */
  applied: number;
  before: Map<number, State | undefined>;
}

export class HistoryModel {
  now = new Map<number, State>();
  /** What was there after each moment. */
  readonly snapshots: { readonly at: number; readonly state: ReadonlyMap<number, State> }[] = [];
  readonly edits: ModelEdit[] = [];
  readonly meanwhile: { readonly slot: number; readonly state: State; readonly step: number }[] = [];
  private step = 0;

  private done(at: number): void {
    this.snapshots.push({ at, state: new Map(this.now) });
  }

  asOf(at: number): ReadonlyMap<number, State> {
    return this.snapshots.findLast((s) => s.at <= at)?.state ?? new Map();
  }

  private standing(slot: number): 'value' | 'gone' | undefined {
    const over = this.edits
      .filter((e) => e.state === 'applied' && slot >= e.from && slot < e.to)
      .sort((a, b) => a.applied - b.applied)
      .at(-1);
    return over && (over.values[over.slots.indexOf(slot)] === null ? 'gone' : 'value');
  }

  write(came: ReadonlyMap<number, State | 'gone'>, replace: boolean, at: number): void {
    this.step++;
    for (const [slot, state] of came) this.put(slot, state, replace);
    this.done(at);
  }

  private put(slot: number, state: State | 'gone', replace: boolean): void {
    const there = this.now.get(slot);
    if (state === 'gone') {
      if (there && there.quality !== 'edited') this.now.delete(slot);
      return;
    }
    if (there && there.value === state.value && there.quality === state.quality) return;
    const byPerson = there ? there.quality === 'edited' : this.standing(slot) === 'gone';
    if (byPerson) {
      if (state.quality === 'measured' || state.quality === 'calculated')
        this.meanwhile.push({ slot, state, step: this.step });
      return;
    }
    if (there?.quality === 'measured' && state.quality === 'estimated' && !replace) return;
    this.now.set(slot, state);
  }

  edit(from: number, values: readonly (number | null)[], waits: boolean, at: number): number {
    this.step++;
    const slots = values.map((_, i) => from + i);
    this.edits.push({
      slots,
      values,
      from,
      to: from + values.length,
      state: 'waiting',
      applied: 0,
      before: new Map(),
    });
    const id = this.edits.length - 1;
    if (!waits) this.apply(id);
    this.done(at);
    return id;
  }

  decide(id: number, yes: boolean, at: number): void {
    this.step++;
    const edit = this.edits[id] as ModelEdit;
    if (yes) this.apply(id);
    else edit.state = 'refused';
    this.done(at);
  }

  private apply(id: number): void {
    const edit = this.edits[id] as ModelEdit;
    edit.state = 'applied';
    edit.applied = this.step;
    edit.slots.forEach((slot, i) => {
      const there = this.now.get(slot);
      const value = edit.values[i] as number | null;
      if (value === null ? !there : there?.value === value && there.quality === 'edited') return;
      edit.before.set(slot, there);
      if (value === null) this.now.delete(slot);
      else this.now.set(slot, { value, quality: 'edited' });
    });
  }

  /** False when a later edit of the same values stands. */
  undo(id: number, at: number): boolean {
    const edit = this.edits[id] as ModelEdit;
    if (edit.before.size > 0)
      for (const other of this.edits)
        if (other !== edit && other.state === 'applied' && other.applied > edit.applied)
          for (const slot of other.before.keys()) if (slot >= edit.from && slot < edit.to) return false;
    this.step++;
    edit.state = 'undone';
    for (const [slot, state] of edit.before)
      if (state) this.now.set(slot, state);
      else this.now.delete(slot);
    if (edit.before.size > 0) {
      const last = new Map<number, State>();
      for (const { slot, state, step } of this.meanwhile)
        if (step > edit.applied && slot >= edit.from && slot < edit.to) last.set(slot, state);
      for (const [slot, state] of last) this.put(slot, state, false);
    }
    this.done(at);
    return true;
  }
}

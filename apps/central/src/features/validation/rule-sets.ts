/**
 * The rule sets there are, made ready for a run: which one holds for whom, and its rules with their formulas parsed.
 *
 * Decides: of several that fit the most particular holds (compute); else the default; else the rules that come with the program, so that
 * nothing is billed unlooked at because nobody has written rules. Leaves out: what rules mean.
 */
import { MisuseError } from '@amiable/bytes';
import {
  checkRuleSet,
  chooseRuleSet,
  compileRules,
  ESTIMATION_METHODS,
  HOUSEHOLD_RULES,
  type RuleSubject,
  UTILITY_RULES,
  WATER_RULES,
} from '@amiable/compute';
import { holiday, type RuleSet, ruleSet } from '@amiable/model/schemas';
import type { MeterId, RulesHeld, Store, StoredRuleSet, ValidatedMeter } from '@amiable/store';
import { z } from 'zod';
import { type JudgeRules, rulesKey } from './judge.ts';

const HOUR = 3_600_000;
const method = z.enum(ESTIMATION_METHODS);
const hours = z
  .number()
  .positive()
  .max(24 * 400);

/** Settings of estimation as people write them: hours. */
export const estimationSchema = z.strictObject({
  shortUpToHours: hours.optional().describe('gaps up to this long are filled by `short`; 2 unless said'),
  short: z.array(method).min(1).max(20).optional(),
  long: z.array(method).min(1).max(20).optional(),
  days: z.number().int().min(1).max(30).optional().describe('so many like days are averaged; 3 unless said'),
  longGapHours: hours.optional().describe('gaps as long as this are reported; 24 unless said'),
  giveUpDays: z.number().int().min(1).max(400).optional().describe('longer gaps stay missing; 62 unless said'),
  fill: z.boolean().optional().describe('false: what no rule speaks of stays missing'),
  scale: z.boolean().optional().describe('false: estimates are not brought to the register'),
  holidays: z
    .array(holiday)
    .max(500)
    .optional()
    .describe('days that are like each other and like no weekday: fixed dates, by Easter, by weekday, as in tariffs'),
  reference: z
    .strictObject({
      meter: z.string().regex(/^\d{1,18}$/, 'an id has up to 18 digits'),
      quantity: z.string().trim().min(1).max(100),
    })
    .optional()
    .describe('the metering or calculated profile that `reference-profile` takes its shape of'),
});

/** What is kept of a rule set. */
export const definitionSchema = z.strictObject({ rules: ruleSet, estimation: estimationSchema.default({}) });
export type RuleSetDefinition = z.output<typeof definitionSchema>;

/** The rules that come with the program and hold where no other rule set does. */
export const GIVEN: RuleSetDefinition = definitionSchema.parse({ rules: { ...UTILITY_RULES, name: 'given' } });
/** To begin with, and to change. */
export const SHIPPED: readonly RuleSetDefinition[] = [HOUSEHOLD_RULES, UTILITY_RULES, WATER_RULES].map((rules) =>
  definitionSchema.parse({ rules }),
);
const GIVEN_HELD: RulesHeld = { ruleSet: 0, version: 1 };

/** As read back out of the store. @throws MisuseError for one that an older program wrote and this one no longer takes */
export function definitionOf(stored: StoredRuleSet): RuleSetDefinition {
  const parsed = definitionSchema.safeParse(stored.definition);
  if (!parsed.success)
    throw new MisuseError(
      `rule set ${stored.name} cannot be read: ${parsed.error.issues[0]?.message ?? 'it has another form'}; write it anew`,
    );
  return parsed.data;
}

/** @throws MisuseError naming rule and place for a formula that is wrong */
export function checkDefinition(definition: RuleSetDefinition): void {
  checkRuleSet(definition.rules);
}

interface Kept {
  readonly held: RulesHeld;
  readonly definition: RuleSetDefinition;
  readonly isDefault: boolean;
}

export interface RulesInUse {
  held(meter: ValidatedMeter, quantity: string): RulesHeld;
  /** Made ready for a quantity's unit; the same object each time. */
  ready(held: RulesHeld, unit: string): JudgeRules;
  /** Groups into which rules put meters. */
  readonly groups: readonly string[];
}

const isForAll = ({ for: whom }: Pick<RuleSet, 'for'>): boolean =>
  whom.groups.length + whom.customerTypes.length + whom.meterTypes.length + whom.quantities.length === 0;

/** @throws MisuseError for a rule set that is not there or cannot be read */
export async function loadRules(store: Store, only?: string): Promise<RulesInUse> {
  const all = (await store.validation.rules.list()).map((stored): Kept => {
    const definition = definitionOf(stored);
    return {
      held: { ruleSet: stored.id, version: stored.version },
      // Told apart by the name under which it is kept, whatever stands in it.
      definition: { ...definition, rules: { ...definition.rules, name: stored.name } },
      isDefault: stored.isDefault,
    };
  });
  const given: Kept = { held: GIVEN_HELD, definition: GIVEN, isDefault: false };
  const forced = only === undefined ? undefined : all.find(({ definition }) => definition.rules.name === only);
  if (only !== undefined && !forced) throw new MisuseError(`there is no rule set ${JSON.stringify(only)}`);
  const fallback = all.find(({ isDefault }) => isDefault) ?? given;
  // One that is for everybody holds if it is the default; else it is a draft.
  const particular = all.filter(({ definition }) => !isForAll(definition.rules));
  const bySet = new Map(particular.map((kept) => [kept.definition.rules, kept]));
  const sets = [...bySet.keys()];
  const named = [...new Set(sets.flatMap((set) => set.for.groups))];
  const members = await membersOf(store, named);
  const byHeld = new Map([...all, given].map((kept) => [`${kept.held.ruleSet}`, kept]));
  const compiled = new Map<string, JudgeRules>();
  return {
    held(meter, quantity) {
      if (forced) return forced.held;
      if (sets.length === 0) return fallback.held;
      const subject: RuleSubject = {
        groups: named.filter((group) => members.get(group)?.has(meter.id)),
        ...(meter.customerType === null ? {} : { customerType: meter.customerType }),
        ...(meter.meterType === null ? {} : { meterType: meter.meterType }),
        quantity,
      };
      const chosen = chooseRuleSet(sets, subject);
      return ((chosen && bySet.get(chosen)) ?? fallback).held;
    },
    ready(held, unit) {
      const key = rulesKey(held, unit);
      let rules = compiled.get(key);
      if (!rules) {
        const { definition } = byHeld.get(`${held.ruleSet}`) ?? given;
        rules = readyOf(definition, unit);
        compiled.set(key, rules);
      }
      return rules;
    },
    groups: [
      ...new Set(
        [...all, given].flatMap(({ definition: { rules } }) =>
          [...rules.profile, ...rules.periodic].flatMap((rule) => (rule.group === undefined ? [] : [rule.group])),
        ),
      ),
    ],
  };
}

export function readyOf({ rules, estimation }: RuleSetDefinition, unit: string): JudgeRules {
  const { shortUpToHours, longGapHours, giveUpDays, holidays = [], reference, ...rest } = estimation;
  const settings = {
    ...(shortUpToHours === undefined ? {} : { shortUpTo: shortUpToHours * HOUR }),
    ...(longGapHours === undefined ? {} : { longGap: longGapHours * HOUR }),
    ...(giveUpDays === undefined ? {} : { giveUp: giveUpDays * 24 * HOUR }),
    ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)),
  };
  return { compiled: compileRules(rules, unit), settings, holidays, ...(reference ? { reference } : {}) };
}

async function membersOf(store: Store, groups: readonly string[]): Promise<Map<string, Set<MeterId>>> {
  const found = new Map<string, Set<MeterId>>();
  for (const group of groups) {
    const meters = new Set<MeterId>();
    found.set(group, meters);
    // A group that is not there (yet) has no meters.
    if (!(await store.registry.group(group))) continue;
    for (let after: MeterId | undefined; ; ) {
      const page = await store.registry.select({ group }, 'all', {
        limit: 10_000,
        ...(after === undefined ? {} : { after }),
      });
      for (const meter of page) meters.add(meter);
      if (page.length < 10_000) break;
      after = page.at(-1);
    }
  }
  return found;
}

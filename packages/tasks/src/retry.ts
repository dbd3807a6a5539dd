/**
 * Trying again: how often, after which pause, and with how much less right to be served. What fails again and again must not keep what works
 * waiting, so its priority decays; and it is given up by rule, not by chance.
 *
 * Decides: the next try of a job that failed. Leaves out: randomness (passed in), and what failed.
 */

export interface RetryRule {
  /** Tries in all, the first one counted; 1 is none again. */
  readonly tries: number;
  /** Pause before the second try, ms. */
  readonly pause: number;
  /** Each further pause is so much longer. */
  readonly factor: number;
  /** No pause is longer, ms. */
  readonly longest: number;
  /** Share of the pause by which it is spread, 0 to 1: meters that failed together do not come back together. */
  readonly jitter: number;
  /** What the priority loses with each try that failed, not below 0. */
  readonly decay: number;
  /** Given up so long after it was due, ms, whatever tries are left; left out, the tries alone decide. */
  readonly giveUpAfter?: number | undefined;
}

export const DEFAULT_RETRY: RetryRule = {
  tries: 5,
  pause: 60_000,
  factor: 2,
  longest: 3_600_000,
  jitter: 0.2,
  decay: 1,
};

export interface FailedTry {
  /** Tries that were made, the failed one counted. */
  readonly tries: number;
  readonly priority: number;
  /** Epoch ms. */
  readonly due: number;
  readonly expires: number;
  readonly now: number;
  /** 0 to before 1. */
  readonly random: number;
}

export type NextTry =
  | { readonly again: true; readonly at: number; readonly priority: number }
  | { readonly again: false; readonly why: 'tries' | 'time' };

/** When it is tried again, or that it is given up: its tries are used up, or the next one would come too late. */
export function nextTry(rule: RetryRule, failed: FailedTry): NextTry {
  if (failed.tries >= rule.tries) return { again: false, why: 'tries' };
  const pause = Math.min(rule.longest, rule.pause * rule.factor ** (failed.tries - 1));
  const at = failed.now + Math.round(pause * (1 - rule.jitter / 2 + rule.jitter * failed.random));
  const end = rule.giveUpAfter === undefined ? failed.expires : Math.min(failed.expires, failed.due + rule.giveUpAfter);
  if (at >= end) return { again: false, why: 'time' };
  return { again: true, at, priority: Math.max(0, failed.priority - rule.decay) };
}

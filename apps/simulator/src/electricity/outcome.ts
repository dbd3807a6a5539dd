/** What commands answer: done, or why not. A refusal is the meter's answer to whoever asked, not an error of the program. */
import type { Outcome, Refusal } from './state-types.ts';

export const DONE: Outcome = { done: true };

export const refuse = (reason: Refusal, text: string): Outcome => ({ done: false, reason, text });

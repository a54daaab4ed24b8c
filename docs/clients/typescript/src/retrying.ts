/** When a call is made once more, and after how long. */
import type { ApiError } from "./errors.js";

/**
 * How long to go on: attempts in all, and milliseconds. Waits double from `firstWait` up to `longestWait`, each drawn anew
 * between nothing and that, so that many clients do not come back together. Where the server says when to come back, it
 * is then; where that is later than `longestWait`, the error is told instead.
 */
export interface Patience {
  readonly attempts: number;
  readonly firstWait: number;
  readonly longestWait: number;
}

export const USUAL_PATIENCE: Patience = { attempts: 5, firstWait: 250, longestWait: 30_000 };

/** Whatever happened to the first attempt, a second one of these changes nothing. */
export const REPEATABLE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "PUT", "DELETE"]);
const PASSING_STATUSES: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Milliseconds to wait after an attempt, from 1, without an answer; undefined to give up. */
export function afterTrouble(patience: Patience, attempt: number): number | undefined {
  if (attempt >= patience.attempts) return undefined;
  return Math.random() * Math.min(patience.longestWait, patience.firstWait * 2 ** (attempt - 1));
}

/** The same after an answer that is an error: only where it passes with time. */
export function afterError(patience: Patience, attempt: number, error: ApiError): number | undefined {
  if (!PASSING_STATUSES.has(error.status) && error.code !== "IDEMPOTENCY_IN_PROGRESS") return undefined;
  const wait = afterTrouble(patience, attempt);
  if (wait === undefined || error.retryAfter === undefined) return wait;
  const asked = error.retryAfter * 1000;
  return asked <= patience.longestWait ? asked + wait : undefined;
}

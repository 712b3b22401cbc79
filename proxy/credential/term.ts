/** When a lease is renewed, when the next one is minted, and when it is over. Pure; every time is milliseconds. */

export interface Term {
  /** When it was granted or last renewed. */
  readonly from: number;
  /** When it is over unless it is renewed; Infinity for what does not end. */
  readonly until: number;
  /** For how long it was granted at first. */
  readonly ttlMs: number;
  readonly renewable: boolean;
}

export type NextStep =
  | { readonly kind: 'none' }
  /** `mint`: it cannot be made longer, so another one is made while it still holds. */
  | { readonly kind: 'renew' | 'mint'; readonly at: number };

const PART = 2 / 3;
/** Up to a tenth of the term is left to chance, so that what was lent together is not renewed together. */
const JITTER = 0.1;
/** A renewal that gives less than this part of the first term was cut by a maximum: the next would give less still. */
const WHOLE = 0.9;
/** Vault answers in whole seconds: what it calls ten may be nine and a bit. */
const ROUNDING_MS = 1_000;

/** `random`: [0, 1). */
export function nextStep(term: Term, random: number): NextStep {
  const left = term.until - term.from;
  if (!Number.isFinite(left)) return { kind: 'none' };
  const at = term.from + left * (PART - JITTER * random);
  return { kind: term.renewable && !isCut(term) ? 'renew' : 'mint', at };
}

/** Whether the last renewal gave less than was asked for (Vault truncates at the maximum TTL). */
export function isCut({ from, until, ttlMs }: Term): boolean {
  return until - from < ttlMs * WHOLE - ROUNDING_MS;
}

/** A term that ends with something else, such as the token that it hangs on. */
export function endingWith(term: Term, end: number): Term {
  return end >= term.until ? term : { ...term, until: end, renewable: false };
}

import type { Budget } from './budget.ts';
import { KnownIndex, type KnownHit } from './known-index.ts';
import { partsOf } from './known-parts.ts';

/** What an owner was said to hold, and when: milliseconds since the epoch. */
export interface KnownUpdate {
  readonly owner: string;
  readonly values: readonly string[];
  readonly at: number;
}

/** The values this proxy holds. Whatever leaves is searched for them, with or without a policy. */
export interface KnownSecrets {
  /** Replaces what `owner` holds, and is found from now on; the values it held before stay matched for keepMs. */
  set(owner: string, values: readonly string[]): void;
  /** Where known values stand in a text, in any of their direct forms. For the masker. */
  find(text: string, budget: Budget): readonly KnownHit[];
  /** How many characters at the end of a text begin a value, in one of its forms; 0 where it is too few to tell. */
  begunAtEnd(text: string): number;
  /** Whether bytes may hold a value. False is certain, and found out many times faster than by `find`. */
  mayHold(bytes: Uint8Array): boolean;
  /** Bytes of the longest form of a value. */
  readonly longest: number;
  /** Whether a value may reach over several tokens of a JSON text, because it holds a character of its syntax. */
  readonly reachesOverTokens: boolean;
  /** Whether JSON may write a value with an escape in it, so that it need not stand in JSON as it is. */
  readonly mayBeEscaped: boolean;
  /** Whether there is nothing to match. */
  readonly isEmpty: boolean;
  /** How many distinct values are matched now. */
  readonly size: number;
  /** What to set elsewhere, in this order and by these times, so that it matches what is matched here, as long. */
  readonly updates: readonly KnownUpdate[];
}

export interface KnownSecretsOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** How long a value that its owner no longer holds is still matched, milliseconds. Default one hour. */
  readonly keepMs?: number;
  /** Shorter values are not matched, since they stand in ordinary text by chance. Default 4 characters. */
  readonly minLength?: number;
  /** Told of all that is set, in that order, before it is looked for here. */
  readonly onSet?: (owner: string, values: readonly string[]) => void;
  /** Told when an owner holds a value that is too short to be matched; the value is not told. */
  readonly onTooShort?: (owner: string) => void;
}

const HOUR_MS = 3_600_000;
/** What stands between the tokens of JSON, or around them. */
const JSON_SYNTAX = /["[\]{},:]/;

/** Whether a value may lie in several tokens of a JSON text. */
export function mayReachOverTokens(value: string): boolean {
  return JSON_SYNTAX.test(value);
}

/** What JSON writes with an escape, in every form in which a value is looked for: a shell writes a quote with one. */
// eslint-disable-next-line no-control-regex -- control characters are what JSON escapes
const ESCAPED = /["'\\\u0000-\u001f\u007f-\uffff]/;
/** Who is said to have held the values that nobody holds any more. */
const GIVEN_UP = 'nobody';
/** Values that may be forgotten are forgotten so many at a time. */
const FORGOTTEN_AT_ONCE = 16;

export function createKnownSecrets(options: KnownSecretsOptions): KnownSecrets {
  return new KnownValues(options);
}

interface Matched {
  /** How many owners hold it. */
  holders: number;
  /** Until when it is matched: for ever while an owner holds it. */
  until: number;
}

class KnownValues implements KnownSecrets {
  readonly #now: () => number;
  readonly #keepMs: number;
  readonly #minLength: number;
  readonly #onSet: (owner: string, values: readonly string[]) => void;
  readonly #onTooShort: (owner: string) => void;
  readonly #owners = new Map<string, readonly string[]>();
  readonly #matched = new Map<string, Matched>();
  readonly #index = new KnownIndex();
  /** What was given up, in that order, and how many of these were looked at since. */
  #leaving: { readonly value: string; readonly until: number }[] = [];
  #left = 0;
  readonly #isLive = (value: string): boolean => (this.#matched.get(value)?.until ?? 0) > this.#now();
  #reachesOverTokens = false;
  #mayBeEscaped = false;

  constructor(options: KnownSecretsOptions) {
    const { now, keepMs = HOUR_MS, minLength = 4 } = options;
    this.#now = now;
    this.#keepMs = keepMs;
    this.#minLength = minLength;
    this.#onSet = options.onSet ?? (() => undefined);
    this.#onTooShort = options.onTooShort ?? (() => undefined);
  }

  get reachesOverTokens(): boolean {
    return this.#reachesOverTokens;
  }

  get mayBeEscaped(): boolean {
    return this.#mayBeEscaped;
  }

  get isEmpty(): boolean {
    return this.#matched.size === 0;
  }

  get size(): number {
    return [...this.#matched.keys()].filter(this.#isLive).length;
  }

  get updates(): readonly KnownUpdate[] {
    const at = this.#now();
    const left = this.#leaving
      .slice(this.#left)
      .filter(({ value, until }) => this.#matched.get(value)?.until === until && this.#isLive(value))
      .flatMap(({ value, until }) => [
        { owner: GIVEN_UP, values: [value], at: until - this.#keepMs },
        { owner: GIVEN_UP, values: [], at: until - this.#keepMs },
      ]);
    return [...left, ...Array.from(this.#owners, ([owner, values]) => ({ owner, values, at }))];
  }

  get longest(): number {
    return this.#index.longest;
  }

  mayHold(bytes: Uint8Array): boolean {
    return this.#index.mayHold(bytes);
  }

  set(owner: string, values: readonly string[]): void {
    this.#onSet(owner, values);
    const held = [...new Set(values.flatMap((value) => this.#parts(owner, value)))];
    const before = this.#owners.get(owner) ?? [];
    if (held.length === 0) this.#owners.delete(owner);
    else this.#owners.set(owner, held);
    for (const value of held) this.#hold(value);
    for (const value of before) this.#release(value);
    this.#forget();
  }

  find(text: string, budget: Budget): readonly KnownHit[] {
    return this.isEmpty ? [] : this.#index.find(text, budget, this.#isLive);
  }

  begunAtEnd(text: string): number {
    return this.#index.begunAtEnd(text, this.#isLive);
  }

  #hold(value: string): void {
    const matched = this.#matched.get(value);
    if (matched !== undefined) {
      matched.holders += 1;
      matched.until = Infinity;
      return;
    }
    this.#matched.set(value, { holders: 1, until: Infinity });
    this.#index.add(value);
    this.#reachesOverTokens ||= mayReachOverTokens(value);
    this.#mayBeEscaped ||= ESCAPED.test(value);
  }

  #release(value: string): void {
    const matched = this.#matched.get(value);
    if (matched === undefined) return;
    matched.holders -= 1;
    if (matched.holders > 0) return;
    matched.until = this.#now() + this.#keepMs;
    this.#leaving.push({ value, until: matched.until });
  }

  /** Lets go of what nobody has held for long enough. Values come by ones and twos: that is how they go. */
  #forget(): void {
    for (let count = 0; count < FORGOTTEN_AT_ONCE; count += 1) {
      const next = this.#leaving[this.#left];
      if (next === undefined || next.until > this.#now()) break;
      this.#left += 1;
      // It may have been held again since, and given up again.
      if (this.#matched.get(next.value)?.until !== next.until) continue;
      this.#matched.delete(next.value);
      this.#index.remove(next.value);
    }
    if (2 * this.#left < this.#leaving.length) return;
    this.#leaving = this.#leaving.slice(this.#left);
    this.#left = 0;
  }

  #parts(owner: string, value: string): string[] {
    const parts = partsOf(value).filter((part) => part.length >= this.#minLength);
    if (parts.length === 0 && value.trim() !== '') this.#onTooShort(owner);
    return parts;
  }
}

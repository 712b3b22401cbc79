import type { Budget } from './budget.ts';
import { KnownIndex, type KnownHit } from './known-index.ts';
import { partsOf } from './known-parts.ts';

/** The values this proxy holds. Whatever leaves is searched for them, with or without a policy. */
export interface KnownSecrets {
  /** Replaces what `owner` holds; the values it held before stay matched for keepMs. */
  set(owner: string, values: readonly string[]): void;
  /** Builds what matching needs, so that the next message does not pay for it. */
  prepare(): void;
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
}

export interface KnownSecretsOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** How long a value that its owner no longer holds is still matched, milliseconds. Default one hour. */
  readonly keepMs?: number;
  /** Shorter values are not matched, since they stand in ordinary text by chance. Default 4 characters. */
  readonly minLength?: number;
  /** Told when an owner holds a value that is too short to be matched; the value is not told. */
  readonly onTooShort?: (owner: string) => void;
}

const HOUR_MS = 3_600_000;
/** What stands between the tokens of JSON, or around them. */
const JSON_SYNTAX = /["[\]{},:]/;
/** What JSON writes with an escape, in every form in which a value is looked for. */
// eslint-disable-next-line no-control-regex -- control characters are what JSON escapes
const ESCAPED = /["\\\u0000-\u001f\u007f-\uffff]/;
/** Changes go to a small index that is cheap to build; when it has this many values, one index is made of all. */
const RECENT_MAX = 32;

export function createKnownSecrets(options: KnownSecretsOptions): KnownSecrets {
  return new KnownValues(options);
}

class KnownValues implements KnownSecrets {
  readonly #now: () => number;
  readonly #keepMs: number;
  readonly #minLength: number;
  readonly #onTooShort: (owner: string) => void;
  readonly #owners = new Map<string, ReadonlySet<string>>();
  /** Until when a value is matched: for ever while an owner holds it. */
  readonly #until = new Map<string, number>();
  readonly #isLive = (value: string): boolean => (this.#until.get(value) ?? 0) > this.#now();
  #reachesOverTokens = false;
  #mayBeEscaped = false;
  #settled = new Set<string>();
  #settledIndex: KnownIndex | undefined;
  readonly #recent = new Set<string>();
  #recentIndex: KnownIndex | undefined;

  constructor({ now, keepMs = HOUR_MS, minLength = 4, onTooShort = () => undefined }: KnownSecretsOptions) {
    this.#now = now;
    this.#keepMs = keepMs;
    this.#minLength = minLength;
    this.#onTooShort = onTooShort;
  }

  get reachesOverTokens(): boolean {
    return this.#reachesOverTokens;
  }

  get mayBeEscaped(): boolean {
    return this.#mayBeEscaped;
  }

  get isEmpty(): boolean {
    return this.#settledIndex === undefined && this.#recent.size === 0;
  }

  get size(): number {
    return [...this.#until.keys()].filter(this.#isLive).length;
  }

  get longest(): number {
    this.prepare();
    return Math.max(this.#settledIndex?.longest ?? 0, this.#recentIndex?.longest ?? 0);
  }

  mayHold(bytes: Uint8Array): boolean {
    this.prepare();
    return (this.#settledIndex?.mayHold(bytes) ?? false) || (this.#recentIndex?.mayHold(bytes) ?? false);
  }

  set(owner: string, values: readonly string[]): void {
    const held = new Set(values.flatMap((value) => this.#parts(owner, value)));
    const before = this.#owners.get(owner) ?? new Set();
    if (held.size === 0) this.#owners.delete(owner);
    else this.#owners.set(owner, held);

    for (const value of held) {
      this.#until.set(value, Infinity);
      this.#reachesOverTokens ||= JSON_SYNTAX.test(value);
      this.#mayBeEscaped ||= ESCAPED.test(value);
      if (this.#settled.has(value) || this.#recent.has(value)) continue;
      this.#recent.add(value);
      this.#recentIndex = undefined;
    }
    for (const value of before) {
      if (!this.#isHeld(value)) this.#until.set(value, this.#now() + this.#keepMs);
    }
  }

  prepare(): void {
    if (this.#recent.size > RECENT_MAX) this.#settle();
    if (this.#recent.size > 0) this.#recentIndex ??= new KnownIndex(this.#recent);
  }

  find(text: string, budget: Budget): readonly KnownHit[] {
    this.prepare();
    const settled = this.#settledIndex?.find(text, budget, this.#isLive) ?? [];
    const recent = this.#recentIndex?.find(text, budget, this.#isLive) ?? [];
    return [...settled, ...recent];
  }

  begunAtEnd(text: string): number {
    this.prepare();
    const settled = this.#settledIndex?.begunAtEnd(text, this.#isLive) ?? 0;
    const recent = this.#recentIndex?.begunAtEnd(text, this.#isLive) ?? 0;
    return Math.max(settled, recent);
  }

  #settle(): void {
    for (const value of [...this.#until.keys()]) {
      if (!this.#isLive(value)) this.#until.delete(value);
    }
    this.#settled = new Set(this.#until.keys());
    this.#settledIndex = this.#settled.size > 0 ? new KnownIndex(this.#settled) : undefined;
    this.#recent.clear();
    this.#recentIndex = undefined;
  }

  #parts(owner: string, value: string): string[] {
    const parts = partsOf(value).filter((part) => part.length >= this.#minLength);
    if (parts.length === 0 && value.trim() !== '') this.#onTooShort(owner);
    return parts;
  }

  #isHeld(value: string): boolean {
    for (const held of this.#owners.values()) if (held.has(value)) return true;
    return false;
  }
}

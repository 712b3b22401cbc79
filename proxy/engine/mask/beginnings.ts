import { fiveWithin, mix } from './folded.ts';

/** A form of a value, as its beginning is looked for. */
interface Form {
  readonly text: string;
  readonly value: string;
}

/** Sorted by text. */
type Run = readonly Form[];

/** No beginning is shorter. */
const LEAST = 4;
/** So many characters of a value, or half of a short one, are more than may leave. */
const ENOUGH = 8;
/** Nothing longer is told from its beginning. */
const MAX_LENGTH = 4096;
/** So many are sorted at once. */
const FRESH = 256;
const CUE_BITS = 18;

/**
 * Finds whether a text ends with the beginning of a value, case and the alphabets of base64 aside. It is a few sorted
 * runs, each at least twice as long as the next (O'Neil and others 1996), so that a new value never waits for all.
 */
export class Beginnings {
  readonly #isHeld: (value: string) => boolean;
  /** The longest first. */
  readonly #runs: Run[] = [];
  readonly #cues = new Uint8Array(1 << (CUE_BITS - 3));
  #fresh: Form[] = [];
  #longest = 0;

  /** `isHeld`: whether a value is still there; one that is not is let go by and by. */
  constructor(isHeld: (value: string) => boolean) {
    this.#isHeld = isHeld;
  }

  add(form: string, value: string): void {
    const text = folded(form.slice(0, MAX_LENGTH));
    if (text.length <= LEAST) return;
    this.#longest = Math.max(this.#longest, text.length);
    this.#fresh.push({ text, value });
    this.#cue(text);
    if (this.#fresh.length >= FRESH) this.#settle();
  }

  /** The length of the longest such beginning, 0 where there is none. */
  atEndOf(text: string, isLive: (value: string) => boolean): number {
    if (this.#longest === 0) return 0;
    this.#settle();
    const end = folded(text.slice(-this.#longest));
    for (let at = 0; at + LEAST <= end.length; at += 1) {
      if (!this.#isCue(end, at)) continue;
      const begun = end.slice(at);
      if (this.#runs.some((run) => holdsBegun(run, begun, isLive))) return begun.length;
    }
    return 0;
  }

  #settle(): void {
    if (this.#fresh.length === 0) return;
    let last: Run = this.#fresh.sort((a, b) => (a.text < b.text ? -1 : 1));
    this.#fresh = [];
    for (let before = this.#runs.at(-1); before !== undefined; before = this.#runs.at(-1)) {
      if (before.length >= 2 * last.length) break;
      this.#runs.pop();
      last = merged(before, last).filter(({ value }) => this.#isHeld(value));
    }
    this.#runs.push(last);
    if (this.#runs.length > 1) return;
    this.#cues.fill(0);
    for (const { text } of last) this.#cue(text);
  }

  #cue(text: string): void {
    const bit = mix(fiveWithin(text, 0, LEAST)) >>> (32 - CUE_BITS);
    this.#cues[bit >>> 3] = (this.#cues[bit >>> 3] ?? 0) | (1 << (bit & 7));
  }

  #isCue(text: string, at: number): boolean {
    const bit = mix(fiveWithin(text, at, at + LEAST)) >>> (32 - CUE_BITS);
    return (((this.#cues[bit >>> 3] ?? 0) >>> (bit & 7)) & 1) !== 0;
  }
}

/** Whether a live value goes on from what is begun. */
function holdsBegun(run: Run, begun: string, isLive: (value: string) => boolean): boolean {
  for (let at = firstFrom(run, begun); at < run.length; at += 1) {
    const form = run[at];
    if (form?.text.startsWith(begun) !== true) return false;
    const goesOn = begun.length < form.text.length && begun.length >= enoughOf(form.text);
    if (goesOn && isLive(form.value)) return true;
  }
  return false;
}

/** Where the first stands that is not before `text`. */
function firstFrom(run: Run, text: string): number {
  let low = 0;
  let high = run.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((run[middle]?.text ?? '') < text) low = middle + 1;
    else high = middle;
  }
  return low;
}

function merged(a: Run, b: Run): Form[] {
  const all: Form[] = [];
  let at = 0;
  for (const form of b) {
    for (let other = a[at]; other !== undefined && other.text < form.text; other = a[at]) {
      all.push(other);
      at += 1;
    }
    all.push(form);
  }
  return [...all, ...a.slice(at)];
}

function folded(text: string): string {
  return text.toLowerCase().replaceAll('-', '+').replaceAll('_', '/');
}

function enoughOf(text: string): number {
  return Math.max(LEAST, Math.min(ENOUGH, Math.ceil(text.length / 2)));
}

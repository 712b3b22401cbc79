import type { Probe } from './examine.ts';
import { scanFeatures } from './features.ts';

const FIRST_STRIDE = 256;
const LAST_STRIDE = 16_384;

/**
 * Says which tokens of a JSON text examine could find something in. One look at a stretch of many tokens spares a
 * look at each; stretches begin where they are first asked about, so that what is never asked about, such as a
 * string with escapes, which is examined in any case, is not looked at here.
 */
export class Marks {
  readonly #probe: Probe;
  readonly #text: string;
  /** Ascending; of the stretch that ends at `#lookedTo`. */
  #marks: readonly number[] = [];
  #next = 0;
  #lookedTo = 0;
  #stride = FIRST_STRIDE;

  constructor(probe: Probe, text: string) {
    this.#probe = probe;
    this.#text = text;
  }

  /** Whether something may lie in the token. To be asked in the order of the text. */
  has(start: number, end: number): boolean {
    if (end > this.#lookedTo) this.#look(start, end);
    while ((this.#marks[this.#next] ?? Infinity) < start) this.#next += 1;
    return (this.#marks[this.#next] ?? Infinity) < end;
  }

  #look(start: number, end: number): void {
    this.#stride =
      start - this.#lookedTo > FIRST_STRIDE ? FIRST_STRIDE : Math.min(2 * this.#stride, LAST_STRIDE);
    this.#lookedTo = Math.min(this.#text.length, Math.max(end, start + this.#stride));
    this.#marks = marksIn(this.#probe, this.#text.slice(start, this.#lookedTo), start);
    this.#next = 0;
  }
}

/** Offsets of what gives a reason to look closer. */
function marksIn({ known, matcher, budget }: Probe, text: string, base: number): number[] {
  const marks: number[] = [];
  const mark = (at: number): number => marks.push(base + at);
  budget.spend(3 * text.length);
  for (const { start } of known.find(text, budget)) mark(start);
  matcher.eachCue(text, (end) => mark(end - 1));
  scanFeatures(text, {
    escape: () => undefined,
    percent: mark,
    disguise: mark,
    digits: (at) => {
      if (matcher.wantsNumbers) mark(at);
    },
    run: mark,
  });
  return marks.sort((a, b) => a - b);
}

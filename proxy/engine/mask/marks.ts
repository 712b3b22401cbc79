/**
 * Where in a JSON text examine could find something. Most messages have no such place: for them one pass spares the
 * walk through values, JSON in strings and encodings. What cannot be told from the text it leaves to that.
 */
import { append } from './append.ts';
import { examineViews, knownIn, type Probe } from './examine.ts';
import type { Plan } from './plan.ts';
import { surfaceOf } from './surface.ts';
import type { Span } from './types.ts';

/** Places in a text, and runs in it that count where something hides in them. To be asked in the order of the text. */
export class Marks {
  readonly #offsets: Int32Array;
  readonly #runs: readonly Span[];
  readonly #hides: (run: Span) => boolean;
  #nextOffset = 0;
  #nextRun = 0;
  /** The run that was found to hide something last. */
  #hiding = -1;

  constructor(offsets: readonly number[], runs: readonly Span[], hides: (run: Span) => boolean) {
    this.#offsets = Int32Array.from(offsets).sort();
    this.#runs = runs;
    this.#hides = hides;
  }

  get isEmpty(): boolean {
    return this.#offsets.length === 0 && !this.#hasRun(0, Infinity);
  }

  /** Whether something may lie in the token. */
  has(start: number, end: number): boolean {
    while ((this.#offsets[this.#nextOffset] ?? Infinity) < start) this.#nextOffset += 1;
    return (this.#offsets[this.#nextOffset] ?? Infinity) < end || this.#hasRun(start, end);
  }

  /** To decode is dear: a run is decoded where nothing else marks its token, and once. */
  #hasRun(start: number, end: number): boolean {
    for (let run = this.#runs[this.#nextRun]; run !== undefined; run = this.#runs[this.#nextRun]) {
      if (run.start >= end) return false;
      if (run.start >= start && this.#isHiding(run)) return true;
      this.#nextRun += 1;
    }
    return false;
  }

  #isHiding(run: Span): boolean {
    if (this.#hiding === this.#nextRun) return true;
    if (!this.#hides(run)) return false;
    this.#hiding = this.#nextRun;
    return true;
  }
}

export function marksIn(text: string, plan: Plan, probe: Probe): Marks {
  const { matcher, budget } = probe;
  budget.spend(text.length);
  const marks = matcher.literals.marksIn(text, budget);
  const surface = surfaceOf(text, { plan, marks, budget });
  append(marks, surface.marks);
  for (const { start } of knownIn(probe, text)) marks.push(start);
  return new Marks(marks, surface.runs, (run) => hidesSomething(probe, text, run));
}

function hidesSomething(probe: Probe, text: string, run: Span): boolean {
  const features = { escapes: false, percent: false, disguise: false, numbers: [], runs: [run] };
  return examineViews(probe, text, features).length > 0;
}

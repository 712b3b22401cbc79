import { accept } from './accept.ts';
import type { Budget } from './budget.ts';
import type { NumberDetector } from './detectors/detector.ts';
import { NumberShapes } from './number-shapes.ts';
import { NumberWords } from './number-words.ts';
import type { NumberKind, Stretch } from './number-scan.ts';
import type { Found } from './types.ts';

/** What it costs to look at a stretch, and to try one detector on it, beside its characters. */
const WORK_PER_STRETCH = 96;
const WORK_PER_TRY = 48;

/** Finds numbers in the stretches of a text that may hold one. */
export class NumberMatcher {
  readonly words: NumberWords;
  readonly isEmpty: boolean;
  readonly #byKind: Readonly<Record<NumberKind, NumberShapes>>;
  /** For numbers whose beginning the stretch tells. */
  readonly #sticky: ReadonlyMap<NumberDetector, RegExp>;

  constructor(detectors: readonly NumberDetector[]) {
    this.words = new NumberWords(detectors.flatMap(({ words = [] }) => words));
    this.isEmpty = detectors.length === 0;
    this.#byKind = {
      digits: new NumberShapes(detectors.filter(({ begins }) => begins !== 'letters')),
      letter: new NumberShapes(detectors.filter(({ begins }) => begins === 'letter')),
      letters: new NumberShapes(detectors.filter(({ begins }) => begins === 'letters')),
      parted: new NumberShapes(detectors.filter(({ parted }) => parted === true)),
    };
    this.#sticky = new Map(detectors.map((detector) => [detector, new RegExp(detector.pattern.source, 'y')]));
  }

  find(text: string, stretches: readonly Stretch[], key: string | undefined, budget: Budget): Found[] {
    const found: Found[] = [];
    if (stretches.length === 0) return found;
    const lookedTo = new Map<NumberDetector, number>();
    for (const stretch of stretches) {
      const part = text.slice(stretch.start, stretch.end);
      for (const detector of this.#detectorsFor(stretch, part, budget)) {
        this.#eachNumber(detector, part, stretch, (from, to) => {
          const span = { start: stretch.start + from, end: stretch.start + to };
          if (span.start < (lookedTo.get(detector) ?? 0)) return false;
          const one = accept(detector, text, span, key);
          if (one === undefined) return false;
          found.push(one);
          lookedTo.set(detector, one.end);
          return true;
        });
      }
    }
    return found;
  }

  /** Whether a detector could see a number in a stretch of a JSON text, under a key that does not tell of one. */
  mayHold(text: string, stretch: Stretch, budget: Budget): boolean {
    const part = text.slice(stretch.start, stretch.end);
    let named: boolean | undefined;
    return this.#detectorsFor(stretch, part, budget).some((detector) => {
      let may = false;
      this.#eachNumber(detector, part, stretch, (start, end) => {
        named ??= this.words.mayStandBefore(text, stretch.end);
        may ||= detector.mayBe?.(part.slice(start, end), named) !== false;
        return may;
      });
      return may;
    });
  }

  /** Tells what has the shape of a number. Where it is none, one may begin in what only looked like one. */
  #eachNumber(
    detector: NumberDetector,
    part: string,
    { kind, start, at }: Stretch,
    isNumber: (start: number, end: number) => boolean,
  ): void {
    const sticky = kind === 'letters' || kind === 'parted' ? this.#sticky.get(detector) : undefined;
    const pattern = sticky ?? detector.pattern;
    pattern.lastIndex = sticky === undefined ? 0 : at - start;
    for (let match = pattern.exec(part); match !== null; match = pattern.exec(part)) {
      const length = (detector.cut?.(match[0]) ?? match[0]).length;
      const isOne = isNumber(match.index, match.index + length);
      if (sticky !== undefined) return;
      pattern.lastIndex = match.index + (isOne ? length : 1);
    }
  }

  /** Those that are worth a try. */
  #detectorsFor(stretch: Stretch, part: string, budget: Budget): readonly NumberDetector[] {
    const detectors = this.#byKind[stretch.kind].detectorsFor(part, stretch);
    budget.spend(WORK_PER_STRETCH + part.length + detectors.length * (WORK_PER_TRY + part.length));
    return detectors;
  }
}

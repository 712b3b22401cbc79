import { append } from './append.ts';
import type { Budget } from './budget.ts';
import { featuresOf, type Features } from './features.ts';
import type { KnownSecrets } from './known-secrets.ts';
import { PatternMatcher } from './pattern-matcher.ts';
import type { Found } from './types.ts';
import { viewsOf, type View } from './views.ts';

/** How many layers of encoding are undone. */
export const MAX_LAYERS = 4;

/** What texts are searched for. */
export interface Probe {
  readonly known: KnownSecrets;
  readonly matcher: PatternMatcher;
  readonly budget: Budget;
}

/** Everything the detectors see in a text and under up to four layers of encoding in it, in its own offsets. */
export function examine(probe: Probe, text: string, key: string | undefined): Found[] {
  const found = new Examination(probe).surface(text, key);
  if (key !== undefined) append(found, probe.matcher.member(text, key));
  return found;
}

/** What the detectors see under the encodings that the features tell of. */
export function examineViews(probe: Probe, text: string, features: Features): Found[] {
  return new Examination(probe).views(text, features, 0);
}

/** What all of a text says is gone through once: to undo its encodings in another order mostly comes to the same. */
class Examination {
  readonly #probe: Probe;
  #seen: Set<string> | undefined;

  constructor(probe: Probe) {
    this.#probe = probe;
  }

  surface(text: string, key: string | undefined, layer = 0): Found[] {
    const { matcher, budget } = this.#probe;
    const found = matcher.literals.find(text, key, budget);
    append(found, knownIn(this.#probe, text));
    budget.spend(text.length);
    const features = featuresOf(text);
    append(found, matcher.numbers.find(text, features.numbers, key, budget));
    append(found, matcher.userPatterns(text, budget));
    if (layer < MAX_LAYERS) append(found, this.views(text, features, layer));
    return found;
  }

  views(text: string, features: Features, layer: number): Found[] {
    const found: Found[] = [];
    for (const view of viewsOf(text, features)) {
      this.#probe.budget.spend(view.text.length);
      const inside = view.whole ? this.#whole(view.text, layer + 1) : insideRun(this.#probe, view, layer + 1);
      for (const one of inside) {
        const { start, end } = view.toParent(one);
        found.push({ start, end, detector: one.detector, value: one.value });
      }
    }
    return found;
  }

  #whole(text: string, layer: number): Found[] {
    this.#seen ??= new Set();
    if (this.#seen.has(text)) return [];
    this.#seen.add(text);
    return this.surface(text, undefined, layer);
  }
}

function insideRun(probe: Probe, { text, binary }: View, layer: number): Found[] {
  if (!binary) return new Examination(probe).surface(text, undefined, layer);
  return [...knownIn(probe, text), ...probe.matcher.literals.find(text, undefined, probe.budget)];
}

/** Known values alone, on the surface of the text. */
export function knownIn({ known, budget }: Probe, text: string): Found[] {
  return known
    .find(text, budget)
    .map(({ start, end, value }) => ({ start, end, detector: undefined, value }));
}

const NO_DETECTORS = new PatternMatcher([]);

/** Known values alone, under the encodings of the text. */
export function knownUnder(probe: Probe, text: string): Found[] {
  return examineViews({ ...probe, matcher: NO_DETECTORS }, text, featuresOf(text));
}

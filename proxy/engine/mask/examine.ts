import type { Budget } from './budget.ts';
import { featuresOf, type Features } from './features.ts';
import type { KnownSecrets } from './known-secrets.ts';
import type { PatternMatcher } from './pattern-matcher.ts';
import type { Found } from './types.ts';
import { viewsOf } from './views.ts';

/** How many layers of encoding are undone. */
export const MAX_LAYERS = 4;

/** What texts are searched for. */
export interface Probe {
  readonly known: KnownSecrets;
  readonly matcher: PatternMatcher;
  readonly budget: Budget;
}

/** Everything the detectors see in a text and under up to four layers of encoding in it, in its own offsets. */
export function examine(probe: Probe, text: string, key: string | undefined, layer = 0): Found[] {
  const found: Found[] = [...knownIn(probe, text), ...probe.matcher.literal(text, key, probe.budget)];
  probe.budget.spend(text.length);
  const features = featuresOf(text);
  if (features.digits) found.push(...probe.matcher.numbers(text, key, probe.budget));
  if (key !== undefined && layer === 0) found.push(...probe.matcher.member(text, key));
  found.push(...probe.matcher.userPatterns(text, probe.budget));
  if (layer < MAX_LAYERS) found.push(...examineViews(probe, text, features, layer));
  return found;
}

/** What the detectors see under the encodings that the features tell of. */
export function examineViews(probe: Probe, text: string, features: Features, layer: number): Found[] {
  const found: Found[] = [];
  for (const view of viewsOf(text, features)) {
    const inside = view.binary
      ? examineBinary(probe, view.text)
      : examine(probe, view.text, undefined, layer + 1);
    for (const one of inside) found.push({ ...one, ...view.toParent(one) });
  }
  return found;
}

/** Known values alone, on the surface of the text. */
export function knownIn({ known, budget }: Probe, text: string): Found[] {
  return known
    .find(text, budget)
    .map(({ start, end, value }) => ({ start, end, detector: undefined, value }));
}

function examineBinary(probe: Probe, text: string): Found[] {
  return [...knownIn(probe, text), ...probe.matcher.literal(text, undefined, probe.budget)];
}

/**
 * A proof, from the text of a message alone, that nothing in it is to be masked. Most messages are clean, and
 * for them it spares the walk through values, JSON in strings and encodings. What it cannot prove it leaves to that.
 */
import { Budget, BudgetSpent } from './budget.ts';
import { examineViews, type Probe } from './examine.ts';
import type { KnownSecrets } from './known-secrets.ts';
import type { Plan } from './plan.ts';
import { Surface } from './surface.ts';
import type { Span } from './types.ts';

/** What decoding may cost before the proof is given up, in characters looked at. */
const WORK_PER_CHARACTER = 6;
const WORK_BASE = 10_000;

/** Whether the message, which has passed parseJson, is certainly clean. False says nothing. */
export function provesClean(text: string, plan: Plan, known: KnownSecrets): boolean {
  if (plan.isIdle && known.isEmpty) return true;
  if (plan.selectsByPlace || plan.protobuf.length > 0 || plan.matcher.hasPatterns) return false;
  if (known.mayBeEscaped && text.includes('\\')) return false;
  const surface = new Surface(plan, text);
  return surface.isPlain() && holdsNothing(text, surface.runs, plan, known);
}

/** Whether neither the text nor what its runs decode to holds what is looked for. */
function holdsNothing(text: string, runs: readonly Span[], plan: Plan, known: KnownSecrets): boolean {
  const budget = new Budget(WORK_BASE + WORK_PER_CHARACTER * text.length);
  const probe = { known, matcher: plan.matcher, budget };
  try {
    return (
      known.find(text, budget).length === 0 &&
      !plan.matcher.mayHoldLiteral(text) &&
      runs.every((run) => decodesToNothing(probe, text, run))
    );
  } catch (error) {
    if (error instanceof BudgetSpent) return false;
    throw error;
  }
}

function decodesToNothing(probe: Probe, text: string, run: Span): boolean {
  const features = { escapes: false, percent: false, disguise: false, digits: false, runs: [run] };
  return examineViews(probe, text, features, 0).length === 0;
}

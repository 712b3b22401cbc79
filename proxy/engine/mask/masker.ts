import type { MaskPolicy } from '../../../crds/bundle.ts';
import type { MaskedText } from '../../../crds/control.ts';
import { checkJson, splice, type JsonEdit } from '../../../lib/json/index.ts';
import { maskBody, TEXT } from './body.ts';
import { Budget, BudgetSpent } from './budget.ts';
import { maskDocument } from './document.ts';
import { knownIn } from './examine.ts';
import type { KnownSecrets } from './known-secrets.ts';
import { Ledger, Withheld } from './ledger.ts';
import { NO_POLICIES } from './place.ts';
import { admitsOtherKey, admitsString } from './output-schema.ts';
import { Plan } from './plan.ts';
import { appliesTo, compilePolicy, type CompiledPolicy } from './policy.ts';
import { NO_SEAMS, seamsOf } from './seams.ts';
import { selectionsOf, type Selections } from './selections.ts';
import { MESSAGE } from './shape.ts';
import { maskString } from './strings.ts';
import type { BodyOutcome, MaskAbout, Masker, MaskOutcome, Outcome, Span } from './types.ts';
import type { Promised, Work } from './work.ts';

/** Work a message may cause: so many characters looked at for each of its own, and so many beyond that. */
const WORK_PER_CHARACTER = 100;
const WORK_BASE = 1_000_000;
/** Milliseconds after which patterns of policies go no further in a message. */
const PATTERN_MS = 1000;

export interface MaskerDeps {
  readonly known: KnownSecrets;
  /** For masks with action Hash. */
  readonly hashKey: Uint8Array;
  /** Milliseconds of a clock that only goes forward. Default: that of the process. */
  readonly monotonic?: () => number;
}

/**
 * Compiles policies, in the order in which they are given, to one masker. Known values are masked with or without
 * policies. Throws MaskPolicyError with a sentence that names the policy.
 */
export function compileMasker(policies: readonly MaskPolicy[], deps: MaskerDeps): Masker {
  return new PolicyMasker(policies.map(compilePolicy), deps);
}

class PolicyMasker implements Masker {
  readonly #policies: readonly CompiledPolicy[];
  readonly #known: KnownSecrets;
  readonly #hashKey: Uint8Array;
  readonly #monotonic: () => number;
  /** By which policies have a say: few sets occur, and a plan is costly to make. */
  readonly #plans = new Map<string, Plan>();

  constructor(
    policies: readonly CompiledPolicy[],
    { known, hashKey, monotonic = () => performance.now() }: MaskerDeps,
  ) {
    this.#policies = policies;
    this.#known = known;
    this.#hashKey = hashKey;
    this.#monotonic = monotonic;
    for (const purpose of ['release', 'request', 'record'] as const) this.#planFor({ purpose });
  }

  message(text: string, about: MaskAbout): MaskOutcome {
    return this.#outcome(text.length, about, (work) => {
      const seams = seamsOf(text, work.plan, work.probe, about.stream);
      if (seams.size === 0 && this.#known.isEmpty && work.plan.isIdle) return asMasked(text);
      const trie = selectionsIn(work.plan, text);
      const root = { text, trie, shape: MESSAGE, path: '$', selected: [], excluded: NO_POLICIES, nesting: 0 };
      const edits = maskDocument({ ...work, seams }, root);
      if (reachesOut(work, text, edits)) throw new Withheld(SPREAD);
      const masked = splice(text, edits);
      // Two keys may have become one, and what is not JSON any more must not leave.
      if (edits.length > 0) checkJson(masked);
      return asMasked(masked);
    });
  }

  text(text: string, about: MaskAbout): MaskOutcome {
    return this.#outcome(text.length, about, (work) => {
      if (this.#known.isEmpty && work.plan.isIdle) return asMasked(text);
      return asMasked(splice(text, maskString(work, text, TEXT)));
    });
  }

  body(body: Buffer, mimeType: string | undefined, about: MaskAbout): BodyOutcome {
    return this.#outcome(body.length, about, (work) => ({ body: maskBody(work, body, mimeType) }));
  }

  #outcome<T>(size: number, about: MaskAbout, mask: (work: Work) => T): Outcome<T> {
    const plan = this.#planFor(about);
    const ledger = new Ledger(plan, about.purpose, this.#hashKey);
    const budget = new Budget(WORK_BASE + WORK_PER_CHARACTER * size, this.#lateness());
    const probe = { known: this.#known, matcher: plan.matcher, budget };
    const live = about.purpose !== 'record';
    const work = { plan, probe, ledger, live, maskString, seams: NO_SEAMS, promise: promiseOf(about) };
    try {
      return { ...mask(work), kind: 'released', masked: ledger.masked, audited: ledger.audited };
    } catch (error) {
      return { kind: 'withheld', reason: reasonOf(error), masked: ledger.masked };
    }
  }

  #lateness(): () => boolean {
    const until = this.#monotonic() + PATTERN_MS;
    return () => this.#monotonic() > until;
  }

  #planFor({ purpose, tool }: MaskAbout): Plan {
    const heard = this.#policies.filter((policy) => appliesTo(policy, purpose) && !policy.excludesTool(tool));
    const key = heard.map((policy) => this.#policies.indexOf(policy)).join();
    const plan = this.#plans.get(key) ?? new Plan(heard);
    this.#plans.set(key, plan);
    return plan;
  }
}

/** Only what went through the masker is masked text. */
function asMasked(text: string): { readonly text: MaskedText } {
  return { text: text as MaskedText };
}

/** Whatever goes wrong, nothing leaves; an unforeseen error is not quoted, since it may quote the text. */
function reasonOf(error: unknown): string {
  if (error instanceof Withheld) return error.message;
  if (error instanceof BudgetSpent)
    return 'Looking through the message for secrets would take more work than one message may cause.';
  return 'The message could not be looked through for secrets.';
}

const SPREAD = 'The message holds a value that may not leave, spread over several members.';

/** Whether a value that is JSON itself stands in the message as members of it, which no edit of one value covers. */
function reachesOut({ probe }: Work, text: string, edits: readonly JsonEdit[]): boolean {
  if (!probe.known.reachesOverTokens) return false;
  const covered = (hit: Span): boolean =>
    edits.some(({ start, end }) => start <= hit.start && hit.end <= end);
  return knownIn(probe, text).some((hit) => !covered(hit));
}

/** A tool that promises an outputSchema must keep it: what would break it is withheld. */
function promiseOf({ purpose, outputSchema }: MaskAbout): Promised | undefined {
  if (purpose !== 'release' || outputSchema === undefined) return undefined;
  const broken = 'What stands for a masked value would break the outputSchema that the tool promises.';
  const below = (steps: readonly (string | number)[]): readonly (string | number)[] | undefined =>
    steps[0] === 'result' && steps[1] === 'structuredContent' ? steps.slice(2) : undefined;
  return {
    value: (steps, value) => {
      const place = below(steps);
      if (place !== undefined && !admitsString(outputSchema, place, value)) throw new Withheld(broken);
    },
    key: (steps, key) => {
      const place = below(steps);
      if (place !== undefined && !admitsOtherKey(outputSchema, place, key)) throw new Withheld(broken);
    },
  };
}

/** What the `$` of a JSONPath may be: the message, and the members of it that are a payload of their own. */
const ROOTS: readonly (readonly string[])[] = [
  [],
  ['result', 'structuredContent'],
  ['result', 'result', 'structuredContent'],
  ['params', 'result', 'structuredContent'],
  ['params', 'arguments'],
];

function selectionsIn(plan: Plan, text: string): Selections | undefined {
  return plan.selectsByPlace ? selectionsOf(plan, JSON.parse(text), ROOTS) : undefined;
}

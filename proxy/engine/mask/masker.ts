import type { MaskPolicy } from '../../../crds/bundle.ts';
import type { MaskedText } from '../../../crds/control.ts';
import { splice, type JsonEdit } from '../../../lib/json/index.ts';
import { Budget, BudgetSpent } from './budget.ts';
import { maskDocument, type Work } from './document.ts';
import { addSelections, emptyTrie, type PathTrie } from './json-path.ts';
import type { KnownSecrets } from './known-secrets.ts';
import { Ledger, Withheld } from './ledger.ts';
import { NO_POLICIES } from './place.ts';
import { Plan } from './plan.ts';
import { appliesTo, compilePolicy, type CompiledPolicy } from './policy.ts';
import { MESSAGE } from './shape.ts';
import { maskString } from './strings.ts';
import type { MaskAbout, Masker, MaskOutcome } from './types.ts';

/** Work a message may cause: so many characters looked at for each of its own, and so many beyond that. */
const WORK_PER_CHARACTER = 96;
const WORK_BASE = 4_000_000;

/**
 * Compiles policies, in the order in which they are given, to one masker. Known values are masked with or without
 * policies. Throws MaskPolicyError with a sentence that names the policy.
 */
export function compileMasker(
  policies: readonly MaskPolicy[],
  deps: { readonly known: KnownSecrets; readonly hashKey: Uint8Array },
): Masker {
  return new PolicyMasker(policies.map(compilePolicy), deps);
}

class PolicyMasker implements Masker {
  readonly #policies: readonly CompiledPolicy[];
  readonly #known: KnownSecrets;
  readonly #hashKey: Uint8Array;
  /** By which policies have a say: few sets occur, and a plan is costly to make. */
  readonly #plans = new Map<string, Plan>();

  constructor(
    policies: readonly CompiledPolicy[],
    { known, hashKey }: { known: KnownSecrets; hashKey: Uint8Array },
  ) {
    this.#policies = policies;
    this.#known = known;
    this.#hashKey = hashKey;
    for (const purpose of ['release', 'request', 'record'] as const) this.#planFor({ purpose });
  }

  message(text: string, about: MaskAbout): MaskOutcome {
    return this.#outcome(text, about, (work) =>
      maskDocument(work, {
        text,
        shape: MESSAGE,
        trie: selections(work.plan, text),
        path: '$',
        selected: [],
        excluded: NO_POLICIES,
        nesting: 0,
      }),
    );
  }

  text(text: string, about: MaskAbout): MaskOutcome {
    const place = {
      path: () => '$',
      key: undefined,
      role: 'text',
      selected: [],
      excluded: NO_POLICIES,
      nesting: 0,
    } as const;
    return this.#outcome(text, about, (work) => maskString(work, text, place));
  }

  #outcome(text: string, about: MaskAbout, edit: (work: Work) => JsonEdit[]): MaskOutcome {
    const plan = this.#planFor(about);
    const ledger = new Ledger(plan, about.purpose, this.#hashKey);
    const budget = new Budget(WORK_BASE + WORK_PER_CHARACTER * text.length);
    const probe = { known: this.#known, matcher: plan.matcher, budget };
    const work = {
      plan,
      probe,
      ledger,
      live: about.purpose !== 'record',
      maskString,
      onReplaced: () => undefined,
    };
    try {
      const masked = splice(text, edit(work));
      return { kind: 'released', text: masked as MaskedText, masked: ledger.masked, audited: ledger.audited };
    } catch (error) {
      return { kind: 'withheld', reason: reasonOf(error), masked: ledger.masked };
    }
  }

  #planFor({ purpose, tool }: MaskAbout): Plan {
    const heard = this.#policies.filter((policy) => appliesTo(policy, purpose) && !policy.excludesTool(tool));
    const key = heard.map((policy) => this.#policies.indexOf(policy)).join();
    const plan = this.#plans.get(key) ?? new Plan(heard);
    this.#plans.set(key, plan);
    return plan;
  }
}

/** Whatever goes wrong, nothing leaves; an unforeseen error is not quoted, since it may quote the text. */
function reasonOf(error: unknown): string {
  if (error instanceof Withheld) return error.message;
  if (error instanceof BudgetSpent)
    return 'Looking through the message for secrets would take more work than one message may cause.';
  return 'The message could not be looked through for secrets.';
}

/** Members of a message that are a payload of their own: a JSONPath may begin at the message or at one of these. */
const PAYLOADS: readonly (readonly string[])[] = [
  ['result', 'structuredContent'],
  ['result', 'result', 'structuredContent'],
  ['params', 'result', 'structuredContent'],
  ['params', 'arguments'],
];

function selections(plan: Plan, text: string): PathTrie | undefined {
  if (plan.queries.length === 0) return undefined;
  const message: unknown = JSON.parse(text);
  const trie = emptyTrie();
  addSelections(trie, plan.queries, message, []);
  for (const path of PAYLOADS) {
    const payload = path.reduce<unknown>(member, message);
    if (payload !== undefined) addSelections(trie, plan.queries, payload, path);
  }
  return trie;
}

function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? Reflect.get(value, key)
    : undefined;
}

import type { MaskAction } from '../../../crds/bundle.ts';
import type { Masked } from '../../../crds/control.ts';
import { inOrder, type JsonEdit } from '../../../lib/json/index.ts';
import type { Detector } from './detectors/detector.ts';
import type { Plan, Use } from './plan.ts';
import type { CompiledPolicy } from './policy.ts';
import { redaction, replacement } from './replace.ts';
import type { MaskPurpose, Span } from './types.ts';

/** The detector name of values that the proxy holds. No policy is needed for it and none weakens it. */
export const KNOWN_SECRET = 'known-secret';

/** A stretch of text that somebody wants masked: what was found in it, or what a policy selects. */
export interface Claim extends Span {
  readonly value: string;
  /** What saw it, where something did; absent, and nobody selects it, for values that the proxy holds. */
  readonly detector?: Detector | undefined;
  readonly selectedBy?: readonly Use[];
}

/** What becomes of claims that have the same behind them: an enforced policy, or the proxy itself. */
interface Verdict {
  readonly label: string;
  readonly action: MaskAction;
  readonly rank: number;
  /** What stands for a value where nothing of it is shown. */
  readonly redacted: string;
}

/** What overlaps, as one edit, and the claim that wins. */
interface Joined extends JsonEdit {
  end: number;
  text: string;
  claim: Claim;
  verdict: Verdict;
}

/** Thrown to end the work on a message that may not leave. The reason is a sentence without a secret in it. */
export class Withheld extends Error {}

/** The order in which actions win over one another. */
const STRENGTH: Readonly<Record<MaskAction, number>> = { Block: 3, Redact: 2, Hash: 1, Partial: 0 };

/** Values that the proxy holds come first; selectors name a value only where no detector does. */
const KNOWN_RANK = -1;
const SELECTOR_RANK = 1_000_000;

/** Decides what becomes of what was found in one message, and writes down where and by what. */
export class Ledger {
  readonly #masked = new Map<string, Masked>();
  readonly #audited = new Map<string, Masked>();
  /** What was written down last: a text of many matches is mostly of one detector. */
  #noted: Masked | undefined;
  readonly #plan: Plan;
  readonly #purpose: MaskPurpose;
  readonly #hashKey: Uint8Array;

  constructor(plan: Plan, purpose: MaskPurpose, hashKey: Uint8Array) {
    this.#plan = plan;
    this.#purpose = purpose;
    this.#hashKey = hashKey;
  }

  get masked(): readonly Masked[] {
    return [...this.#masked.values()];
  }

  get audited(): readonly Masked[] {
    return [...this.#audited.values()];
  }

  /**
   * What to put where, for all claims on one text: overlapping ones become one. Throws Withheld where a policy
   * blocks (not in the record, which keeps the message without the value).
   */
  decide(claims: readonly Claim[], pathOf: () => string, excluded: ReadonlySet<CompiledPolicy>): JsonEdit[] {
    if (claims.length === 0) return [];
    const path = pathOf();
    const verdicts = new Map<Detector | readonly Use[] | undefined, Verdict | undefined>();
    const verdictOn = (claim: Claim): Verdict | undefined => {
      const behind = claim.selectedBy ?? claim.detector;
      if (!verdicts.has(behind)) verdicts.set(behind, this.#verdictOn(claim, path, excluded));
      return verdicts.get(behind);
    };
    const joined = join(claims, verdictOn);
    for (const one of joined) {
      this.note(path, one.verdict.label);
      one.text = this.#standIn(one);
    }
    return joined;
  }

  note(path: string, detector: string): void {
    const last = this.#noted;
    if (last?.path === path && last.detector === detector) return;
    this.#noted = { path, detector };
    this.#masked.set(`${detector} ${path}`, this.#noted);
  }

  #standIn({ start, end, claim, verdict: { action, label, redacted } }: Joined): string {
    const isWhole = claim.start === start && claim.end === end;
    if (!isWhole || action === 'Block' || action === 'Redact') return redacted;
    return replacement(action, label, normalized(claim), this.#hashKey);
  }

  #verdictOn(
    { detector, selectedBy }: Claim,
    path: string,
    excluded: ReadonlySet<CompiledPolicy>,
  ): Verdict | undefined {
    if (selectedBy !== undefined) return this.#verdictBy(selectedBy, SELECTOR_RANK, path, excluded);
    if (detector === undefined) return verdict(KNOWN_SECRET, 'Redact', KNOWN_RANK);
    const { uses, rank } = this.#plan.standingOf(detector);
    return this.#verdictBy(uses, rank, path, excluded);
  }

  #verdictBy(
    uses: readonly Use[],
    rank: number,
    path: string,
    excluded: ReadonlySet<CompiledPolicy>,
  ): Verdict | undefined {
    const strongest = this.#strongest(uses, path, excluded);
    if (strongest === undefined) return undefined;
    const { policy, label } = strongest;
    if (policy.action === 'Block' && this.#purpose !== 'record') {
      this.note(path, label);
      throw new Withheld(
        `Masking policy ${policy.name} blocks messages that hold what ${label} finds; it stands at ${path}.`,
      );
    }
    return verdict(label, policy.action, rank);
  }

  /** The enforced policy that wins; those that only count are written down. */
  #strongest(uses: readonly Use[], path: string, excluded: ReadonlySet<CompiledPolicy>): Use | undefined {
    let strongest: Use | undefined;
    for (const use of uses) {
      const { policy, label } = use;
      if (excluded.has(policy)) continue;
      if (!policy.enforced) this.#audited.set(`${label} ${path}`, { path, detector: label });
      else if (isStronger(use, strongest)) strongest = use;
    }
    return strongest;
  }
}

/** What is hashed, and what the last four are taken of: one writing for all writings of a value. */
function normalized({ value, detector }: Claim): string {
  if (detector === undefined || detector.cue === 'pattern') return value;
  return detector.normalize?.(value) ?? value;
}

/** Whether a policy that wants a value is stronger than all that were asked before it. */
function isStronger(use: Use, than: Use | undefined): boolean {
  return than === undefined || STRENGTH[use.policy.action] > STRENGTH[than.policy.action];
}

function verdict(label: string, action: MaskAction, rank: number): Verdict {
  return { label, action, rank, redacted: redaction(label) };
}

/** Joins what overlaps. The strongest action wins, then a value the proxy holds, the longer span, the lower rank. */
function join(claims: readonly Claim[], verdictOn: (claim: Claim) => Verdict | undefined): Joined[] {
  const all: Joined[] = [];
  for (const claim of inOrder(claims)) {
    const { start, end } = claim;
    const upheld = verdictOn(claim);
    if (upheld === undefined) continue;
    const one = { start, end, text: '', claim, verdict: upheld };
    const last = all.at(-1);
    if (last === undefined || start >= last.end) all.push(one);
    else {
      last.end = Math.max(last.end, end);
      if (compare(one, last) < 0) Object.assign(last, { claim, verdict: upheld });
    }
  }
  return all;
}

function compare(a: Joined, b: Joined): number {
  const strength = STRENGTH[b.verdict.action] - STRENGTH[a.verdict.action];
  if (strength !== 0) return strength;
  const [rank, other] = [a.verdict.rank, b.verdict.rank];
  if (rank === KNOWN_RANK || other === KNOWN_RANK) return rank - other;
  return lengthOf(b.claim) - lengthOf(a.claim) || rank - other;
}

function lengthOf({ start, end }: Span): number {
  return end - start;
}

import type { MaskAction } from '../../../crds/bundle.ts';
import type { Masked } from '../../../crds/control.ts';
import type { JsonEdit } from '../../../lib/json/index.ts';
import type { Detector } from './detectors/detector.ts';
import type { Plan, Use } from './plan.ts';
import type { CompiledPolicy } from './policy.ts';
import { replacement } from './replace.ts';
import type { Found, MaskPurpose, Span } from './types.ts';

/** The detector name of values that the proxy holds. No policy is needed for it and none weakens it. */
export const KNOWN_SECRET = 'known-secret';

/** A stretch of text that somebody wants masked. */
export interface Claim extends Span {
  readonly value: string;
  /** Undefined for values that the proxy holds. */
  readonly uses: readonly Use[] | undefined;
  readonly rank: number;
  /** What saw it, where something did. */
  readonly detector?: Detector | undefined;
}

/** A claim that holds: at least one enforced policy, or the proxy itself, stands behind it. */
interface Upheld extends Span {
  readonly claim: Claim;
  readonly label: string;
  readonly action: MaskAction;
  readonly rank: number;
}

/** What overlaps, as one. */
interface Merged {
  readonly start: number;
  end: number;
  winner: Upheld;
}

/** Thrown to end the work on a message that may not leave. The reason is a sentence without a secret in it. */
export class Withheld extends Error {}

/** The order in which actions win over one another. */
const STRENGTH: Readonly<Record<MaskAction, number>> = { Block: 3, Redact: 2, Hash: 1, Partial: 0 };

/** Selectors name a value only where no detector does. */
export const SELECTOR_RANK = 1_000_000;

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

  claimOf(found: Found): Claim {
    const { start, end, value, detector } = found;
    if (detector === undefined) return { start, end, value, uses: undefined, rank: -1 };
    const { uses, rank } = this.#plan.standingOf(detector);
    return { start, end, value, uses, rank, detector };
  }

  /**
   * What to put where, for all claims on one text: overlapping ones become one. Throws Withheld where a policy
   * blocks (not in the record, which keeps the message without the value).
   */
  decide(claims: readonly Claim[], pathOf: () => string, excluded: ReadonlySet<CompiledPolicy>): JsonEdit[] {
    if (claims.length === 0) return [];
    const path = pathOf();
    const upheld: Upheld[] = [];
    for (const claim of claims) {
      const one = this.#uphold(claim, path, excluded);
      if (one !== undefined) upheld.push(one);
    }
    return merge(upheld).map(({ start, end, winner }) => {
      this.note(path, winner.label);
      const covers = winner.start === start && winner.end === end;
      const action = winner.action === 'Block' || !covers ? 'Redact' : winner.action;
      const value = action === 'Redact' ? '' : normalized(winner.claim);
      return { start, end, text: replacement(action, winner.label, value, this.#hashKey) };
    });
  }

  note(path: string, detector: string): void {
    const last = this.#noted;
    if (last?.path === path && last.detector === detector) return;
    this.#noted = { path, detector };
    this.#masked.set(`${detector} ${path}`, this.#noted);
  }

  #uphold(claim: Claim, path: string, excluded: ReadonlySet<CompiledPolicy>): Upheld | undefined {
    const { start, end, uses, rank } = claim;
    if (uses === undefined) return { start, end, claim, rank, label: KNOWN_SECRET, action: 'Redact' };
    const strongest = this.#strongest(uses, path, excluded);
    if (strongest === undefined) return undefined;
    const { policy, label } = strongest;
    if (policy.action === 'Block' && this.#purpose !== 'record') {
      this.note(path, label);
      throw new Withheld(
        `Masking policy ${policy.name} blocks messages that hold what ${label} finds; it stands at ${path}.`,
      );
    }
    return { start, end, claim, rank, label, action: policy.action };
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

/** Joins what overlaps. The strongest action wins, then a value the proxy holds, the longer span, the lower rank. */
function merge(upheld: readonly Upheld[]): Merged[] {
  const merged: Merged[] = [];
  for (const one of upheld.toSorted((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last === undefined || one.start >= last.end) {
      merged.push({ start: one.start, end: one.end, winner: one });
      continue;
    }
    last.end = Math.max(last.end, one.end);
    if (compare(one, last.winner) < 0) last.winner = one;
  }
  return merged;
}

function compare(a: Upheld, b: Upheld): number {
  const strength = STRENGTH[b.action] - STRENGTH[a.action];
  if (strength !== 0) return strength;
  if (a.rank === -1 || b.rank === -1) return a.rank - b.rank;
  return b.end - b.start - (a.end - a.start) || a.rank - b.rank;
}

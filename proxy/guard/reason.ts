/** Why, in one sentence for the caller and the record. It names classes and tables and holds no literal of the call. */
import type { Rule } from '../../crds/bundle.ts';
import type { Judgement } from '../exchange.ts';

/** The judgement on a request that no rule speaks of. */
export const ALLOWED: Judgement = {
  decision: 'allow',
  rule: undefined,
  ruleRevision: undefined,
  reason: 'No rule denies this call or asks for approval of it.',
  risk: 0,
  parsed: { classes: [], targets: [], risk: [] },
  audited: [],
};

const MAX_NAMED = 5;
const MAX_NAME_LENGTH = 64;

export function reasonOf(deciding: Rule | undefined, parsed: Judgement['parsed']): string {
  if (deciding === undefined) return ALLOWED.reason;
  const verb = deciding.effect === 'Deny' ? 'denies this call' : 'asks for approval of this call';
  return `Rule ${deciding.name} ${verb}${found(parsed)}.`;
}

function found({ classes, targets }: Judgement['parsed']): string {
  if (classes.length === 0) return '';
  if (classes.includes('Unparsable')) return ': a part of it cannot be understood';
  const on = targets.length === 0 ? '' : ` on ${named(targets)}`;
  return `: it was parsed as ${classes.join(', ')}${on}`;
}

function named(targets: readonly string[]): string {
  const shown = targets.slice(0, MAX_NAMED).map(printable);
  const more = targets.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}

/** A quoted identifier may hold any character, a line break or a direction mark too. */
function printable(name: string): string {
  const clean = name.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '\u{fffd}');
  return clean.length > MAX_NAME_LENGTH ? `${clean.slice(0, MAX_NAME_LENGTH)}…` : clean;
}

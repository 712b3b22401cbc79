/**
 * The risk of a call, 0 to 100: points that add up from what was parsed and who calls, each with its reason. What
 * the server says of its tools (annotations) counts nothing, because the server is what is guarded.
 */
import type { CommandEffect, SqlClass } from '../../crds/bundle.ts';
import type { Caller } from '../exchange.ts';
import type { SqlFacts } from '../engine/sql/classify.ts';

export interface RiskPart {
  readonly reason: string;
  readonly points: number;
}

/** The heaviest class counts whole, every further one a fifth of its weight. */
const CLASS_POINTS: Readonly<Record<SqlClass, number>> = {
  Session: 15,
  Insert: 20,
  Call: 35,
  Update: 35,
  Merge: 35,
  Copy: 45,
  Delete: 45,
  DDL: 45,
  Grant: 60,
  Truncate: 70,
  Unparsable: 70,
};

const EFFECT_POINTS: Readonly<Record<CommandEffect, number>> = {
  Read: 0,
  Write: 30,
  Dynamic: 50,
  Destructive: 70,
  Unparsable: 70,
};

const FURTHER_SHARE = 0.2;
const UNFILTERED_POINTS = 30;
const DROP_POINTS = 25;
const STATEMENT_POINTS = 5;
const MAX_STATEMENT_POINTS = 15;
const ANONYMOUS_POINTS = 15;

export function sqlRisk(facts: SqlFacts): RiskPart[] {
  const further = facts.statements - 1;
  return [
    ...weighed(facts.classes, CLASS_POINTS),
    ...facts.unfiltered.map((name) => ({
      reason: `${name} without a WHERE that chooses rows`,
      points: UNFILTERED_POINTS,
    })),
    ...(facts.drops ? [{ reason: 'drops what is there', points: DROP_POINTS }] : []),
    ...(further > 0
      ? [
          {
            reason: `${facts.statements} statements`,
            points: Math.min(further * STATEMENT_POINTS, MAX_STATEMENT_POINTS),
          },
        ]
      : []),
  ];
}

export function commandRisk(effects: readonly CommandEffect[]): RiskPart[] {
  return weighed(effects, EFFECT_POINTS);
}

/** Who calls makes a call riskier that is not without risk. */
export function callerRisk(parts: readonly RiskPart[], caller: Caller): RiskPart[] {
  return parts.length > 0 && caller.anonymous
    ? [{ reason: 'anonymous caller', points: ANONYMOUS_POINTS }]
    : [];
}

export function totalRisk(parts: readonly RiskPart[]): number {
  return Math.min(
    100,
    parts.reduce((sum, { points }) => sum + points, 0),
  );
}

function weighed<Name extends string>(
  names: readonly Name[],
  points: Readonly<Record<Name, number>>,
): RiskPart[] {
  return names
    .map((name) => ({ reason: name, points: points[name] }))
    .filter((part) => part.points > 0)
    .sort((a, b) => b.points - a.points)
    .map((part, index) =>
      index === 0 ? part : { ...part, points: Math.round(part.points * FURTHER_SHARE) },
    );
}

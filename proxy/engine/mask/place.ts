import type { Use } from './plan.ts';
import type { CompiledPolicy } from './policy.ts';
import type { Role } from './shape.ts';
import type { Found } from './types.ts';

/** What is known about where a value stands. */
export interface Place {
  /** JSONPath from the message. Built when asked for, since most values are clean. */
  readonly path: () => string;
  /** Of the nearest member. */
  readonly key: string | undefined;
  readonly role: Role;
  /** Who wants the value masked whatever it holds. */
  readonly selected: readonly Use[];
  /** Policies that an exclusion by path keeps away from the value. */
  readonly excluded: ReadonlySet<CompiledPolicy>;
  /** How many strings of JSON are around the value. */
  readonly nesting: number;
  /** What begins or ends in a neighbour of the value. */
  readonly seams: readonly Found[];
}

export const NO_POLICIES: ReadonlySet<CompiledPolicy> = new Set();

const SHORTHAND = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** A step of a JSONPath of RFC 9535, in the shorthand where a name allows it. */
export function stepOf(step: string | number): string {
  if (typeof step === 'number') return `[${step}]`;
  if (SHORTHAND.test(step)) return `.${step}`;
  return `['${JSON.stringify(step).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}']`;
}

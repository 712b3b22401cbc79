import type { JsonEdit } from '../../../lib/json/index.ts';
import type { Probe } from './examine.ts';
import type { Ledger } from './ledger.ts';
import type { Place } from './place.ts';
import type { Plan } from './plan.ts';
import type { Seams } from './seams.ts';

/** What the work on one message shares. */
export interface Work {
  readonly plan: Plan;
  readonly probe: Probe;
  readonly ledger: Ledger;
  /** Whether anybody will use the message: in the record opaque values are text like any other. */
  readonly live: boolean;
  /** Edits for the value of a string. It may hold JSON again, so strings and documents call each other. */
  readonly maskString: (work: Work, text: string, place: Place) => JsonEdit[];
  /** What reaches into strings of the message from their neighbours. */
  readonly seams: Seams;
  /** What the masked message must still keep to. */
  readonly promise: Promised | undefined;
}

/** Checks of what is put into the message itself, by where it is put. They throw Withheld. */
export interface Promised {
  value(steps: readonly (string | number)[], value: string): void;
  key(steps: readonly (string | number)[], key: string): void;
}

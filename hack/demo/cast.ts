import type { Desk } from './desk.ts';
import type { Parts } from './parts.ts';

/** What a scene plays with. */
export interface Cast {
  readonly parts: Parts;
  /** A support agent. */
  readonly ana: Desk;
  /** A database administrator. */
  readonly bo: Desk;
}

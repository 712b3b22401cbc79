import type { Owner } from '../session/whose-call.ts';

/** What the record is told of one call outward. It is masked there. */
export interface OutboundEvent {
  /** host:port */
  readonly destination: string;
  /** Method and path, or a statement. */
  readonly what: string;
  readonly decision: 'allow' | 'deny';
  /** Why it was denied, or how it failed. */
  readonly reason: string | undefined;
  /** Name of the credential that was put in. */
  readonly credential: string | undefined;
  readonly status: number | undefined;
  /** Undefined where it is not certain whose call it was. */
  readonly owner: Owner | undefined;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

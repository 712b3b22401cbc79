/**
 * The value that moves through the pipeline. It only gains: Received → Identified → Authorized → Cleared →
 * Credentialed, then Answered and Released for what comes back. A stage returns the next state or throws a Refusal.
 */
import type { Secret } from '../lib/secret.ts';
import type { ParsedCall } from '../crds/control.ts';

/** `legacy`: 2024-11-05 to 2025-11-25, where `initialize` opens a session. `modern`: 2026-07-28, stateless. */
export type Era = 'legacy' | 'modern';

/** A verified caller. Nothing in it came from anywhere but the proof that was verified. */
export interface Caller {
  /** Name of the identity provider in the gateway. */
  readonly provider: string;
  readonly issuer: string;
  readonly subject: string;
  readonly username: string;
  readonly clientId: string | undefined;
  readonly groups: readonly string[];
  /** namespace/name, for Kubernetes service accounts. */
  readonly serviceAccount: string | undefined;
  readonly spiffeId: string | undefined;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly anonymous: boolean;
}

/** What a request wants to reach, as access rules name it. */
export type Target =
  | { readonly kind: 'tool'; readonly name: string }
  | { readonly kind: 'prompt'; readonly name: string }
  | { readonly kind: 'resource'; readonly uri: string };

export type RequestId = string | number;

export interface ClientRequest {
  readonly kind: 'request';
  readonly id: RequestId;
  readonly method: string;
  readonly target: Target | undefined;
  /** The parsed `params`; numbers beyond 2^53 are only in `text`. */
  readonly params: Readonly<Record<string, unknown>>;
  /** The message as it was received, verified: UTF-8, no duplicate keys, bounded depth. */
  readonly text: string;
}

export interface ClientNotification {
  readonly kind: 'notification';
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** The client's answer to a request of the server (legacy only). */
export interface ClientResponse {
  readonly kind: 'response';
  readonly id: RequestId;
  readonly text: string;
}

export type ClientMessage = ClientRequest | ClientNotification | ClientResponse;

export interface SessionFacts {
  /** What records are grouped by and leases of scope Session live with. */
  readonly id: string;
  readonly era: Era;
  /** Protocol revision, as negotiated or as the request says. */
  readonly revision: string;
}

export interface Received<M extends ClientMessage = ClientMessage> {
  readonly exchange: string;
  /** Milliseconds since the epoch, from the clock that was passed in. */
  readonly at: number;
  readonly message: M;
}

export interface Identified<M extends ClientMessage = ClientMessage> extends Received<M> {
  readonly caller: Caller;
  readonly session: SessionFacts;
}

export interface Authorized<M extends ClientMessage = ClientMessage> extends Identified<M> {
  readonly authorized: true;
}

/** What the guard found: the decision, and everything an approver or the record needs to know why. */
export interface Judgement {
  readonly decision: 'allow' | 'deny' | 'hold';
  /** namespace/name of the deciding ApprovalRule. */
  readonly rule: string | undefined;
  /** Revision of that rule: an approval is bound to it. */
  readonly ruleRevision: string | undefined;
  /** One sentence. Safe to show to the caller. */
  readonly reason: string;
  /** 0 to 100. */
  readonly risk: number;
  readonly parsed: ParsedCall;
  /** Rules with effect Audit that matched. */
  readonly audited: readonly string[];
}

/** May run: allowed, or approved and consumed. */
export interface Cleared<M extends ClientMessage = ClientMessage> extends Authorized<M> {
  readonly judgement: Judgement;
  /** Id of the ApprovalRequest that was consumed for this exchange. */
  readonly approval: string | undefined;
}

export interface InjectedHeader {
  readonly credential: string;
  readonly name: string;
  readonly value: Secret;
}

export interface Credentialed<M extends ClientMessage = ClientMessage> extends Cleared<M> {
  readonly inject: readonly InjectedHeader[];
}

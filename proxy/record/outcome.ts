/** From the states of an exchange to what the record says of it. Text comes in as MaskedText or not at all. */
import type {
  Masked,
  MaskedText,
  NoticeCode,
  OutboundProtocol,
  RecordedCaller,
  RecordEvent,
} from '../../crds/control.ts';
import type { Caller, Identified, Judgement, SessionFacts, Target } from '../exchange.ts';
import type { Refusal } from '../refusal.ts';

/** What is known of an exchange: a refusal may come before there is a caller or a session. */
export type Known = Pick<Identified, 'exchange'> & Partial<Pick<Identified, 'caller' | 'session'>>;

/** Where and when: `gateway` is namespace/name, `at` milliseconds since the epoch. */
export interface Occasion {
  readonly gateway: string;
  readonly at: number;
}

export function sessionStarted(
  on: Occasion,
  known: { caller: Caller; session: SessionFacts },
  transport: string,
): RecordEvent {
  return { ...context(on, known), type: 'session.start', revision: known.session.revision, transport };
}

export function sessionEnded(on: Occasion, session: string, reason: string): RecordEvent {
  return { time: isoTime(on.at), gateway: on.gateway, session, type: 'session.end', reason };
}

export interface RequestFacts {
  readonly exchange: Identified;
  readonly method: string;
  readonly target: Target | undefined;
  readonly message: MaskedText;
  readonly judgement: Pick<Judgement, 'decision' | 'rule' | 'reason' | 'risk'>;
  readonly approval?: string | undefined;
  /** Names of the credentials that were put in. */
  readonly credentials?: readonly string[];
}

export function requested(on: Occasion, facts: RequestFacts): RecordEvent {
  const { decision, rule, reason, risk } = facts.judgement;
  return {
    ...context(on, facts.exchange),
    type: 'request',
    exchange: facts.exchange.exchange,
    method: facts.method,
    ...(facts.target === undefined ? {} : { target: targetName(facts.target) }),
    message: facts.message,
    decision,
    ...(rule === undefined ? {} : { rule }),
    reason,
    risk,
    ...(facts.approval === undefined ? {} : { approval: facts.approval }),
    ...(facts.credentials === undefined ? {} : { credentials: facts.credentials }),
  };
}

export interface ResponseFacts {
  readonly exchange: Identified;
  readonly message: MaskedText;
  readonly masked: readonly Masked[];
}

/** `on.at` is when the last byte left; the duration counts from when the request came. */
export function responded(on: Occasion, facts: ResponseFacts): RecordEvent {
  const { exchange, message, masked } = facts;
  const durationMs = Math.max(0, on.at - exchange.at);
  return {
    ...context(on, exchange),
    type: 'response',
    exchange: exchange.exchange,
    message,
    masked,
    durationMs,
  };
}

export interface MessageFacts {
  readonly caller?: Caller;
  readonly session?: SessionFacts;
  readonly from: 'client' | 'server';
  readonly method: string;
  readonly message: MaskedText;
  readonly masked: readonly Masked[];
}

export function messagePassed(on: Occasion, facts: MessageFacts): RecordEvent {
  const { from, method, message, masked } = facts;
  return { ...context(on, facts), type: 'message', from, method, message, masked };
}

export function refused(on: Occasion, known: Known, refusal: Refusal): RecordEvent {
  const { code, message: reason, status } = refusal;
  return { ...context(on, known), type: 'refusal', exchange: known.exchange, code, reason, status };
}

export interface OutboundFacts {
  readonly protocol: OutboundProtocol;
  /** host:port. */
  readonly destination: string;
  readonly what: MaskedText;
  readonly decision: 'allow' | 'deny';
  /** One sentence, masked. */
  readonly reason: string | undefined;
  /** Name of the credential that was put in. */
  readonly credential: string | undefined;
  readonly status: number | undefined;
  readonly durationMs: number;
}

/** `known` is the call that it was made for, `session` whose it was, each as far as that is certain. */
export function wentOut(
  on: Occasion,
  { known, session }: { readonly known: Known | undefined; readonly session: string | undefined },
  facts: OutboundFacts,
): RecordEvent {
  const { protocol, destination, what, decision, reason, credential, status, durationMs } = facts;
  return {
    ...context(on, known ?? {}),
    ...(session === undefined ? {} : { session }),
    type: 'outbound',
    ...(known === undefined ? {} : { exchange: known.exchange }),
    ...{ protocol, destination, what, decision },
    ...(reason === undefined ? {} : { reason }),
    ...(credential === undefined ? {} : { credential }),
    ...(status === undefined ? {} : { status }),
    durationMs,
  };
}

export interface Notice {
  readonly code: NoticeCode;
  /** One sentence, masked. */
  readonly reason: string;
}

export function noticed(
  on: Occasion,
  known: { caller?: Caller; session?: SessionFacts },
  { code, reason }: Notice,
): RecordEvent {
  return { ...context(on, known), type: 'notice', code, reason };
}

export function approvalChanged(
  on: Occasion,
  known: Known,
  approval: { id: string; phase: string },
): RecordEvent {
  return {
    ...context(on, known),
    type: 'approval',
    exchange: known.exchange,
    approval: approval.id,
    phase: approval.phase,
  };
}

/** What of a caller is kept: who they are, never what they showed to prove it. */
export function recordedCaller(caller: Caller): RecordedCaller {
  const { provider, issuer, subject, username, groups } = caller;
  return { provider, issuer, subject, username, groups };
}

function context(on: Occasion, known: { caller?: Caller; session?: SessionFacts }): EventContext {
  return {
    time: isoTime(on.at),
    gateway: on.gateway,
    ...(known.session === undefined ? {} : { session: known.session.id }),
    ...(known.caller === undefined ? {} : { caller: recordedCaller(known.caller) }),
  };
}

type EventContext = Pick<RecordEvent, 'time' | 'gateway' | 'session' | 'caller'>;

function targetName(target: Target): string {
  return target.kind === 'resource' ? target.uri : target.name;
}

const last = { at: Number.NaN, iso: '' };

/** Busy proxies write several events a millisecond, and writing dates out is slow. */
function isoTime(at: number): string {
  if (at !== last.at) {
    last.iso = new Date(at).toISOString();
    last.at = at;
  }
  return last.iso;
}

/**
 * Whose an outbound call of the server is (design, section 4): the caller's whose placeholder or trace it carries; else
 * that of the only session with a call in flight; else nobody's, and then `whenShared` decides.
 */
import { GatehouseError } from '../../lib/errors.ts';
import type { Authorized, ClientRequest } from '../exchange.ts';

/** For whom a credential is lent. `pod`: for the pod itself, where a gateway says so. */
export type Whose = { readonly session: string; readonly request?: string } | 'pod';

export interface CallInFlight {
  readonly exchange: Authorized<ClientRequest>;
  /** Id of the ApprovalRequest that was consumed for it. */
  readonly approval: string | undefined;
  /** Trace id that the server got with it (W3C Trace Context), 32 hex digits. */
  readonly traceId: string | undefined;
}

export interface Owner {
  readonly whose: Whose;
  /** The one call that it can belong to; undefined where a session has several or none in flight. */
  readonly call: CallInFlight | undefined;
}

/** What an outbound call carries of where it comes from. */
export interface Hint {
  readonly placeholder?: string | undefined;
  /** A `traceparent` header. */
  readonly traceparent?: string | undefined;
}

export type WhenShared = 'Queue' | 'Refuse' | 'Pod';

/** It is not certain whose call this is, and then nobody's credential may be lent to it. */
export class OwnerUnknown extends GatehouseError {
  readonly code: 'owner_unknown' | 'owner_ambiguous';

  constructor(code: OwnerUnknown['code'], message: string) {
    super(message);
    this.code = code;
  }
}

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;
const NO_TRACE = '0'.repeat(32);

export class WhoseCall {
  readonly #inFlight = new Set<CallInFlight>();
  readonly #sessionOf = new Map<string, string>();
  readonly #listeners = new Set<() => void>();
  #sessions = '';

  /** Says that a call is at the server, until the function that it returns is called. */
  begin(call: CallInFlight): () => void {
    this.#inFlight.add(call);
    this.#tell();
    return () => {
      if (this.#inFlight.delete(call)) this.#tell();
    };
  }

  /** Makes a placeholder stand for one session, until the function that it returns is called. */
  bind(placeholder: string, session: string): () => void {
    this.#sessionOf.set(placeholder, session);
    return () => void this.#sessionOf.delete(placeholder);
  }

  /** Throws OwnerUnknown, with a sentence for whoever made the call. */
  ownerOf({ placeholder, traceparent }: Hint, whenShared: WhenShared): Owner {
    const named = placeholder === undefined ? undefined : this.#sessionOf.get(placeholder);
    if (named !== undefined) return this.#ownerIn(named, traceparent);
    const traced = this.#traced([...this.#inFlight], traceparent);
    if (traced !== undefined) return ownerOf(traced);
    const sessions = this.#sessionsInFlight();
    const [only] = sessions;
    if (only !== undefined && sessions.size === 1) return this.#ownerIn(only, traceparent);
    if (whenShared === 'Pod') return { whose: 'pod', call: undefined };
    throw only === undefined ? unknown() : ambiguous(sessions.size);
  }

  /** Told when other sessions than before have calls in flight. Returns the end of it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #ownerIn(session: string, traceparent: string | undefined): Owner {
    const calls = [...this.#inFlight].filter(({ exchange }) => exchange.session.id === session);
    const call = this.#traced(calls, traceparent) ?? (calls.length === 1 ? calls[0] : undefined);
    return call === undefined ? { whose: { session }, call } : ownerOf(call);
  }

  #traced(calls: readonly CallInFlight[], traceparent: string | undefined): CallInFlight | undefined {
    const id = traceIdOf(traceparent);
    if (id === undefined) return undefined;
    const same = calls.filter(({ traceId }) => traceId === id);
    // A client chooses its trace id, so two of them may choose the same: then it says nothing.
    return same.length === 1 ? same[0] : undefined;
  }

  #sessionsInFlight(): ReadonlySet<string> {
    return new Set([...this.#inFlight].map(({ exchange }) => exchange.session.id));
  }

  #tell(): void {
    const sessions = [...this.#sessionsInFlight()].sort().join(' ');
    if (sessions === this.#sessions) return;
    this.#sessions = sessions;
    for (const listener of this.#listeners) listener();
  }
}

/** The trace id of a `traceparent` header; undefined for what is none. */
export function traceIdOf(traceparent: string | undefined): string | undefined {
  const id = traceparent === undefined ? undefined : TRACEPARENT.exec(traceparent)?.[1];
  return id === NO_TRACE ? undefined : id;
}

function ownerOf(call: CallInFlight): Owner {
  const { session, exchange } = call.exchange;
  return { whose: { session: session.id, request: exchange }, call };
}

function unknown(): OwnerUnknown {
  return new OwnerUnknown(
    'owner_unknown',
    'No caller has a call in flight, so this outbound call is made for nobody and gets no credential; whenShared: Pod would lend the pod one of its own.',
  );
}

function ambiguous(sessions: number): OwnerUnknown {
  return new OwnerUnknown(
    'owner_ambiguous',
    `${sessions} sessions have calls in flight, so it is not certain whose outbound call this is and it gets no credential; pass traceparent on, or use whenShared: Queue or Pod.`,
  );
}

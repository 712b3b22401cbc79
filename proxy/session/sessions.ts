/**
 * The sessions of one gateway (design, section 4). A legacy session is opened by `initialize` and named by a sealed id
 * that is bound to issuer and subject; what comes without one belongs to the caller's implicit session.
 */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { Caller, Era, RequestId, SessionFacts } from '../exchange.ts';
import type { UpstreamLink } from '../upstream.ts';
import { Refusal } from '../refusal.ts';
import { EventStream } from './event-stream.ts';
import type { Sealer } from './seal.ts';

export interface Session extends SessionFacts {
  /** What the client asked for, until the server has answered what it shall be. */
  revision: string;
  readonly owner: Caller;
  readonly link: UpstreamLink;
  readonly streams: Map<string, EventStream>;
  /** Aborted when the client cancels the request of that id. */
  readonly cancels: Map<RequestId, AbortController>;
  /** The stream of what belongs to no request, once the client opened it. */
  standalone: EventStream | undefined;
  /** Requests under way: a session is not idle while there is one. */
  active: number;
  lastUsed: number;
  /** Whether the client was given a name for it. */
  named: boolean;
  /** Whether the client names it by id, and so may resume streams and end it. */
  readonly explicit: boolean;
}

export interface SessionEvents {
  started(session: Session): void;
  ended(session: Session, reason: string): void;
}

const sealedSession = z.object({ i: z.string(), u: z.string().nullable(), o: z.string(), r: z.string() });
const PURPOSE = 'session';
const MAX_SESSIONS = 20_000;
const MAX_REMEMBERED_ENDED = 20_000;
const MAX_STREAMS = 64;

export class Sessions {
  readonly #byId = new Map<string, Session>();
  /** Those without a name of their own, by whose they are. */
  readonly #implicit = new Map<string, Session>();
  readonly #ended = new Set<string>();
  readonly #now: () => number;
  readonly #events: SessionEvents;
  #streams = 0;
  readonly #boot = randomBytes(6).toString('base64url');

  constructor(deps: { now: () => number; events: SessionEvents }) {
    this.#now = deps.now;
    this.#events = deps.events;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** A session that `initialize` is about to open. It has no name before `seal` is called. */
  open(caller: Caller, revision: string): Session {
    return this.#add(
      newSession(
        { id: randomBytes(12).toString('base64url'), era: 'legacy', revision, explicit: true },
        caller,
        this.#now(),
      ),
    );
  }

  /** The name that the client gets for it: visible ASCII, as the transport wants. */
  seal(session: Session, sealer: Sealer): string {
    session.named = true;
    const body = {
      i: session.id,
      u: session.link.sessionId ?? null,
      o: ownerHash(session.owner),
      r: session.revision,
    };
    return sealer.seal(PURPOSE, JSON.stringify(body));
  }

  /** The session that a client names. Throws a Refusal that makes a client initialize again when there is none. */
  find(name: string, caller: Caller, sealer: Sealer, resumable: (link: UpstreamLink) => boolean): Session {
    const body = openSealed(name, sealer);
    if (body === undefined || this.#ended.has(body.i) || !sameOwner(body.o, caller)) throw sessionNotFound();
    const known = this.#byId.get(body.i);
    if (known !== undefined) return this.#touch(known);
    const session = newSession(
      { id: body.i, era: 'legacy', revision: body.r, explicit: true },
      caller,
      this.#now(),
    );
    session.link.sessionId = body.u ?? undefined;
    if (!resumable(session.link)) throw sessionNotFound();
    return this.#add(session);
  }

  /** All calls of one issuer, subject and client that name no session. */
  implicit(caller: Caller, era: Era, revision: string): Session {
    const whose = whoseCalls(caller, era);
    const known = this.#implicit.get(whose);
    if (known !== undefined) return this.#touch(known);
    const id = `${era}-${hash('sha256', whose, 'base64url').slice(0, 16)}`;
    const session = this.#add(newSession({ id, era, revision, explicit: false }, caller, this.#now()));
    this.#implicit.set(whose, session);
    return session;
  }

  newStream(session: Session): EventStream {
    this.#streams += 1;
    const stream = new EventStream(`${this.#boot}-${this.#streams}`);
    session.streams.set(stream.id, stream);
    const oldest = [...session.streams.values()].find((candidate) => candidate.ended);
    if (session.streams.size > MAX_STREAMS && oldest !== undefined) session.streams.delete(oldest.id);
    return stream;
  }

  end(session: Session, reason: string): void {
    if (!this.#byId.delete(session.id)) return;
    if (session.explicit) this.#remember(session.id);
    this.#release(session, reason);
  }

  /** Ends what has been idle for `idleMs`. An explicit session may be named again afterwards. */
  sweep(idleMs: number): void {
    const before = this.#now() - idleMs;
    for (const session of this.#byId.values()) {
      if (session.lastUsed < before && isIdle(session)) this.#forget(session, 'idle');
    }
  }

  close(): void {
    for (const session of this.#byId.values()) this.#forget(session, 'shutdown');
  }

  #touch(session: Session): Session {
    session.lastUsed = this.#now();
    return session;
  }

  #add(session: Session): Session {
    if (this.#byId.size >= MAX_SESSIONS) this.#makeRoom();
    this.#byId.set(session.id, session);
    this.#events.started(session);
    return session;
  }

  #makeRoom(): void {
    for (const session of this.#byId.values()) {
      if (!isIdle(session)) continue;
      this.#forget(session, 'evicted');
      return;
    }
    throw new Refusal(
      'rate_limited',
      `This gateway has ${MAX_SESSIONS} open sessions, which is its limit; try again later.`,
      {
        status: 503,
        as: -32603,
      },
    );
  }

  #forget(session: Session, reason: string): void {
    this.#byId.delete(session.id);
    this.#release(session, reason);
  }

  #release(session: Session, reason: string): void {
    if (!session.explicit) this.#implicit.delete(whoseCalls(session.owner, session.era));
    for (const stream of session.streams.values()) stream.end();
    session.link.connection?.close();
    this.#events.ended(session, reason);
  }

  #remember(id: string): void {
    this.#ended.add(id);
    const [oldest] = this.#ended;
    if (this.#ended.size > MAX_REMEMBERED_ENDED && oldest !== undefined) this.#ended.delete(oldest);
  }
}

function newSession(
  facts: SessionFacts & { readonly explicit: boolean },
  owner: Caller,
  now: number,
): Session {
  return {
    ...facts,
    owner,
    link: { session: facts.id, sessionId: undefined, connection: undefined },
    streams: new Map(),
    cancels: new Map(),
    standalone: undefined,
    active: 0,
    lastUsed: now,
    named: false,
  };
}

/** 2026-07-28 has no sessions: what one person does with one client belongs together (design, section 4). */
function whoseCalls({ issuer, subject, clientId }: Caller, era: Era): string {
  return [era, issuer, subject, clientId ?? ''].join('\0');
}

function isIdle(session: Session): boolean {
  return session.active === 0 && ![...session.streams.values()].some((stream) => stream.attached);
}

function openSealed(name: string, sealer: Sealer): z.infer<typeof sealedSession> | undefined {
  const text = sealer.open(PURPOSE, name);
  return text === undefined ? undefined : sealedSession.parse(JSON.parse(text));
}

/** Binds sealed things to a person: hex SHA-256 over issuer and subject. */
export function ownerHash(caller: Caller): string {
  return hash('sha256', `${caller.issuer}\0${caller.subject}`, 'hex');
}

function sameOwner(hash: string, caller: Caller): boolean {
  const own = Buffer.from(ownerHash(caller));
  const other = Buffer.from(hash);
  return own.length === other.length && timingSafeEqual(own, other);
}

function sessionNotFound(): Refusal {
  return new Refusal(
    'session_not_found',
    'There is no such session, or it has ended; send initialize to open a new one.',
    {
      status: 404,
      as: -32001,
    },
  );
}

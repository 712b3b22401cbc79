/** Which session of the database stands behind a connection: the one of the caller whose work it does just now. */
import { GatehouseError } from '../../../lib/errors.ts';
import type { Conversation } from './conversation.ts';
import type { CallInFlight, Hint, Owner, Whose } from '../../session/whose-call.ts';
import type { EndedWork, PostgresDeps, PostgresTarget } from './deps.ts';
import { asWireError, WireError } from './errors.ts';
import type { Answer } from './judging.ts';
import { TERMINATE } from './messages.ts';
import type { LoggedIn } from './upstream/login.ts';
import { openSession, type LeasedLogin } from './upstream/session.ts';

export interface Session extends LoggedIn {
  readonly whose: Whose;
}

export interface OwnershipDeps<L extends LeasedLogin> {
  readonly conversation: Conversation;
  readonly target: PostgresTarget;
  readonly egress: PostgresDeps<L>;
  readonly hint: Hint;
  readonly settings: ReadonlyMap<string, string>;
  /** A session has come. */
  readonly opened: (session: Session) => void;
  /** What waited for a session may go on, or fail. */
  readonly resume: () => void;
  /** A session has ended in the middle of something. */
  readonly failed: (error: WireError) => void;
}

export class Ownership<L extends LeasedLogin> {
  readonly #deps: OwnershipDeps<L>;
  #session: Session | undefined;
  #call: CallInFlight | undefined;
  /** The transaction that is open is not the caller's of now: it may end, and nothing more. */
  #mayOnlyEnd = false;
  /** A session has ended that held what no other one gets. */
  #isLost = false;
  #isSwitching = false;
  #failure: WireError | undefined;
  #isOver = false;

  constructor(deps: OwnershipDeps<L>) {
    this.#deps = deps;
  }

  get session(): Session | undefined {
    return this.#session;
  }

  /** Whom the connection works for. */
  get owner(): Owner | undefined {
    return this.#session === undefined ? undefined : { whose: this.#session.whose, call: this.#call };
  }

  /** The call that the connection works for. */
  get call(): CallInFlight | undefined {
    return this.#call;
  }

  /** Opens the first session. Throws WireError and what lending throws. */
  async begin(): Promise<void> {
    const { egress, hint, target } = this.#deps;
    await this.#open(egress.ownerOf(hint, target.whenShared));
  }

  /** See ClientSideDeps. */
  claim(): Answer<WireError | undefined> {
    if (this.#isSwitching) return 'wait';
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) return failure;
    const owner = this.#owner();
    this.#mayOnlyEnd = false;
    if (!(owner instanceof WireError) && this.#isOf(owner.whose)) {
      this.#call = owner.call;
      return undefined;
    }
    return this.#claimOther(owner);
  }

  /** Why the texts may not be said. Throws WireError where they would be said in a transaction of somebody else. */
  judge(texts: readonly string[]): string | undefined {
    const { conversation, egress } = this.#deps;
    if (this.#mayOnlyEnd && !conversation.effects(texts[0] ?? '').endsTransaction)
      throw new WireError('57P01', OTHERS);
    for (const text of texts) {
      const why = egress.policy().judge(text, this.#call);
      if (why !== undefined) return why;
    }
    return undefined;
  }

  /** Calls in flight have changed: a session that rests and belongs to another caller than the one of now is closed. */
  reconsider(): void {
    if (this.#session === undefined || this.#isSwitching || !this.#deps.conversation.isAtRest) return;
    const owner = this.#owner();
    if (!(owner instanceof WireError) && !this.#isOf(owner.whose)) this.leave();
  }

  /** Work is over, and its leases with it. */
  forget(work: EndedWork): void {
    if (this.#session === undefined || !this.#isFor(work, this.#session.whose)) return;
    if (this.#deps.conversation.isAtRest) this.leave();
    else this.#deps.failed(new WireError('57P01', 'The work that this connection was for is over.'));
  }

  /** Ends the session in order. */
  leave(): void {
    const session = this.#session;
    if (session === undefined) return;
    this.#isLost ||= !this.#deps.conversation.isPortable;
    this.#session = undefined;
    session.socket.removeAllListeners('data');
    session.socket.end(TERMINATE, () => session.socket.destroy());
  }

  /** The connection is over. */
  end(): void {
    this.#isOver = true;
    this.#session?.socket.destroy();
    this.#session = undefined;
  }

  #claimOther(owner: Owner | WireError): Answer<WireError | undefined> {
    const { requests, status, isPortable } = this.#deps.conversation;
    if (!requests.isEmpty) return 'wait';
    this.#call = undefined;
    if (this.#session !== undefined && status !== 'I') {
      this.#mayOnlyEnd = true;
      return undefined;
    }
    if (owner instanceof WireError) return owner;
    if (this.#isLost || !isPortable) throw new WireError('57P01', OTHERS);
    void this.#switchTo(owner);
    return 'wait';
  }

  #owner(): Owner | WireError {
    const { egress, hint, target } = this.#deps;
    try {
      return egress.ownerOf(hint, target.whenShared);
    } catch (error) {
      if (!(error instanceof GatehouseError)) throw error;
      return asWireError(error);
    }
  }

  async #switchTo(owner: Owner): Promise<void> {
    this.#isSwitching = true;
    try {
      this.leave();
      await this.#open(owner);
    } catch (error) {
      this.#failure = asWireError(error);
    }
    this.#isSwitching = false;
    this.#deps.resume();
  }

  async #open({ whose, call }: Owner): Promise<void> {
    const { conversation, egress, opened, settings, target } = this.#deps;
    // Nobody counts on the unnamed statement for longer than a batch.
    conversation.statements.forget('');
    const loggedIn = await openSession<L>(
      {
        credential: target.credential,
        upstream: target.upstream,
        settings,
        lend: () => egress.lend(target.credential, whose),
        replace: (refused) => egress.replace(target.credential, whose, refused),
        dial: egress.dial,
      },
      {
        settings: conversation.settings,
        prepared: [...conversation.statements.entries()].map(([, { message }]) => message),
      },
    );
    const session = { ...loggedIn, whose };
    if (this.#isOver) {
      session.socket.destroy();
      return;
    }
    this.#session = session;
    this.#call = call;
    session.socket.once('close', () => this.#closed(session));
    opened(session);
  }

  /** The database has ended the session. */
  #closed(session: Session): void {
    if (this.#session !== session) return;
    const { conversation, failed } = this.#deps;
    this.#session = undefined;
    if (conversation.isAtRest) this.#isLost ||= !conversation.isPortable;
    else failed(new WireError('08006', 'The connection to the database was lost.'));
  }

  #isFor({ session, request }: EndedWork, whose: Whose): boolean {
    const { scope } = this.#deps.target;
    if (scope === 'Pod' || whose === 'pod' || whose.session !== session) return false;
    return request === undefined || (scope === 'Request' && whose.request === request);
  }

  #isOf(whose: Whose): boolean {
    const { scope } = this.#deps.target;
    return this.#session !== undefined && keyOf(this.#session.whose, scope) === keyOf(whose, scope);
  }
}

const OTHERS =
  'This connection holds a transaction or settings of another caller, so that it cannot be used for this one; connect again.';

/** Leases of scope Request are of one call, those of scope Session of one session, and those of scope Pod of all. */
function keyOf(whose: Whose, scope: PostgresTarget['scope']): string {
  if (whose === 'pod' || scope === 'Pod') return 'pod';
  return scope === 'Request'
    ? JSON.stringify([whose.session, whose.request])
    : JSON.stringify([whose.session]);
}

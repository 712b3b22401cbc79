/** One connection of the server: its client's side, the database's side, and the bytes between them. */
import type { Duplex } from 'node:stream';
import { cancelRequest, type CancelKeys } from './cancel.ts';
import { ClientSide } from './client-side.ts';
import { Conversation } from './conversation.ts';
import { DatabaseSide, shownParameter } from './database-side.ts';
import type { Masker } from '../../engine/mask/index.ts';
import type { CallInFlight, Owner } from '../../session/whose-call.ts';
import type { EndedWork, PostgresDeps, PostgresPolicy, PostgresTarget } from './deps.ts';
import { negotiation, type Opened } from './downstream.ts';
import { asWireError, WireError } from './errors.ts';
import { createMasking, type Masking } from './masking.ts';
import { errorResponse, int32, message, readyForQuery } from './messages.ts';
import { Ownership, type Session } from './ownership.ts';
import { StatementLog } from './statement-log.ts';
import { settingsFrom } from './startup.ts';
import { connectUpstream } from './upstream/connect.ts';
import type { LeasedLogin } from './upstream/session.ts';

const CANCEL_MS = 10_000;

export class Connection<L extends LeasedLogin> {
  readonly #deps: PostgresDeps<L>;
  readonly #target: PostgresTarget;
  readonly #keys: CancelKeys;
  readonly #socket: Duplex;
  readonly #opened: Opened;
  readonly #conversation: Conversation;
  readonly #ownership: Ownership<L>;
  readonly #client: ClientSide;
  #policy: PostgresPolicy | undefined;
  #maskingNow: Masking | undefined;
  readonly #log: StatementLog;
  readonly #user: string;
  /** What the client was told of the settings of its session. */
  #told: ReadonlyMap<string, string> = new Map();
  #hasBegun = false;
  #isGathering = false;
  #isOver = false;

  /** Throws WireError where the client asks for a session that it may not have. */
  constructor(opened: Opened, target: PostgresTarget, keys: CancelKeys, deps: PostgresDeps<L>) {
    this.#deps = deps;
    this.#target = target;
    this.#keys = keys;
    this.#opened = opened;
    this.#socket = opened.socket;
    this.#user = opened.startup.parameters.get('user') ?? '';
    const conversation = new Conversation(deps.readEffects);
    const ownership = new Ownership<L>({
      conversation,
      target,
      egress: deps,
      hint: opened.password === undefined ? {} : { placeholder: opened.password },
      settings: settingsFrom(opened.startup.parameters, target.upstream.database),
      opened: (session) => this.#attach(session),
      resume: () => this.#resume(),
      failed: (error) => this.#fail(error),
    });
    const owner = (): Owner | undefined => ownership.owner;
    const masker = (): Masker => deps.policy().masker;
    this.#log = new StatementLog({ target, masker, record: deps.record, now: deps.now, owner });
    this.#client = new ClientSide({
      conversation,
      looksAtRows: () => this.#masking().looksAtRows,
      mask: (text) => this.#masking().text(text),
      claim: () => ownership.claim(),
      hasSession: () => ownership.session !== undefined,
      judges: () => deps.policy().judges,
      judge: (texts) => ownership.judge(texts),
      toDatabase: (bytes) => this.#toDatabase(bytes),
      toClient: (bytes) => this.#toClient(bytes),
      refused: (refused) => this.#log.refused(refused),
      running: (sql) => this.#log.running(sql),
      ended: () => this.close(),
    });
    this.#conversation = conversation;
    this.#ownership = ownership;
  }

  /** Lets the client in, or throws: WireError, or what lending throws. */
  async begin(): Promise<void> {
    this.#socket.once('close', () => this.#over());
    await this.#ownership.begin();
    if (this.#socket.destroyed) this.#over();
    if (this.#isOver) return;
    this.#hasBegun = true;
    const key = this.#keys.issue(this.#opened.startup.minor, () => this.#cancel());
    this.#socket.once('close', () => key.revoke());
    this.#toClient(key.message);
    this.#toClient(readyForQuery('I'));
    this.#socket.on('drain', () => this.#ownership.session?.socket.resume());
    this.#socket.on('data', (chunk: Buffer) => {
      this.#guarded(() => {
        if (!this.#client.take(chunk)) this.#socket.pause();
      });
    });
    this.#socket.on('end', () => this.close()).resume();
  }

  /** Calls in flight have changed. */
  reconsider(): void {
    this.#guarded(() => this.#ownership.reconsider());
  }

  /** Work is over, and its leases with it. */
  forget(work: EndedWork): void {
    this.#ownership.forget(work);
  }

  /** Says goodbye to both. */
  close(): void {
    this.#ownership.leave();
    this.#socket.end();
    this.#over();
  }

  #attach(session: Session): void {
    const side = new DatabaseSide({
      conversation: this.#conversation,
      masking: () => this.#masking(),
      user: this.#user,
      toClient: (bytes) => this.#toClient(bytes),
      toDatabase: (bytes) => this.#toDatabase(bytes),
      ended: (running, sqlstate) => this.#log.ended(running, sqlstate),
      moved: () => this.#resume(),
    });
    this.#greet(session);
    const { socket } = session;
    socket.on('drain', () => {
      if (!this.#client.isWaiting) this.#socket.resume();
    });
    socket.on('data', (chunk: Buffer) => {
      this.#gather();
      this.#guarded(() => side.take(chunk));
      // Nobody waits longer for a whole answer.
      if (this.#conversation.requests.isEmpty) this.#release();
      if (this.#socket.writableNeedDrain) socket.pause();
    });
    socket.resume();
  }

  /** What comes in one turn of the event loop leaves in one write. */
  #gather(): void {
    if (this.#isGathering) return;
    this.#isGathering = true;
    this.#socket.cork();
    setImmediate(() => this.#release());
  }

  #release(): void {
    if (!this.#isGathering) return;
    this.#isGathering = false;
    this.#socket.uncork();
  }

  /** Tells the client what it has to know of its session, and of a later one what is different. */
  #greet({ parameters }: Session): void {
    if (!this.#hasBegun) {
      for (const bytes of negotiation(this.#opened.startup)) this.#toClient(bytes);
      this.#toClient(message('R', int32(0)));
    }
    for (const [name, value] of parameters) {
      if (this.#told.get(name) === value) continue;
      this.#toClient(shownParameter(name, value, { mask: this.#masking().text, user: this.#user }));
    }
    this.#told = parameters;
  }

  /** By the policy that is in force now, which may be another one than when the connection began. */
  #masking(): Masking {
    const policy = this.#deps.policy();
    if (this.#maskingNow !== undefined && policy === this.#policy) return this.#maskingNow;
    this.#policy = policy;
    const { masker, policies } = policy;
    const tool = (): string | undefined => toolOf(this.#ownership.call);
    this.#maskingNow = createMasking({ masker, policies, known: this.#deps.known, tool });
    return this.#maskingNow;
  }

  /** Ends the connection with a sentence. */
  #fail(error: unknown): void {
    if (this.#isOver) return;
    const known = asWireError(error);
    if (!(error instanceof WireError)) this.#deps.log.error({ err: error }, 'a database connection failed');
    this.#toClient(errorResponse('FATAL', known.sqlstate, this.#masking().text(known.message)));
    this.#socket.end();
    this.#over();
  }

  #over(): void {
    this.#isOver = true;
    this.#ownership.end();
  }

  #guarded(work: () => void): void {
    if (this.#isOver) return;
    try {
      work();
    } catch (error) {
      this.#fail(error);
    }
  }

  #resume(): void {
    if (!this.#client.isWaiting) return;
    this.#guarded(() => {
      if (this.#client.resume()) this.#socket.resume();
    });
  }

  #toClient(bytes: Buffer): void {
    if (!this.#socket.writableEnded) this.#socket.write(bytes);
  }

  #toDatabase(bytes: Buffer): void {
    if (this.#ownership.session?.socket.write(bytes) === false) this.#socket.pause();
  }

  /** Another connection to the database, with the key of the session. */
  #cancel(): void {
    const { session } = this.#ownership;
    if (session === undefined || this.#conversation.requests.isEmpty) return;
    const signal = AbortSignal.timeout(CANCEL_MS);
    connectUpstream(this.#target.upstream, this.#deps.dial, signal).then(
      (socket) => {
        // The database closes when it has read it: who closes before that may take the request back with a reset.
        socket.on('error', () => undefined).on('end', () => socket.destroy());
        signal.addEventListener('abort', () => socket.destroy(), { once: true });
        socket.resume().write(cancelRequest(session.key));
      },
      (error: unknown) =>
        this.#deps.log.warn({ err: error }, 'a request to cancel did not reach the database'),
    );
  }
}

function toolOf(call: CallInFlight | undefined): string | undefined {
  const target = call?.exchange.message.target;
  return target?.kind === 'tool' ? target.name : undefined;
}

/** What the client says, on its way to the database: statements are judged, and what is refused fails there too. */
import type { Conversation } from './conversation.ts';
import { WireError } from './errors.ts';
import { Extended } from './extended.ts';
import { FrameReader, type FramePart } from './frames.ts';
import { Judging, type Answer, type Refused } from './judging.ts';
import { code, errorResponse, Fields, readyForQuery, REFUSED_PARSE, REFUSED_QUERY } from './messages.ts';
import type { Running } from './requests.ts';
import type { MaskText } from './text-masker.ts';

export interface ClientSideDeps {
  readonly conversation: Conversation;
  readonly looksAtRows: () => boolean;
  readonly mask: MaskText;
  /**
   * Asked where a query or a batch begins: whose it is, and whether there is a session of the database for it. A
   * WireError refuses it. Throws WireError where the connection cannot go on.
   */
  readonly claim: () => Answer<WireError | undefined>;
  /** Whether there is a session of the database. */
  readonly hasSession: () => boolean;
  readonly judges: () => boolean;
  readonly judge: (texts: readonly string[]) => string | undefined;
  readonly toDatabase: (bytes: Buffer) => void;
  readonly toClient: (bytes: Buffer) => void;
  readonly refused: (refused: Refused) => void;
  readonly running: (sql: string) => Running;
  /** The client has said goodbye. */
  readonly ended: () => void;
}

const MAX_STATEMENT = 16 * 1024 * 1024;
const MAX_OTHER = 64 * 1024;
const STREAMED = new Set([code('B'), code('d')]);
const STATEMENTS = new Set([code('Q'), code('P')]);
const EXTENDED = new Set(['P', 'B', 'D', 'E', 'C']);
const PASSED = new Set(['H', 'd', 'c', 'f']);
const DURING_COPY = new Set([...PASSED, 'S', 'X']);

export class ClientSide {
  readonly #deps: ClientSideDeps;
  readonly #reader: FrameReader;
  readonly #judging: Judging;
  readonly #extended: Extended;
  /** A message that waits. */
  #held: FramePart | undefined;
  /** What follows a refusal up to Sync is not for the database. */
  #isSkipping = false;
  /** The batch is nobody's, and the database does not hear of it at all. */
  #isUnclaimed = false;
  /** The rest of a long message goes where its beginning went. */
  #dropsParts = false;

  constructor(deps: ClientSideDeps) {
    this.#deps = deps;
    this.#reader = new FrameReader((type) => (STATEMENTS.has(type) ? MAX_STATEMENT : MAX_OTHER));
    this.#judging = new Judging(deps);
    this.#extended = new Extended({ ...deps, judging: this.#judging });
  }

  /** Whether a message waits. */
  get isWaiting(): boolean {
    return this.#held !== undefined;
  }

  /** False where a message waits, so that no more bytes can be taken. Throws WireError where the connection cannot go on. */
  take(chunk: Buffer): boolean {
    this.#reader.push(chunk);
    return this.resume();
  }

  /** Goes on where it waited; as `take`. */
  resume(): boolean {
    for (;;) {
      const part = this.#held ?? this.#reader.advance();
      if (part === undefined) return true;
      this.#held = this.#part(part) === 'wait' ? part : undefined;
      if (this.#held !== undefined) return false;
    }
  }

  #part(part: FramePart): Answer<undefined> {
    const reader = this.#reader;
    if (part === 'part' || part === 'last') {
      if (!this.#dropsParts) this.#deps.toDatabase(reader.frame());
      return undefined;
    }
    if (part === 'begin' && !STREAMED.has(reader.type))
      throw new WireError('54000', `A message of ${reader.length} bytes is longer than this listener takes.`);
    return this.#message(String.fromCharCode(reader.type), reader.frame());
  }

  #message(type: string, frame: Buffer): Answer<undefined> {
    if (this.#deps.conversation.isCopying && !DURING_COPY.has(type))
      throw new WireError('08P01', `A message (${type}) does not belong in the data of a COPY.`);
    if (EXTENDED.has(type)) return this.#batch(type, frame);
    if (type === 'Q' || type === 'F') return this.#query(type, frame);
    if (type === 'S') this.#sync(frame);
    else if (type === 'X') this.#deps.ended();
    else if (PASSED.has(type)) this.#pass(type, frame);
    else throw new WireError('08P01', `The client sent a message (${type}) that does not belong here.`);
    return undefined;
  }

  /** Outside of a query or a batch there is nothing that a Flush or data of COPY could be for. */
  #pass(type: string, frame: Buffer): void {
    const { conversation, toDatabase } = this.#deps;
    this.#dropsParts = this.#isSkipping || (!conversation.isOpen && conversation.requests.isEmpty);
    if (this.#dropsParts) return;
    if (type === 'c' || type === 'f') conversation.requests.add({ kind: 'copy-end' });
    toDatabase(frame);
  }

  #query(type: string, frame: Buffer): Answer<undefined> {
    const { conversation, toClient, toDatabase, running } = this.#deps;
    const claimed = this.#claimed();
    if (claimed === 'wait') return claimed;
    if (!claimed) {
      toClient(readyForQuery(conversation.status));
      return undefined;
    }
    const judged = type === 'F' ? FUNCTION_CALL : this.#judging.judge(new Fields(frame, 5).raw());
    if (judged === 'wait') return judged;
    const { sql, reason } = judged;
    const refusal = reason === undefined ? undefined : this.#refusal({ sql, reason });
    conversation.batch += 1;
    conversation.requests.add({
      kind: 'query',
      running: running(sql),
      refusal,
      columns: undefined,
      failed: false,
    });
    toDatabase(refusal === undefined ? frame : REFUSED_QUERY);
    return undefined;
  }

  #batch(type: string, frame: Buffer): Answer<undefined> {
    const { conversation, toDatabase } = this.#deps;
    this.#dropsParts = this.#isSkipping;
    if (this.#isSkipping) return undefined;
    const claimed = conversation.isOpen || this.#claimed();
    if (claimed === 'wait') return claimed;
    if (!claimed) {
      this.#isUnclaimed = true;
      this.#skip();
      return undefined;
    }
    const why = this.#extended.note(type, frame);
    if (why === 'wait') return why;
    conversation.isOpen = true;
    if (why === undefined) {
      toDatabase(frame);
      return undefined;
    }
    conversation.requests.add({ kind: 'refused', refusal: this.#refusal(why) });
    toDatabase(REFUSED_PARSE);
    this.#skip();
    return undefined;
  }

  /** False: the client has been told why not. */
  #claimed(): Answer<boolean> {
    const { claim, mask, toClient } = this.#deps;
    const claimed = claim();
    if (claimed === 'wait') return claimed;
    if (claimed !== undefined) toClient(errorResponse('ERROR', claimed.sqlstate, mask(claimed.message)));
    return claimed === undefined;
  }

  #skip(): void {
    this.#isSkipping = true;
    this.#dropsParts = true;
  }

  #sync(frame: Buffer): void {
    const { conversation, toClient, toDatabase, hasSession } = this.#deps;
    const isLocal = this.#isUnclaimed || !hasSession();
    this.#isSkipping = false;
    this.#isUnclaimed = false;
    conversation.isOpen = false;
    conversation.batch += 1;
    if (isLocal) {
      toClient(readyForQuery(conversation.status));
      return;
    }
    conversation.requests.add({ kind: 'sync' });
    toDatabase(frame);
  }

  #refusal(refused: Refused): Buffer {
    this.#deps.refused(refused);
    return errorResponse('ERROR', '42501', this.#deps.mask(refused.reason));
  }
}

const FUNCTION_CALL: Refused = {
  sql: 'FunctionCall',
  reason:
    'Function calls of the fast path (as for large objects) are refused: they name a function by a number alone; call it in a SELECT.',
};

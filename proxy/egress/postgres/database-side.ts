/** What the database says, on its way to the client: answers are matched with requests, and what they hold is masked. */
import type { Conversation } from './conversation.ts';
import { WireError } from './errors.ts';
import { FrameReader } from './frames.ts';
import { Fields, message, parameterStatus, readReport, type TransactionStatus } from './messages.ts';
import type { Masking } from './masking.ts';
import { Outlet } from './outlet.ts';
import type { Request, Running } from './requests.ts';
import { readColumns, rewriteColumns } from './rows/columns.ts';
import { isRow, RowFlow, rowLimit } from './rows/row-flow.ts';
import { isUtf8 } from './startup.ts';
import { maskNotification, maskReport, type MaskText } from './text-masker.ts';

export interface DatabaseSideDeps {
  readonly conversation: Conversation;
  /** By the policy that is in force now. */
  readonly masking: () => Masking;
  /** The name that the client gave itself. */
  readonly user: string;
  /** Bytes for the client. */
  readonly toClient: (bytes: Buffer) => void;
  /** Bytes for the database that the client did not send. */
  readonly toDatabase: (bytes: Buffer) => void;
  /** A statement has ended; with an SQLSTATE where it failed. */
  readonly ended: (running: Running, sqlstate: string | undefined) => void;
  /** An answer has come that something may wait for. */
  readonly moved: () => void;
}

const MAX_MESSAGE = 8 * 1024 * 1024;
const COPY_FAIL = message('f', Buffer.from('the result may not leave\0'));
/** What a session may only be where nothing but what was asked for is said. */
const MISPLACED = new Set(['V', 'W', 'R', 'K', 'v']);

export class DatabaseSide {
  readonly #deps: DatabaseSideDeps;
  readonly #reader: FrameReader;
  readonly #outlet: Outlet;
  readonly #rows: RowFlow;

  constructor(deps: DatabaseSideDeps) {
    this.#deps = deps;
    const { conversation, masking, toClient } = deps;
    this.#reader = new FrameReader((type) => (isRow(type) ? rowLimit(masking()) : MAX_MESSAGE));
    this.#outlet = new Outlet(toClient, (text) => masking().text(text));
    this.#rows = new RowFlow({
      reader: this.#reader,
      masking,
      outlet: this.#outlet,
      columns: () => {
        const { head } = conversation.requests;
        if (head?.kind === 'query') return head.columns;
        return head?.kind === 'execute' ? head.portal.columns : undefined;
      },
    });
  }

  /** Throws WireError where the connection cannot go on. */
  take(chunk: Buffer): void {
    const reader = this.#reader;
    reader.push(chunk);
    for (let part = reader.advance(); part !== undefined; part = reader.advance()) {
      if (part === 'whole' && isRow(reader.type)) {
        this.#rows.add();
        continue;
      }
      this.#rows.flush();
      if (part === 'whole') this.#message(String.fromCharCode(reader.type), reader.frame());
      else this.#rows.addPart(part);
    }
    this.#rows.flush();
  }

  #message(type: string, frame: Buffer): void {
    const masking = this.#deps.masking();
    if (MISPLACED.has(type))
      throw new WireError('08P01', `The database sent a message (${type}) that does not belong here.`);
    if (type === 'Z') this.#ready(frame);
    else if (type === 'E') this.#failed(frame);
    else if (type === 'T') this.#described(frame);
    else if (type === 'S') this.#parameter(frame);
    else if (type === 'N') this.#outlet.send(maskReport(frame, masking.text));
    else if (type === 'A') this.#outlet.send(maskNotification(frame, masking.text));
    else if (type === 'G') this.#copyInBegan(frame);
    else if (type === 'H') this.#copyOutBegan(frame);
    else this.#answered(type, frame);
  }

  /** The answers to single messages of the extended protocol, and the ends of statements. */
  #answered(type: string, frame: Buffer): void {
    const { conversation, moved } = this.#deps;
    const { requests } = conversation;
    if (type === '1') conversation.settleParse(requests.answered('parse'));
    else if (type === '2') conversation.settleBind(requests.answered('bind'));
    else if (type === '3') conversation.settleClose(requests.answered('close'));
    else if (type === 'n' && requests.answered('describe')?.own === true) return;
    else if (type === 'C' || type === 'I' || type === 's') this.#completed();
    this.#outlet.send(frame);
    moved();
  }

  #completed(): void {
    const { conversation, ended } = this.#deps;
    conversation.isCopying = false;
    const executed = conversation.requests.answered('execute');
    if (executed === undefined) return;
    conversation.took(executed.running.sql);
    ended(executed.running, undefined);
  }

  #described(frame: Buffer): void {
    const { conversation } = this.#deps;
    const masking = this.#deps.masking();
    const columns = readColumns(frame, masking.isSelected);
    const { head } = conversation.requests;
    if (head?.kind === 'query') head.columns = columns;
    else {
      const described = conversation.requests.answered('describe');
      if (described?.portal !== undefined) described.portal.columns = columns;
      if (described?.own === true) return;
    }
    this.#outlet.send(rewriteColumns(frame, columns, masking.text));
  }

  #copyOutBegan(frame: Buffer): void {
    this.#outlet.sendOrWithhold(() => {
      this.#deps.masking().checkCopyOut(frame);
      return frame;
    });
  }

  #copyInBegan(frame: Buffer): void {
    const { conversation, toDatabase } = this.#deps;
    if (!conversation.requests.copyBegan())
      throw new WireError('08P01', 'Nothing but data may follow a COPY from the client before its end.');
    conversation.isCopying = true;
    // The client is told nothing more of this answer, so it will send no data.
    if (this.#outlet.isClosed) toDatabase(COPY_FAIL);
    this.#outlet.send(frame);
  }

  #failed(frame: Buffer): void {
    const { conversation, ended, masking } = this.#deps;
    const { requests } = conversation;
    // Said while nothing was asked: the session ends, which its connection shows next.
    if (conversation.isAtRest) return;
    const { head } = requests;
    const sqlstate = readReport(frame).get('C') ?? 'XX000';
    const refusal = refusalOf(head);
    conversation.isCopying = false;
    this.#outlet.send(refusal ?? maskReport(frame, masking().text));
    if (head?.kind !== 'query') {
      this.#drop(requests.fail(), sqlstate);
      return;
    }
    head.failed = true;
    if (refusal === undefined) ended(head.running, sqlstate);
  }

  #ready(frame: Buffer): void {
    const { conversation, ended, moved } = this.#deps;
    const status = String.fromCharCode(frame[5] ?? 0);
    const done = conversation.requests.ready();
    const last = done.at(-1);
    if (last?.kind === 'query' && !last.failed) {
      conversation.took(last.running.sql);
      ended(last.running, undefined);
    }
    this.#drop(done.slice(0, -1), undefined);
    conversation.readyWith(isStatus(status) ? status : 'E');
    conversation.isCopying = false;
    this.#outlet.open();
    this.#outlet.send(frame);
    moved();
  }

  #drop(requests: readonly Request[], sqlstate: string | undefined): void {
    const { conversation, ended } = this.#deps;
    for (const request of requests) {
      conversation.unsettle(request);
      if (request.kind === 'execute') ended(request.running, sqlstate);
    }
  }

  #parameter(frame: Buffer): void {
    const fields = new Fields(frame, 5);
    const name = fields.text();
    const { masking, user } = this.#deps;
    this.#outlet.send(shownParameter(name, fields.text(), { mask: masking().text, user }));
  }
}

/**
 * A setting that the database reports, as the client may see it: the lease's user is nobody's business. Throws
 * WireError where the session would read texts otherwise than they were judged.
 */
export function shownParameter(
  name: string,
  value: string,
  { mask, user }: { readonly mask: MaskText; readonly user: string },
): Buffer {
  const isFit =
    name === 'client_encoding' ? isUtf8(value) : name !== 'standard_conforming_strings' || value === 'on';
  if (!isFit)
    throw new WireError(
      '57P01',
      `The session of the database has ${name} set to something that statements are not judged by here.`,
    );
  return parameterStatus(name, name === 'session_authorization' ? user : mask(value));
}

/** What the client gets in the place of the database's error, where that is one we made it say. */
function refusalOf(head: Request | undefined): Buffer | undefined {
  return head?.kind === 'query' || head?.kind === 'refused' ? head.refusal : undefined;
}

function isStatus(text: string): text is TransactionStatus {
  return text === 'I' || text === 'T' || text === 'E';
}

/** Notes what messages of the extended protocol ask for, and says which of them must not reach the database. */
import type { Conversation } from './conversation.ts';
import { WireError } from './errors.ts';
import type { Answer, Judging, Refused } from './judging.ts';
import { cstring, Fields, message } from './messages.ts';
import { UNSETTLED, type Portal } from './names.ts';
import type { Running } from './requests.ts';

export interface ExtendedDeps {
  readonly conversation: Conversation;
  readonly judging: Judging;
  /** Whether rows are looked at by type and name, so that every portal has to be described. */
  readonly looksAtRows: () => boolean;
  readonly running: (sql: string) => Running;
  readonly toDatabase: (bytes: Buffer) => void;
}

export class Extended {
  readonly #deps: ExtendedDeps;

  constructor(deps: ExtendedDeps) {
    this.#deps = deps;
  }

  /** `frame`: a Parse, Bind, Describe, Execute or Close; of a long Bind its beginning. Throws WireError. */
  note(type: string, frame: Buffer): Answer<Refused | undefined> {
    const fields = new Fields(frame, 5);
    if (type === 'P') return this.#parse(fields, frame);
    if (type === 'B') return this.#bind(fields);
    if (type === 'E') return this.#execute(fields.text());
    const of = String.fromCharCode(fields.byte());
    if (of !== 'S' && of !== 'P')
      throw new WireError('08P01', 'A message speaks of neither a statement nor a portal.');
    if (type === 'D') return this.#describe(of, fields.text());
    this.#close(of, fields.text());
    return undefined;
  }

  #parse(fields: Fields, frame: Buffer): Answer<Refused | undefined> {
    const { conversation, judging } = this.#deps;
    const name = fields.text();
    const judged = judging.judge(fields.raw());
    if (judged === 'wait') return judged;
    const { sql, reason } = judged;
    if (reason !== undefined) return { sql, reason };
    const prepared = { sql, message: Buffer.from(frame) };
    conversation.statements.give(name, prepared, conversation.batch);
    conversation.requests.add({ kind: 'parse', name, prepared });
    return undefined;
  }

  #bind(fields: Fields): Answer<undefined> {
    const { conversation } = this.#deps;
    const name = fields.text();
    const prepared = conversation.statements.get(fields.text(), conversation.batch);
    if (prepared === UNSETTLED) return 'wait';
    const portal: Portal = { prepared, columns: undefined, described: false };
    conversation.portals.give(name, portal, conversation.batch);
    conversation.requests.add({ kind: 'bind', name, portal });
    return undefined;
  }

  #describe(of: 'S' | 'P', name: string): Answer<undefined> {
    const { conversation } = this.#deps;
    const portal = of === 'P' ? conversation.portals.get(name, conversation.batch) : undefined;
    if (portal === UNSETTLED) return 'wait';
    if (portal !== undefined) portal.described = true;
    conversation.requests.add({ kind: 'describe', portal, own: false });
    return undefined;
  }

  #close(of: 'S' | 'P', name: string): void {
    const { conversation } = this.#deps;
    const names = of === 'S' ? conversation.statements : conversation.portals;
    names.give(name, undefined, conversation.batch);
    conversation.requests.add({ kind: 'close', of, name });
  }

  #execute(name: string): Answer<Refused | undefined> {
    const { conversation, judging, running } = this.#deps;
    const found = conversation.portals.get(name, conversation.batch);
    if (found === UNSETTLED) return 'wait';
    const portal: Portal = found ?? { prepared: undefined, columns: undefined, described: false };
    const why = judging.judgePrepared(portal.prepared?.sql);
    if (why !== undefined) return why;
    this.#describeUnasked(portal, name);
    conversation.requests.add({ kind: 'execute', portal, running: running(portal.prepared?.sql ?? '') });
    return undefined;
  }

  #describeUnasked(portal: Portal, name: string): void {
    const { conversation, looksAtRows, toDatabase } = this.#deps;
    if (portal.described || !looksAtRows()) return;
    portal.described = true;
    conversation.requests.add({ kind: 'describe', portal, own: true });
    toDatabase(message('D', Buffer.from('P'), cstring(name)));
  }
}

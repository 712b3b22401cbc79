/** Writes down what happens in one gateway: the record and the metrics, each outcome once. */
import type { MaskedText, RecordEvent } from '#control';
import { because } from '../lib/sentence.ts';
import type { BodyOutcome, MaskOutcome } from './engine/mask/index.ts';
import type { Masking } from './engine/masking/index.ts';
import type {
  Caller,
  Credentialed,
  ClientMessage,
  ClientRequest,
  Identified,
  Judgement,
  SessionFacts,
} from './exchange.ts';
import { RecorderUnavailable, RecordTooLarge } from './record/errors.ts';
import type { ProxyMetrics } from './record/metrics.ts';
import {
  approvalChanged,
  messagePassed,
  noticed,
  refused,
  requested,
  responded,
  sessionEnded,
  sessionStarted,
  wentOut,
  type Known,
  type Notice,
  type OutboundFacts,
} from './record/outcome.ts';
import type { Recorder } from './record/recorder.ts';
import { Refusal } from './refusal.ts';
import type { Owner } from './session/whose-call.ts';
import type { Released } from './release/index.ts';

export interface JournalDeps {
  readonly gateway: string;
  readonly recorder: Pick<Recorder, 'write' | 'ready'>;
  readonly metrics: ProxyMetrics;
  readonly now: () => number;
  readonly masker: Masking;
  readonly onFailure: 'Block' | 'Allow';
}

/** How an exchange ended, as metrics count it. */
export interface Ended {
  readonly method: string | undefined;
  readonly decision: 'allow' | 'deny' | 'hold' | 'none';
  readonly code: string;
  readonly startedAt: number;
}

/** A call of the server to the outside, as egress tells it; nothing in it has been masked. */
export interface OutboundCall extends Omit<OutboundFacts, 'what' | 'durationMs'> {
  readonly what: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Undefined where it is not certain whose call it was. */
  readonly owner: Owner | undefined;
}

export class Journal {
  readonly #deps: JournalDeps;

  constructor(deps: JournalDeps) {
    this.#deps = deps;
  }

  /** Throws a Refusal while nothing can be recorded and the gateway says that nothing may happen unrecorded. */
  checkReady(): void {
    if (this.#deps.onFailure === 'Block' && !this.#deps.recorder.ready()) throw notRecorded(undefined);
  }

  async request(
    exchange: Identified<ClientRequest>,
    judgement: Pick<Judgement, 'decision' | 'rule' | 'reason' | 'risk'>,
    more: { readonly credentials?: readonly string[]; readonly approval?: string | undefined } = {},
  ): Promise<void> {
    const { message } = exchange;
    this.#write(
      requested(this.#on(), {
        exchange,
        method: message.method,
        target: message.target,
        message: await this.#forRecord(message),
        judgement,
        ...more,
      }),
    );
  }

  async credentialed(exchange: Credentialed<ClientRequest>): Promise<void> {
    const credentials = exchange.inject.map((header) => header.credential);
    await this.request(exchange, exchange.judgement, credentials.length === 0 ? {} : { credentials });
  }

  answered(exchange: Identified, released: Released & { readonly kind: 'released' | 'withheld' }): void {
    this.#count(released);
    this.#write(responded(this.#on(), { exchange, message: released.text, masked: released.masked }));
  }

  /** The client was sent away to come back: the answer carries a sealed state, which nobody but the client keeps. */
  async sentRound(exchange: Identified): Promise<void> {
    const text = JSON.stringify({ resultType: 'input_required', requestState: '[sealed]' });
    const outcome = await this.#deps.masker.message(text, { purpose: 'record' });
    if (outcome.kind === 'released') {
      this.#write(responded(this.#on(), { exchange, message: outcome.text, masked: [] }));
    }
  }

  /** A message that is the answer to no request. */
  passed(
    from: 'client' | 'server',
    about: { readonly caller: Caller; readonly session: SessionFacts },
    method: string,
    released: Released,
  ): void {
    this.#count(released);
    if (released.kind === 'dropped') {
      this.notice(about, {
        code: 'message_dropped',
        reason: because(
          `A message ${method.slice(0, 64)} of the server was kept from the client`,
          released.reason,
        ),
      });
      return;
    }
    this.#write(
      messagePassed(this.#on(), { ...about, from, method, message: released.text, masked: released.masked }),
    );
  }

  /** Counts what was masked in what is not written down by itself: messages to the server, bodies beside MCP. */
  counted(outcome: MaskOutcome | BodyOutcome): void {
    this.#count(outcome);
  }

  async fromClient(exchange: Identified, method: string): Promise<void> {
    const message = await this.#forRecord(exchange.message);
    this.#write(
      messagePassed(this.#on(), {
        caller: exchange.caller,
        session: exchange.session,
        from: 'client',
        method,
        message,
        masked: [],
      }),
    );
  }

  /** Never throws: a refusal stands even where it cannot be written down. */
  refused(known: Known, refusal: Refusal): void {
    this.#deps.metrics.refusal(this.#deps.gateway, refusal.code);
    this.#writeIfPossible(refused(this.#on(), known, this.#masked(refusal)));
  }

  /** Something about the server that whoever runs the gateway should read. Never throws: it stops nothing. */
  notice(about: { readonly caller?: Caller; readonly session?: SessionFacts }, notice: Notice): void {
    this.#deps.metrics.notice(this.#deps.gateway, notice.code);
    const reason = this.#maskedSentence(notice.reason);
    this.#writeIfPossible(noticed(this.#on(), about, { ...notice, reason }));
  }

  approval(exchange: Identified, id: string, phase: string): void {
    this.#write(approvalChanged(this.#on(), exchange, { id, phase }));
  }

  sessionStarted(
    known: { readonly caller: Caller; readonly session: SessionFacts },
    transport: string,
  ): void {
    this.#deps.metrics.sessionOpened(this.#deps.gateway);
    this.#write(sessionStarted(this.#on(), known, transport));
  }

  sessionEnded(session: string, reason: string): void {
    this.#deps.metrics.sessionClosed(this.#deps.gateway);
    this.#writeIfPossible(sessionEnded(this.#on(), session, reason));
  }

  /** Throws a Refusal where it cannot be recorded and nothing may happen unrecorded. */
  outbound({ owner, what, reason, startedAt, ...facts }: OutboundCall): void {
    const { protocol, decision } = facts;
    this.#deps.metrics.outbound(this.#deps.gateway, { protocol, decision });
    this.#write(
      wentOut(
        this.#on(),
        { known: owner?.call?.exchange, session: owner === undefined ? undefined : sessionOf(owner) },
        {
          ...facts,
          what: this.#text(what),
          reason: reason === undefined ? undefined : this.#text(reason),
          durationMs: Math.max(0, this.#deps.now() - startedAt),
        },
      ),
    );
  }

  ended(ended: Ended): void {
    const { method, decision, code, startedAt } = ended;
    this.#deps.metrics.request({
      gateway: this.#deps.gateway,
      method,
      decision,
      code,
      durationMs: this.#deps.now() - startedAt,
    });
  }

  /** The client's message with everything masked that any policy would mask. */
  async #forRecord(message: ClientMessage): Promise<MaskedText> {
    const tool =
      message.kind === 'request' && message.target?.kind === 'tool' ? message.target.name : undefined;
    const outcome = await this.#deps.masker.message(message.text, { purpose: 'record', tool });
    if (outcome.kind === 'released') return outcome.text;
    const note = await this.#deps.masker.message(JSON.stringify({ withheld: outcome.reason }), {
      purpose: 'record',
    });
    return note.kind === 'released' ? note.text : NOTHING;
  }

  #text(text: string): MaskedText {
    const outcome = this.#deps.masker.text(text, { purpose: 'record' });
    return outcome.kind === 'released' ? outcome.text : NOTHING;
  }

  #masked(refusal: Refusal): Refusal {
    return new Refusal(refusal.code, this.#maskedSentence(refusal.message), { status: refusal.status });
  }

  #maskedSentence(sentence: string): string {
    const outcome = this.#deps.masker.text(sentence, { purpose: 'record' });
    return outcome.kind === 'released' ? outcome.text : 'The reason is withheld.';
  }

  #count(outcome: Released | MaskOutcome | BodyOutcome): void {
    const { gateway, metrics } = this.#deps;
    metrics.masked(gateway, outcome.masked);
    if (outcome.kind === 'released') metrics.audited(gateway, outcome.audited);
  }

  #on(): { gateway: string; at: number } {
    return { gateway: this.#deps.gateway, at: this.#deps.now() };
  }

  #writeIfPossible(event: RecordEvent): void {
    try {
      this.#deps.recorder.write(event);
    } catch (error) {
      if (!(error instanceof RecorderUnavailable)) throw error;
      this.#deps.metrics.recordDropped(this.#deps.gateway);
    }
  }

  #write(event: RecordEvent): void {
    try {
      this.#deps.recorder.write(event);
    } catch (error) {
      if (!(error instanceof RecorderUnavailable)) throw error;
      this.#deps.metrics.recordDropped(this.#deps.gateway);
      if (this.#deps.onFailure !== 'Block') return;
      throw error instanceof RecordTooLarge ? tooLarge(event.type, error) : notRecorded(error);
    }
  }
}

/** Holds nothing, so it needs no masking. */
const NOTHING = '{}' as MaskedText;

function sessionOf({ whose }: Owner): string | undefined {
  return whose === 'pod' ? undefined : whose.session;
}

/** What is written twice into JSON takes more as a record than as a message: each quote and each backslash of it. */
function tooLarge(type: RecordEvent['type'], cause: RecordTooLarge): Refusal {
  return type === 'request'
    ? new Refusal('too_large', `The call is too large to be recorded: ${cause.message}.`, {
        status: 413,
        as: -32600,
        cause,
      })
    : new Refusal('withheld', `The result was withheld: ${cause.message}.`, { as: 4403, cause });
}

function notRecorded(cause: unknown): Refusal {
  return new Refusal(
    'recorder_unavailable',
    'The call was refused because it cannot be recorded now; try again later.',
    { status: 503, as: -32603, cause },
  );
}

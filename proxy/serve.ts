/** One exchange from a verified caller to its recorded outcome. Whatever happens, the client gets an answer and the record an entry. */
import type { Logger } from '../lib/log.ts';
import { sentenceOf } from '../lib/errors.ts';
import { valueAt } from '../lib/json/index.ts';
import type { Approvals } from './control/approvals.ts';
import { StreamMemory } from './engine/mask/index.ts';
import type {
  ClientNotification,
  ClientRequest,
  ClientResponse,
  Credentialed,
  Identified,
} from './exchange.ts';
import type { Upstream } from './upstream.ts';
import type { Judged, Pending } from './hold/index.ts';
import type { Journal } from './journal.ts';
import { limitTime } from './deadline.ts';
import type { Enter } from './outward.ts';
import { admit, type Stages } from './pipeline.ts';
import { Refusal } from './refusal.ts';
import { refusalMessage } from './release/index.ts';
import { relayAnswer, type RelayDeps } from './relay.ts';
import type { Reply } from './reply.ts';
import type { Concealed } from './session/seal.ts';
import type { Session } from './session/sessions.ts';

export interface ServeDeps {
  readonly stages: Stages;
  readonly upstream: Upstream;
  readonly journal: Journal;
  readonly approvals: Approvals;
  readonly callTimeoutMs: number;
  readonly now: () => number;
  readonly log: Logger;
  /** Headers and text of a notification or response, with credentials put in. */
  readonly post: (
    exchange: Identified<ClientNotification | ClientResponse>,
    session: Session,
    headers: Readonly<Record<string, string>>,
  ) => Promise<void>;
  /** Takes out what of an answer the client carries back to the server. */
  readonly conceal: (text: string, exchange: Credentialed<ClientRequest>) => Concealed | undefined;
  readonly enter: Enter;
  readonly check: RelayDeps['check'];
  readonly learn: (text: string, exchange: Identified<ClientRequest>) => void;
  /** Once, when nothing more comes of an exchange. */
  readonly ended: (exchange: Identified<ClientRequest>) => void;
}

export interface Inbound {
  readonly session: Session;
  readonly headers: Readonly<Record<string, string>>;
  readonly reply: Reply;
  /** Aborted when the process is told to end. */
  readonly stopping: AbortSignal;
}

export async function serveRequest(
  exchange: Identified<ClientRequest>,
  inbound: Inbound,
  deps: ServeDeps,
): Promise<void> {
  await new Serving(exchange, inbound, deps).run();
}

class Serving {
  readonly #exchange: Identified<ClientRequest>;
  readonly #inbound: Inbound;
  readonly #deps: ServeDeps;
  #judged: Judged | undefined;
  #recorded = false;
  #approval: string | undefined;
  /** The last answer, where it holds something that the client carries back to the server. */
  #concealed: Concealed | undefined;
  #leave: () => void = () => undefined;

  constructor(exchange: Identified<ClientRequest>, inbound: Inbound, deps: ServeDeps) {
    this.#exchange = exchange;
    this.#inbound = inbound;
    this.#deps = deps;
  }

  async run(): Promise<void> {
    const { session } = this.#inbound;
    const cancel = new AbortController();
    session.active += 1;
    session.cancels.set(this.#exchange.message.id, cancel);
    try {
      this.#deps.journal.checkReady();
      const admitted = await this.#admit(cancel.signal);
      if ('pending' in admitted) await this.#answerPending(admitted);
      else await this.#forward(admitted);
    } catch (error) {
      await this.#refuse(this.#refusalOf(error));
    } finally {
      session.active -= 1;
      session.lastUsed = this.#deps.now();
      if (session.cancels.get(this.#exchange.message.id) === cancel)
        session.cancels.delete(this.#exchange.message.id);
    }
  }

  #admit(cancelled: AbortSignal): Promise<Credentialed<ClientRequest> | Pending> {
    const { journal, stages } = this.#deps;
    return admit(this.#exchange, stages, {
      reply: this.#inbound.reply,
      cancelled,
      milestones: {
        judged: async (judged) => {
          this.#judged = judged;
          if (judged.judgement.decision !== 'allow')
            await this.#record(() => journal.request(judged, judged.judgement));
        },
        credentialed: async (exchange) => {
          if (!this.#recorded) await this.#record(() => journal.credentialed(exchange));
        },
      },
    });
  }

  async #forward(exchange: Credentialed<ClientRequest>): Promise<void> {
    const { reply, headers, session, stopping } = this.#inbound;
    this.#approval = exchange.approval;
    const stop = new AbortController();
    const { signal } = stop;
    const over = limitTime(exchange.message.method, { stop, stopping, ms: this.#deps.callTimeoutMs });
    // Hanging up means to cancel in 2026-07-28 only; a legacy client may come back for the answer.
    if (session.era === 'modern') reply.gone.addEventListener('abort', () => stop.abort(), { once: true });
    try {
      const entered = await this.#deps.enter(exchange, headers, signal);
      this.#leave = entered.leave;
      const outbound = { headers: entered.headers, signal, link: session.link };
      const answer = await this.#deps.stages.forward(exchange, outbound);
      if (answer.kind === 'stream' && answer.begun) reply.begin();
      await this.#finish(
        relayAnswer(
          answer,
          { ...exchange, request: exchange.message, stream: new StreamMemory() },
          reply,
          this.#relayDeps(exchange, signal),
        ),
      );
    } finally {
      over();
    }
  }

  #relayDeps(exchange: Credentialed<ClientRequest>, signal: AbortSignal): RelayDeps {
    const { stages, journal, upstream, check, conceal, learn } = this.#deps;
    const { session, headers } = this.#inbound;
    return {
      check,
      release: (text, recipient) => {
        learn(text, exchange);
        if (exchange.message.method === 'initialize') session.revision = negotiated(text) ?? session.revision;
        this.#concealed = conceal(text, exchange);
        return stages.release(this.#concealed?.text ?? text, recipient);
      },
      finish: (released) => {
        journal.answered(this.#exchange, released);
        if (released.kind === 'withheld') this.#concealed = undefined;
        return this.#concealed?.seal(released.text) ?? released.text;
      },
      passed: (method, released) => journal.passed('server', exchange, method, released),
      answerServer: (text) =>
        void upstream.post({ link: session.link, text, headers, signal }).catch(() => undefined),
      resume: (lastEventId) => upstream.stream({ link: session.link, headers, signal, lastEventId }),
      detached: (relaying) =>
        void this.#finish(relaying).catch((error: unknown) => this.#refuse(this.#refusalOf(error))),
    };
  }

  /** Runs once the relay is over; a relay that was suspended is not. */
  async #finish(relaying: Promise<boolean>): Promise<void> {
    if (!(await relaying)) return;
    this.#end('ok');
    if (this.#concealed?.awaitsClient !== true) this.#reportOutcome('Completed');
  }

  async #answerPending(pending: Pending): Promise<void> {
    const { id } = this.#exchange.message;
    const result = { resultType: 'input_required', requestState: pending.requestState };
    const text = JSON.stringify({ jsonrpc: '2.0', id, result });
    await this.#deps.journal.sentRound(this.#exchange);
    this.#end('approval_pending');
    await this.#inbound.reply.answer(text, 200);
  }

  async #refuse(refusal: Refusal): Promise<void> {
    const { journal } = this.#deps;
    if (!this.#recorded) await this.#recordRefused(refusal);
    journal.refused(this.#exchange, refusal);
    this.#end(refusal.code);
    this.#reportOutcome(OUTCOME_KNOWN.has(refusal.code) ? 'Failed' : 'Unknown');
    const { message, session } = this.#exchange;
    await this.#inbound.reply.answer(
      refusalMessage(refusal, message, session.era),
      refusal.status,
      refusal.headers,
    );
  }

  /** The request goes into the record even when no stage let it pass. */
  async #recordRefused(refusal: Refusal): Promise<void> {
    const judgement = this.#judged?.judgement ?? {
      decision: 'deny',
      rule: undefined,
      reason: refusal.message,
      risk: 0,
    };
    try {
      await this.#deps.journal.request(this.#exchange, judgement);
    } catch (error) {
      this.#deps.log.warn({ reason: sentenceOf(error) }, 'a refused request could not be recorded');
    }
  }

  #refusalOf(error: unknown): Refusal {
    if (error instanceof Refusal) return error;
    this.#deps.log.error(
      { err: error, exchange: this.#exchange.exchange },
      'an exchange failed inside the proxy',
    );
    return new Refusal('internal', 'The gateway failed while it handled this call; its log says why.', {
      status: 500,
      as: -32603,
      cause: error,
    });
  }

  /** The approved call was consumed before it was forwarded; this says what became of it. */
  #reportOutcome(outcome: 'Completed' | 'Failed' | 'Unknown'): void {
    const id = this.#approval;
    if (id === undefined) return;
    this.#deps.approvals
      .outcome(id, outcome)
      .catch((error: unknown) =>
        this.#deps.log.warn(
          { approval: id, reason: sentenceOf(error) },
          'the outcome of an approved call could not be reported',
        ),
      );
  }

  #end(code: string): void {
    this.#leave();
    this.#deps.ended(this.#exchange);
    const decision = this.#judged?.judgement.decision ?? 'none';
    this.#deps.journal.ended({
      method: this.#exchange.message.method,
      decision,
      code,
      startedAt: this.#exchange.at,
    });
  }

  async #record(write: () => Promise<void>): Promise<void> {
    await write();
    this.#recorded = true;
  }
}

/** The revision that a server chose in its answer to `initialize`. */
function negotiated(text: string): string | undefined {
  const revision = valueAt(text, ['result', 'protocolVersion']);
  return typeof revision === 'string' ? revision : undefined;
}

/** Refusals after forwarding where it is known that the server was reached and failed, or was never reached. */
const OUTCOME_KNOWN = new Set(['upstream_invalid', 'withheld', 'credential_unavailable', 'turn_unavailable']);

/** Runs one line through the stages of the proxy, in their order. */
import type { Masked } from '../../crds/control.ts';
import { because } from '../../lib/sentence.ts';
import type { StreamMemory } from '../../proxy/engine/mask/index.ts';
import type { Masking } from '../../proxy/engine/masking/index.ts';
import type {
  Authorized,
  Caller,
  ClientMessage,
  ClientRequest,
  Identified,
  Judgement,
  SessionFacts,
} from '../../proxy/exchange.ts';
import { isObject, readMessages } from '../../proxy/receive/message.ts';
import { LEGACY_REVISIONS, MODERN_REVISIONS } from '../../proxy/receive/revisions.ts';
import { Refusal } from '../../proxy/refusal.ts';
import { refusalMessage, type Recipient, type Release } from '../../proxy/release/index.ts';
import { LineError, type Question, type Verdict } from './line.ts';

export interface Stages {
  /** Throws the Refusal of a caller who may not come in at all. */
  readonly identify: () => Promise<Caller>;
  readonly authorize: <M extends ClientMessage>(exchange: Identified<M>) => Authorized<M>;
  readonly judge: (exchange: Authorized<ClientRequest>) => Judgement;
  readonly masker: Masking;
  /** The text of a message before it is masked and forwarded. */
  readonly outgoing: (message: ClientMessage) => string;
  readonly release: Release;
  /** The lines are one stream: a value may be split over them. */
  readonly stream: StreamMemory;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Throws LineError for what is no message of MCP. */
export async function judgeLine(question: Question, stages: Stages): Promise<Verdict> {
  if (question.message === undefined) return releaseAlone(question.result ?? 'null', stages);
  const message = readMessage(question.message);
  const session = sessionOf(message);
  const request = message.kind === 'request' ? message : undefined;
  try {
    const caller = await stages.identify();
    return await pass(
      { exchange: 'try', at: stages.now(), message, caller, session },
      question.result,
      stages,
    );
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return refused(error, request, session);
  }
}

async function pass(exchange: Identified, result: string | undefined, stages: Stages): Promise<Verdict> {
  const authorized = stages.authorize(exchange);
  const request = isRequest(authorized) ? authorized.message : undefined;
  const judgement = isRequest(authorized) ? stages.judge(authorized) : ALLOWED;
  if (judgement.decision !== 'allow') return stopped(judgement, request, authorized.session);
  const tool = request?.target?.kind === 'tool' ? request.target.name : undefined;
  const outgoing = stages.outgoing(authorized.message);
  const forwarded = await stages.masker.message(outgoing, { purpose: 'request', tool });
  if (forwarded.kind === 'withheld') {
    const refusal = new Refusal('withheld', because('The call was not forwarded', forwarded.reason));
    return { ...refused(refusal, request, authorized.session), masked: forwarded.masked };
  }
  const { rule, reason, risk } = judgement;
  const about = { rule, reason, risk, ...parsedOf(judgement) };
  const verdict = { decision: 'allow', ...about, message: forwarded.text } as const;
  const { masked, audited } = forwarded;
  if (result === undefined) return { ...verdict, masked, audited };
  const released = await releaseResult(result, { ...authorized, request }, stages);
  return {
    ...verdict,
    result: released.result,
    masked: [...masked, ...released.masked],
    audited: [...audited, ...released.audited],
  };
}

/** Deny and hold: nothing is forwarded, and the client gets what it would get at once. */
function stopped(judgement: Judgement, request: ClientRequest | undefined, session: SessionFacts): Verdict {
  const { decision, rule, reason, risk } = judgement;
  const refusal =
    decision === 'hold'
      ? new Refusal('approval_pending', `This call waits for approval. Nothing has run. ${reason}`)
      : new Refusal('rule_denied', reason);
  return { ...refused(refusal, request, session), decision, rule, reason, risk, ...parsedOf(judgement) };
}

function parsedOf({ parsed }: Judgement): Pick<Verdict, 'parsed'> {
  const { classes, risk } = parsed;
  return classes.length + risk.length === 0 ? {} : { parsed };
}

/** A notification has no answer; its refusal shows in the HTTP status alone. */
function refused(refusal: Refusal, request: ClientRequest | undefined, session: SessionFacts): Verdict {
  return {
    decision: 'deny',
    rule: undefined,
    reason: refusal.message,
    risk: 0,
    ...(request && { result: refusalMessage(refusal, request, session.era) }),
    masked: [],
  };
}

/** What the server said of its own accord, or in answer to something that is not known here. */
async function releaseAlone(result: string, stages: Stages): Promise<Verdict> {
  const recipient = { caller: NOBODY, session: LEGACY, request: undefined };
  const { reason } = ALLOWED;
  const released = await releaseResult(result, recipient, stages);
  return { decision: 'allow', rule: undefined, reason, risk: 0, ...released };
}

async function releaseResult(
  text: string,
  recipient: Recipient,
  stages: Stages,
): Promise<{ result: string; masked: readonly Masked[]; audited: readonly Masked[] }> {
  const released = await stages.release(text, { ...recipient, stream: stages.stream });
  return {
    result: released.kind === 'dropped' ? 'null' : released.text,
    masked: released.masked,
    audited: released.kind === 'released' ? released.audited : [],
  };
}

function readMessage(text: string): ClientMessage {
  try {
    const [message] = readMessages(text).messages;
    if (message !== undefined) return message;
    throw new LineError('"message" holds no message.');
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause;
    throw new LineError(`"message" is not a message of MCP: ${cause.message}`, { cause });
  }
}

const LEGACY: SessionFacts = { id: 'try', era: 'legacy', revision: LEGACY_REVISIONS.at(-1) ?? '' };

/** A request of 2026-07-28 says so itself; everything else is of the revisions before it. */
function sessionOf(message: ClientMessage): SessionFacts {
  const meta = message.kind === 'response' ? undefined : message.params['_meta'];
  const revision = isObject(meta) ? meta['io.modelcontextprotocol/protocolVersion'] : undefined;
  if (typeof revision !== 'string') return LEGACY;
  return { id: 'try', era: MODERN_REVISIONS.includes(revision) ? 'modern' : 'legacy', revision };
}

function isRequest(exchange: Authorized): exchange is Authorized<ClientRequest> {
  return exchange.message.kind === 'request';
}

/** The judgement on what no rule can speak of: notifications, and what comes from the server. */
const ALLOWED: Judgement = {
  decision: 'allow',
  rule: undefined,
  ruleRevision: undefined,
  reason: 'Rules speak of requests alone.',
  risk: 0,
  parsed: { classes: [], targets: [], risk: [] },
  audited: [],
};

/** Whom a result is for that answers nothing: what only some may know of is not shown. */
const NOBODY: Caller = {
  provider: '',
  issuer: '',
  subject: '',
  username: '',
  clientId: undefined,
  groups: [],
  serviceAccount: undefined,
  spiffeId: undefined,
  claims: {},
  anonymous: true,
};

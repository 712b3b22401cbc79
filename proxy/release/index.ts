/** Stage 8: whatever the server says passes here before anybody else may see it: lists filtered, secrets masked. */
import type { Masked, MaskedText } from '../../crds/control.ts';
import type { JsonSpan } from '../../lib/json/index.ts';
import { because } from '../../lib/sentence.ts';
import { forbiddenQuestion, mayAsk, type Allowed } from '../engine/client-features.ts';
import type { StreamMemory } from '../engine/mask/index.ts';
import type { Masking } from '../engine/masking/index.ts';
import type { ClientRequest, Identified, Target } from '../exchange.ts';
import { Refusal } from '../refusal.ts';
import { keepPrivate } from './cache-hints.ts';
import { filterList } from './lists.ts';
import { learnOutputSchemas, type OutputSchemas } from './output-schemas.ts';
import { REFUSED, refusalText } from './refusal.ts';
import { readServerMessage, resourceOf, type ServerMessage } from './server-message.ts';

export { refusalMessage } from './refusal.ts';
export type { OutputSchemas } from './output-schemas.ts';

/** Who a message is for, and the request that it answers or belongs to, if any. */
export type Recipient = Pick<Identified, 'caller' | 'session'> & {
  readonly request?: ClientRequest | undefined;
  /** What the stream that brings the message has brought so far. */
  readonly stream?: StreamMemory | undefined;
};

export type Released =
  /** For the client, as it stands. `audited`: what policies that only count would have masked. */
  | {
      readonly kind: 'released';
      readonly text: MaskedText;
      readonly masked: readonly Masked[];
      readonly audited: readonly Masked[];
    }
  /** The client gets `text` in place of the server's answer, which may not leave. */
  | {
      readonly kind: 'withheld';
      readonly text: MaskedText;
      readonly reason: string;
      readonly masked: readonly Masked[];
    }
  /** The client gets nothing. Where the server asked something, `answer` goes back to it. */
  | {
      readonly kind: 'dropped';
      readonly reason: string;
      readonly masked: readonly Masked[];
      readonly answer: string | undefined;
    };

/** Releases one message of the server: validated JSON text, one JSON-RPC message. Never rejects for what is in it. */
export type Release = (text: string, recipient: Recipient) => Promise<Released>;

export interface ReleaseDeps {
  /** Whether access rules let the recipient know of a target. */
  readonly visible: (recipient: Recipient, target: Target) => boolean;
  /** Whether the definition of a tool, at `element` of a list, is one that was accepted. */
  readonly meets: (text: string, element: JsonSpan) => boolean;
  readonly masker: Masking;
  /** What the server may ask of clients. */
  readonly mayAsk: Allowed;
  /** Filled from the lists that pass; lives as long as the gateway. */
  readonly schemas: OutputSchemas;
}

/** The release of one gateway. */
export function createRelease(deps: ReleaseDeps): Release {
  return async (text, recipient) => {
    const message = readServerMessage(text);
    return message.kind === 'response'
      ? releaseAnswer(text, { message, recipient, deps })
      : releaseCall(text, { message, recipient, deps });
  };
}

interface Context<M extends ServerMessage> {
  readonly message: M;
  readonly recipient: Recipient;
  readonly deps: ReleaseDeps;
}
type Answer = Extract<ServerMessage, { kind: 'response' }>;
type Call = Exclude<ServerMessage, Answer>;

async function releaseAnswer(text: string, context: Context<Answer>): Promise<Released> {
  const { recipient, deps } = context;
  const method = recipient.request?.method;
  const question = forbiddenQuestion(text, deps.mayAsk);
  if (question !== undefined)
    return withhold(
      `the server asks the client for ${question}, which this gateway does not let it`,
      [],
      context,
    );
  if (method === 'tools/list') learnOutputSchemas(deps.schemas, text);
  const filtered = filterList(
    text,
    method,
    (target, element) =>
      deps.visible(recipient, target) && (target.kind !== 'tool' || deps.meets(text, element)),
  );
  if (filtered === undefined)
    return withhold('the server sent something else where a list belongs', [], context);
  const bounded = recipient.session.era === 'modern' ? keepPrivate(filtered) : filtered;
  const about = { purpose: 'release', ...toolOf(recipient, deps.schemas) } as const;
  const outcome = await deps.masker.message(bounded, about);
  return outcome.kind === 'released' ? outcome : withhold(outcome.reason, outcome.masked, context);
}

/** A notification or a request of the server. */
async function releaseCall(text: string, context: Context<Call>): Promise<Released> {
  const { message, recipient, deps } = context;
  if (message.kind === 'request' && recipient.session.era === 'modern') {
    // 2026-07-28: servers ask by an input_required result alone, and no client may answer what is asked otherwise.
    return {
      kind: 'dropped',
      reason: 'the revision knows no requests of servers',
      masked: [],
      answer: undefined,
    };
  }
  const forbidden = message.kind === 'request' && !mayAsk(message.method, deps.mayAsk);
  if (forbidden || forbiddenQuestion(text, deps.mayAsk) !== undefined) return refuseQuestion(message);
  const uri = message.method === 'notifications/resources/updated' ? resourceOf(text) : undefined;
  if (uri !== undefined && !deps.visible(recipient, { kind: 'resource', uri })) {
    return drop('it tells of a resource that the caller may not see', [], message);
  }
  const { stream } = recipient;
  const about = { purpose: 'release', stream, ...toolOf(recipient, undefined) } as const;
  const outcome = await deps.masker.message(text, about);
  return outcome.kind === 'released' ? outcome : drop(outcome.reason, outcome.masked, message);
}

/** What masking policies look at beside the message: the tool, and what its structured result must look like. */
function toolOf(
  { request }: Recipient,
  schemas: OutputSchemas | undefined,
): { tool?: string; outputSchema?: unknown } {
  if (request?.target?.kind !== 'tool') return {};
  const tool = request.target.name;
  const outputSchema = schemas?.get(tool);
  return outputSchema === undefined ? { tool } : { tool, outputSchema };
}

async function withhold(why: string, masked: readonly Masked[], context: Context<Answer>): Promise<Released> {
  const { message, recipient, deps } = context;
  const refusal = new Refusal('withheld', because('The result was withheld', why));
  const text = refusalText(refusal, {
    id: message.id,
    method: recipient.request?.method,
    era: recipient.session.era,
  });
  const outcome = await deps.masker.message(text, { purpose: 'release' });
  return outcome.kind === 'released'
    ? { kind: 'withheld', text: outcome.text, reason: why, masked }
    : drop(why, masked, message);
}

function drop(reason: string, masked: readonly Masked[], message: ServerMessage): Released {
  const answer = message.kind === 'request' ? refusedToServer(message.id) : undefined;
  return { kind: 'dropped', reason, masked, answer };
}

/** Asked by a server that this gateway does not let ask it. */
function refuseQuestion(message: Call): Released {
  const reason = 'the gateway does not let this server ask its clients for that';
  return { kind: 'dropped', reason, masked: [], answer: answerToQuestion(message) };
}

function answerToQuestion(message: Call): string | undefined {
  if (message.kind === 'notification') return undefined;
  const error = { code: REFUSED, message: 'The gateway does not let this server ask its clients for that.' };
  // Declining is what a person would do, and servers are made for it (*Elicitation*, Response Actions).
  const declined = message.method === 'elicitation/create';
  const body = declined ? '"result":{"action":"decline"}' : `"error":${JSON.stringify(error)}`;
  return `{"jsonrpc":"2.0","id":${message.id},${body}}`;
}

/** The server learns that its question did not arrive, not what was found in it. */
function refusedToServer(id: string): string {
  const error = { code: REFUSED, message: 'The gateway withheld this request from the client.' };
  return `{"jsonrpc":"2.0","id":${id},"error":${JSON.stringify(error)}}`;
}

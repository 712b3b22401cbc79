/** The way back: what the server answers, event by event, through release to the client. */
import { locate, mayHaveKey, valueAt } from '../lib/json/index.ts';
import { because } from '../lib/sentence.ts';
import type { Masking } from './engine/masking/index.ts';
import type { ClientRequest } from './exchange.ts';
import type { Answer } from './upstream.ts';
import { SseError, type SseEvent } from './lib/sse.ts';
import { Refusal } from './refusal.ts';
import type { Recipient, Release, Released } from './release/index.ts';
import type { Reply } from './reply.ts';

export interface RelayDeps {
  /** What is wrong with a text that should be JSON; undefined where nothing is. */
  readonly check: Masking['check'];
  readonly release: Release;
  /** Last touch on an answer before it is sent. */
  readonly finish: (
    released: Released & { readonly kind: 'released' | 'withheld' },
    status: number,
  ) => string;
  /** Everything that passed or was kept back, for the record. */
  readonly passed: (method: string, released: Released) => void;
  /** Sends a message of ours to the server: its request was kept from the client. */
  readonly answerServer: (text: string) => void;
  /** Opens the server's stream again behind an event (2025-11-25 polling). */
  readonly resume: (lastEventId: string) => Promise<Answer>;
  /** Takes over when the client has come back and the relay goes on behind its back. */
  readonly detached: (relaying: Promise<boolean>) => void;
}

/** Of what belongs to no request. */
export type UnsolicitedDeps = Pick<RelayDeps, 'check' | 'release' | 'passed' | 'answerServer'>;

type ServerMessage =
  | { readonly kind: 'response'; readonly id: unknown; readonly errorCode: number | undefined }
  | { readonly kind: 'call'; readonly method: string };

/** Relays the answer to one request. Returns false when the stream was left to be resumed. */
export async function relayAnswer(
  answer: Answer,
  recipient: Recipient & { request: ClientRequest },
  reply: Reply,
  deps: RelayDeps,
): Promise<boolean> {
  switch (answer.kind) {
    case 'none':
      throw new Refusal(
        'upstream_invalid',
        `The MCP server answered the request with HTTP status ${answer.status} and no message.`,
        { status: 502, as: -32603 },
      );
    case 'message':
      await answerWith(answer.text, answer.status, { recipient, reply, deps });
      return true;
    case 'stream':
      return relayStream(answer.events, { recipient, reply, deps });
  }
}

interface Way {
  readonly recipient: Recipient & { request: ClientRequest };
  readonly reply: Reply;
  readonly deps: RelayDeps;
}

async function relayStream(events: AsyncIterable<SseEvent>, way: Way): Promise<boolean> {
  let lastEventId: string | undefined;
  for await (const event of fromServer(events)) {
    lastEventId = event.id ?? lastEventId;
    if (event.data === '') {
      await way.reply.hint(event.retry);
      continue;
    }
    const message = await readServerText(event.data, way.deps);
    if (message.kind === 'call') await relayMessage(event.data, message.method, way);
    else if (message.id === way.recipient.request.id) {
      await answerWith(event.data, 200, way);
      return true;
    }
  }
  if (lastEventId !== undefined && leaveToResume(lastEventId, way)) return false;
  throw new Refusal('upstream_unavailable', 'The MCP server closed the stream before it answered.', {
    status: 502,
    as: -32603,
  });
}

function leaveToResume(lastEventId: string, way: Way): boolean {
  return way.reply.suspend(() => {
    const again = way.deps
      .resume(lastEventId)
      .then((answer) => relayAnswer(answer, way.recipient, way.reply, way.deps));
    way.deps.detached(again);
  });
}

/**
 * Servers must not answer here (2025-11-25, *Listening for Messages from the Server*). Nobody knows what such an answer
 * answers, so nobody could filter a list in it, and a client would take it for the one that it waits for.
 */
const ANSWERS_NOTHING: Released = {
  kind: 'dropped',
  reason: 'it answers a request on a stream that belongs to none',
  masked: [],
  answer: undefined,
};

/** Relays what belongs to no request, until the server ends the stream. */
export async function relayUnsolicited(
  events: AsyncIterable<SseEvent>,
  recipient: Recipient,
  deliver: (event: {
    data: string;
    id: string | undefined;
    retry: number | undefined;
  }) => Promise<void> | void,
  deps: UnsolicitedDeps,
): Promise<void> {
  for await (const { data, id, retry } of fromServer(events)) {
    if (data === '') {
      await deliver({ data, id, retry });
      continue;
    }
    const message = await readServerText(data, deps);
    const released = message.kind === 'call' ? await deps.release(data, recipient) : ANSWERS_NOTHING;
    deps.passed(message.kind === 'call' ? message.method : 'response', released);
    if (released.kind !== 'dropped') await deliver({ data: released.text, id, retry });
    else if (released.answer !== undefined) deps.answerServer(released.answer);
  }
}

async function relayMessage(text: string, method: string, { recipient, reply, deps }: Way): Promise<void> {
  const released = await deps.release(text, recipient);
  deps.passed(method, released);
  if (released.kind !== 'dropped') await reply.event(released.text);
  else if (released.answer !== undefined) deps.answerServer(released.answer);
}

async function answerWith(text: string, status: number, { recipient, reply, deps }: Way): Promise<void> {
  const message = await readServerText(text, deps);
  if (message.kind !== 'response' || !answers(message, recipient.request, status)) {
    throw new Refusal(
      'upstream_invalid',
      'The MCP server answered with a message that is not the response to the request.',
      { status: 502, as: -32603 },
    );
  }
  if (lostSession(message, status, recipient)) {
    throw new Refusal(
      'session_not_found',
      'The MCP server no longer knows this session; send initialize to open a new one.',
      { status: 404, as: -32001 },
    );
  }
  const released = await deps.release(text, recipient);
  if (released.kind === 'dropped')
    throw new Refusal('withheld', because('The result was withheld', released.reason), { as: 4403 });
  await reply.answer(deps.finish(released, status), status);
}

/** An error that the server raised before it read the id may carry none. */
function answers(
  message: { readonly id: unknown; readonly errorCode: number | undefined },
  request: ClientRequest,
  status: number,
): boolean {
  return (
    message.id === request.id ||
    (message.errorCode !== undefined && (message.id === null || message.id === undefined) && status >= 400)
  );
}

/** Some servers answer an unknown session with 400 and -32000, where the transport wants 404. */
function lostSession(
  message: { readonly errorCode: number | undefined },
  status: number,
  { session, request }: Way['recipient'],
): boolean {
  return (
    status === 400 &&
    message.errorCode === -32000 &&
    session.era === 'legacy' &&
    request.method !== 'initialize'
  );
}

async function readServerText(text: string, { check }: Pick<RelayDeps, 'check'>): Promise<ServerMessage> {
  const fault = await check(text);
  const message = fault === undefined ? serverMessageOf(text) : undefined;
  if (message !== undefined) return message;
  const sentence =
    fault === undefined
      ? 'The MCP server sent JSON that is no JSON-RPC message.'
      : `The MCP server's answer cannot be used: ${fault}`;
  throw new Refusal('upstream_invalid', sentence, { status: 502, as: -32603 });
}

/** Only for validated text, of which no value is built: it may be large. */
function serverMessageOf(text: string): ServerMessage | undefined {
  const method = mayHaveKey(text, 'method') ? valueAt(text, ['method']) : undefined;
  const answers = locate(text, ['result']) !== undefined || locate(text, ['error']) !== undefined;
  // What calls and answers in one is read as a call here, and may be read as an answer by the client.
  if (method !== undefined) return answers ? undefined : callOf(method);
  if (!answers) return undefined;
  const code = valueAt(text, ['error', 'code']);
  return {
    kind: 'response',
    id: valueAt(text, ['id']),
    errorCode: typeof code === 'number' ? code : undefined,
  };
}

function callOf(method: unknown): ServerMessage | undefined {
  return typeof method === 'string' ? { kind: 'call', method } : undefined;
}

/** Faults of the server's stream as refusals with a sentence. */
async function* fromServer(events: AsyncIterable<SseEvent>): AsyncGenerator<SseEvent> {
  try {
    yield* events;
  } catch (cause) {
    if (cause instanceof Refusal) throw cause;
    const what =
      cause instanceof SseError ? cause.message : 'The MCP server hung up in the middle of its answer.';
    throw new Refusal('upstream_unavailable', what, { status: 502, as: -32603, cause });
  }
}

/**
 * A server that is reached by one connection for everything (HTTP+SSE of 2024-11-05, stdio): requests get ids of our
 * own on it, and what comes back is told apart by id, progress token or subscription.
 */
import { locate, NOBODY, parseJson, scanJson, splice, valueAt, type JsonEdit } from '../../lib/json/index.ts';
import type { RequestId } from '../exchange.ts';
import type { SseEvent } from '../lib/sse.ts';
import { Refusal } from '../refusal.ts';
import { Channel } from './channel.ts';
import type { UpstreamConnection } from '../upstream.ts';

/** The wire itself: lines to a child process, or POSTs to a message endpoint. */
export interface Wire {
  /** `headers` belong to this message alone; a wire that has none ignores them. */
  send(text: string, headers: Readonly<Record<string, string>>): Promise<void>;
  close(): void;
}

interface Waiting {
  readonly clientId: RequestId;
  readonly progressToken: RequestId | undefined;
  readonly channel: Channel<SseEvent>;
}

const PROGRESS = 'notifications/progress';
const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId';

export interface ConnectionCall {
  readonly id: RequestId;
  readonly signal: AbortSignal;
  readonly headers: Readonly<Record<string, string>>;
  /** Whether a client that hangs up means to cancel (2026-07-28). */
  readonly cancelOnAbort: boolean;
}

export class Connection implements UpstreamConnection {
  readonly #wire: Wire;
  readonly #waiting = new Map<number, Waiting>();
  /** What belongs to no request: the client's own stream takes it, or nobody. */
  readonly unsolicited = new Channel<SseEvent>(1000);
  #next = 0;
  #closed: Refusal | undefined;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** Sends a request; its events end with its response. */
  async call(text: string, request: ConnectionCall): Promise<AsyncIterable<SseEvent>> {
    if (this.#closed !== undefined) throw this.#closed;
    this.#next += 1;
    const id = this.#next;
    const token = progressTokenOf(text);
    const channel = new Channel<SseEvent>();
    this.#waiting.set(id, { clientId: request.id, progressToken: token, channel });
    request.signal.addEventListener('abort', () => this.#abandon(id, request.cancelOnAbort), { once: true });
    await this.#send(renumber(text, id, token), request.headers);
    return channel;
  }

  async post(text: string, headers: Readonly<Record<string, string>>): Promise<void> {
    if (this.#closed !== undefined) throw this.#closed;
    await this.#send(this.#renumberCancel(text) ?? text, headers);
  }

  /** A message that came from the server. Throws JsonTextError when it is not JSON. */
  receive(text: string): void {
    // That no key stands twice, the relay sees to.
    scanJson(text, NOBODY);
    if (!isObject(text)) return;
    const waiting = this.#waiterOf(text);
    if (waiting === undefined) {
      this.unsolicited.push(eventOf(text));
      return;
    }
    waiting.entry.channel.push(eventOf(restore(text, waiting)));
    if (waiting.final) {
      this.#waiting.delete(waiting.id);
      waiting.entry.channel.end();
    }
  }

  /** The server is gone: whoever waits is told why. */
  fail(reason: Refusal): void {
    this.#closed ??= reason;
    for (const { channel } of this.#waiting.values()) channel.fail(reason);
    this.#waiting.clear();
    this.unsolicited.end();
  }

  get open(): boolean {
    return this.#closed === undefined;
  }

  close(): void {
    this.fail(
      new Refusal('upstream_unavailable', 'The connection to the MCP server was closed.', {
        status: 502,
        as: -32603,
      }),
    );
    this.#wire.close();
  }

  async #send(text: string, headers: Readonly<Record<string, string>>): Promise<void> {
    try {
      await this.#wire.send(text, headers);
    } catch (cause) {
      throw new Refusal('upstream_unavailable', 'The MCP server did not take the message.', {
        status: 502,
        as: -32603,
        cause,
      });
    }
  }

  #abandon(id: number, cancel: boolean): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    waiting.channel.end();
    const note = {
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId: id, reason: 'The client hung up.' },
    };
    if (cancel && this.open) this.#wire.send(JSON.stringify(note), {}).catch(() => undefined);
  }

  /** `notifications/cancelled` names the request by the client's id; the server knows it by ours. */
  #renumberCancel(text: string): string | undefined {
    const message = parseJson(text);
    if (!isRecord(message) || message['method'] !== 'notifications/cancelled' || !isRecord(message['params']))
      return undefined;
    const { requestId } = message['params'];
    const found = [...this.#waiting].find(([, waiting]) => waiting.clientId === requestId);
    const span = locate(text, ['params', 'requestId']);
    return found === undefined || span === undefined
      ? undefined
      : splice(text, [{ ...span, text: String(found[0]) }]);
  }

  #waiterOf(text: string): { id: number; entry: Waiting; final: boolean } | undefined {
    const method = valueAt(text, ['method']);
    if (method === undefined) return this.#byId(valueAt(text, ['id']), true);
    const subscription = valueAt(text, ['params', '_meta', SUBSCRIPTION]);
    if (subscription !== undefined) return this.#byId(subscription, false);
    if (method === PROGRESS) return this.#byId(valueAt(text, ['params', 'progressToken']), false);
    const [only] = this.#waiting;
    // Requests and log lines name no call; while there is just one, they are about it.
    if (only === undefined || this.#waiting.size > 1) return undefined;
    return { id: only[0], entry: only[1], final: false };
  }

  #byId(id: unknown, final: boolean): { id: number; entry: Waiting; final: boolean } | undefined {
    const entry = typeof id === 'number' ? this.#waiting.get(id) : undefined;
    return entry === undefined || typeof id !== 'number' ? undefined : { id, entry, final };
  }
}

/** Puts our id, and our id as progress token, in the place of the client's. */
function renumber(text: string, id: number, token: RequestId | undefined): string {
  const edits: JsonEdit[] = [];
  const idSpan = locate(text, ['id']);
  if (idSpan !== undefined) edits.push({ ...idSpan, text: String(id) });
  const tokenSpan = token === undefined ? undefined : locate(text, ['params', '_meta', 'progressToken']);
  if (tokenSpan !== undefined) edits.push({ ...tokenSpan, text: String(id) });
  return splice(text, edits);
}

/** The way back: the client's own id, token or subscription, with its JSON type. */
function restore(
  text: string,
  { entry, final }: { readonly entry: Waiting; readonly final: boolean },
): string {
  const edits: JsonEdit[] = [];
  const put = (path: readonly string[], value: RequestId): void => {
    const span = locate(text, path);
    if (span !== undefined) edits.push({ ...span, text: JSON.stringify(value) });
  };
  if (final) put(['id'], entry.clientId);
  else if (entry.progressToken !== undefined && valueAt(text, ['method']) === PROGRESS)
    put(['params', 'progressToken'], entry.progressToken);
  put(['params', '_meta', SUBSCRIPTION], entry.clientId);
  put(['result', '_meta', SUBSCRIPTION], entry.clientId);
  return splice(text, edits);
}

function progressTokenOf(text: string): RequestId | undefined {
  const token = valueAt(text, ['params', '_meta', 'progressToken']);
  return typeof token === 'string' || typeof token === 'number' ? token : undefined;
}

function isObject(text: string): boolean {
  const span = locate(text, []);
  return span !== undefined && text[span.start] === '{';
}

function eventOf(data: string): SseEvent {
  return { event: undefined, id: undefined, data, retry: undefined };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

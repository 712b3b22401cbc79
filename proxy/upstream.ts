/** What every way to an MCP server looks like from the pipeline. */
import type { RequestId } from './exchange.ts';
import type { SseEvent } from './lib/sse.ts';

/** What a session holds towards its server. The upstream writes it, sessions only keep it. */
export interface UpstreamLink {
  /** Id of the session that it belongs to. */
  readonly session: string;
  /** Mcp-Session-Id of the server, once it gave one. */
  sessionId: string | undefined;
  /** A connection or a child process of this session's own. */
  connection: UpstreamConnection | undefined;
}

export interface UpstreamConnection {
  close(): void;
}

export interface UpstreamCall {
  readonly link: UpstreamLink;
  /** The message as it is to be sent. */
  readonly text: string;
  /** Headers from the client that travel on, and those that credentials put in. */
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export interface UpstreamRequest extends UpstreamCall {
  readonly id: RequestId;
  readonly method: string;
}

/**
 * What a server answered. `message`: one JSON text, with the status it came with. `stream`: events as they arrive;
 * `begun` says that the server opened it by itself, so that the client is to see that too.
 * `none`: accepted, nothing to read.
 */
export type Answer =
  | { readonly kind: 'message'; readonly status: number; readonly text: string }
  | { readonly kind: 'stream'; readonly begun: boolean; readonly events: AsyncIterable<SseEvent> }
  | { readonly kind: 'none'; readonly status: number };

export interface Upstream {
  /** Sends a request. Throws a Refusal when the server cannot be reached or answers what is no MCP. */
  call(request: UpstreamRequest): Promise<Answer>;
  /** Sends a notification, or the client's response to a request of the server. */
  post(message: UpstreamCall): Promise<Answer>;
  /** Opens the stream of what belongs to no request (GET of the 2025 revisions). */
  stream(request: Omit<UpstreamCall, 'text'> & { readonly lastEventId: string | undefined }): Promise<Answer>;
  /** Ends the session; the HTTP status for the client. */
  end(request: Omit<UpstreamCall, 'text'>): Promise<number>;
  /** Whether a session that is only known by its sealed id can go on. */
  resumable(link: UpstreamLink): boolean;
  close(): Promise<void>;
}

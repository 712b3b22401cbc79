/** The way back to one client request, whatever carries it: a JSON body, an event stream, a shared SSE connection. */
export interface Reply {
  /** Aborted when the client hung up. */
  readonly gone: AbortSignal;
  /** Opens the event stream, where the client can read one: the server has begun its own. */
  begin(): void;
  /** Says that the work goes on. */
  keepAlive(): void;
  /** A message that comes before the answer: a notification, or a request of the server. */
  event(text: string): Promise<void> | void;
  /** A priming event, or a hint when to reconnect (2025-11-25); carries no message. */
  hint(retry: number | undefined): Promise<void> | void;
  /** The answer. `status` counts only where nothing was sent yet. */
  answer(text: string, status: number, headers?: Readonly<Record<string, string>>): Promise<void> | void;
  /**
   * The server closed its stream before it answered and expects to be asked again. Returns whether this client can
   * come back; when it does, `resume` is called and goes on with the same reply.
   */
  suspend(resume: () => void): boolean;
}

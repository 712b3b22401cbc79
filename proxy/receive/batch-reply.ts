/** The replies to the requests of one batch, gathered into the one body that a 2025-03-26 client waits for. */
import type { Reply } from '../reply.ts';

export class BatchReply {
  readonly #reply: Reply;
  readonly #answers: string[] = [];
  #left: number;

  constructor(reply: Reply, size: number) {
    this.#reply = reply;
    this.#left = size;
  }

  /** The reply to one of the requests. Its own status is not the batch's. */
  part(): Reply {
    return {
      gone: this.#reply.gone,
      begin: () => undefined,
      keepAlive: () => this.#reply.keepAlive(),
      event: (text) => this.#reply.event(text),
      hint: () => undefined,
      answer: (text) => this.#collect(text),
      suspend: () => false,
    };
  }

  #collect(text: string): Promise<void> | void {
    this.#answers.push(text);
    this.#left -= 1;
    if (this.#left === 0) return this.#reply.answer(`[${this.#answers.join(',')}]`, 200);
  }
}

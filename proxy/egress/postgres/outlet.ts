/** The way to the client: closed for the rest of an answer once a value stood in it that may not leave. */
import { WireError } from './errors.ts';
import { code, errorResponse } from './messages.ts';
import type { MaskText } from './text-masker.ts';

/** What a client gets at any time: settings, notifications, and that the database is ready again. */
const ALWAYS = new Set([code('S'), code('A'), code('Z')]);

export class Outlet {
  readonly #write: (bytes: Buffer) => void;
  readonly #mask: MaskText;
  #isClosed = false;

  constructor(write: (bytes: Buffer) => void, mask: MaskText) {
    this.#write = write;
    this.#mask = mask;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Until the database is ready again. */
  open(): void {
    this.#isClosed = false;
  }

  /** Messages, whole ones or parts of them. */
  send(bytes: Buffer): void {
    if (bytes.length === 0 || (this.#isClosed && !ALWAYS.has(bytes[0] ?? 0))) return;
    this.#write(bytes);
  }

  /** Sends what `work` gives, or an error in its place and nothing more of the answer. */
  sendOrWithhold(work: () => Buffer): void {
    if (this.#isClosed) return;
    try {
      this.send(work());
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.send(errorResponse('ERROR', error.sqlstate, this.#mask(error.message)));
      this.#isClosed = true;
    }
  }
}

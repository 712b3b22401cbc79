/**
 * The base of every error Gatehouse raises on purpose.
 *
 * `code` is stable and meant for programs; `message` is one sentence for a person and says what was wrong,
 * where, and what to do about it. It never holds a secret or a raw argument.
 */
export abstract class GatehouseError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The sentence to show for anything that was thrown. A stack never leaves the process this way. */
export function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

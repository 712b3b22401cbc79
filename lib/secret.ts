import { inspect } from 'node:util';

/**
 * A value that must not be seen. It prints, inspects and serializes as `[redacted]`, so that a log line, an
 * error or a record that holds one by mistake shows nothing. Only folders that a lint rule names call `reveal`.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[redacted]';
  }

  toJSON(): string {
    return '[redacted]';
  }

  [inspect.custom](): string {
    return '[redacted]';
  }
}

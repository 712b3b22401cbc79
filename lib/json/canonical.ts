import { tokenValue } from './parse.ts';
import { scanJson } from './scan.ts';
import type { JsonVisitor } from './visitor.ts';

/**
 * One text for all texts that say the same: no space, keys ordered and strings escaped as RFC 8785 has it. Numbers
 * stay as they are written, since a digest must tell 9007199254740993 from 9007199254740992 (RFC 8785 would
 * round both to the same). Throws JsonTextError for text that is not JSON.
 */
export function canonicalJson(text: string): string {
  const writer = new CanonicalWriter(text);
  scanJson(text, writer);
  return writer.result();
}

interface Container {
  readonly keys: string[];
  readonly values: string[];
}

class CanonicalWriter implements JsonVisitor {
  readonly #text: string;
  readonly #containers: Container[] = [{ keys: [], values: [] }];

  constructor(text: string) {
    this.#text = text;
  }

  result(): string {
    return this.#top().values.join('');
  }

  openObject(): void {
    this.#containers.push({ keys: [], values: [] });
  }

  openArray(): void {
    this.#containers.push({ keys: [], values: [] });
  }

  closeObject(): void {
    const { keys, values } = this.#pop();
    const members = keys.map((key, index) => ({ key, value: values[index] ?? '' }));
    // RFC 8785 section 3.2.3: by UTF-16 code units, which is how < compares strings.
    members.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    this.#value(`{${members.map(({ key, value }) => `${JSON.stringify(key)}:${value}`).join(',')}}`);
  }

  closeArray(): void {
    this.#value(`[${this.#pop().values.join(',')}]`);
  }

  key(start: number, end: number, plain: boolean): void {
    this.#top().keys.push(tokenValue(this.#text, start, end, plain));
  }

  string(start: number, end: number, plain: boolean): void {
    this.#value(JSON.stringify(tokenValue(this.#text, start, end, plain)));
  }

  number(start: number, end: number): void {
    this.#value(this.#text.slice(start, end));
  }

  literal(start: number, end: number): void {
    this.#value(this.#text.slice(start, end));
  }

  #value(canonical: string): void {
    this.#top().values.push(canonical);
  }

  #top(): Container {
    const top = this.#containers.at(-1);
    if (top === undefined) throw new RangeError('A container was closed that was not open.');
    return top;
  }

  #pop(): Container {
    const top = this.#top();
    this.#containers.pop();
    return top;
  }
}

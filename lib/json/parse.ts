import { JsonTextError, placeOf } from './error.ts';
import { scanJson } from './scan.ts';
import type { JsonVisitor } from './visitor.ts';

/** The value of the string token at `start` to `end`, quotes included. */
export function stringValue(text: string, start: number, end: number): string {
  const value: unknown = JSON.parse(text.slice(start, end));
  if (typeof value !== 'string') throw new TypeError('No string token lies there.');
  return value;
}

/** stringValue where the scan has said whether the token holds no escape. */
export function tokenValue(text: string, start: number, end: number, plain: boolean): string {
  return plain ? text.slice(start + 1, end - 1) : stringValue(text, start, end);
}

interface Limits {
  /** Levels of nesting; 256 where absent. */
  readonly maxDepth?: number;
}

/**
 * A stricter look than that of JSON.parse: no key twice in one object (escapes decoded), no nesting deeper than
 * `maxDepth`, nothing before or after the value, no byte order mark. Throws JsonTextError.
 */
export function checkJson(text: string, { maxDepth }: Limits = {}): void {
  scanJson(text, new UniqueKeys(text), maxDepth);
}

/**
 * What JSON.parse makes of the text, which must pass checkJson. A key `__proto__` becomes an own property like any
 * other. Throws JsonTextError.
 */
export function parseJson(text: string, limits?: Limits): unknown {
  checkJson(text, limits);
  const value: unknown = JSON.parse(text);
  return value;
}

/** The keys of one object. Most have a few, which are compared faster than they are hashed. */
class Keys {
  readonly #few: string[] = [];
  #many: Set<string> | undefined;

  /** False when the key was there already. */
  add(key: string): boolean {
    if (this.#many !== undefined) {
      const before = this.#many.size;
      return this.#many.add(key).size > before;
    }
    if (this.#few.includes(key)) return false;
    if (this.#few.push(key) > MANY) this.#many = new Set(this.#few);
    return true;
  }
}

const MANY = 12;

/** Refuses the second of two equal keys: which one counts is where parsers differ. */
class UniqueKeys implements JsonVisitor {
  readonly #text: string;
  readonly #objects: (Keys | undefined)[] = [];
  #keys: Keys | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  openObject(): void {
    this.#objects.push(this.#keys);
    this.#keys = new Keys();
  }

  closeObject(): void {
    this.#keys = this.#objects.pop();
  }

  key(start: number, end: number, plain: boolean): void {
    const keys = this.#keys;
    if (keys === undefined) return;
    if (keys.add(tokenValue(this.#text, start, end, plain))) return;
    throw new JsonTextError(
      'json_duplicate_key',
      `An object has the same key twice, the second time at ${placeOf(this.#text, start)}; send every key once.`,
    );
  }

  // Keys of one object stay apart from those of objects inside its arrays because each object has its own set.
  openArray(): void {}
  closeArray(): void {}
  string(): void {}
  number(): void {}
  literal(): void {}
}

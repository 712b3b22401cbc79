import { AnchorTable } from './anchor-table.ts';
import { Beginnings } from './beginnings.ts';
import type { Budget } from './budget.ts';
import { formsOf, type KnownForm } from './known-forms.ts';
import type { Span } from './types.ts';

export interface KnownHit extends Span {
  readonly value: string;
}

/** Values of at least this many characters are found in any case; shorter ones are too likely to be words. */
const ANY_CASE_FROM = 12;
/** No value has more forms than this. */
const FORM_BITS = 4;
/** Forms are made again to compare a candidate with; so many values' are kept for the next one. */
const MAX_MADE = 64;

/** Finds values in all their direct forms. Each value comes and goes by itself, in time that does not depend on the others. */
export class KnownIndex {
  /** Each form is in the first one that takes forms of its length: the longer, the fewer places are looked at. */
  readonly #tables = [new AnchorTable(12), new AnchorTable(8), new AnchorTable(4)] as const;
  readonly #beginnings = new Beginnings((value) => this.#numbers.has(value));
  readonly #numbers = new Map<string, number>();
  readonly #values: string[] = [];
  readonly #free: number[] = [];
  readonly #made = new Map<number, readonly KnownForm[]>();
  #longest = 0;

  /** Bytes of the longest form there ever was. */
  get longest(): number {
    return this.#longest;
  }

  add(value: string): void {
    if (this.#numbers.has(value)) return;
    const number = this.#free.pop() ?? this.#values.length;
    this.#values[number] = value;
    this.#numbers.set(value, number);
    for (const [at, { text }] of formsOf(value).entries()) {
      this.#tableFor(text)?.add(text, (number << FORM_BITS) | at);
      this.#beginnings.add(text, value);
      this.#longest = Math.max(this.#longest, Buffer.byteLength(text));
    }
  }

  remove(value: string): void {
    const number = this.#numbers.get(value);
    if (number === undefined) return;
    for (const [at, { text }] of formsOf(value).entries())
      this.#tableFor(text)?.remove(text, (number << FORM_BITS) | at);
    this.#numbers.delete(value);
    this.#made.delete(number);
    this.#values[number] = '';
    this.#free.push(number);
  }

  /** Whether bytes may hold a value; where this is false, `find` would find nothing in them. */
  mayHold(bytes: Uint8Array): boolean {
    return this.#tables.some((table) => table.mayHold(bytes));
  }

  /** Every place where one of the values stands; encoded ones take in the whole encoded run around them. */
  find(text: string, budget: Budget, isLive: (value: string) => boolean): KnownHit[] {
    const hits: KnownHit[] = [];
    budget.spend(text.length);
    const onAnchor = (start: number, ref: number): void => {
      const value = this.#values[ref >> FORM_BITS];
      const form = this.#formOf(ref);
      if (value === undefined || form === undefined || !isLive(value)) return;
      const end = start + form.text.length;
      const last = hits.at(-1);
      if (start < 0 || end > text.length) return;
      if (last !== undefined && start >= last.start && end <= last.end) return;
      budget.spend(form.text.length);
      if (stands(form, text.slice(start, end))) hits.push({ ...spread(form, text, start, end), value });
    };
    for (const table of this.#tables) table.scan(text, onAnchor);
    return hits;
  }

  /** How many characters at the end of the text begin a value. */
  begunAtEnd(text: string, isLive: (value: string) => boolean): number {
    return this.#beginnings.atEndOf(text, isLive);
  }

  /** Of what is shorter than the least that a table takes, too much stands in any text. */
  #tableFor(text: string): AnchorTable | undefined {
    return this.#tables.find(({ leastLength }) => text.length >= leastLength);
  }

  #formOf(ref: number): KnownForm | undefined {
    const number = ref >> FORM_BITS;
    let forms = this.#made.get(number);
    if (forms === undefined) {
      if (this.#made.size >= MAX_MADE) this.#made.clear();
      forms = formsOf(this.#values[number] ?? '');
      this.#made.set(number, forms);
    }
    return forms[ref & ((1 << FORM_BITS) - 1)];
  }
}

function stands(form: KnownForm, there: string): boolean {
  switch (form.kind) {
    case 'raw':
      return (
        there === form.text ||
        (form.text.length >= ANY_CASE_FROM && there.toLowerCase() === form.text.toLowerCase())
      );
    case 'hex':
      return there.toLowerCase() === form.text;
    case 'base64':
      return there.replaceAll('-', '+').replaceAll('_', '/') === form.text;
  }
}

/**
 * What is left of an encoded run after its middle is cut out decodes to nothing useful, and its ends would still
 * hold bits of the value: the whole run goes.
 */
function spread(form: KnownForm, text: string, start: number, end: number): Span {
  if (form.kind === 'raw') return { start, end };
  let from = start;
  let to = end;
  while (from > 0 && isEncodedCharacter(text.charCodeAt(from - 1))) from -= 1;
  while (to < text.length && isEncodedCharacter(text.charCodeAt(to))) to += 1;
  while (to < text.length && text.charCodeAt(to) === 0x3d) to += 1;
  return { start: from, end: to };
}

/** Of base64 or base64url, which takes in hex. */
export function isEncodedCharacter(code: number): boolean {
  if (code >= 0x61) return code <= 0x7a;
  if (code >= 0x41) return code <= 0x5a || code === 0x5f;
  return (code >= 0x2f && code <= 0x39) || code === 0x2b || code === 0x2d;
}

import { AhoCorasick } from './aho-corasick.ts';
import type { Budget } from './budget.ts';
import { Beginnings } from './beginnings.ts';
import { formsOf, type IndexedForm } from './known-forms.ts';
import { Sieve } from './sieve.ts';
import type { Span } from './types.ts';

export interface KnownHit extends Span {
  readonly value: string;
}

/** Values of at least this many characters are found in any case; shorter ones are too likely to be words. */
const ANY_CASE_FROM = 12;

/** Finds a fixed set of values in all their direct forms. */
export class KnownIndex {
  readonly #forms: readonly IndexedForm[];
  readonly #automaton: AhoCorasick;
  #beginnings: Beginnings | undefined;
  #sieve: Sieve | undefined;
  /** Bytes of the longest form. */
  readonly longest: number;

  constructor(values: Iterable<string>) {
    this.#forms = [...values].flatMap((value) => formsOf(value).map((form) => ({ ...form, value })));
    this.#automaton = new AhoCorasick(this.#forms.map((form) => form.anchor));
    this.longest = this.#forms.reduce((most, { text }) => Math.max(most, Buffer.byteLength(text)), 0);
  }

  /** Whether bytes may hold a value; where this is false, `find` would find nothing in them. */
  mayHold(bytes: Uint8Array): boolean {
    this.#sieve ??= new Sieve(
      this.#forms.flatMap(({ text }) => [Buffer.from(text), Buffer.from(text, 'latin1')]),
    );
    return this.#sieve.mayHold(bytes);
  }

  /** Every place where one of the values stands; encoded ones take in the whole encoded run around them. */
  find(text: string, budget: Budget, isLive: (value: string) => boolean): KnownHit[] {
    const hits: KnownHit[] = [];
    budget.spend(text.length);
    this.#automaton.scan(text, (anchorEnd, index) => {
      const form = this.#forms[index];
      if (form === undefined || !isLive(form.value)) return;
      const start = anchorEnd - form.anchor.length - form.anchorAt;
      const end = start + form.text.length;
      const last = hits.at(-1);
      if (start < 0 || end > text.length) return;
      if (last !== undefined && start >= last.start && end <= last.end) return;
      budget.spend(form.text.length);
      if (stands(form, text.slice(start, end)))
        hits.push({ ...spread(form, text, start, end), value: form.value });
    });
    return hits;
  }

  /** How many characters at the end of the text begin a value. Made when first asked: only streams ask. */
  begunAtEnd(text: string, isLive: (value: string) => boolean): number {
    this.#beginnings ??= new Beginnings(this.#forms);
    return this.#beginnings.atEndOf(text, isLive);
  }
}

function stands(form: IndexedForm, there: string): boolean {
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
function spread(form: IndexedForm, text: string, start: number, end: number): Span {
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

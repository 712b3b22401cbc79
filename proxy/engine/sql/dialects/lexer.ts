/**
 * Tokens of a dialect, cut exactly where its server cuts them: where strings, quoted names and comments begin and end
 * is what decides whether a statement is hidden. One pass, linear time. What the dialect does not know ends it.
 */

import type { LexRules, Token, TokenKind } from './tokens.ts';

const SYMBOLS = '()[]{},;.+-*/%<>=!~^&|:?';
const WORD_START = /[\p{L}_]/u;
const WORD_PART = /[\p{L}\p{N}\p{M}_]/u;
const QUOTES = `'"`;
const SPACES = ' \t\r\n\f\v';

/** The letters and digits of almost every word, told without a regular expression. */
function isWordPart(character: string): boolean {
  return (
    (character >= 'a' && character <= 'z') ||
    (character >= 'A' && character <= 'Z') ||
    (character >= '0' && character <= '9') ||
    character === '_'
  );
}

/** The tokens of a text, or undefined where the dialect cannot cut it into tokens. */
export function lex(text: string, rules: LexRules): Token[] | undefined {
  const lexer = new Lexer(text, rules);
  return lexer.run() ? lexer.tokens : undefined;
}

class Lexer {
  readonly tokens: Token[] = [];
  readonly #text: string;
  readonly #rules: LexRules;
  #at = 0;
  #insideExecutable = false;

  constructor(text: string, rules: LexRules) {
    this.#text = text;
    this.#rules = rules;
  }

  run(): boolean {
    while (this.#at < this.#text.length) {
      if (!this.#next()) return false;
    }
    return !this.#insideExecutable;
  }

  #next(): boolean {
    const character = this.#text.charAt(this.#at);
    if (SPACES.includes(character)) return this.#skip(1);
    return (
      this.#comment() ??
      this.#quoted(character) ??
      this.#number(character) ??
      this.#variable(character) ??
      this.#word() ??
      this.#symbol(character)
    );
  }

  #skip(length: number): true {
    this.#at += length;
    return true;
  }

  #comment(): boolean | undefined {
    const { hashComment, slashComment } = this.#rules;
    if (this.#isLineComment() || (hashComment && this.#sees('#')) || (slashComment && this.#sees('//'))) {
      return this.#lineComment();
    }
    if (this.#insideExecutable && this.#sees('*/')) {
      this.#insideExecutable = false;
      return this.#skip(2);
    }
    return this.#sees('/*') ? this.#blockComment() : undefined;
  }

  #lineComment(): boolean {
    const found = this.#text.indexOf('\n', this.#at);
    const end = found === -1 ? this.#text.length : found;
    const comment = this.#text.slice(this.#at, end);
    // Whether a line ends at one of these depends on the server, so what follows may be a comment or not.
    if (/[\r\v\f\u0085\u2028\u2029]/.test(comment.replace(/\r$/, ''))) return false;
    return this.#skip(comment.length);
  }

  #isLineComment(): boolean {
    if (!this.#sees('--')) return false;
    const after = this.#text.charAt(this.#at + 2);
    return this.#rules.dashNeedsSpace !== true || after === '' || /[\s\p{Cc}]/u.test(after);
  }

  #blockComment(): boolean {
    // A comment inside one that is run is read in different ways by different servers.
    if (this.#insideExecutable) return false;
    const executable = /^\/\*M?!\d*/.exec(this.#text.slice(this.#at, this.#at + 16));
    if (this.#rules.executableComments === 'run' && executable !== null) {
      this.#insideExecutable = true;
      return this.#skip(executable[0].length);
    }
    let depth = 1;
    this.#at += 2;
    while (depth > 0 && this.#at < this.#text.length) {
      const closes = this.#sees('*/');
      const opens = this.#rules.nestedComments === true && this.#sees('/*');
      depth += Number(opens) - Number(closes);
      this.#at += opens || closes ? 2 : 1;
    }
    return depth === 0;
  }

  #quoted(character: string): boolean | undefined {
    const { strings, names, dollarStrings } = this.#rules;
    if (strings.includes(character)) return this.#string(character);
    if (names.includes(character)) return this.#name(character === '[' ? ']' : character);
    if (dollarStrings === true && this.#sees('$$')) return this.#closed('string', '$$', { length: 2 });
    return this.#prefixed();
  }

  #prefixed(): boolean | undefined {
    const { strings, prefixes = '' } = this.#rules;
    if (
      !QUOTES.includes(this.#text.charAt(this.#at + 1)) &&
      !QUOTES.includes(this.#text.charAt(this.#at + 2))
    )
      return undefined;
    const prefix = /^[a-z]{1,2}(?=['"])/i.exec(this.#text.slice(this.#at, this.#at + 3))?.[0] ?? '';
    const quote = this.#text.charAt(this.#at + prefix.length);
    const known = prefix.split('').every((letter) => prefixes.includes(letter.toLowerCase()));
    if (prefix === '' || !known || !strings.includes(quote)) return undefined;
    this.#at += prefix.length;
    return this.#string(quote);
  }

  #string(quote: string): boolean {
    const { tripleQuotes, stringEscapes: escapes } = this.#rules;
    const triple = quote.repeat(3);
    if (tripleQuotes === true && this.#sees(triple))
      return this.#closed('string', triple, { length: 3, escapes });
    return this.#closed('string', quote, { length: 1, escapes });
  }

  #name(close: string): boolean {
    return this.#closed('name', close, { length: 1, escapes: this.#rules.nameEscapes });
  }

  /** Text up to its closing quote. */
  #closed(kind: TokenKind, close: string, how: { length: number; escapes?: boolean | undefined }): boolean {
    const start = this.#at + how.length;
    const doubled = close.length === 1 && this.#rules.doubled.includes(close);
    for (let at = start; at < this.#text.length; at++) {
      if (how.escapes === true && this.#text.charAt(at) === '\\') at += 1;
      else if (!this.#text.startsWith(close, at)) continue;
      else if (doubled && this.#text.startsWith(close, at + 1)) at += 1;
      else return this.#push(kind, start, at, at + close.length);
    }
    return false;
  }

  #number(character: string): boolean | undefined {
    if (!/\d/.test(character)) return undefined;
    const number = /^(0x[\da-f]+|\d+(\.\d*)?(e[+-]?\d+)?)/i.exec(this.#text.slice(this.#at, this.#at + 512));
    const length = number?.[0].length ?? 1;
    return this.#push('number', this.#at, this.#at + length, this.#at + length);
  }

  #variable(character: string): boolean | undefined {
    if (this.#rules.sigils?.includes(character) !== true) return undefined;
    let end = this.#at + 1;
    while (this.#text.charAt(end) === character) end += 1;
    return this.#push('variable', this.#at, this.#wordEnd(end), this.#wordEnd(end));
  }

  #word(): boolean | undefined {
    if (!isWordPart(this.#text.charAt(this.#at)) && !WORD_START.test(this.#text.charAt(this.#at)))
      return undefined;
    const end = this.#wordEnd(this.#at + 1);
    return this.#push('word', this.#at, end, end);
  }

  #wordEnd(from: number): number {
    const { wordExtras = '' } = this.#rules;
    let end = from;
    for (let part = this.#text.charAt(end); part !== ''; part = this.#text.charAt(end)) {
      if (!isWordPart(part) && !WORD_PART.test(part) && !wordExtras.includes(part)) break;
      end += 1;
    }
    return end;
  }

  #symbol(character: string): boolean {
    return SYMBOLS.includes(character) && this.#push('symbol', this.#at, this.#at + 1, this.#at + 1);
  }

  #push(kind: TokenKind, start: number, end: number, next: number): true {
    const source = this.#text.slice(start, end);
    this.tokens.push({ kind, text: kind === 'word' ? source.toUpperCase() : source, source });
    return this.#skip(next - this.#at);
  }

  #sees(text: string): boolean {
    return this.#text.startsWith(text, this.#at);
  }
}

import { JsonTextError, placeOf } from './error.ts';
import type { JsonVisitor } from './visitor.ts';

export const DEFAULT_MAX_DEPTH = 256;

const QUOTE = 0x22;
/** Characters that a string holds as they are. Where many follow each other, this is faster than to look at each. */
// eslint-disable-next-line no-control-regex -- control characters are what no string of JSON holds
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const LONG = 64;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const LETTER_U = 0x75;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * Reads the whole text by the grammar of RFC 8259 and tells the visitor. Takes linear time and no call stack,
 * however deep the text nests. Throws JsonTextError `json_invalid` or `json_too_deep`; what the visitor throws
 * goes through.
 */
export function scanJson(text: string, visitor: JsonVisitor, maxDepth: number = DEFAULT_MAX_DEPTH): void {
  new Scanner(text, visitor, maxDepth).scan();
}

/**
 * Reads the one value that begins at `start`, whatever follows it, and gives the offset behind it. Throws as
 * scanJson does where no whole value begins there.
 */
export function scanJsonAt(
  text: string,
  start: number,
  visitor: JsonVisitor,
  maxDepth: number = DEFAULT_MAX_DEPTH,
): number {
  return new Scanner(text, visitor, maxDepth, start).scanValue();
}

class Scanner {
  readonly #text: string;
  readonly #visitor: JsonVisitor;
  readonly #maxDepth: number;
  /** Offsets of the brackets that are open. */
  readonly #open: number[] = [];
  readonly #from: number;
  #at: number;

  constructor(text: string, visitor: JsonVisitor, maxDepth: number, start = 0) {
    this.#text = text;
    this.#visitor = visitor;
    this.#maxDepth = maxDepth;
    this.#from = start;
    this.#at = start;
  }

  scan(): void {
    this.#skipSpace();
    this.scanValue();
    this.#skipSpace();
    if (this.#at < this.#text.length) this.#fail('there is text after the end of the JSON value');
  }

  scanValue(): number {
    do {
      while (this.#enter());
    } while (this.#leave());
    return this.#at;
  }

  /** Reads a scalar or an empty container; or steps into a container, up to its first value, and says so. */
  #enter(): boolean {
    const code = this.#text.charCodeAt(this.#at);
    if (code === OPEN_BRACE) return this.#enterObject();
    if (code === OPEN_BRACKET) return this.#enterArray();
    if (code === QUOTE) {
      const start = this.#at;
      const plain = this.#string();
      this.#visitor.string(start, this.#at, plain);
    } else if (code === MINUS || isDigit(code)) this.#number();
    else this.#literal();
    return false;
  }

  /** After a value: steps out of what ends here and over a comma. False when the outermost value has ended. */
  #leave(): boolean {
    for (;;) {
      const opened = this.#open.at(-1);
      if (opened === undefined) return false;
      this.#skipSpace();
      const inObject = this.#text.charCodeAt(opened) === OPEN_BRACE;
      const code = this.#text.charCodeAt(this.#at);
      if (code === COMMA) {
        this.#at += 1;
        this.#skipSpace();
        if (inObject) this.#key();
        return true;
      }
      if (code !== (inObject ? CLOSE_BRACE : CLOSE_BRACKET)) {
        this.#fail(inObject ? 'a comma or } is missing' : 'a comma or ] is missing');
      }
      this.#close(opened, inObject);
    }
  }

  #enterObject(): boolean {
    const start = this.#push();
    this.#visitor.openObject(start);
    if (this.#text.charCodeAt(this.#at) !== CLOSE_BRACE) {
      this.#key();
      return true;
    }
    this.#close(start, true);
    return false;
  }

  #enterArray(): boolean {
    const start = this.#push();
    this.#visitor.openArray(start);
    if (this.#text.charCodeAt(this.#at) !== CLOSE_BRACKET) return true;
    this.#close(start, false);
    return false;
  }

  #push(): number {
    const start = this.#at;
    if (this.#open.length >= this.#maxDepth) {
      throw new JsonTextError(
        'json_too_deep',
        `The JSON nests deeper than ${this.#maxDepth} levels${this.#place(start)}; send a flatter value.`,
        start,
      );
    }
    this.#open.push(start);
    this.#at += 1;
    this.#skipSpace();
    return start;
  }

  #close(start: number, object: boolean): void {
    this.#open.pop();
    this.#at += 1;
    if (object) this.#visitor.closeObject(start, this.#at);
    else this.#visitor.closeArray(start, this.#at);
  }

  #key(): void {
    if (this.#text.charCodeAt(this.#at) !== QUOTE) this.#fail('an object key in double quotes is missing');
    const start = this.#at;
    const plain = this.#string();
    this.#visitor.key(start, this.#at, plain);
    this.#skipSpace();
    if (this.#text.charCodeAt(this.#at) !== COLON) this.#fail('a colon is missing after an object key');
    this.#at += 1;
    this.#skipSpace();
  }

  /** Reads a string and says whether it holds no escape. */
  #string(): boolean {
    const text = this.#text;
    let at = this.#at + 1;
    let plain = true;
    let far = at + LONG;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) break;
      if (code === BACKSLASH) {
        plain = false;
        at = this.#escape(at);
        far = at + LONG;
      } else if (code >= 0x20) at = at < far ? at + 1 : this.#behindPlain(at);
      else
        this.#failAt(at, at < text.length ? 'a string holds a control character' : 'a string does not end');
    }
    this.#at = at + 1;
    return plain;
  }

  /** The offset behind the plain characters from `at` on. */
  #behindPlain(at: number): number {
    PLAIN.lastIndex = at;
    PLAIN.test(this.#text);
    return PLAIN.lastIndex;
  }

  /** The offset behind the escape that begins at `at`. */
  #escape(at: number): number {
    const code = this.#text.charCodeAt(at + 1);
    if (code === LETTER_U) {
      for (let digit = at + 2; digit < at + 6; digit += 1) {
        if (!isHexDigit(this.#text.charCodeAt(digit))) this.#failAt(at, 'a string holds an unknown escape');
      }
      return at + 6;
    }
    if (!'"\\/bfnrt'.includes(String.fromCharCode(code))) {
      this.#failAt(at, 'a string holds an unknown escape');
    }
    return at + 2;
  }

  #number(): void {
    const text = this.#text;
    const start = this.#at;
    let at = text.charCodeAt(start) === MINUS ? start + 1 : start;
    at = text.charCodeAt(at) === ZERO ? at + 1 : this.#digits(at);
    if (text.charCodeAt(at) === DOT) at = this.#digits(at + 1);
    if ((text.charCodeAt(at) | 0x20) === 0x65) {
      const sign = text.charCodeAt(at + 1);
      at = this.#digits(sign === MINUS || sign === 0x2b ? at + 2 : at + 1);
    }
    this.#at = at;
    this.#visitor.number(start, at);
  }

  /** The offset behind one or more digits. */
  #digits(from: number): number {
    let at = from;
    while (isDigit(this.#text.charCodeAt(at))) at += 1;
    if (at === from) this.#failAt(at, 'a number is not written as JSON writes it');
    return at;
  }

  #literal(): void {
    const start = this.#at;
    for (const word of ['true', 'false', 'null']) {
      if (!this.#text.startsWith(word, start)) continue;
      this.#at += word.length;
      this.#visitor.literal(start, this.#at);
      return;
    }
    this.#fail(
      start < this.#text.length ? 'this begins no JSON value' : 'the text ends where a value is due',
    );
  }

  #skipSpace(): void {
    const text = this.#text;
    let at = this.#at;
    while (isSpace(text.charCodeAt(at))) at += 1;
    this.#at = at;
  }

  /** To find out costs a look at all that comes before, which who reads on behind a failure must not pay again and again. */
  #place(offset: number): string {
    return this.#from > 0 ? '' : ` at ${placeOf(this.#text, offset)}`;
  }

  #fail(what: string): never {
    this.#failAt(this.#at, what);
  }

  #failAt(offset: number, what: string): never {
    throw new JsonTextError(
      'json_invalid',
      `The text is not JSON:${this.#place(offset)} ${what}.`,
      Math.max(offset, this.#at),
    );
  }
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

function isHexDigit(code: number): boolean {
  const lower = code | 0x20;
  return isDigit(code) || (lower >= 0x61 && lower <= 0x66);
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

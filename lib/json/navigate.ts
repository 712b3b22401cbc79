/**
 * Finding one's way in validated JSON text without building the value. What is skipped is only counted through,
 * so the text must have passed scanJson or checkJson.
 */
import { stringValue } from './parse.ts';
import type { JsonSpan } from './visitor.ts';

export interface JsonMember {
  /** Decoded. */
  readonly key: string;
  /** Of the key's token, quotes included. */
  readonly keySpan: JsonSpan;
  readonly value: JsonSpan;
}

/** Where the value at `path` lies, or undefined where there is none. Only for validated text. */
export function locate(text: string, path: readonly (string | number)[]): JsonSpan | undefined {
  let span: JsonSpan | undefined = { start: skipSpace(text, 0), end: trimmedEnd(text) };
  for (const step of path) {
    if (span === undefined) return undefined;
    span = typeof step === 'number' ? elements(text, span)[step] : memberValue(text, span, step);
  }
  return span;
}

/** The value at `path`, or undefined where there is none. Only for validated text. */
export function valueAt(text: string, path: readonly (string | number)[]): unknown {
  const span = locate(text, path);
  return span === undefined ? undefined : JSON.parse(text.slice(span.start, span.end));
}

/** The elements of the array at `span`; none where it is no array. Only for validated text. */
export function elements(text: string, span: JsonSpan): JsonSpan[] {
  if (text[span.start] !== '[') return [];
  const found: JsonSpan[] = [];
  let at = skipSpace(text, span.start + 1);
  while (at < span.end - 1) {
    const end = valueEnd(text, at);
    found.push({ start: at, end });
    at = skipSeparator(text, end);
  }
  return found;
}

/** The members of the object at `span`; none where it is no object. Only for validated text. */
export function members(text: string, span: JsonSpan): JsonMember[] {
  if (text[span.start] !== '{') return [];
  const found: JsonMember[] = [];
  let at = skipSpace(text, span.start + 1);
  while (at < span.end - 1) {
    const keySpan = { start: at, end: stringEnd(text, at) };
    const start = skipSeparator(text, keySpan.end);
    const end = valueEnd(text, start);
    found.push({ key: keyAt(text, keySpan.start, keySpan.end), keySpan, value: { start, end } });
    at = skipSeparator(text, end);
  }
  return found;
}

/**
 * Whether some object of the text may have the key, of ASCII letters: a quick no for what looks for a member that most
 * messages do not have. A text without an escape of such a letter, `\u00…`, spells its keys as they are.
 * Neither search begins with a quote or a backslash, of which JSON in a string is full.
 */
export function mayHaveKey(text: string, key: string): boolean {
  return text.includes(`${key}"`) || text.includes('u00');
}

/** As `members` has it, without taking down what else is there: keys are unique in validated text. */
function memberValue(text: string, span: JsonSpan, key: string): JsonSpan | undefined {
  if (text[span.start] !== '{') return undefined;
  let at = skipSpace(text, span.start + 1);
  while (at < span.end - 1) {
    const keyEnd = stringEnd(text, at);
    const start = skipSeparator(text, keyEnd);
    const end = valueEnd(text, start);
    if (keyAt(text, at, keyEnd) === key) return { start, end };
    at = skipSeparator(text, end);
  }
  return undefined;
}

function keyAt(text: string, start: number, end: number): string {
  const key = text.slice(start + 1, end - 1);
  return key.includes('\\') ? stringValue(text, start, end) : key;
}

/** The offset behind the value that begins at `start`. */
function valueEnd(text: string, start: number): number {
  const first = text.charCodeAt(start);
  if (first === 0x22) return stringEnd(text, start);
  if (first === 0x7b || first === 0x5b) return containerEnd(text, start);
  let at = start;
  while (at < text.length && !endsScalar(text.charCodeAt(at))) at += 1;
  return at;
}

function containerEnd(text: string, start: number): number {
  let depth = 0;
  let at = start;
  do {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      at = stringEnd(text, at);
      continue;
    }
    if (code === 0x7b || code === 0x5b) depth += 1;
    else if (code === 0x7d || code === 0x5d) depth -= 1;
    at += 1;
  } while (depth > 0);
  return at;
}

function stringEnd(text: string, start: number): number {
  let at = start + 1;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return at + 1;
    at += code === 0x5c ? 2 : 1;
  }
}

/** Over the one comma or colon that follows a token, with the space around it. */
function skipSeparator(text: string, from: number): number {
  const at = skipSpace(text, from);
  const code = text.charCodeAt(at);
  return code === 0x2c || code === 0x3a ? skipSpace(text, at + 1) : at;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (isSpace(text.charCodeAt(at))) at += 1;
  return at;
}

function trimmedEnd(text: string): number {
  let end = text.length;
  while (isSpace(text.charCodeAt(end - 1))) end -= 1;
  return end;
}

/** A comma, a closing bracket or space. */
function endsScalar(code: number): boolean {
  return code === 0x2c || code === 0x5d || code === 0x7d || isSpace(code);
}

/** Not so for the NaN beyond the ends of a text. */
function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

import { filler, type LiteralDetector } from './detector.ts';

/** So many characters of an alphabet. */
export interface Run {
  /** A character class of RE2. */
  readonly charset: string;
  /** What examples are made of. */
  readonly example: string;
  readonly least: number;
  readonly most: number;
}

/** What is known of formats whose vendors publish none: the rules of scanners, from what they saw. */
export const GITLEAKS = 'https://github.com/gitleaks/gitleaks/blob/master/config/gitleaks.toml';
export const BETTERLEAKS = 'https://github.com/betterleaks/betterleaks/blob/main/config/betterleaks.toml';

/** A literal, one of several literals, or a run. */
export type Part = string | readonly string[] | Run;

export interface Format {
  readonly name: string;
  readonly description: string;
  /** The vendor's own document, or whose else it is. */
  readonly source: string;
  /** The value from its first character to its last. Case counts. */
  readonly parts: readonly Part[];
  readonly valid?: LiteralDetector['valid'];
  /** Where examples need more than the parts say, such as a checksum. */
  readonly examples?: LiteralDetector['examples'];
}

const runOf =
  (charset: string, example: string) =>
  (least: number, most: number = least): Run => ({ charset, example, least, most });

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const DIGITS = '0123456789';

export const alnum = runOf('[A-Za-z0-9]', `${LETTERS}${LETTERS.toLowerCase()}${DIGITS}`);
export const lowerAlnum = runOf('[a-z0-9]', `${LETTERS.toLowerCase()}${DIGITS}`);
export const upperAlnum = runOf('[A-Z0-9]', `${LETTERS}${DIGITS}`);
export const digits = runOf('[0-9]', DIGITS);
export const hex = runOf('[a-f0-9]', `${DIGITS}abcdef`);
export const anyHex = runOf('[A-Fa-f0-9]', `${DIGITS}abcdef`);
export const base32 = runOf('[A-Z2-7]', `${LETTERS}234567`);
export const lowerBase32 = runOf('[a-z2-7]', `${LETTERS.toLowerCase()}234567`);
export const word = runOf('[A-Za-z0-9_]', `${LETTERS}${LETTERS.toLowerCase()}${DIGITS}`);
/** Base64url. */
export const url64 = runOf('[A-Za-z0-9_-]', `${LETTERS}${LETTERS.toLowerCase()}${DIGITS}`);
export const base64 = runOf('[A-Za-z0-9+/]', `${LETTERS}${LETTERS.toLowerCase()}${DIGITS}`);
export const UUID: readonly Part[] = [hex(8), '-', hex(4), '-', hex(4), '-', hex(4), '-', hex(12)];

/** A format that is told by its parts: the pattern, where to look and the examples follow from them. */
export function format({ name, description, source, parts, valid, examples }: Format): LiteralDetector {
  const cue = cueOf(parts);
  return {
    cue: 'literal',
    name,
    description,
    source,
    literals: literalsOf(parts[cue] ?? '').map((literal) => literal.toLowerCase()),
    ...(cue === 0 ? {} : { before: parts.slice(0, cue).map(partPattern).join('') }),
    pattern: parts
      .slice(cue)
      .map((part, at, rest) => (at + 1 < rest.length ? partPattern(part) : lastPattern(part)))
      .join(''),
    tries: triesOf(parts),
    ...(parts.every(isUnbroken) ? { leastLength: leastLengthOf(parts) } : {}),
    ...(valid === undefined ? {} : { valid }),
    examples: examples ?? (() => examplesOf(parts)),
  };
}

/** The part to look for: the literal whose shortest writing is longest. */
function cueOf(parts: readonly Part[]): number {
  const lengths = parts.map((part) => Math.min(...literalsOf(part).map(({ length }) => length)));
  return lengths.reduce(
    (best, length, at) => (length !== Infinity && length > (lengths[best] ?? 0) ? at : best),
    lengths.findIndex(Number.isFinite),
  );
}

function literalsOf(part: Part): readonly string[] {
  if (typeof part === 'string') return [part];
  return isRun(part) ? [] : part;
}

function isRun(part: Part): part is Run {
  return typeof part === 'object' && 'charset' in part;
}

/** Beyond this the greatest length of what ends a value is left open: longer ones are tokens all the same. */
const MAX_COUNTED = 128;

function partPattern(part: Part): string {
  if (!isRun(part)) return `(?:${literalsOf(part).map(quote).join('|')})`;
  const { charset, least, most } = part;
  return `${charset}{${least === most ? least : `${least},${most}`}}`;
}

function lastPattern(part: Part): string {
  return isRun(part) && part.most > MAX_COUNTED ? `${part.charset}{${part.least},}` : partPattern(part);
}

function quote(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
}

/** All parts may be gone through, and as much of the last one as it has at least. */
function triesOf(parts: readonly Part[]): number {
  const last = parts.at(-1);
  return (
    parts.slice(0, -1).reduce((sum, part) => sum + (isRun(part) ? part.most : lengthOf(part)), 0) +
    (last === undefined ? 0 : isRun(last) ? last.least : lengthOf(last))
  );
}

function lengthOf(part: Exclude<Part, Run>): number {
  return Math.max(...literalsOf(part).map(({ length }) => length));
}

function examplesOf(parts: readonly Part[]): ReturnType<LiteralDetector['examples']> {
  const choices = Math.max(...parts.map((part) => literalsOf(part).length));
  const positive = Array.from({ length: choices }, (_, choice) => write(parts, choice));
  const whole = positive[0] ?? '';
  return {
    positive,
    negative: [
      write(parts.slice(0, -1), 0),
      write(parts.slice(1), 0),
      `x${whole}`,
      `${whole.slice(0, whole.length / 2)} ${whole.slice(whole.length / 2)}`,
    ],
  };
}

/** Whether the part holds nothing that ends a word, or that JSON would escape. */
function isUnbroken(part: Part): boolean {
  return isRun(part)
    ? /^\[[A-Za-z0-9_+/.~=-]+\]$/.test(part.charset)
    : literalsOf(part).every((literal) => !/[\s"\\]/.test(literal));
}

function leastLengthOf(parts: readonly Part[]): number {
  return parts.reduce(
    (sum, part) =>
      sum + (isRun(part) ? part.least : Math.min(...literalsOf(part).map(({ length }) => length))),
    0,
  );
}

function write(parts: readonly Part[], choice: number): string {
  return parts
    .map((part, at) =>
      isRun(part)
        ? filler(part.example, part.least).slice(at % 3) + filler(part.example, at % 3)
        : (literalsOf(part)[choice] ?? literalsOf(part)[0] ?? ''),
    )
    .join('');
}

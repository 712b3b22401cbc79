/** Where a match stands, for formats that a value alone does not prove. */
export interface Surroundings {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** The key of the JSON member or the header of the column that the text is the value of. */
  readonly key: string | undefined;
}

/** How far back a detector may look for what a value is called. */
const BEFORE = 64;

/** Up to 64 characters before the match. */
export function before({ text, start }: Surroundings): string {
  return text.slice(Math.max(0, start - BEFORE), start);
}

/** The character behind the match, or nothing. */
export function next({ text, end }: Surroundings): string {
  return text.charAt(end);
}

interface DetectorBase {
  /** Stable, kebab-case: replacements, records and metrics show it. */
  readonly name: string;
  readonly description: string;
  /** The document that defines the format. */
  readonly source: string;
  /** Says whether a match is one, where the shape alone does not: a checksum, a range, what stands around it. */
  readonly valid?: (value: string, around: Surroundings) => boolean;
  /** One writing for all writings of a value, so that their hashes are equal. */
  readonly normalize?: (value: string) => string;
  /** Built from pieces when called, so that the repository holds nothing that looks like a secret. */
  readonly examples: () => { readonly positive: readonly string[]; readonly negative: readonly string[] };
}

/** A format with a literal in every match; only the text near such a literal is looked at. */
export interface LiteralDetector extends DetectorBase {
  readonly cue: 'literal';
  /** Lower case, without quotes and backslashes; every match holds one of them, in any case. */
  readonly literals: readonly string[];
  /**
   * What begins with the literal. The group, where there is one, is the value; else the whole match is. Linear in what it
   * goes through: no two parts next to each other, or one within a repetition, take the same character.
   */
  readonly pattern: string;
  /** What of a match stands before its literal, of bounded length. */
  readonly before?: string;
  /** How many characters a try that comes to nothing may go through. Default 64. */
  readonly tries?: number;
  /**
   * Whether a match may lie around the literal that stands from `start` to `end`: a cheap look that spares the pattern,
   * of bounded length, and never false where the pattern matches.
   */
  readonly mayStand?: (text: string, start: number, end: number) => boolean;
  /** Set where no match holds space, a quote or a backslash: the length of the shortest one. */
  readonly leastLength?: number;
  /** Whether letters or digits may touch the value. Default false. */
  readonly embedded?: boolean;
}

/**
 * A number with at least eight digits, no letter among the first eight, or what `begins` and `parted` say. The pattern is of
 * bounded length, so that no input makes it slow.
 */
export interface NumberDetector extends DetectorBase {
  readonly cue: 'digits';
  readonly pattern: RegExp;
  /** `letter`: a letter and seven digits may begin it. `letters`: two letters and two digits do, whatever follows. */
  readonly begins?: 'letter' | 'letters';
  /** Set where one letter may stand behind the first six digits, in a value of at most fifteen characters. */
  readonly parted?: true;
  /** In lower case: where none of them stands before a value or in its key, `valid` goes by the value alone. */
  readonly words?: readonly string[];
  /** What of `valid` goes by the value and by whether one of the words may stand near it: false only where that is. */
  readonly mayBe?: (value: string, named: boolean) => boolean;
  /** Of the shortest number, and how many of them follow one another somewhere in each. Default 0. */
  readonly leastDigits?: number;
  readonly leastInARow?: number;
  /** The value at the beginning of a match that took in what follows it. */
  readonly cut?: (match: string) => string;
}

/** A value that only the key of its JSON member gives away. */
export interface MemberDetector extends DetectorBase {
  readonly cue: 'member';
  readonly valid: (value: string, around: Surroundings) => boolean;
}

/** A pattern of a policy: RE2, with nothing known about it. */
export interface PatternDetector {
  readonly cue: 'pattern';
  readonly name: string;
  readonly pattern: string;
}

export type BuiltinDetector = LiteralDetector | NumberDetector | MemberDetector;
export type Detector = BuiltinDetector | PatternDetector;

/**
 * A pattern for its letters in either case. V8 finds some of the alternatives of `(?i:…)` in the case they are written in
 * alone (13.6), and the i flag would hold for all of a pattern.
 */
export function anyCase(pattern: string): string {
  return pattern.replaceAll(/\\.|\[[^\]]*\]|[a-z]/gi, (part) =>
    part.length > 1 ? part : `[${part.toLowerCase()}${part.toUpperCase()}]`,
  );
}

/** Repeats pieces up to a length: for examples that are long but say nothing. */
export function filler(alphabet: string, length: number): string {
  // A stride that is no divisor of any alphabet here gives a value that is not periodic at a glance.
  return Array.from({ length }, (_, at) =>
    alphabet.charAt((at * 17 + (at >> 2) * 5 + 3) % alphabet.length),
  ).join('');
}

export const HEX = '0123456789abcdef';
export const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

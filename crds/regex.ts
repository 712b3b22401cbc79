/** Patterns that users write: RE2 syntax, so that no pattern backtracks on traffic. */
import { RE2JS, RE2JSSyntaxException } from 're2js';

/** Longest pattern, in characters. */
export const MAX_PATTERN_LENGTH = 1000;
/** Largest compiled pattern, in instructions: repeats of repeats grow fast. */
const MAX_PROGRAM_SIZE = 5000;

// Every context that a zero-width assertion can tell apart: edges of text, line and word.
const EMPTY_MATCH_PROBES = ['', 'a', ' ', 'a b', ' a ', '\n', 'a\nb', '-'];

/**
 * What is wrong with a pattern, as the end of a sentence that begins with its path; undefined where it may be used.
 */
export function checkPattern(pattern: string): string | undefined {
  if (pattern.length > MAX_PATTERN_LENGTH) return `must be at most ${MAX_PATTERN_LENGTH} characters long`;
  try {
    const compiled = RE2JS.compile(pattern);
    if (compiled.programSize() > MAX_PROGRAM_SIZE)
      return 'repeats too much; make its bounded repeats smaller';
    if (matchesEmpty(compiled))
      return 'matches the empty string, which would mask everywhere; make it match a character';
    return undefined;
  } catch (error) {
    const why = error instanceof RE2JSSyntaxException ? error.getDescription() : 'it cannot be compiled';
    return `must be a regular expression in RE2 syntax: ${why}`;
  }
}

function matchesEmpty(compiled: RE2JS): boolean {
  return EMPTY_MATCH_PROBES.some((probe) => {
    const matcher = compiled.matcher(probe);
    while (matcher.find()) {
      if (matcher.start() === matcher.end()) return true;
    }
    return false;
  });
}

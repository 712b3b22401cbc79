import { JsonTextError, scanJsonAt, type JsonVisitor } from '../../../lib/json/index.ts';
import type { Budget } from './budget.ts';
import type { Span } from './types.ts';

const nothing = (): void => undefined;

/** Only whether it is JSON is asked. */
const NOBODY: JsonVisitor = {
  openObject: nothing,
  openArray: nothing,
  closeObject: nothing,
  closeArray: nothing,
  key: nothing,
  string: nothing,
  number: nothing,
  literal: nothing,
};

/** Brackets that begin no JSON are given up on after so many, so that no text is read again and again. */
const MAX_FAILURES = 32;

/**
 * JSON objects and arrays in a text: the whole text, one a line, in a code block, or behind a word of introduction.
 * They begin at the start, or behind space or a colon.
 */
export function jsonIn(text: string, budget: Budget): Span[] {
  const found: Span[] = [];
  let failures = 0;
  const opening = /(?<=^|[\s:])[{[]/g;
  for (
    let match = opening.exec(text);
    match !== null && failures < MAX_FAILURES;
    match = opening.exec(text)
  ) {
    const end = endOfJson(text, match.index, budget);
    if (end === undefined) failures += 1;
    else {
      found.push({ start: match.index, end });
      opening.lastIndex = end;
    }
  }
  return found;
}

function endOfJson(text: string, start: number, budget: Budget): number | undefined {
  try {
    return scanJsonAt(text, start, NOBODY);
  } catch (error) {
    if (!(error instanceof JsonTextError)) throw error;
    budget.spend(text.length - start);
    return undefined;
  }
}

import { JsonTextError, NOBODY, scanJsonAt } from '../../../lib/json/index.ts';
import type { Budget } from './budget.ts';
import type { Span } from './types.ts';

/** What brackets that begin no JSON may cost for each character of the text; after that no more are tried. */
const FAILURE_COST = 4;

const OPENING = /(?<=^|[\s:])(?:\{(?=\s*["}])|\[(?=\s*["{[\]\-0-9tfn]))/g;

/**
 * JSON objects and arrays in a text: the whole text, one a line, in a code block, or behind a word of introduction.
 * They begin at the start, or behind space or a colon; what cannot go on as JSON is passed over at a glance.
 */
export function jsonIn(text: string, budget: Budget): Span[] {
  const found: Span[] = [];
  let left = FAILURE_COST * text.length;
  OPENING.lastIndex = 0;
  for (let match = OPENING.exec(text); match !== null && left > 0; match = OPENING.exec(text)) {
    const read = readJson(text, match.index);
    if (read.isJson) {
      found.push({ start: match.index, end: read.end });
      OPENING.lastIndex = read.end;
    } else {
      budget.spend(read.end - match.index + 1);
      left -= read.end - match.index + 1;
    }
  }
  return found;
}

/** How far a value goes, or how far one could be read that is none. */
function readJson(text: string, start: number): { readonly isJson: boolean; readonly end: number } {
  try {
    return { isJson: true, end: scanJsonAt(text, start, NOBODY) };
  } catch (error) {
    if (!(error instanceof JsonTextError)) throw error;
    return { isJson: false, end: Math.max(start, error.offset) };
  }
}

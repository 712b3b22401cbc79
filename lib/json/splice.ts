import { elements } from './navigate.ts';
import type { JsonSpan } from './visitor.ts';

/** Puts `text` in the place of what lies from `start` to `end`. */
export interface JsonEdit extends JsonSpan {
  readonly text: string;
}

/** By where they begin, then end. Mostly they are so already, and to sort many even then is as dear as to find them. */
export function inOrder<T extends JsonSpan>(spans: readonly T[]): readonly T[] {
  let [lastStart, lastEnd] = [0, 0];
  for (const { start, end } of spans) {
    if (start < lastStart || (start === lastStart && end < lastEnd))
      return spans.toSorted((a, b) => a.start - b.start || a.end - b.end);
    [lastStart, lastEnd] = [start, end];
  }
  return spans;
}

/** The text with the edits made, in whatever order they come. Throws RangeError where two overlap. */
export function splice(text: string, edits: readonly JsonEdit[]): string {
  if (edits.length === 0) return text;
  let spliced = '';
  let at = 0;
  for (const edit of inOrder(edits)) {
    if (edit.start < at || edit.end < edit.start || edit.end > text.length) {
      throw new RangeError(`An edit at ${edit.start} overlaps another or lies outside the text.`);
    }
    spliced += text.slice(at, edit.start);
    spliced += edit.text;
    at = edit.end;
  }
  return spliced + text.slice(at);
}

/**
 * The edits that take elements out of the array at `span`, each with the comma that parted it from what stays.
 * Only for validated text.
 */
export function removeElements(text: string, span: JsonSpan, indexes: ReadonlySet<number>): JsonEdit[] {
  const all = elements(text, span);
  const kept = all.filter((_, index) => !indexes.has(index));
  const last = all.at(-1);
  const lastKept = kept.at(-1);
  if (all[0] === undefined || last === undefined) return [];
  if (lastKept === undefined) return [{ start: all[0].start, end: last.end, text: '' }];

  const edits: JsonEdit[] = [];
  let goneFrom: number | undefined;
  all.forEach((element, index) => {
    if (indexes.has(index)) goneFrom ??= element.start;
    else if (goneFrom !== undefined) {
      edits.push({ start: goneFrom, end: element.start, text: '' });
      goneFrom = undefined;
    }
  });
  // Behind the last one that stays there is no comma to keep.
  if (goneFrom !== undefined) edits.push({ start: lastKept.end, end: last.end, text: '' });
  return edits;
}

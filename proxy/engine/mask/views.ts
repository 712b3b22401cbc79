/**
 * What a text says under one layer of encoding. A view knows where in its parent each of its characters came
 * from, so that what is found in it can be cut out of the parent.
 */
import { append } from './append.ts';
import { decodeRun } from './decode.ts';
import type { Features } from './features.ts';
import { DISGUISE, ESCAPES, PERCENT, rewrite, type Rewriter, type Rewritten } from './rewriting.ts';
import type { Span } from './types.ts';

export interface View extends Rewritten {
  /** Decoded from bytes that are no text: only known values and formats with a marker are looked for. */
  readonly binary: boolean;
  /** Whether it is all of the parent, or what one run of it decodes to. */
  readonly whole: boolean;
}

/**
 * Every view of the text that its features give a reason for. What is disguised may be the sign of another encoding, so
 * that the text is first seen without disguise.
 */
export function viewsOf(text: string, features: Features): View[] {
  if (features.disguise) return [whole(text, DISGUISE)];
  const views: View[] = [];
  if (features.escapes) views.push(whole(text, ESCAPES));
  if (features.percent) views.push(whole(text, PERCENT));
  for (const run of features.runs) append(views, runViews(text, run));
  return views;
}

function whole(text: string, rewriter: Rewriter): View {
  return { ...rewrite(text, rewriter), binary: false, whole: true };
}

/** A hit in what a run decodes to takes the whole run out, its padding too: what remained would not decode. */
function runViews(text: string, run: Span): View[] {
  let end = run.end;
  while (text[end] === '=') end += 1;
  return decodeRun(text, run).map((decoded) => ({
    ...decoded,
    whole: false,
    toParent: () => ({ start: run.start, end }),
  }));
}

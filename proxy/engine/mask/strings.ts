import { JsonTextError, scanJson, type JsonEdit, type JsonVisitor } from '../../../lib/json/index.ts';
import { maskDocument, type Work } from './document.ts';
import { examine, knownIn, MAX_LAYERS } from './examine.ts';
import { addSelections, emptyTrie, type PathTrie } from './json-path.ts';
import { SELECTOR_RANK, type Claim } from './ledger.ts';
import type { Place } from './place.ts';
import type { Plan } from './plan.ts';
import { PAYLOAD } from './shape.ts';

/** The edits that mask the value of a string, which may be JSON, a table or anything else. */
export function maskString(work: Work, text: string, place: Place): JsonEdit[] {
  const { probe, ledger } = work;
  const selected = takesFields(place) || !work.live ? place.selected : [];
  const whole: Claim[] = selected.map((use) => ({
    start: 0,
    end: text.length,
    value: text,
    uses: [use],
    rank: SELECTOR_RANK,
  }));
  const inside = mayHoldJson(place) && isJson(text) ? maskInside(work, text, place) : undefined;
  if (inside !== undefined) {
    const uncovered = knownIn(probe, text).filter(
      ({ start, end }) => !inside.some((edit) => edit.start <= start && end <= edit.end),
    );
    if (whole.length === 0 && uncovered.length === 0) return inside;
    // A value that holds JSON itself is not in any one leaf: the text around it goes.
    const all = uncovered.map((found) => ledger.claimOf({ ...found, start: 0, end: text.length }));
    const edits = ledger.decide([...whole, ...all], place.path, place.excluded);
    return edits.length > 0 ? edits : inside;
  }
  const found = examine(probe, text, place.role === 'payload' ? place.key : undefined);
  return ledger.decide([...whole, ...found.map((one) => ledger.claimOf(one))], place.path, place.excluded);
}

/** The edits in a text that is JSON. */
function maskInside(work: Work, text: string, place: Place): JsonEdit[] {
  const { selected, excluded } = place;
  return maskDocument(work, {
    text,
    shape: PAYLOAD,
    trie: place.role === 'text' ? selectionsIn(work.plan, text) : undefined,
    path: place.path(),
    selected,
    excluded,
    nesting: place.nesting + 1,
  });
}

/** What the queries select where the text is the payload itself. */
function selectionsIn(plan: Plan, text: string): PathTrie | undefined {
  if (plan.queries.length === 0) return undefined;
  const trie = emptyTrie();
  addSelections(trie, plan.queries, JSON.parse(text), []);
  return trie;
}

/** Selectors by key, path or column are about data. */
function takesFields({ role }: Place): boolean {
  return role === 'payload' || role === 'text' || role === 'blob';
}

function mayHoldJson({ role, nesting }: Place): boolean {
  return nesting < MAX_LAYERS && (role === 'payload' || role === 'text' || role === 'protocol');
}

/** Whether a text is a JSON object or array. Scalars are as good as text. */
function isJson(text: string): boolean {
  const first = /^\s*/.exec(text)?.[0].length ?? 0;
  if (text[first] !== '{' && text[first] !== '[') return false;
  try {
    scanJson(text, NOBODY);
    return true;
  } catch (error) {
    if (error instanceof JsonTextError) return false;
    throw error;
  }
}

const ignore = (): void => undefined;

const NOBODY: JsonVisitor = {
  openObject: ignore,
  openArray: ignore,
  closeObject: ignore,
  closeArray: ignore,
  key: ignore,
  string: ignore,
  number: ignore,
  literal: ignore,
};

import { append } from './append.ts';
import type { JsonEdit } from '../../../lib/json/index.ts';
import { maskDocument } from './document.ts';
import { jsonIn } from './embedded-json.ts';
import { examine, knownIn, knownUnder, MAX_LAYERS } from './examine.ts';
import { mayReachOverTokens } from './known-secrets.ts';
import type { Claim } from './ledger.ts';
import type { Place } from './place.ts';
import type { Use } from './plan.ts';
import { selectionsOf } from './selections.ts';
import { PAYLOAD } from './shape.ts';
import { cellsOf } from './tables.ts';
import type { Found, Span } from './types.ts';
import type { Work } from './work.ts';

/** The edits that mask the value of a string, which may be JSON, hold JSON, be a table or anything else. */
export function maskString(work: Work, text: string, place: Place): JsonEdit[] {
  const { probe, ledger } = work;
  const whole = selectedWhole(work, text, place);
  const parts = mayHoldJson(place) ? jsonIn(text, probe.budget) : [];
  if (parts.length === 0) {
    const claims = claimsIn(work, text, place);
    append(claims, whole);
    append(claims, place.seams);
    return ledger.decide(claims, place.path, place.excluded);
  }

  const inside = partwise(work, text, parts, place);
  // Part of a value in part of a text that is JSON: the whole text goes.
  const across = [...acrossTokens(work, text, inside), ...place.seams];
  const claims = across.map((found) => ({ ...found, start: 0, end: text.length }));
  const edits = ledger.decide([...whole, ...claims], place.path, place.excluded);
  return edits.length > 0 ? edits : inside;
}

/** A value that holds JSON itself is in no one leaf: where one stands, the whole text goes. */
function acrossTokens({ probe }: Work, text: string, inside: readonly JsonEdit[]): Found[] {
  if (!probe.known.reachesOverTokens) return [];
  const under = knownUnder(probe, text).filter(({ value }) => mayReachOverTokens(value));
  return [...knownIn(probe, text), ...under].filter(
    ({ start, end }) => !inside.some((edit) => edit.start <= start && end <= edit.end),
  );
}

/** The edits in a text of which some parts are JSON. */
function partwise(work: Work, text: string, parts: readonly Span[], place: Place): JsonEdit[] {
  const edits: JsonEdit[] = [];
  let at = 0;
  for (const part of parts) {
    append(edits, between(work, text, { start: at, end: part.start }, place));
    append(edits, shifted(maskInside(work, text.slice(part.start, part.end), place), part.start));
    at = part.end;
  }
  append(edits, between(work, text, { start: at, end: text.length }, place));
  return edits;
}

function between(work: Work, text: string, { start, end }: Span, place: Place): JsonEdit[] {
  const part = text.slice(start, end);
  if (part.trim() === '') return [];
  return shifted(work.ledger.decide(claimsIn(work, part, place), place.path, place.excluded), start);
}

function shifted(edits: readonly JsonEdit[], by: number): JsonEdit[] {
  return edits.map((edit) => ({ start: edit.start + by, end: edit.end + by, text: edit.text }));
}

/** Claims in a text that is no JSON. */
function claimsIn(work: Work, text: string, place: Place): Claim[] {
  const { plan, probe } = work;
  const claims: Claim[] = examine(probe, text, place.role === 'payload' ? place.key : undefined);
  const cells = place.role === 'text' || place.role === 'payload' ? cellsOf(plan, text) : [];
  append(
    claims,
    cells.map((cell) => selectorClaim(text, cell, cell.uses)),
  );
  return claims;
}

/** Selectors by key, path or column are about data; in the record about everything. */
function selectedWhole(work: Work, text: string, { role, selected }: Place): Claim[] {
  const isData = role === 'payload' || role === 'text' || role === 'blob';
  if (selected.length === 0 || text === '' || (work.live && !isData)) return [];
  return [selectorClaim(text, { start: 0, end: text.length }, selected)];
}

function selectorClaim(text: string, { start, end }: Span, selectedBy: readonly Use[]): Claim {
  return { start, end, value: text.slice(start, end), selectedBy };
}

/** The edits in a part that is JSON. */
function maskInside(work: Work, text: string, place: Place): JsonEdit[] {
  const isPayload = place.role === 'text' && work.plan.selectsByPlace;
  return maskDocument(work, {
    text,
    shape: PAYLOAD,
    trie: isPayload ? selectionsOf(work.plan, JSON.parse(text), [[]]) : undefined,
    path: place.path(),
    selected: place.selected,
    excluded: place.excluded,
    nesting: place.nesting + 1,
  });
}

function mayHoldJson({ role, nesting }: Place): boolean {
  return nesting < MAX_LAYERS && (role === 'payload' || role === 'text' || role === 'protocol');
}

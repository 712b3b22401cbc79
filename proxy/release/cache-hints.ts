/** `cacheScope` and `ttlMs` (2026-07-28, Caching). */
import { locate, mayHaveKey, splice, type JsonEdit, type JsonSpan } from '../../lib/json/index.ts';

/** After this an edit of the rules shows in what clients keep. */
const MAX_TTL_MS = 60_000;

/**
 * What came through a gateway was let through for one caller, so no shared cache may give it to another.
 * Members that are not there are not added. Only for validated text.
 */
export function keepPrivate(text: string): string {
  const edits: JsonEdit[] = [];
  const scope = memberOfResult(text, 'cacheScope');
  if (scope !== undefined && text.slice(scope.start, scope.end) !== '"private"') {
    edits.push({ ...scope, text: '"private"' });
  }
  const ttl = memberOfResult(text, 'ttlMs');
  if (ttl !== undefined && !(Number(text.slice(ttl.start, ttl.end)) <= MAX_TTL_MS)) {
    edits.push({ ...ttl, text: String(MAX_TTL_MS) });
  }
  return splice(text, edits);
}

function memberOfResult(text: string, key: string): JsonSpan | undefined {
  return mayHaveKey(text, key) ? locate(text, ['result', key]) : undefined;
}

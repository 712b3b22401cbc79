/** `cacheScope` and `ttlMs` (2026-07-28, Caching). */
import { locate, splice, type JsonEdit } from '../../lib/json/index.ts';

/** After this an edit of the rules shows in what clients keep. */
const MAX_TTL_MS = 60_000;

/**
 * What came through a gateway was let through for one caller, so no shared cache may give it to another.
 * Members that are not there are not added. Only for validated text.
 */
export function keepPrivate(text: string): string {
  const edits: JsonEdit[] = [];
  const scope = locate(text, ['result', 'cacheScope']);
  if (scope !== undefined && text.slice(scope.start, scope.end) !== '"private"') {
    edits.push({ ...scope, text: '"private"' });
  }
  const ttl = locate(text, ['result', 'ttlMs']);
  if (ttl !== undefined && !(Number(text.slice(ttl.start, ttl.end)) <= MAX_TTL_MS)) {
    edits.push({ ...ttl, text: String(MAX_TTL_MS) });
  }
  return splice(text, edits);
}

/** JSONPath (RFC 9535) that users write. It runs on every result, so what could run long on traffic is refused. */
import { compile } from 'json-p3';
import { sentenceOf } from '../lib/errors.ts';

const MAX_DESCENDANTS = 2;
const QUOTED = /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/g;

/** What is wrong with a path, as the end of a sentence that begins with where it stands; undefined where nothing is. */
export function checkJsonPath(path: string): string | undefined {
  if (!path.startsWith('$')) return 'must be a JSONPath (RFC 9535) that begins with "$"';
  try {
    compile(path);
  } catch (error) {
    return `must be a JSONPath (RFC 9535): ${sentenceOf(error)}`;
  }
  const bare = path.replaceAll(QUOTED, '""');
  // Both take a pattern of JavaScript, which backtracks; the second argument may even come from the traffic.
  if (/\b(?:match|search)\s*\(/.test(bare))
    return 'must not use match() or search(); use a detector with a pattern';
  if (bare.split('..').length - 1 > MAX_DESCENDANTS)
    return `must have at most ${MAX_DESCENDANTS} ".." segments`;
  return undefined;
}

import type { BuiltinDetector } from './detectors/detector.ts';
import type { Found, Span } from './types.ts';

/** How far back a detector may look for what a value is called. */
const SURROUNDINGS = 64;

/** What a detector makes of something that has its shape; undefined where it is none. */
export function accept(
  detector: BuiltinDetector,
  text: string,
  { start, end }: Span,
  key: string | undefined,
): Found | undefined {
  const value = text.slice(start, end);
  const before = text.slice(Math.max(0, start - SURROUNDINGS), start);
  if (detector.valid !== undefined && !detector.valid(value, { before, next: text.charAt(end), key }))
    return undefined;
  return { start, end, detector, value };
}

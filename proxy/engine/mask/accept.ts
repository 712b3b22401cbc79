import type { BuiltinDetector } from './detectors/detector.ts';
import type { Found, Span } from './types.ts';

/** What a detector makes of something that has its shape; undefined where it is none. */
export function accept(
  detector: BuiltinDetector,
  text: string,
  { start, end }: Span,
  key: string | undefined,
): Found | undefined {
  const value = text.slice(start, end);
  if (detector.valid?.(value, { text, start, end, key }) === false) return undefined;
  return { start, end, detector, value };
}

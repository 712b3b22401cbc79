/** What of a text was masked, found by holding what was released against what was received: all else is as it came. */
import tlds from 'tlds' with { type: 'json' };

export interface MaskedValue {
  readonly detector: string;
  readonly value: string;
}

const MASK = /\[REDACTED:([a-z0-9-]+)\]/g;

/** The detectors that were at work in a text, one for each mask. */
export function namesIn(released: string): string[] {
  return [...released.matchAll(MASK)].map(([, name = '']) => name);
}

export function masksBetween(received: string, released: string): MaskedValue[] {
  const found: MaskedValue[] = [];
  const marks = [...released.matchAll(MASK)];
  let at = marks[0]?.index ?? 0;
  for (const [number, mark] of marks.entries()) {
    const behind = mark.index + mark[0].length;
    const next = marks[number + 1]?.index ?? released.length;
    const between = released.slice(behind, next);
    const end =
      number + 1 === marks.length ? received.length - between.length : received.indexOf(between, at);
    found.push({ detector: mark[1] ?? '', value: received.slice(at, end) });
    at = end + between.length;
  }
  return found;
}

const TOP_LEVEL = new Set([...tlds, 'example', 'test', 'invalid', 'localhost']);

/** Addresses in packages and logs are addresses; what ends in no domain that there is, or is reserved (RFC 2606), is none. */
export function isFalse({ detector, value }: MaskedValue): boolean {
  return detector !== 'email' || !TOP_LEVEL.has(value.slice(value.lastIndexOf('.') + 1).toLowerCase());
}

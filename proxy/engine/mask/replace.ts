import { createHmac } from 'node:crypto';
import type { MaskAction } from '../../../crds/bundle.ts';

/** Actions that put something in the place of a value. */
export type ReplacingAction = Exclude<MaskAction, 'Block'>;

/** A shorter value would be given away by its last four characters. */
const PARTIAL_FROM = 12;

/**
 * What stands in the place of a value: `[REDACTED:<label>]`, `[PARTIAL:<label>:<last four letters or
 * digits>]` (Redact where the value is shorter than twelve characters), or `[HASH:<label>:<16 hex digits of
 * HMAC-SHA256>]`, which is equal for equal values of one installation.
 */
export function replacement(
  action: ReplacingAction,
  label: string,
  value: string,
  hashKey: Uint8Array,
): string {
  if (action === 'Hash') {
    return `[HASH:${label}:${createHmac('sha256', hashKey).update(value).digest('hex').slice(0, 16)}]`;
  }
  if (action === 'Partial') {
    const shown = value.replaceAll(/[^A-Za-z0-9]/g, '');
    if (shown.length >= PARTIAL_FROM) return `[PARTIAL:${label}:${shown.slice(-4)}]`;
  }
  return redaction(label);
}

/** What stands in the place of a value of which nothing is shown. */
export function redaction(label: string): string {
  return `[REDACTED:${label}]`;
}

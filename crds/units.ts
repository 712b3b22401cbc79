/** Durations (`15m`, `1h30m`, `90d`) and sizes (`4Mi`, `512k`, `1048576`) as people write them in manifests. */

const DURATION = /^(?:[0-9]{1,9}(?:ms|s|m|h|d))+$/;
const SIZE = /^([0-9]{1,15})(k|M|G|Ki|Mi|Gi)?$/;

const MILLISECONDS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const BYTES: Readonly<Record<string, number>> = {
  k: 1000,
  M: 1000 ** 2,
  G: 1000 ** 3,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
};

/** The duration in milliseconds, or undefined where the text is none. */
export function parseDuration(text: string): number | undefined {
  if (!DURATION.test(text)) return undefined;
  let total = 0;
  for (const [, count, unit] of text.matchAll(/([0-9]+)(ms|s|m|h|d)/g)) {
    total += Number(count) * (MILLISECONDS[unit ?? ''] ?? NaN);
  }
  return total;
}

/** The size in bytes, or undefined where the text is none. */
export function parseSize(text: string): number | undefined {
  const match = SIZE.exec(text);
  if (match === null) return undefined;
  const [, count, unit] = match;
  return Number(count) * (unit === undefined ? 1 : (BYTES[unit] ?? NaN));
}

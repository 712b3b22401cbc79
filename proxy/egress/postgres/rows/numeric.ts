/** numeric in binary: digits in base 10,000, with the weight of the first (numeric_send of PostgreSQL). */
import { Fields } from '../messages.ts';

const NEGATIVE = 0x4000;
const BASE_DIGITS = 4;

export function readNumeric(bytes: Buffer): string | undefined {
  const fields = new Fields(bytes);
  const count = fields.int16();
  const weight = fields.int16();
  const sign = fields.int16() & 0xffff;
  const scale = fields.int16();
  // NaN and the infinities
  if (sign !== 0 && sign !== NEGATIVE) return undefined;
  const digits = Array.from({ length: count }, () => fields.int16());
  const group = (at: number): string => String(digits[at] ?? 0).padStart(BASE_DIGITS, '0');
  let whole = '';
  for (let at = 0; at <= weight; at += 1) whole += group(at);
  let fraction = '';
  for (let at = weight + 1; fraction.length < scale; at += 1) fraction += at < 0 ? '0000' : group(at);
  const integer = whole.replace(/^0+(?=.)/, '') || '0';
  const decimals = scale > 0 ? `.${fraction.slice(0, scale)}` : '';
  return `${sign === NEGATIVE ? '-' : ''}${integer}${decimals}`;
}

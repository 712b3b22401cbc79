/** The ways in which numbers prove themselves. Where nothing else is said they take digits alone. */

import { isDigit } from '../kinds.ts';

/** ISO/IEC 7812-1 annex B. What is no digit does not count. */
export function passesLuhn(value: string): boolean {
  let sum = 0;
  let isDoubled = false;
  for (let at = value.length - 1; at >= 0; at -= 1) {
    const code = value.charCodeAt(at);
    if (!isDigit(code)) continue;
    const counted = isDoubled ? 2 * (code - 0x30) : code - 0x30;
    sum += counted > 9 ? counted - 9 : counted;
    isDoubled = !isDoubled;
  }
  return sum % 10 === 0;
}

/** The sum of the digits, each times its weight. */
export function weighted(digits: string, weights: readonly number[]): number {
  return weights.reduce((sum, weight, at) => sum + weight * (digits.charCodeAt(at) - 0x30), 0);
}

const VERHOEFF_D = [
  '0123456789',
  '1234067895',
  '2340178956',
  '3401289567',
  '4012395678',
  '5987604321',
  '6598710432',
  '7659821043',
  '8765932104',
  '9876543210',
];
const VERHOEFF_P = [
  '0123456789',
  '1576283094',
  '5803796142',
  '8916043527',
  '9453126870',
  '4286573901',
  '2793806415',
  '7046913258',
];

/** Verhoeff 1969: the check digit that the Unique Identification Authority of India uses. */
export function passesVerhoeff(digits: string): boolean {
  let check = 0;
  for (let at = 0; at < digits.length; at += 1) {
    const digit = digits.charCodeAt(digits.length - 1 - at) - 0x30;
    const permuted = Number(VERHOEFF_P[at % 8]?.[digit]);
    check = Number(VERHOEFF_D[check]?.[permuted]);
  }
  return check === 0;
}

/** ISO/IEC 7064, MOD 11,10. */
export function passesMod1110(digits: string): boolean {
  let product = 10;
  for (let at = 0; at < digits.length - 1; at += 1) {
    const sum = (digits.charCodeAt(at) - 0x30 + product) % 10;
    product = ((sum === 0 ? 10 : sum) * 2) % 11;
  }
  return (11 - product) % 10 === Number(digits.at(-1));
}

/** Whether two digits each of month and day could be a date; the century is not known. */
export function isMonthAndDay(month: string, day: string): boolean {
  const days = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][Number(month) - 1];
  return days !== undefined && Number(day) >= 1 && Number(day) <= days;
}

export function digitsOf(value: string): string {
  let digits = '';
  let from = 0;
  // Row by row, since to add a character at a time is dear.
  for (let at = 0; at <= value.length; at += 1) {
    if (at < value.length && isDigit(value.charCodeAt(at))) continue;
    digits += value.slice(from, at);
    from = at + 1;
  }
  return digits;
}

/** How many there are. */
export function countDigits(value: string): number {
  let count = 0;
  for (let at = 0; at < value.length; at += 1) if (isDigit(value.charCodeAt(at))) count += 1;
  return count;
}

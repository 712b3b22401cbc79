import { digitsOf, passesLuhn } from './check-digits.ts';
import type { BuiltinDetector } from './detector.ts';

/** Issuer ranges as the networks publish them: first digits, from and to, and the lengths that go with them. */
const BRANDS: readonly { readonly from: number; readonly to: number; readonly lengths: readonly number[] }[] =
  [
    { from: 340000, to: 349999, lengths: [15] },
    { from: 370000, to: 379999, lengths: [15] },
    { from: 400000, to: 499999, lengths: [16, 19] },
    { from: 510000, to: 559999, lengths: [16] },
    { from: 222100, to: 272099, lengths: [16] },
    { from: 601100, to: 601199, lengths: [16, 19] },
    { from: 622126, to: 622925, lengths: [16, 19] },
    { from: 644000, to: 659999, lengths: [16, 19] },
    { from: 352800, to: 358999, lengths: [16, 19] },
    { from: 300000, to: 305999, lengths: [14, 16] },
    { from: 309500, to: 309599, lengths: [14, 16] },
    { from: 360000, to: 369999, lengths: [14] },
    { from: 380000, to: 399999, lengths: [14, 16] },
    { from: 620000, to: 629999, lengths: [16, 17, 18, 19] },
    { from: 500000, to: 509999, lengths: [16, 18, 19] },
    { from: 560000, to: 589999, lengths: [16, 18, 19] },
    { from: 670000, to: 679999, lengths: [16, 18, 19] },
    { from: 220000, to: 220499, lengths: [16, 19] },
  ];

/** A number that an issuer could have given out. */
function isCard(value: string): boolean {
  if (!passesLuhn(value)) return false;
  const digits = digitsOf(value);
  return isIssued(digits) && !/^(\d)\1+$/.test(digits);
}

function isIssued(digits: string): boolean {
  const issuer = Number(digits.slice(0, 6));
  return BRANDS.some(
    ({ from, to, lengths }) => issuer >= from && issuer <= to && lengths.includes(digits.length),
  );
}

function withCheckDigit(body: string): string {
  const digit = Array.from('0123456789').find((candidate) => passesLuhn(body + candidate));
  return body + (digit ?? '');
}

export const paymentCards: readonly BuiltinDetector[] = [
  {
    cue: 'digits',
    name: 'payment-card',
    mayBe: isCard,
    leastDigits: 14,
    leastInARow: 4,
    description: 'Number of a payment card: issuer range, length, grouping and Luhn check digit',
    source: 'ISO/IEC 7812-1; issuer ranges as the card networks publish them',
    // Written in one piece, in groups of four, or in groups of four, six and four or five, with one separator.
    pattern:
      /(?<![0-9A-Za-z]|[0-9]\.)(?:[2-6][0-9]{13,18}|[2-6][0-9]{3}([ .-])[0-9]{4}\1[0-9]{4}\1(?:[0-9]{4}(?:\1[0-9]{1,3})?|[0-9]{2,3})|3[0-9]{3}([ .-])[0-9]{6}\2[0-9]{4,5})(?![0-9A-Za-z]|\.[0-9])/g,
    valid: isCard,
    normalize: digitsOf,
    examples: () => {
      const visa = withCheckDigit('4' + '12345678901234');
      const amex = withCheckDigit('37' + '828224631000');
      return {
        positive: [
          visa,
          visa.replaceAll(/(.{4})(?=.)/g, '$1-'),
          visa.replaceAll(/(.{4})(?=.)/g, '$1 '),
          amex,
          withCheckDigit('222300000000000'),
          withCheckDigit('601100099013942'),
        ],
        negative: [
          visa.slice(0, -1) + String((Number(visa.slice(-1)) + 1) % 10),
          `1${visa.slice(1)}`,
          `${visa}1`,
          '1761563012345',
          '2026-11-20 10:00:00',
          '0000000000000000',
          `0.${visa}`,
          `${visa}.5`,
        ],
      };
    },
  },
];

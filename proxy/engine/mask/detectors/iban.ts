import { anyCase, type BuiltinDetector } from './detector.ts';

/** ISO 13616: the check digits are those that make the rearranged number 1 modulo 97. */
function isIban(value: string): boolean {
  let counted = 0;
  let [head, tail] = [0, 0];
  for (let at = 0; at < value.length; at += 1) {
    const code = value.charCodeAt(at);
    if (isSeparator(code)) continue;
    counted += 1;
    // The first four count as if they stood last.
    if (counted <= 4) head = appended(head, code);
    else tail = appended(tail, code) % 97;
  }
  // Country letters are two digits each, so that the first four are six.
  return counted === lengthOf(value) && (tail * 1_000_000 + head) % 97 === 1;
}

/** The number with a digit, or with the two that a letter stands for, behind it. */
function appended(number: number, code: number): number {
  return code > NINE ? number * 100 + (code & CAPITAL) - TEN_AS_LETTER : number * 10 + code - ZERO;
}

const ZERO = 0x30;
const NINE = 0x39;
/** Takes the case off a letter. */
const CAPITAL = 0xdf;
/** A stands for 10. */
const TEN_AS_LETTER = 0x41 - 10;
const SPACE = 0x20;
const HYPHEN = 0x2d;

/** Lengths of the IBAN registry, by country. */
const IBAN_LENGTHS = new Map(
  Object.entries({
    AD: 24,
    AE: 23,
    AL: 28,
    AT: 20,
    AZ: 28,
    BA: 20,
    BE: 16,
    BG: 22,
    BH: 22,
    BR: 29,
    BY: 28,
    CH: 21,
    CR: 22,
    CY: 28,
    CZ: 24,
    DE: 22,
    DK: 18,
    DO: 28,
    EE: 20,
    EG: 29,
    ES: 24,
    FI: 18,
    FO: 18,
    FR: 27,
    GB: 22,
    GE: 22,
    GI: 23,
    GL: 18,
    GR: 27,
    GT: 28,
    HR: 21,
    HU: 28,
    IE: 22,
    IL: 23,
    IQ: 23,
    IS: 26,
    IT: 27,
    JO: 30,
    KW: 30,
    KZ: 20,
    LB: 28,
    LC: 32,
    LI: 21,
    LT: 20,
    LU: 20,
    LV: 21,
    LY: 25,
    MC: 27,
    MD: 24,
    ME: 22,
    MK: 19,
    MR: 27,
    MT: 31,
    MU: 30,
    NL: 18,
    NO: 15,
    PK: 24,
    PL: 28,
    PS: 29,
    PT: 25,
    QA: 29,
    RO: 24,
    RS: 22,
    SA: 24,
    SC: 31,
    SE: 24,
    SI: 19,
    SK: 24,
    SM: 27,
    ST: 25,
    SV: 28,
    TL: 23,
    TN: 24,
    TR: 26,
    UA: 29,
    VA: 22,
    VG: 24,
    XK: 20,
  }),
);

/** The same by what `countryAt` says. */
const LENGTHS = new Uint8Array(1 << 10);
for (const [country, length] of IBAN_LENGTHS) LENGTHS[countryAt(country)] = length;

/** One number for each two letters, in either case. */
function countryAt(value: string): number {
  return ((value.charCodeAt(0) & 0x1f) << 5) | (value.charCodeAt(1) & 0x1f);
}

/** Of the IBANs of the country whose code begins the value; 0 where there are none. */
function lengthOf(value: string): number {
  return LENGTHS[countryAt(value)] ?? 0;
}

/** Their codes in either case, by the first letter: a hash has letters and digits in all orders. */
const COUNTRIES = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ', (first) => {
  const seconds = [...IBAN_LENGTHS.keys()]
    .filter((code) => code.startsWith(first))
    .map((code) => code.slice(1));
  return seconds.length === 0 ? '' : anyCase(`${first}(?:${seconds.join('|')})`);
})
  .filter((pattern) => pattern !== '')
  .join('|');

/** So many letters and digits as the country has; words may follow behind a space. */
function cutToLength(match: string): string {
  const length = lengthOf(match);
  let counted = 0;
  for (let at = 0; at < match.length; at += 1) {
    if (isSeparator(match.charCodeAt(at))) continue;
    counted += 1;
    if (counted < length) continue;
    const end = at + 1;
    return end < match.length && isSeparator(match.charCodeAt(end)) ? match.slice(0, end) : match;
  }
  return match;
}

function isSeparator(code: number): boolean {
  return code === SPACE || code === HYPHEN;
}

function ibanExample(country: string, account: string): string {
  for (let check = 2; check < 99; check += 1) {
    const candidate = country + String(check).padStart(2, '0') + account;
    if (isIban(candidate)) return candidate;
  }
  return '';
}

export const iban: BuiltinDetector = {
  cue: 'digits',
  begins: 'letters',
  mayBe: isIban,
  cut: cutToLength,
  name: 'iban',
  description: 'International bank account number: country, length and check digits',
  source:
    'ISO 13616-1; https://www.swift.com/standards/data-standards/iban-international-bank-account-number',
  pattern: new RegExp(
    `(?<![0-9A-Za-z])(?:${COUNTRIES})[0-9]{2}(?:[ -]?[0-9A-Za-z]){11,28}(?![0-9A-Za-z])`,
    'g',
  ),
  valid: isIban,
  normalize: (value) => value.replaceAll(/[ -]/g, '').toUpperCase(),
  examples: () => {
    const german = ibanExample('DE', '370400440532013000');
    return {
      positive: [german, german.replaceAll(/(.{4})(?=.)/g, '$1 '), ibanExample('GB', 'WEST12345698765432')],
      negative: [german.slice(0, -1) + '1', german.slice(0, -1), `${german}0`, 'AB12 3456 7890 1234'],
    };
  },
};

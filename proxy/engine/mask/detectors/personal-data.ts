import { digitsOf } from './check-digits.ts';
import type { BuiltinDetector } from './detector.ts';

/** ISO 13616: the check digits are those that make the rearranged number 1 modulo 97. */
function isIban(value: string): boolean {
  const compact = value.replaceAll(/[ -]/g, '').toUpperCase();
  if (compact.length !== IBAN_LENGTHS.get(compact.slice(0, 2))) return false;
  let rest = 0;
  for (const character of compact.slice(4) + compact.slice(0, 4)) {
    const number = Number.parseInt(character, 36);
    rest = (rest * (number > 9 ? 100 : 10) + number) % 97;
  }
  return rest === 1;
}

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

/** Numbers that the Social Security Administration never gave out. */
function isSsn(value: string): boolean {
  const [area = '', group = '', serial = ''] = value.split(/[- ]/);
  return area !== '000' && area !== '666' && area < '900' && group !== '00' && serial !== '0000';
}

/** ITU-T E.164: at most 15 digits, and a country code that does not begin with 0. */
function isInternationalPhone(value: string): boolean {
  const digits = digitsOf(value);
  return digits.length >= 8 && digits.length <= 15 && !digits.startsWith('0');
}

/** The plan's rules for area code and exchange: neither begins with 0 or 1, neither ends in 11. */
function isNorthAmericanPhone(value: string): boolean {
  if (value.startsWith('+')) return isInternationalPhone(value);
  const digits = digitsOf(value);
  return /^[2-9](?!11)\d{2}[2-9](?!11)\d{2}\d{4}$/.test(digits);
}

/** Sections 4.1.2 and 4.5.3.1: a local part of at most 64 characters, labels that neither begin nor end with a hyphen. */
function isEmail(value: string): boolean {
  const [local = '', domain = ''] = value.split('@');
  return local.length <= 64 && !/^\.|\.\.|\.$/.test(local) && !/(?:^|\.)-|-(?:\.|$)|[^.]{64}/.test(domain);
}

function ibanExample(country: string, account: string): string {
  for (let check = 2; check < 99; check += 1) {
    const candidate = country + String(check).padStart(2, '0') + account;
    if (isIban(candidate)) return candidate;
  }
  return '';
}

export const personalData: readonly BuiltinDetector[] = [
  {
    cue: 'literal',
    name: 'email',
    description: 'E-mail address',
    source: 'https://www.rfc-editor.org/rfc/rfc5321#section-4.1.2',
    literals: ['@'],
    pattern: "[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(?:\\.[A-Za-z0-9-]+)*\\.[A-Za-z]{2,24}",
    reach: { before: 65, after: 256 },
    valid: isEmail,
    normalize: (value) => value.toLowerCase(),
    examples: () => ({
      positive: ['ada.lovelace@' + 'example.org', 'x+y@' + 'mail.example.co.uk', '<a@' + 'b.io>'],
      negative: ['@example.org', 'git@host', 'user@localhost', 'npm install left@1.2.3', '@scope/name'],
    }),
  },
  {
    cue: 'digits',
    name: 'phone',
    description:
      'Phone number: international with +, or of the North American plan with its usual punctuation',
    source: 'ITU-T E.164; https://www.nanpa.com/numbering',
    pattern:
      /(?<![0-9A-Za-z.+-])(?:\+[1-9](?:[ .()-]{0,2}[0-9]){7,14}|\([2-9][0-9]{2}\) ?[0-9]{3}[ .-][0-9]{4}|[2-9][0-9]{2}([ .-])[0-9]{3}\1[0-9]{4})(?![0-9A-Za-z]|[.-][0-9])/g,
    valid: isNorthAmericanPhone,
    normalize: (value) => (value.startsWith('+') ? '+' : '') + digitsOf(value),
    examples: () => ({
      positive: ['+49 30 901820', '+1 (212) 555-0142', '(212) 555-0142', '212-555-0142', '+442079460958'],
      negative: [
        '2125550142',
        '2026-11-20',
        '10.212.555.0142',
        '112-555-0142',
        '212-155-0142',
        '+0 123 456 789',
      ],
    }),
  },
  {
    cue: 'digits',
    name: 'iban',
    description: 'International bank account number: country, length and check digits',
    source:
      'ISO 13616-1; https://www.swift.com/standards/data-standards/iban-international-bank-account-number',
    pattern: /(?<![0-9A-Za-z])[A-Za-z]{2}[0-9]{2}(?:[ -]?[0-9A-Za-z]){11,28}(?![0-9A-Za-z])/g,
    valid: isIban,
    normalize: (value) => value.replaceAll(/[ -]/g, '').toUpperCase(),
    examples: () => {
      const german = ibanExample('DE', '370400440532013000');
      return {
        positive: [german, german.replaceAll(/(.{4})(?=.)/g, '$1 '), ibanExample('GB', 'WEST12345698765432')],
        negative: [german.slice(0, -1) + '1', german.slice(0, -1), `${german}0`, 'AB12 3456 7890 1234'],
      };
    },
  },
  {
    cue: 'digits',
    name: 'us-ssn',
    description: 'Social Security number of the United States, written with separators',
    source: 'https://www.ssa.gov/employer/randomization.html',
    pattern: /(?<![0-9A-Za-z]|[0-9][.-])[0-9]{3}([- ])[0-9]{2}\1[0-9]{4}(?![0-9A-Za-z]|[.-][0-9])/g,
    valid: isSsn,
    normalize: digitsOf,
    examples: () => ({
      positive: ['219-09' + '-9999', '078 05' + ' 1120'],
      negative: [
        '000-12-3456',
        '666-12-3456',
        '900-12-3456',
        '219-00-9999',
        '219-09-0000',
        '219099999',
        '1-219-09-9999',
      ],
    }),
  },
];

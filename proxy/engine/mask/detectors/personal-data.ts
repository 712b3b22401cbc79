import { isDigit, isLetter } from '../kinds.ts';
import { countDigits, digitsOf } from './check-digits.ts';
import { before, type BuiltinDetector, type Surroundings } from './detector.ts';

/** Numbers that the Social Security Administration never gave out. */
function isSsn(value: string): boolean {
  const [area = '', group = '', serial = ''] = value.split(/[- ]/);
  return area !== '000' && area !== '666' && area < '900' && group !== '00' && serial !== '0000';
}

/** ITU-T E.164: at most 15 digits, and a country code that does not begin with 0. */
function isInternationalPhone(value: string): boolean {
  const digits = countDigits(value);
  return digits >= 8 && digits <= 15 && !/^[^0-9]*0/.test(value);
}

/** The plan's rules for area code and exchange: neither begins with 0 or 1, neither ends in 11. */
function isNorthAmericanPhone(value: string): boolean {
  if (value.startsWith('+')) return isInternationalPhone(value);
  const digits = digitsOf(value);
  return /^[2-9](?!11)\d{2}[2-9](?!11)\d{2}\d{4}$/.test(digits);
}

/** Ends of file names and of systemd's units (`getty@tty1.service`), which are no top-level domains. */
const NO_DOMAIN = new RegExp(
  '\\.(?:service|socket|timer|mount|slice|scope|target|' +
    'png|jpe?g|gif|svg|webp|[cm]?js|ts|json|ya?ml|html?|css|map)$',
  'iy',
);

const POINT = 0x2e;
const HYPHEN = 0x2d;

/** Sections 4.1.2 and 4.5.3.1 of RFC 5321. The pattern has seen to which characters there are. */
function isEmail(value: string): boolean {
  const at = value.indexOf('@');
  return isLocalPart(value, at) && isHost(value, at + 1) && !endsAsName(value);
}

/** At most 64 characters, without a point at an end or two in a row. `+@pytest.fixture` is a decorator in a patch. */
function isLocalPart(value: string, end: number): boolean {
  if (end < 1 || end > 64 || value.startsWith('.')) return false;
  let hasWord = false;
  for (let at = 0; at < end; at += 1) {
    const code = value.charCodeAt(at);
    if (code === POINT && (at + 1 === end || value.charCodeAt(at + 1) === POINT)) return false;
    hasWord ||= isLetter(code) || isDigit(code);
  }
  return hasWord;
}

/** Labels of at most 63 characters that neither begin nor end with a hyphen. */
function isHost(value: string, start: number): boolean {
  let label = start;
  for (let at = start; at <= value.length; at += 1) {
    if (at < value.length && value.charCodeAt(at) !== POINT) continue;
    if (at - label > 63 || value.charCodeAt(label) === HYPHEN || value.charCodeAt(at - 1) === HYPHEN)
      return false;
    label = at + 1;
  }
  return true;
}

function endsAsName(value: string): boolean {
  NO_DOMAIN.lastIndex = value.lastIndexOf('.');
  return NO_DOMAIN.test(value);
}

/** What stands between a scheme and its host is a user and a password. */
function isInUserInfo(around: Surroundings): boolean {
  return around.text[around.start - 1] === ':' && /:\/\/[^\s/@]*:$/.test(before(around));
}

/** The characters that may touch the @ of an address, by their code. */
const LOCAL = codesOf("._%+'-");
const HOST = codesOf('-');

/** Letters, digits and these. */
function codesOf(others: string): readonly boolean[] {
  return Array.from(
    { length: 128 },
    (_, code) => isDigit(code) || isLetter(code) || others.includes(String.fromCharCode(code)),
  );
}

/** Whether the first of several labels of a host begins there. */
function isLabelAt(text: string, start: number): boolean {
  let end = start;
  while (end - start < 64 && HOST[text.charCodeAt(end)] === true) end += 1;
  return end > start && text.charCodeAt(end) === POINT;
}

export const personalData: readonly BuiltinDetector[] = [
  {
    cue: 'literal',
    name: 'email',
    description: 'E-mail address',
    source: 'https://www.rfc-editor.org/rfc/rfc5321#section-4.1.2',
    literals: ['@'],
    mayStand: (text, start, end) => LOCAL[text.charCodeAt(start - 1)] === true && isLabelAt(text, end),
    before: "[A-Za-z0-9._%+'-]{1,65}",
    pattern: '@[A-Za-z0-9-]{1,63}(?:\\.[A-Za-z0-9-]{1,63}){0,32}\\.[A-Za-z]{2,24}',
    valid: (value, around) => isEmail(value) && !isInUserInfo(around),
    normalize: (value) => value.toLowerCase(),
    examples: () => ({
      positive: ['ada.lovelace@' + 'example.org', 'x+y@' + 'mail.example.co.uk', '<a@' + 'b.io>'],
      negative: [
        '@example.org',
        'git@host',
        'user@localhost',
        'npm install left@1.2.3',
        '@scope/name',
        'icon@2x.png',
        '+@pytest.fixture',
      ],
    }),
  },
  {
    cue: 'digits',
    name: 'phone',
    mayBe: isNorthAmericanPhone,
    description:
      'Phone number: international with +, or of the North American plan with its usual punctuation',
    source: 'ITU-T E.164; https://www.nanpa.com/numbering',
    pattern:
      /(?<![0-9A-Za-z.+)-])(?:\+[1-9](?:[ .()-]{0,2}[0-9]){7,14}|\([2-9][0-9]{2}\) ?[0-9]{3}[ .-][0-9]{4}|[2-9][0-9]{2}([ .-])[0-9]{3}\1[0-9]{4})(?![0-9A-Za-z]|[.-][0-9])/g,
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
    name: 'us-ssn',
    leastDigits: 9,
    leastInARow: 4,
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

/** Values that only the name they are given to tells to be secret. */
import { ALPHANUMERIC, anyCase, filler, next, type BuiltinDetector, type Surroundings } from './detector.ts';
import { isPlaceholder, isSecretName, isUuid, looksRandom } from './entropy.ts';

/** A UUID is an identifier in most places; many vendors' keys are one all the same. */
function mayBeSecret(value: string): boolean {
  return looksRandom(value) || isUuid(value);
}

function isAssignedSecret(value: string, around: Surroundings): boolean {
  return around.key !== undefined && isSecretName(around.key) && mayBeSecret(value);
}

/** What parts a name from its value, behind the rest of the name. */
const ASSIGNED = /[a-z]{0,6}["']?\s{0,8}[:=]/iy;

function isAssigned(text: string, _: number, end: number): boolean {
  ASSIGNED.lastIndex = end;
  return ASSIGNED.test(text);
}

/** A name in code: `ArrowToken$1`, `AuthenticationMD5Password`, `Ed25519PrivateKey`. */
function isIdentifier(value: string): boolean {
  if (!/^[A-Za-z_$][A-Za-z0-9_$.]*$/.test(value)) return false;
  if (/^[A-Z][A-Za-z0-9]*[a-z](?:Key|Token|Secret|Password|Credential)s?$/.test(value)) return true;
  return /secret|token|passw|credential|key/i.test(value) && (value.match(/[0-9]/g)?.length ?? 0) <= 2;
}

/** What a key that is secret is the key of. */
const KEYS = [
  'api',
  'access',
  'private',
  'auth',
  'app',
  'application',
  'signing',
  'encryption',
  'master',
  'consumer',
  'account',
];

const NAMES = anyCase(
  `(?:secret|token|passw(?:or)?d|passphrase|credential|(?:${KEYS.join('|')})[_-]?key|pwd)s?`,
);

export const assigned: readonly BuiltinDetector[] = [
  {
    cue: 'literal',
    name: 'assigned-secret',
    description: 'A random value assigned to a name that says it is secret',
    source: 'https://cwe.mitre.org/data/definitions/312.html',
    literals: [
      'secret',
      'token',
      'passw',
      'passphrase',
      'credential',
      ...KEYS.flatMap((name) => [`${name}_key`, `${name}key`, `${name}-key`]),
      'pwd',
    ],
    pattern: String.raw`${NAMES}["']?\s{0,8}(?:=>|:=|[:=])\s{0,8}["']?([^\s"'\x60,;<>(){}\[\]&|]{8,})`,
    // What is called or indexed is code.
    valid: (value, around) =>
      !isPlaceholder(value) && !isIdentifier(value) && !/[([]/.test(next(around)) && mayBeSecret(value),
    mayStand: isAssigned,
    embedded: true,
    examples: () => ({
      positive: [
        `export API_KEY="${filler(ALPHANUMERIC, 24)}"`,
        `db_password: ${filler(ALPHANUMERIC, 14)}!`,
        'HEROKU_API_KEY=01234567-89ab-cdef-0123-456789abcdef',
      ],
      negative: [
        'password: string',
        'token = getToken(user)',
        'access_token: zod_v4.string()',
        'secret: changeme',
        `token_count: 123456789`,
        'api_key=YOUR_API_KEY_HERE',
        'type Token = ArrowToken$1;',
        'def sign(private_key: Ed25519PrivateKey) -> bytes',
      ],
    }),
  },
  {
    cue: 'member',
    name: 'assigned-secret-member',
    description: 'A random value in a JSON member whose key says it is secret (examples: key=value)',
    source: 'https://cwe.mitre.org/data/definitions/312.html',
    valid: isAssignedSecret,
    examples: () => ({
      positive: [`apiKey=${filler(ALPHANUMERIC, 24)}`, `db_password=${filler(ALPHANUMERIC, 14)}`],
      negative: [
        `name=${filler(ALPHANUMERIC, 24)}`,
        'token=string',
        `token_count=${filler('0123456789', 12)}`,
      ],
    }),
  },
];

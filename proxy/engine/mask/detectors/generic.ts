/** Formats that belong to no vendor: keys, JWTs, connection strings, authorization headers. */
import { ALPHANUMERIC, anyCase, before, filler, HEX, next, type BuiltinDetector } from './detector.ts';
import { isPlaceholder, looksRandom } from './entropy.ts';

/** RFC 7519: the header is a JSON object that names its algorithm. */
function isJwtHeader(value: string): boolean {
  try {
    const header: unknown = JSON.parse(
      Buffer.from(value.slice(0, value.indexOf('.')), 'base64url').toString('utf8'),
    );
    return typeof header === 'object' && header !== null && ('alg' in header || 'enc' in header);
  } catch {
    return false;
  }
}

function isPassword(value: string): boolean {
  return value.length > 0 && !isPlaceholder(value);
}

function isBasicPair(value: string): boolean {
  const pair = Buffer.from(value, 'base64').toString('latin1');
  return /^[\x20-\x7e\xa0-\xff]+$/.test(pair) && pair.indexOf(':') > 0 && !pair.endsWith(':');
}

function jwtExample(): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return [part({ alg: 'HS256', typ: 'JWT' }), part({ sub: 'ada', n: 1 }), filler(ALPHANUMERIC, 43)].join('.');
}

function pemExample(kind: string): string {
  return [
    `-----BEGIN ${kind}-----`,
    filler(ALPHANUMERIC, 64),
    filler(ALPHANUMERIC, 40),
    `-----END ${kind}-----`,
  ].join('\n');
}

const AT = 0x40;
/** The longest user and password that are looked for, and the colon between them. */
const MAX_USER_INFO = 385;

/** Whether a user comes before the host: the path, a space or a quote comes after it. */
function hasUser(text: string, _: number, end: number): boolean {
  for (let at = end; at <= end + MAX_USER_INFO; at += 1) {
    const code = text.charCodeAt(at);
    if (code === AT) return true;
    if (!(code > 0x20) || '/"\'<>'.includes(text.charAt(at))) return false;
  }
  return false;
}

/** What a password of a connection string comes behind: another keyword, parted from it as ODBC does or as libpq does. */
const BEHIND_KEYWORD = /(?:;\s*|(?:^|[\s"'])[A-Za-z_]+=[^\s,;()]+\s+)(?:password|pwd)=\s*$/i;

export const generic: readonly BuiltinDetector[] = [
  {
    cue: 'literal',
    name: 'private-key',
    description: 'A private key in PEM or OpenPGP armor; cut off keys too',
    source: 'https://www.rfc-editor.org/rfc/rfc7468 and https://www.rfc-editor.org/rfc/rfc9580#section-6.2',
    literals: ['-----begin '],
    pattern: String.raw`-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:[A-Za-z0-9+/=\s\\:,]|-[A-Za-z0-9]){1,65536}(?:-----END [A-Z0-9 ]{1,40}-----)?`,
    embedded: true,
    valid: (value) => value.replace(/-----[^-]*-----/g, '').length >= 16,
    examples: () => ({
      positive: [
        'PRIVATE KEY',
        'RSA PRIVATE KEY',
        'EC PRIVATE KEY',
        'OPENSSH PRIVATE KEY',
        'PGP PRIVATE KEY BLOCK',
      ].map(pemExample),
      negative: [pemExample('CERTIFICATE'), pemExample('PUBLIC KEY'), '-----BEGIN PRIVATE KEY-----'],
    }),
  },
  {
    cue: 'literal',
    name: 'jwt',
    description: 'JSON Web Token or encrypted token in compact form',
    source: 'https://www.rfc-editor.org/rfc/rfc7519',
    literals: ['eyj'],
    pattern:
      'eyJ[A-Za-z0-9_-]{10,8192}\\.[A-Za-z0-9_-]{0,65536}\\.[A-Za-z0-9_-]{8,}(?:\\.[A-Za-z0-9_-]+){0,2}',
    leastLength: 23,
    tries: 8192,
    valid: isJwtHeader,
    examples: () => ({
      positive: [jwtExample()],
      negative: [
        jwtExample().replace(/\..*/, ''),
        `eyJ${filler(ALPHANUMERIC, 20)}.${filler(ALPHANUMERIC, 20)}.${filler(ALPHANUMERIC, 20)}`,
      ],
    }),
  },
  {
    cue: 'literal',
    name: 'connection-string-password',
    description: 'The password in a URL with user and password',
    source: 'https://www.rfc-editor.org/rfc/rfc3986#section-3.2.1',
    literals: ['://'],
    before: '[a-zA-Z][a-zA-Z0-9+.-]{1,30}',
    pattern: '://[^\\s:/@"\'<>]{0,128}:([^\\s/@"\'<>]{1,256})@[^\\s/@"\'<>${]',
    tries: 416,
    mayStand: hasUser,
    valid: isPassword,
    embedded: true,
    examples: () => ({
      positive: [
        `postgres://orders:${filler(ALPHANUMERIC, 12)}@db.example:5432/orders`,
        `redis://:${filler(HEX, 16)}@cache:6379`,
      ],
      negative: [
        'https://user:password@host/',
        'https://example.org:8443/a@b',
        'postgres://db.example:5432/x',
        'http://a:${PASS}@b',
        '`http://hello:world@${proxy.address}`',
      ],
    }),
  },
  {
    cue: 'literal',
    name: 'connection-string-key',
    description: 'Password or key of a keyword connection string (ADO.NET, ODBC, Azure)',
    source: 'https://learn.microsoft.com/en-us/azure/storage/common/storage-configure-connection-string',
    literals: ['accountkey=', 'sharedaccesskey=', 'password=', 'pwd='],
    pattern: `(?:${anyCase('AccountKey|SharedAccessKey|(?<=[;\\s"])(?:Password|Pwd)')})=\\s{0,3}([^;\\s"']{6,})`,
    valid: (value, around) =>
      isPassword(value) &&
      (value.length >= 40 || next(around) === ';' || BEHIND_KEYWORD.test(before(around))),
    embedded: true,
    examples: () => ({
      positive: [
        `DefaultEndpointsProtocol=https;AccountName=a;AccountKey=${filler(ALPHANUMERIC, 86)}==;EndpointSuffix=core.windows.net`,
        `Server=db;User Id=app;Password=${filler(ALPHANUMERIC, 10)};`,
      ],
      negative: [
        'Server=db;Password=<password>;',
        'the password=optional flag',
        'connect(host=db, password=self.db_password)',
      ],
    }),
  },
  {
    cue: 'literal',
    name: 'basic-auth',
    description: 'User and password of HTTP basic authentication',
    source: 'https://www.rfc-editor.org/rfc/rfc7617',
    literals: ['basic '],
    pattern: anyCase('basic ') + '([A-Za-z0-9+/]{8,}={0,2})',
    valid: isBasicPair,
    examples: () => ({
      positive: [`Authorization: Basic ${Buffer.from('ada:' + filler(HEX, 8)).toString('base64')}`],
      negative: ['Basic understanding of it', `Basic ${Buffer.from('nothing here').toString('base64')}`],
    }),
  },
  {
    cue: 'literal',
    name: 'bearer-token',
    description: 'Token of a bearer authorization header',
    source: 'https://www.rfc-editor.org/rfc/rfc6750#section-2.1',
    literals: ['bearer '],
    pattern: anyCase('bearer ') + '([A-Za-z0-9._~+/-]{16,}=*)',
    valid: looksRandom,
    examples: () => ({
      positive: [`Authorization: Bearer ${filler(ALPHANUMERIC, 32)}`],
      negative: ['Bearer authentication/authorization', 'bearer aaaaaaaaaaaaaaaaaaaaaaaa'],
    }),
  },
];

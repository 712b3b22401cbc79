import { ALPHANUMERIC, filler, UPPER_DIGITS, type BuiltinDetector } from './detector.ts';
import { token } from './token.ts';

export const clouds: readonly BuiltinDetector[] = [
  token({
    name: 'aws-access-key-id',
    description:
      'AWS access key id of a user (AKIA) or of temporary credentials (ASIA), and service bearer tokens',
    source:
      'https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids',
    prefixes: ['AKIA', 'ASIA', 'ABIA', 'ACCA'],
    alphabet: '[A-Z2-7]',
    length: 16,
    exampleOf: UPPER_DIGITS,
  }),
  {
    cue: 'literal',
    name: 'aws-secret-access-key',
    description: 'AWS secret access key where it is named: 40 characters of base64 after a name that says so',
    source: 'https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-files.html',
    literals: [
      'secretaccesskey',
      'secret_access_key',
      'secret-access-key',
      'secret access key',
      'aws_secret',
      'secretkey',
    ],
    pattern: `(?i:secret[_ -]?access[_ -]?key|aws_secret(?:_key)?|secretkey)["']?\\s{0,8}(?:[:=]|=>)\\s{0,8}["']?([A-Za-z0-9/+]{40})`,
    reach: { before: 16, after: 100 },
    examples: () => ({
      positive: [
        `aws_secret_access_key = ${filler(ALPHANUMERIC, 38)}/+`,
        `"SecretAccessKey": "${filler(ALPHANUMERIC, 40)}"`,
      ],
      negative: [filler(ALPHANUMERIC, 40), `secret_access_key = ${filler(ALPHANUMERIC, 12)}`],
    }),
  },
  token({
    name: 'google-api-key',
    description: 'Google Cloud API key',
    source: 'https://cloud.google.com/docs/authentication/api-keys',
    prefixes: ['AIza'],
    alphabet: '[A-Za-z0-9_-]',
    length: 35,
    exampleOf: ALPHANUMERIC,
  }),
  token({
    name: 'google-oauth-client-secret',
    description: 'Google OAuth 2.0 client secret',
    source: 'https://developers.google.com/identity/protocols/oauth2',
    prefixes: ['GOCSPX-'],
    alphabet: '[A-Za-z0-9_-]',
    length: 28,
    exampleOf: ALPHANUMERIC,
  }),
];

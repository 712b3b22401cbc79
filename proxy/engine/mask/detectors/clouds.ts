import { ALPHANUMERIC, anyCase, filler, type BuiltinDetector } from './detector.ts';
import { looksRandom } from './entropy.ts';
import { alnum, base32, base64, format, hex, upperAlnum, url64 } from './format.ts';

export const clouds: readonly BuiltinDetector[] = [
  format({
    name: 'aws-access-key-id',
    description:
      'AWS access key id of a user (AKIA), of temporary credentials (ASIA), or bearer of a service',
    source:
      'https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids',
    parts: [['AKIA', 'ASIA', 'ABIA', 'ACCA'], base32(16)],
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
    pattern: String.raw`(?:${anyCase('secret[_ -]?access[_ -]?key|aws_secret(?:_key)?|secretkey')})["']?\s{0,8}(?:[:=]|=>)\s{0,8}["']?([A-Za-z0-9/+]{40})`,
    examples: () => ({
      positive: [
        `aws_secret_access_key = ${filler(ALPHANUMERIC, 38)}/+`,
        `"SecretAccessKey": "${filler(ALPHANUMERIC, 40)}"`,
      ],
      negative: [filler(ALPHANUMERIC, 40), `secret_access_key = ${filler(ALPHANUMERIC, 12)}`],
    }),
  },
  format({
    name: 'aws-bedrock-api-key',
    description: 'Amazon Bedrock API key, long term',
    source: 'https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html',
    parts: ['ABSK', base64(109, 269)],
  }),
  format({
    name: 'aws-bedrock-short-term-key',
    description: 'Amazon Bedrock API key, short term: a presigned URL in base64',
    source: 'https://github.com/aws/aws-bedrock-token-generator-js/blob/main/src/token.ts',
    parts: ['bedrock-api-key-', { ...base64(60, 2048), charset: '[A-Za-z0-9+/=_-]' }],
  }),
  {
    cue: 'literal',
    name: 'presigned-url-signature',
    description:
      'The signature of a presigned URL of S3, Cloud Storage or Azure (SAS), which is the right to use it',
    source: 'https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html',
    literals: ['x-amz-signature=', 'x-goog-signature=', '&sig=', '?sig='],
    pattern: `(?:${anyCase('x-amz-signature=|x-goog-signature=|[?&]sig=')})([A-Za-z0-9%+/]{43,})`,
    examples: () => ({
      positive: [
        `https://b.example/o?X-Amz-Signature=${filler('0123456789abcdef', 64)}`,
        `?sv=1&sig=${filler(ALPHANUMERIC, 43)}%3D`,
      ],
      negative: ['?sig=short', `signature=${filler(ALPHANUMERIC, 43)}`],
    }),
  },
  format({
    name: 'google-api-key',
    description: 'Google Cloud API key',
    source: 'https://cloud.google.com/docs/authentication/api-keys',
    parts: ['AIza', url64(35)],
  }),
  format({
    name: 'google-oauth-client-secret',
    description: 'Google OAuth 2.0 client secret',
    source: 'https://developers.google.com/identity/protocols/oauth2',
    parts: ['GOCSPX-', url64(28)],
  }),
  format({
    name: 'google-oauth-access-token',
    description: 'Google OAuth 2.0 access token',
    source: 'https://cloud.google.com/docs/authentication/token-types#access-tokens',
    parts: ['ya29.', url64(30, 2048)],
  }),
  format({
    name: 'google-oauth-refresh-token',
    description: 'Google OAuth 2.0 refresh token',
    source: 'https://developers.google.com/identity/protocols/oauth2#size',
    parts: ['1//0', url64(40, 512)],
  }),
  format({
    name: 'alibaba-access-key-id',
    description: 'Alibaba Cloud AccessKey id',
    source: 'https://www.alibabacloud.com/help/en/ram/user-guide/create-an-accesskey-pair',
    parts: ['LTAI', alnum(12, 26)],
  }),
  format({
    name: 'alibaba-sts-access-key-id',
    description: 'Alibaba Cloud AccessKey id of the Security Token Service',
    source: 'https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerole',
    parts: ['STS.', alnum(16, 64)],
    valid: looksRandom,
  }),
  format({
    name: 'tencent-secret-id',
    description: 'Tencent Cloud SecretId',
    source: 'https://www.tencentcloud.com/document/product/598/32675',
    parts: ['AKID', alnum(32)],
  }),
  format({
    name: 'digitalocean-token',
    description: 'DigitalOcean personal, OAuth and refresh tokens',
    source: 'https://docs.digitalocean.com/reference/api/create-personal-access-token/',
    parts: [['dop_v1_', 'doo_v1_', 'dor_v1_'], hex(64)],
  }),
  format({
    name: 'scaleway-access-key',
    description: 'Scaleway API access key',
    source: 'https://www.scaleway.com/en/docs/iam/how-to/create-api-keys/',
    parts: ['SCW', upperAlnum(17)],
  }),
  format({
    name: 'yandex-api-key',
    description: 'Yandex Cloud service account API key',
    source: 'https://yandex.cloud/en/docs/iam/concepts/authorization/api-key',
    parts: ['AQVN', url64(35, 38)],
  }),
  format({
    name: 'cloudflare-api-token',
    description: 'Cloudflare user token, account token or global key that says what it is',
    source: 'https://developers.cloudflare.com/fundamentals/api/get-started/token-formats/',
    parts: [['cfut_', 'cfat_', 'cfk_'], alnum(40, 64)],
  }),
  format({
    name: 'cloudflare-origin-ca-key',
    description: 'Cloudflare origin CA key',
    source: 'https://developers.cloudflare.com/fundamentals/api/get-started/ca-keys/',
    parts: ['v1.0-', hex(24), '-', hex(146)],
  }),
  format({
    name: 'exoscale-api-key',
    description: 'Exoscale API key',
    source: 'https://community.exoscale.com/product/iam/how-to/iam-create-api-key/',
    parts: ['EXO', alnum(24, 30)],
    valid: looksRandom,
  }),
  format({
    name: 'upcloud-token',
    description: 'UpCloud API token',
    source: 'https://developers.upcloud.com/1.3/2-authentication/',
    parts: ['ucat_', alnum(24, 32)],
  }),
];

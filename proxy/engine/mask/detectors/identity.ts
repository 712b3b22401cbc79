/** Identity, and networks that know who is on them. */
import { ALPHANUMERIC, filler, type BuiltinDetector } from './detector.ts';
import { looksRandom } from './entropy.ts';
import { alnum, base64, format, hex, lowerAlnum, url64 } from './format.ts';

export const identity: readonly BuiltinDetector[] = [
  {
    cue: 'literal',
    name: 'okta-api-token',
    description: 'Okta API token where its scheme SSWS says so',
    source: 'https://developer.okta.com/docs/guides/create-an-api-token/main/',
    literals: ['ssws '],
    pattern: 'SSWS (00[A-Za-z0-9_-]{40})',
    examples: () => ({
      positive: [`Authorization: SSWS 00${filler(ALPHANUMERIC, 40)}`],
      negative: [`00${filler(ALPHANUMERIC, 40)}`, 'SSWS token', `SSWS 00${filler(ALPHANUMERIC, 30)}`],
    }),
  },
  format({
    name: 'stytch-secret',
    description: 'Stytch project secret',
    source: 'https://stytch.com/docs/api/authentication',
    parts: [['secret-live-', 'secret-test-'], { ...url64(36), charset: '[A-Za-z0-9_=-]' }],
  }),
  format({
    name: 'ory-token',
    description: 'Ory access, refresh, authorization and personal tokens and API keys',
    source: 'https://www.ory.com/docs/concepts/personal-access-token',
    parts: [['ory_at_', 'ory_rt_', 'ory_ac_', 'ory_pat_', 'ory_apikey_', 'ory_st_'], url64(32, 100)],
  }),
  format({
    name: 'authress-access-key',
    description: 'Authress service client access key',
    source:
      'https://authress.io/knowledge-base/docs/authorization/service-clients/secrets-scanning/#1-detection',
    parts: [
      ['sc_', 'ext_', 'scauth_', 'authress_'],
      lowerAlnum(5, 30),
      '.',
      lowerAlnum(4, 6),
      ['.acc-', '.acc_'],
      { ...lowerAlnum(10, 32), charset: '[a-z0-9-]' },
      '.',
      { ...base64(30, 120), charset: '[A-Za-z0-9+/_=-]' },
    ],
  }),
  format({
    name: 'unkey-root-key',
    description: 'Unkey root key',
    source: 'https://www.unkey.com/docs/security/root-keys',
    parts: ['unkey_', alnum(20, 32)],
    valid: looksRandom,
  }),
  format({
    name: 'zuplo-api-key',
    description: 'API key that Zuplo issues to the consumers of an API',
    source: 'https://zuplo.com/docs/articles/api-key-leak-detection',
    parts: ['zpka_', lowerAlnum(32), '_', hex(8)],
  }),
  format({
    name: 'persona-api-key',
    description: 'Persona API key',
    source: 'https://docs.withpersona.com/api-keys',
    parts: [['persona_production_', 'persona_sandbox_'], url64(20, 80)],
    valid: looksRandom,
  }),
  format({
    name: 'supabase-token',
    description: 'Supabase personal access token or token of an OAuth app',
    source: 'https://supabase.com/docs/reference/api/introduction',
    parts: [['sbp_oauth_', 'sbp_'], { ...lowerAlnum(40), charset: '[a-z0-9_-]' }],
  }),
  format({
    name: 'supabase-secret-key',
    description: 'Supabase secret API key',
    source: 'https://supabase.com/docs/guides/api/api-keys',
    parts: ['sb_secret_', url64(31)],
  }),
  format({
    name: 'jumpcloud-api-key',
    description: 'JumpCloud API key',
    source: 'https://jumpcloud.com/support/jumpcloud-apis1',
    parts: ['jca_', alnum(36)],
  }),
  format({
    name: 'tailscale-key',
    description: 'Tailscale auth, API, OAuth client, webhook and SCIM keys',
    source: 'https://tailscale.com/kb/1277/key-prefixes',
    parts: [['tskey-auth-', 'tskey-api-', 'tskey-client-', 'tskey-webhook-', 'tskey-scim-'], url64(20, 100)],
  }),
  format({
    name: 'dnkey',
    description: 'Defined Networking API key',
    source: 'https://docs.defined.net/guides/automating-host-creation/',
    parts: ['dnkey-', url64(26), '-', url64(52)],
  }),
];

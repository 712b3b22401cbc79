/** Identity, networks between people, and the services people work with. */
import { ALPHANUMERIC, filler, type BuiltinDetector } from './detector.ts';
import { alnum, anyHex, digits, format, hex, lowerAlnum, upperAlnum, url64, UUID } from './format.ts';

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
    name: 'supabase-token',
    description: 'Supabase personal access token',
    source: 'https://supabase.com/docs/reference/api/introduction',
    parts: ['sbp_', hex(40)],
  }),
  format({
    name: 'supabase-secret-key',
    description: 'Supabase secret API key',
    source: 'https://supabase.com/docs/guides/api/api-keys',
    parts: ['sb_secret_', url64(22), '_', url64(8)],
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
    parts: [
      ['tskey-auth-', 'tskey-api-', 'tskey-client-', 'tskey-webhook-', 'tskey-scim-'],
      alnum(10, 24),
      '-',
      alnum(20, 64),
    ],
  }),
  format({
    name: 'facebook-token',
    description: 'Meta (Facebook, Instagram, WhatsApp) access token',
    source: 'https://developers.facebook.com/docs/facebook-login/guides/access-tokens',
    parts: ['EAA', alnum(90, 400)],
  }),
  format({
    name: 'dropbox-token',
    description: 'Dropbox short-lived access token',
    source: 'https://developers.dropbox.com/oauth-guide',
    parts: [['sl.', 'sl.u.'], url64(130, 1500)],
  }),
  format({
    name: 'figma-token',
    description: 'Figma personal access token',
    source: 'https://www.figma.com/developers/api#access-tokens',
    parts: ['figd_', url64(40)],
  }),
  format({
    name: 'notion-token',
    description: 'Notion integration token',
    source: 'https://developers.notion.com/docs/authorization',
    parts: ['ntn_', digits(11), alnum(35)],
  }),
  format({
    name: 'notion-internal-secret',
    description: 'Notion internal integration secret, older form',
    source: 'https://developers.notion.com/changelog/changes-for-api-tokens-september-2024',
    parts: ['secret_', alnum(43)],
  }),
  format({
    name: 'airtable-token',
    description: 'Airtable personal access token',
    source: 'https://airtable.com/developers/web/guides/personal-access-tokens',
    parts: ['pat', alnum(14), '.', hex(64)],
  }),
  format({
    name: 'linear-api-key',
    description: 'Linear API key',
    source: 'https://linear.app/developers/graphql#authentication',
    parts: ['lin_api_', alnum(40)],
  }),
  format({
    name: 'linear-oauth-token',
    description: 'Linear OAuth access token',
    source: 'https://linear.app/developers/oauth-2-0-authentication',
    parts: ['lin_oauth_', hex(64)],
  }),
  format({
    name: 'clickup-token',
    description: 'ClickUp personal API token',
    source: 'https://developer.clickup.com/docs/authentication',
    parts: ['pk_', digits(5, 10), '_', upperAlnum(32)],
  }),
  format({
    name: 'trello-token',
    description: 'Trello member token',
    source: 'https://developer.atlassian.com/cloud/trello/guides/rest-api/authorization/',
    parts: ['ATTA', anyHex(64, 72)],
  }),
  format({
    name: 'hubspot-token',
    description: 'HubSpot private app access token',
    source: 'https://developers.hubspot.com/docs/apps/legacy-apps/private-apps/overview',
    parts: [['pat-na1-', 'pat-na2-', 'pat-na3-', 'pat-eu1-', 'pat-ap1-'], ...UUID],
  }),
  format({
    name: 'salesforce-session',
    description: 'Salesforce session id or access token',
    source: 'https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_access_tokens.htm',
    parts: ['00D', alnum(12), ['!', 'AAA!'], { ...url64(80, 200), charset: '[A-Za-z0-9._]' }],
  }),
  format({
    name: 'contentful-token',
    description: 'Contentful personal access token',
    source: 'https://www.contentful.com/developers/docs/references/authentication/',
    parts: ['CFPAT-', url64(43)],
  }),
  format({
    name: 'typeform-token',
    description: 'Typeform personal access token',
    source: 'https://www.typeform.com/developers/get-started/personal-access-token/',
    parts: ['tfp_', { ...url64(40, 80), charset: '[A-Za-z0-9_.-]' }],
  }),
  format({
    name: 'readme-api-key',
    description: 'ReadMe API key',
    source: 'https://docs.readme.com/main/reference/intro/authentication',
    parts: ['rdme_', lowerAlnum(70)],
  }),
  format({
    name: 'mapbox-secret-token',
    description: 'Mapbox secret access token',
    source: 'https://docs.mapbox.com/help/dive-deeper/access-tokens/',
    parts: ['sk.eyJ1', url64(40, 200), '.', url64(22)],
  }),
  format({
    name: 'frameio-token',
    description: 'Frame.io developer token',
    source: 'https://developer.frame.io/docs/getting-started/authentication',
    parts: ['fio-u-', url64(64)],
  }),
];

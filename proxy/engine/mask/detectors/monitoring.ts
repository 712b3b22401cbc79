/** Monitoring, analytics and feature flags. */
import type { BuiltinDetector } from './detector.ts';
import { looksRandom } from './entropy.ts';
import {
  alnum,
  anyHex,
  base64,
  format,
  GITLEAKS,
  hex,
  lowerAlnum,
  upperAlnum,
  url64,
  UUID,
  word,
} from './format.ts';

export const monitoring: readonly BuiltinDetector[] = [
  format({
    name: 'newrelic-user-key',
    description: 'New Relic user API key',
    source: 'https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys/',
    parts: ['NRAK-', upperAlnum(27)],
  }),
  format({
    name: 'newrelic-insert-key',
    description: 'New Relic Insights insert and query keys',
    source: 'https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys/',
    parts: [['NRII-', 'NRIQ-'], url64(32)],
  }),
  format({
    name: 'newrelic-license-key',
    description: 'New Relic license key',
    source: 'https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys/#license-key',
    parts: [alnum(36), 'NRAL'],
  }),
  format({
    name: 'sentry-user-token',
    description: 'Sentry user auth token',
    source: 'https://docs.sentry.io/account/auth-tokens/',
    parts: ['sntryu_', hex(64)],
  }),
  format({
    name: 'sentry-org-token',
    description: 'Sentry organization auth token',
    source: 'https://docs.sentry.io/account/auth-tokens/',
    parts: ['sntrys_', { ...base64(80, 400), charset: '[A-Za-z0-9+/=_-]' }],
  }),
  format({
    name: 'grafana-service-account-token',
    description: 'Grafana service account token',
    source: 'https://grafana.com/docs/grafana/latest/administration/service-accounts/',
    parts: ['glsa_', alnum(32), '_', anyHex(8)],
  }),
  format({
    name: 'grafana-cloud-token',
    description: 'Grafana Cloud access policy token',
    source:
      'https://grafana.com/docs/grafana-cloud/security-and-account-management/authentication-and-permissions/access-policies/',
    parts: ['glc_', { ...base64(32, 400), charset: '[A-Za-z0-9+/=]' }],
  }),
  format({
    name: 'grafana-api-key',
    description: 'Grafana API key of the older kind, which is JSON in base64',
    source: GITLEAKS,
    parts: ['eyJrIjoi', { ...base64(40, 400), charset: '[A-Za-z0-9+/=]' }],
  }),
  format({
    name: 'honeycomb-key',
    description: 'Honeycomb ingest key of an environment or of Honeycomb Classic',
    source: 'https://docs.honeycomb.io/configure/environments/manage-api-keys/',
    parts: [['hcaik_', 'hcbik_', 'hcaic_', 'hcbic_'], lowerAlnum(58)],
  }),
  format({
    name: 'dynatrace-token',
    description: 'Dynatrace access, platform and OAuth tokens',
    source:
      'https://docs.dynatrace.com/docs/manage/identity-access-management/access-tokens-and-oauth-clients/access-tokens',
    parts: [['dt0c01.', 'dt0s01.', 'dt0s02.', 'dt0s08.', 'dt0s16.'], upperAlnum(24), '.', upperAlnum(64)],
  }),
  format({
    name: 'posthog-personal-key',
    description: 'PostHog personal API key',
    source: 'https://posthog.com/docs/api',
    parts: ['phx_', url64(41, 49)],
  }),
  format({
    name: 'axiom-token',
    description: 'Axiom API and personal tokens',
    source: 'https://axiom.co/docs/reference/tokens',
    parts: [['xaat-', 'xapt-'], ...UUID],
  }),
  format({
    name: 'checkly-api-key',
    description: 'Checkly user API key',
    source: 'https://www.checklyhq.com/docs/accounts-and-users/creating-api-key/',
    parts: ['cu_', hex(32)],
  }),
  format({
    name: 'launchdarkly-key',
    description: 'LaunchDarkly SDK key or API access token',
    source: 'https://launchdarkly.com/docs/home/account/api',
    parts: [['sdk-', 'api-'], ...UUID],
  }),
  format({
    name: 'statsig-secret',
    description: 'Statsig server secret key',
    source: 'https://docs.statsig.com/sdk-keys/api-keys/',
    parts: ['secret-', alnum(43)],
  }),
  format({
    name: 'configcat-sdk-key',
    description: 'ConfigCat SDK key',
    source: 'https://configcat.com/docs/sdk-reference/overview/',
    parts: ['configcat-sdk-1/', url64(22), '/', url64(22)],
  }),
  format({
    name: 'devcycle-server-key',
    description: 'DevCycle server SDK key',
    source: 'https://docs.devcycle.com/essentials/keys/',
    parts: ['dvc_server_', word(8, 80)],
    valid: looksRandom,
  }),
  format({
    name: 'rootly-api-key',
    description: 'Rootly API key',
    source: 'https://docs.rootly.com/api-reference/overview',
    parts: ['rootly_', hex(64)],
  }),
  format({
    name: 'wakatime-api-key',
    description: 'WakaTime API key',
    source: 'https://wakatime.com/developers#authentication',
    parts: ['waka_', ...UUID],
  }),
  format({
    name: 'maxmind-license-key',
    description: 'MaxMind license key',
    source: GITLEAKS,
    parts: [alnum(6), '_', alnum(29), '_mmk'],
  }),
  format({
    name: 'segment-token',
    description: 'Segment public API token',
    source: 'https://segment.com/docs/api/public-api/',
    parts: ['sgp_', alnum(64)],
  }),
];

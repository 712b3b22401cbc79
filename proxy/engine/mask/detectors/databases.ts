/** Databases and data platforms. */
import type { BuiltinDetector } from './detector.ts';
import { alnum, base64, format, GITLEAKS, hex, url64, word } from './format.ts';

export const databases: readonly BuiltinDetector[] = [
  format({
    name: 'planetscale-token',
    description: 'PlanetScale service token, password or OAuth token',
    source: 'https://planetscale.com/docs/concepts/service-tokens',
    parts: [['pscale_tkn_', 'pscale_pw_', 'pscale_oauth_'], { ...url64(32, 64), charset: '[A-Za-z0-9_.=-]' }],
  }),
  format({
    name: 'mongodb-atlas-secret',
    description: 'MongoDB Atlas service account secret',
    source: 'https://www.mongodb.com/docs/atlas/api/service-accounts-overview/',
    parts: ['mdb_sa_sk_', url64(40)],
  }),
  format({
    name: 'neon-api-key',
    description: 'Neon API key',
    source: 'https://neon.com/docs/manage/api-keys',
    parts: ['napi_', alnum(64)],
  }),
  format({
    name: 'databricks-token',
    description: 'Databricks personal access token',
    source: 'https://docs.databricks.com/aws/en/dev-tools/auth/pat',
    parts: ['dapi', hex(32)],
  }),
  format({
    name: 'databricks-oauth-secret',
    description: 'Databricks OAuth secret of a service principal',
    source: 'https://docs.databricks.com/aws/en/dev-tools/auth/oauth-m2m',
    parts: ['dose', hex(32)],
  }),
  format({
    name: 'dbt-cloud-token',
    description: 'dbt Cloud user and service tokens',
    source: 'https://docs.getdbt.com/docs/dbt-cloud-apis/user-tokens',
    parts: [['dbtu_', 'dbtc_'], { ...word(30, 80), charset: '[A-Za-z0-9_=-]' }],
  }),
  format({
    name: 'cockroachdb-api-key',
    description: 'CockroachDB Cloud service account API key',
    source: 'https://www.cockroachlabs.com/docs/cockroachcloud/managing-access',
    parts: ['CCDB1_', alnum(22), '_', alnum(40)],
  }),
  format({
    name: 'elastic-api-key',
    description: 'Elastic Cloud API key',
    source: 'https://www.elastic.co/docs/deploy-manage/api-keys/elastic-cloud-api-keys',
    parts: ['essu_', { ...base64(40, 200), charset: '[A-Za-z0-9+/=_-]' }],
  }),
  format({
    name: 'astra-token',
    description: 'DataStax Astra DB application token',
    source: 'https://docs.datastax.com/en/astra-db-serverless/administration/manage-application-tokens.html',
    parts: ['AstraCS:', { ...alnum(20, 120), charset: '[A-Za-z0-9:]' }],
  }),
  format({
    name: 'clickhouse-cloud-secret',
    description: 'ClickHouse Cloud API key secret',
    source: GITLEAKS,
    parts: ['4b1d', alnum(38)],
  }),
  format({
    name: 'apify-token',
    description: 'Apify API token',
    source: 'https://docs.apify.com/platform/integrations/api',
    parts: ['apify_api_', alnum(34, 40)],
  }),
  format({
    name: 'tinybird-token',
    description: 'Tinybird auth token',
    source: 'https://www.tinybird.co/docs/forward/administration/tokens',
    parts: ['p.eyJ1', url64(30, 300), '.', url64(20, 60)],
  }),
];

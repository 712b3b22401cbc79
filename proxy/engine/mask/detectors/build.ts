/** Continuous integration and package registries. */
import type { BuiltinDetector } from './detector.ts';
import { alnum, anyHex, BETTERLEAKS, format, hex, lowerAlnum, upperAlnum, url64 } from './format.ts';

export const build: readonly BuiltinDetector[] = [
  format({
    name: 'circleci-token',
    description: 'CircleCI personal and project API tokens',
    source: 'https://circleci.com/changelog/new-format-for-api-access-tokens/',
    parts: [['CCIPAT_', 'CCIPRJ_'], alnum(20, 24), '_', lowerAlnum(40)],
  }),
  format({
    name: 'buildkite-token',
    description: 'Buildkite API access, agent, job, cluster, registration, package and portal tokens',
    source: 'https://buildkite.com/docs/platform/security/tokens',
    parts: [['bkua_', 'bkaa_', 'bkaj_', 'bkar_', 'bkct_', 'bkpt_', 'bkpat_', 'bkps_'], url64(40, 360)],
  }),
  format({
    name: 'harness-token',
    description: 'Harness personal or service account token',
    source: 'https://developer.harness.io/docs/platform/automation/api/add-and-manage-api-keys/',
    parts: [['pat.', 'sat.'], url64(22), '.', alnum(24), '.', alnum(20)],
  }),
  format({
    name: 'octopus-api-key',
    description: 'Octopus Deploy API key',
    source: 'https://octopus.com/docs/octopus-rest-api/how-to-create-an-api-key',
    parts: ['API-', upperAlnum(25, 32)],
  }),
  format({
    name: 'artifactory-api-key',
    description: 'JFrog Artifactory API key',
    source: 'https://jfrog.com/help/r/jfrog-platform-administration-documentation/api-key',
    parts: ['AKCp', alnum(68, 70)],
  }),
  format({
    name: 'artifactory-reference-token',
    description: 'JFrog reference token',
    source:
      'https://jfrog.com/help/r/jfrog-platform-administration-documentation/understanding-identity-tokens',
    parts: ['cmVmd', alnum(59)],
  }),
  format({
    name: 'pypi-token',
    description: 'PyPI or TestPyPI API token (macaroon)',
    source: 'https://pypi.org/help/#apitoken',
    parts: [['pypi-AgEIcHlwaS5vcmc', 'pypi-AgENdGVzdC5weXBpLm9yZw'], url64(50, 1024)],
  }),
  format({
    name: 'rubygems-token',
    description: 'RubyGems API key',
    source: 'https://guides.rubygems.org/api-key-scopes/',
    parts: ['rubygems_', hex(48)],
  }),
  format({
    name: 'crates-io-token',
    description: 'crates.io API token',
    source: 'https://doc.rust-lang.org/cargo/reference/publishing.html',
    parts: ['cio', alnum(32)],
  }),
  format({
    name: 'nuget-api-key',
    description: 'NuGet.org API key',
    source: 'https://learn.microsoft.com/en-us/nuget/nuget-org/scoped-api-keys',
    parts: ['oy2', lowerAlnum(43)],
  }),
  format({
    name: 'docker-token',
    description: 'Docker Hub personal and organization access tokens',
    source: 'https://docs.docker.com/security/access-tokens/',
    parts: [['dckr_pat_', 'dckr_oat_'], url64(27, 40)],
  }),
  format({
    name: 'clojars-token',
    description: 'Clojars deploy token',
    source: 'https://github.com/clojars/clojars-web/wiki/Deploy-Tokens',
    parts: ['CLOJARS_', lowerAlnum(60)],
  }),
  format({
    name: 'prefect-token',
    description: 'Prefect Cloud user or service account API key',
    source: 'https://docs.prefect.io/v3/how-to-guides/cloud/manage-users/api-keys',
    parts: [['pnu_', 'pnb_'], alnum(36)],
  }),
  format({
    name: 'packagist-token',
    description: 'Private Packagist read, update, API and secret tokens',
    source: 'https://packagist.com/docs',
    parts: [['packagist_ort_', 'packagist_out_', 'packagist_acs_', 'packagist_ack_'], hex(28, 96)],
  }),
  format({
    name: 'cloudsmith-api-key',
    description: 'Cloudsmith API key',
    source: BETTERLEAKS,
    parts: ['csa_', hex(30), alnum(6)],
  }),
  format({
    name: 'infracost-api-key',
    description: 'Infracost API key',
    source: 'https://www.infracost.io/docs/features/environment_variables/',
    parts: ['ico-', alnum(32)],
  }),
  format({
    name: 'mergify-application-key',
    description: 'Mergify application key',
    source: BETTERLEAKS,
    parts: ['mergify_application_key_', url64(40, 200)],
  }),
  format({
    name: 'deno-token',
    description: 'Deno Deploy personal or organization access token',
    source: 'https://docs.deno.com/subhosting/manual/',
    parts: [['ddp_', 'ddo_'], alnum(36)],
  }),
  format({
    name: 'postman-collection-key',
    description: 'Postman collection access key',
    source: 'https://learning.postman.com/docs/developer/postman-api/authentication/',
    parts: ['PMAT-', alnum(26)],
  }),
  format({
    name: 'postman-api-key',
    description: 'Postman API key',
    source: 'https://learning.postman.com/docs/developer/postman-api/authentication/',
    parts: ['PMAK-', anyHex(24), '-', anyHex(34)],
  }),
];

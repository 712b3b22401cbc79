/** Secret managers, infrastructure as code, clusters and machines. */
import type { BuiltinDetector } from './detector.ts';
import { alnum, base64, format, hex, lowerAlnum, upperAlnum, url64, type Run } from './format.ts';

const BECH32: Run = {
  charset: '[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]',
  example: 'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L',
  least: 58,
  most: 58,
};

export const infrastructure: readonly BuiltinDetector[] = [
  format({
    name: 'vault-token',
    description: 'HashiCorp Vault or OpenBao service, batch and recovery tokens',
    source: 'https://developer.hashicorp.com/vault/docs/concepts/tokens#token-prefixes',
    parts: [['hvs.', 'hvb.', 'hvr.'], url64(24, 400)],
  }),
  format({
    name: 'terraform-token',
    description: 'HCP Terraform or Terraform Enterprise API token',
    source: 'https://developer.hashicorp.com/terraform/cloud-docs/users-teams-organizations/api-tokens',
    parts: [alnum(14), '.atlasv1.', { ...url64(60, 70), charset: '[A-Za-z0-9_=-]' }],
  }),
  format({
    name: 'pulumi-token',
    description: 'Pulumi access token',
    source: 'https://www.pulumi.com/docs/pulumi-cloud/access-management/access-tokens/',
    parts: ['pul-', hex(40)],
  }),
  format({
    name: 'doppler-token',
    description: 'Doppler personal, service, service account, CLI, SCIM and audit tokens',
    source: 'https://docs.doppler.com/reference/auth-token-formats',
    parts: [
      ['dp.pt.', 'dp.ct.', 'dp.st.', 'dp.sa.', 'dp.scim.', 'dp.audit.', 'dp.said.'],
      { ...alnum(40, 90), charset: '[A-Za-z0-9_.-]' },
    ],
  }),
  format({
    name: 'onepassword-service-account-token',
    description: '1Password service account token',
    source: 'https://developer.1password.com/docs/service-accounts/security/',
    parts: ['ops_eyJ', { ...base64(250, 2000), charset: '[A-Za-z0-9+/=_-]' }],
  }),
  format({
    name: 'onepassword-secret-key',
    description: '1Password Secret Key, with or without the hyphen amid its second group',
    source: 'https://1passwordstatic.com/files/security/1password-white-paper.pdf',
    parts: [
      'A3-',
      upperAlnum(6),
      '-',
      { ...upperAlnum(11, 12), charset: '[A-Z0-9-]' },
      '-',
      upperAlnum(5),
      '-',
      upperAlnum(5),
      '-',
      upperAlnum(5),
    ],
  }),
  format({
    name: 'infisical-token',
    description: 'Infisical service token',
    source: 'https://infisical.com/docs/documentation/platform/token',
    parts: ['st.', hex(24), '.', hex(32), '.', hex(32)],
  }),
  format({
    name: 'age-secret-key',
    description: 'Identity (private key) of age',
    source: 'https://github.com/C2SP/C2SP/blob/main/age.md',
    parts: ['AGE-SECRET-KEY-1', BECH32],
  }),
  format({
    name: 'docker-swarm-key',
    description: 'Docker Swarm join token or unlock key',
    source: 'https://docs.docker.com/engine/swarm/swarm_manager_locking/',
    parts: [['SWMTKN-1-', 'SWMKEY-1-'], { ...base64(40, 90), charset: '[A-Za-z0-9+/-]' }],
  }),
  format({
    name: 'rancher-token',
    description: 'Rancher API token',
    source: 'https://ranchermanager.docs.rancher.com/reference-guides/user-settings/api-keys',
    parts: ['token-', lowerAlnum(5), ':', lowerAlnum(54)],
  }),
  format({
    name: 'openshift-token',
    description: 'OpenShift OAuth access token',
    source:
      'https://docs.redhat.com/en/documentation/openshift_container_platform/4.16/html/authentication_and_authorization/configuring-internal-oauth',
    parts: ['sha256~', url64(43)],
  }),
  format({
    name: 'portainer-token',
    description: 'Portainer access token',
    source: 'https://docs.portainer.io/api/access',
    parts: ['ptr_', base64(43), '='],
  }),
];
